//! What operators do to a system by the clock, whatever else happens to it.

use crate::ids::ClockId;
use crate::random::Dist;
use crate::time::SimSpan;

/// Something that is done to components again and again.
///
/// What it does to each component is a fault with a clock of its own, which the campaign turns on and
/// off instead of times to failure and to repair.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// `<component>.<kind>`, e.g. `app.maintenance`; the key of its random streams.
    pub name: String,
    /// When it starts.
    pub rhythm: Rhythm,
    /// What is done.
    pub work: Work,
}

/// When a campaign starts, from start to start. One that is due while the one before is in progress
/// is left out.
#[derive(Clone, Debug)]
pub enum Rhythm {
    /// By the clock.
    Clock {
        /// From start to start, above zero.
        every: SimSpan,
        /// Counted from Monday 00:00: it starts at `at.0` into a day or week of length `at.1`, which
        /// `every` is a multiple of; in which of them first is drawn uniformly for each history.
        /// `None`: the phase is drawn uniformly for each history.
        at: Option<(SimSpan, SimSpan)>,
    },
    /// Drawn anew each time, seconds.
    Drawn(Dist),
}

/// What a campaign does.
#[derive(Clone, Debug)]
pub enum Work {
    /// Components are stopped and come back.
    Maintenance(Maintenance),
}

/// Planned work on components.
#[derive(Clone, Debug)]
pub struct Maintenance {
    /// One for each component, in the order in which they are worked on.
    pub clocks: Vec<ClockId>,
    /// How long a component is stopped, seconds; drawn for all that are worked on at once.
    pub lasts: Dist,
    /// How long before it stops it gets no new requests; `None`: it is stopped as it is.
    pub drain: Option<SimSpan>,
    /// `Some`: one after the other, with this pause from the return of one to the next; `None`: all
    /// at once.
    pub one_by_one: Option<SimSpan>,
}

impl Campaign {
    /// How long before its start something begins to happen: what is to stop is drained first.
    pub fn lead(&self) -> SimSpan {
        match &self.work {
            Work::Maintenance(work) => work.drain.unwrap_or(SimSpan::ZERO),
        }
    }
}
