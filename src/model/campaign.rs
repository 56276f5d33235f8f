//! What operators do to a system by the clock, whatever else happens to it.

use super::{Owner, System};
use crate::ids::{ClockId, PoolId, SlotId};
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
    pub work: CampaignWork,
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
pub enum CampaignWork {
    /// Components are stopped and come back.
    Maintenance(Maintenance),
    /// Replicas restart with a new version.
    Release(Release),
    /// Something changes without a restart.
    Change(Change),
}

/// A new version rolls over the replicas of a service. One that is bad is broken from its start.
#[derive(Clone, Debug)]
pub struct Release {
    /// The service.
    pub pool: PoolId,
    /// What is planned: replicas that restart.
    pub rollout: ClockId,
    /// What is not: replicas with a bad version.
    pub release: ClockId,
    /// The probability that a version is bad.
    pub bad: f64,
    /// From the first replica with a bad version to when that is noticed, seconds.
    pub noticed_in: Dist,
    /// How it goes on.
    pub rolls: Roll,
    /// How it is taken back.
    pub rolls_back: Roll,
    /// How long before it restarts a replica gets no new requests; not while it is rolled back.
    pub drain: Option<SimSpan>,
}

/// How something rolls over replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roll {
    /// How many restart together, at least 1.
    pub at_once: u32,
    /// From when these have started to when the next restart.
    pub pause: SimSpan,
}

/// A change without a restart: a configuration, or a certificate that should have been renewed. A good
/// one has no effect; a bad one keeps what it reaches from serving.
#[derive(Clone, Debug)]
pub struct Change {
    /// Whose slots it reaches.
    pub owner: Owner,
    /// The bad change.
    pub clock: ClockId,
    /// The probability that it is bad.
    pub bad: f64,
    /// From the first slot reached to when it is noticed, seconds.
    pub noticed_in: Dist,
    /// How long until all slots are reached, one after the other at equal steps, seconds.
    pub spreads_in: Dist,
    /// How long from noticing until all slots reached are well again, in the same way, seconds.
    pub reverted_in: Dist,
    /// Whether it is a certificate: all slots at once, and from its renewal on a new one is valid.
    pub is_certificate: bool,
}

impl Change {
    /// The slots that it reaches, in order.
    pub fn slots<'a>(&self, system: &'a System) -> &'a [SlotId] {
        match self.owner {
            Owner::Pool(pool) => &system.pools[pool].slots,
            Owner::Balancer(balancer) => &system.balancers[balancer].slots,
        }
    }
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
            CampaignWork::Maintenance(work) => work.drain.unwrap_or(SimSpan::ZERO),
            CampaignWork::Release(_) | CampaignWork::Change(_) => SimSpan::ZERO,
        }
    }
}
