//! Why a request failed: the fault that its journey suffers from at that moment, the one that has
//! just gone, an error of an operation itself, or the load.

use crate::ids::{Id, IdVec, JourneyId};
use crate::path::{Blame, Cause, Phase};
use crate::time::{SimSpan, SimTime};

/// Whom each journey's failures are attributed to.
#[derive(Clone, Debug)]
pub(super) struct Blames {
    now: IdVec<JourneyId, Option<Blame>>,
    /// The last blame that went away without another in its place, and when.
    gone: IdVec<JourneyId, Option<(Blame, SimTime)>>,
    settle: SimSpan,
}

impl Blames {
    pub(super) fn new(journeys: usize, settle: SimSpan) -> Self {
        Self {
            now: IdVec::filled(None, journeys),
            gone: IdVec::filled(None, journeys),
            settle,
        }
    }

    /// As a regime states it; nothing has gone before.
    pub(super) fn begin(&mut self, blames: &IdVec<JourneyId, Option<Blame>>) {
        self.now.as_mut_slice().copy_from_slice(blames.as_slice());
        self.gone.as_mut_slice().fill(None);
    }

    pub(super) fn set(&mut self, journey: JourneyId, blame: Option<Blame>, at: SimTime) {
        if let (Some(before), None) = (self.now[journey], blame) {
            self.gone[journey] = Some((before, at));
        }
        self.now[journey] = blame;
    }

    /// The cause of a failure at `at`, as [`Cause::index`]; `base` if an operation's own error was the
    /// last that the user's call heard of.
    pub(super) fn cause(&self, journey: u32, at: SimTime, base: bool) -> usize {
        let journey = JourneyId::from_index(journey as usize);
        let blame = self.now[journey].or_else(|| {
            let (blame, gone) = self.gone[journey]?;
            let fresh = at.since(gone) <= self.settle;
            fresh.then_some(Blame {
                fault: blame.fault,
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
        let cause = |blames: &Blames, at| Cause::from_index(blames.cause(0, secs(at), false));
        assert_eq!(cause(&blames, 0), Cause::Load);
        assert_eq!(blames.cause(0, secs(0), true), Cause::Base.index());
        blames.set(journey, Some(fault(Phase::Detect)), secs(1));
        assert_eq!(
            (cause(&blames, 2), blames.condition(journey)),
            (Cause::Fault(fault(Phase::Detect)), 1)
        );
        assert_eq!(
            blames.cause(0, secs(2), true),
            blames.cause(0, secs(2), false)
        );
        blames.set(journey, Some(fault(Phase::Repair)), secs(3));
        assert_eq!(
            (cause(&blames, 4), blames.condition(journey)),
            (Cause::Fault(fault(Phase::Repair)), 2)
        );
        blames.set(journey, None, secs(5));
        assert_eq!(
            (cause(&blames, 15), blames.condition(journey)),
            (Cause::Fault(fault(Phase::WarmUp)), 0)
        );
        assert_eq!(cause(&blames, 16), Cause::Load);
    }
}
