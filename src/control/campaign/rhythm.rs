//! When a campaign starts.

use crate::model::{Rhythm, Start};
use crate::random::Sequence;
use crate::time::{SimSpan, SimTime};

impl Rhythm {
    /// The first start at or after `from`, in the phase of this history; a drawn rhythm is in
    /// equilibrium in a steady history and begins with a whole interval in a new one.
    pub(super) fn first(
        &self,
        from: SimTime,
        start: Start,
        draws: &mut Sequence,
        intervals: &mut Sequence,
    ) -> SimTime {
        match self {
            Self::Clock { every, at } => {
                let phase = match at {
                    None => every.mul_f64(draws.uniform()),
                    Some((offset, length)) => {
                        let turns = every.as_nanos() / length.as_nanos();
                        let turn = (draws.uniform() * turns as f64) as u64;
                        offset.saturating_add(length.saturating_mul(turn))
                    }
                };
                let every = u128::from(every.as_nanos());
                // Both the clock's epoch and the horizon's start are Mondays 00:00, but only the
                // horizon's start is one that every rhythm may be counted from.
                let wanted = u128::from((SimTime::START + phase).as_nanos()) % every;
                let ahead = (wanted + every - u128::from(from.as_nanos()) % every) % every;
                // Less than `every`, so it fits.
                from + SimSpan::from_nanos(ahead as u64)
            }
            Self::Drawn(dist) => match start {
                Start::Steady => {
                    let (life, place) = (draws.uniform(), draws.uniform());
                    from + SimSpan::from_secs_f64(dist.equilibrium(life, place).1)
                }
                Start::New => self.next(from, intervals),
            },
        }
    }

    /// The start after the one at `last`.
    pub(super) fn next(&self, last: SimTime, intervals: &mut Sequence) -> SimTime {
        match self {
            Self::Clock { every, .. } => last + *every,
            Self::Drawn(dist) => {
                last + SimSpan::from_secs_f64(dist.quantile_of_sf(intervals.uniform()))
            }
        }
    }
}
