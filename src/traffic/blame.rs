//! Why a request failed: the fault that its journey suffers from at that moment, the one that has
//! just gone, an error of an operation itself, or the load.
//!
//! A fault that has gone is blamed while its backlog settles: for a fixed time, and for as long as slices
//! have been bad without a break since it was there, or while a cache fills again that began to when it
//! went. So a storm of retries is the fault's that began it, and
//! a system that was overloaded before is not.

use crate::ids::{Id, IdVec, JourneyId};
use crate::path::{Blame, Cause, Phase};
use crate::time::{SimSpan, SimTime};

/// Whom each journey's failures are attributed to.
#[derive(Clone, Debug)]
pub(super) struct Blames {
    now: IdVec<JourneyId, Option<Blame>>,
    /// Since when a journey has had a blame, whichever it was.
    since: IdVec<JourneyId, SimTime>,
    /// The last blame that went away without another in its place.
    gone: IdVec<JourneyId, Option<Gone>>,
    settle: SimSpan,
    /// From the first to the last instant at which caches fill again, the latest time.
    refill: Option<(SimTime, SimTime)>,
}

/// A blame that has gone.
#[derive(Clone, Copy, Debug)]
struct Gone {
    blame: Blame,
    /// When it, or another that it followed without a break, began.
    began: SimTime,
    at: SimTime,
}

impl Gone {
    /// Whether slices have been bad without a break since it was there.
    fn goes_on(self, settle: SimSpan, first_bad: Option<(SimTime, SimTime)>) -> bool {
        first_bad.is_some_and(|(start, end)| end > self.began && start <= self.at + settle)
    }
}

impl Blames {
    pub(super) fn new(journeys: usize, settle: SimSpan) -> Self {
        Self {
            now: IdVec::filled(None, journeys),
            since: IdVec::filled(SimTime::EPOCH, journeys),
            gone: IdVec::filled(None, journeys),
            settle,
            refill: None,
        }
    }

    /// As a regime states it; nothing has gone before.
    pub(super) fn begin(&mut self, blames: &IdVec<JourneyId, Option<Blame>>) {
        self.now.as_mut_slice().copy_from_slice(blames.as_slice());
        self.since.as_mut_slice().fill(SimTime::EPOCH);
        self.gone.as_mut_slice().fill(None);
        self.refill = None;
    }

    /// A cache fills from `from` to `to`.
    pub(super) fn refill(&mut self, from: SimTime, to: SimTime) {
        self.refill = Some(match self.refill {
            Some((first, last)) if last >= from => (first, last.max(to)),
            _ => (from, to),
        });
    }

    /// Whether what has gone is to blame for a cache that is not full yet.
    fn lacks(&self, gone: Gone, at: SimTime) -> bool {
        self.refill
            .is_some_and(|(first, last)| gone.at + self.settle >= first && at <= last + self.settle)
    }

    /// From `at` on a journey has this blame; `first_bad` as for [`Blames::cause`].
    pub(super) fn set(
        &mut self,
        journey: JourneyId,
        blame: Option<Blame>,
        at: SimTime,
        first_bad: Option<(SimTime, SimTime)>,
    ) {
        match (self.now[journey], blame) {
            (Some(before), None) => {
                self.gone[journey] = Some(Gone {
                    blame: before,
                    began: self.since[journey],
                    at,
                });
            }
            (None, Some(_)) => {
                // What began while the backlog of another went on has its share in it.
                let backlog =
                    self.gone[journey].filter(|gone| gone.goes_on(self.settle, first_bad));
                self.since[journey] = backlog.map_or(at, |gone| gone.began);
            }
            (None, None) | (Some(_), Some(_)) => {}
        }
        self.now[journey] = blame;
    }

    /// The cause of a failure at `at`, as [`Cause::index`]; `base` if an operation's own error was the
    /// last that the user's call heard of. `first_bad`: start and end of the first
    /// slice of those that have been bad without a break.
    pub(super) fn cause(
        &self,
        journey: u32,
        at: SimTime,
        base: bool,
        first_bad: Option<(SimTime, SimTime)>,
    ) -> usize {
        let journey = JourneyId::from_index(journey as usize);
        let blame = self.now[journey].or_else(|| {
            let gone = self.gone[journey]?;
            let fresh = at.since(gone.at) <= self.settle;
            let blamed = fresh || gone.goes_on(self.settle, first_bad) || self.lacks(gone, at);
            blamed.then_some(Blame {
                fault: gone.blame.fault,
                phase: Phase::WarmUp,
            })
        });
        match blame {
            None if base => Cause::Base.index(),
            blame => Cause::from(blame).index(),
        }
    }

    /// What a request of `journey` meets on arrival: 0 healthy, 1 failover, 2 degraded.
    #[inline]
    pub(super) fn condition(&self, journey: JourneyId) -> u8 {
        match self.now[journey] {
            None => 0,
            Some(blame) if blame.phase <= Phase::Converge => 1,
            Some(_) => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::FaultId;

    fn secs(secs: u64) -> SimTime {
        SimTime::START + SimSpan::from_secs(secs)
    }

    #[test]
    fn a_fault_is_blamed_while_it_lasts_and_as_warm_up_while_its_backlog_settles() {
        let journey = JourneyId::from_index(0);
        let fault = |phase| Blame {
            fault: FaultId::from_index(1),
            phase,
        };
        let mut blames = Blames::new(1, SimSpan::from_secs(10));
        let cause = |blames: &Blames, at| Cause::from_index(blames.cause(0, secs(at), false, None));
        assert_eq!(cause(&blames, 0), Cause::Load);
        assert_eq!(blames.cause(0, secs(0), true, None), Cause::Base.index());
        blames.set(journey, Some(fault(Phase::Detect)), secs(1), None);
        assert_eq!(
            (cause(&blames, 2), blames.condition(journey)),
            (Cause::Fault(fault(Phase::Detect)), 1)
        );
        assert_eq!(
            blames.cause(0, secs(2), true, None),
            blames.cause(0, secs(2), false, None)
        );
        blames.set(journey, Some(fault(Phase::Repair)), secs(3), None);
        assert_eq!(
            (cause(&blames, 4), blames.condition(journey)),
            (Cause::Fault(fault(Phase::Repair)), 2)
        );
        blames.set(journey, None, secs(5), None);
        assert_eq!(
            (cause(&blames, 15), blames.condition(journey)),
            (Cause::Fault(fault(Phase::WarmUp)), 0)
        );
        assert_eq!(cause(&blames, 16), Cause::Load);
    }

    #[test]
    fn a_storm_is_the_fault_s_that_began_it_and_overload_from_before_is_not() {
        let journey = JourneyId::from_index(0);
        let fault = |phase| Blame {
            fault: FaultId::from_index(1),
            phase,
        };
        let mut blames = Blames::new(1, SimSpan::from_secs(10));
        blames.set(journey, Some(fault(Phase::Detect)), secs(100), None);
        blames.set(journey, Some(fault(Phase::Repair)), secs(103), None);
        blames.set(journey, None, secs(160), None);
        let cause = |at, first_bad: Option<u64>| {
            let first_bad = first_bad.map(|start| (secs(start), secs(start + 60)));
            Cause::from_index(blames.cause(0, secs(at), false, first_bad))
        };
        let storm = Cause::Fault(fault(Phase::WarmUp));
        assert_eq!(cause(5_000, Some(60)), storm);
        assert_eq!(cause(5_000, Some(165)), storm);
        assert_eq!(cause(5_000, Some(4_000)), Cause::Load);
        assert_eq!(cause(5_000, Some(40)), Cause::Load);
        assert_eq!(cause(5_000, None), Cause::Load);
        // Another one comes and goes in the middle of it.
        let first_bad = Some((secs(60), secs(120)));
        blames.set(journey, Some(fault(Phase::Repair)), secs(5_000), first_bad);
        blames.set(journey, None, secs(5_060), first_bad);
        let later = blames.cause(0, secs(9_000), false, first_bad);
        assert_eq!(Cause::from_index(later), storm);
    }
}
