//! How faults are handled: who notices, which parts and crews a repair waits for, what people do, and
//! which faults come together.
//!
//! A fault without an entry here is repaired by itself: `lasts` after it began it is over.

use crate::ids::{ClockId, CrewId, FaultId, IdVec, PeopleId, SlotId};
use crate::random::Dist;
use crate::time::{SimSpan, SimTime};
use std::collections::BTreeMap;

/// Everything about handling that the file states.
#[derive(Clone, Debug, Default)]
pub struct Care {
    /// Repair crews.
    pub crews: IdVec<CrewId, Crew>,
    /// Groups of people.
    pub people: IdVec<PeopleId, People>,
    /// How the faults are repaired that need more than time.
    pub repairs: BTreeMap<FaultId, Repair>,
    /// The faults whose effect comes and goes while they last.
    pub flaps: BTreeMap<FaultId, Flaps>,
    /// Who starts processes again when they end; of a slot, at most one of these.
    pub restarts: Vec<Restart>,
    /// Shocks that start faults of several components at once.
    pub commons: Vec<CommonCause>,
}

/// How the effect of a fault comes and goes while it lasts, beginning with there.
#[derive(Clone, Debug)]
pub struct Flaps {
    /// How long it is there, seconds.
    pub down: Dist,
    /// How long it is gone, seconds.
    pub up: Dist,
    /// The line of the file that states it.
    pub line: u32,
}

/// How processes are started again when they end by themselves.
#[derive(Clone, Debug)]
pub struct Restart {
    /// Whose.
    pub slots: Vec<SlotId>,
    /// Whether they are at all.
    pub restarts: bool,
    /// Whether the first restart comes without a pause.
    pub at_once: bool,
    /// The first pause.
    pub first: SimSpan,
    /// How many times as long each next pause is, at least 1.
    pub factor: f64,
    /// The longest pause.
    pub cap: SimSpan,
    /// What ran for longer than this begins with the first restart again.
    pub resets_after: SimSpan,
    /// At most so many starts in a time, counted from the first of them; beyond it, a person is called.
    pub limit: Option<(u32, SimSpan)>,
    /// From the call to the start by that person.
    pub person: Handling,
    /// The chance that a start fails, below 1.
    pub starts_fail: f64,
}

/// Crews that work on one fault each.
#[derive(Clone, Debug)]
pub struct Crew {
    /// Its name, e.g. `ops`.
    pub name: String,
    /// How many can work at the same time, at least 1.
    pub count: u32,
    /// Who is next.
    pub order: CrewOrder,
}

/// Whose repair a crew takes up next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrewOrder {
    /// In the order in which they asked.
    Fifo,
    /// The lowest [`Repair::priority`] first, and within one priority in the order in which they asked.
    Priority {
        /// Whether a more urgent repair interrupts a less urgent one, which is later resumed.
        preempts: bool,
    },
}

/// How a fault is repaired.
#[derive(Clone, Debug)]
pub struct Repair {
    /// From the beginning of the fault until anybody does anything about it.
    pub noticed_in: Handling,
    /// Spare parts, one of which each repair uses up.
    pub spares: Option<Spares>,
    /// Who repairs; `None`: each component has somebody of its own.
    pub crew: Option<CrewId>,
    /// 1 is the most urgent.
    pub priority: u32,
    /// How long the work takes. For people, [`Fault::lasts`](super::Fault::lasts) has the mean only.
    pub work: Work,
}

/// A stock of parts that is filled up again.
#[derive(Clone, Debug)]
pub struct Spares {
    /// Parts in a full stock, at least 1.
    pub count: u32,
    /// From taking a part to the arrival of the next one, seconds.
    pub replaced_in: Dist,
}

/// A delay, by itself or by people.
#[derive(Clone, Debug)]
pub enum Handling {
    /// Drawn, seconds.
    Drawn(Dist),
    /// What these people need for all their steps.
    People(PeopleId),
}

/// The work on a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// As long as [`Fault::lasts`](super::Fault::lasts).
    Lasts,
    /// The steps of these people.
    People(PeopleId),
}

/// What people do about a fault, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Until somebody has taken it up.
    Acknowledge,
    /// Until it is known what to do.
    Diagnose,
    /// Until it is done.
    Act,
}

impl Step {
    /// All steps, in order.
    pub const ALL: [Self; 3] = [Self::Acknowledge, Self::Diagnose, Self::Act];
}

/// People on call. Which of the two distributions of a step holds is decided by the time of day at
/// which they are called, for all steps.
#[derive(Clone, Debug)]
pub struct People {
    /// Their name, e.g. `on_call`.
    pub name: String,
    /// When the day begins and ends, since midnight; a day that ends before it begins lasts over
    /// midnight.
    pub day: (SimSpan, SimSpan),
    /// By day and by night, for each of [`Step::ALL`], seconds.
    pub steps: [[Dist; 2]; 3],
}

impl People {
    /// Whether it is day for them at `now`.
    pub fn is_day(&self, now: SimTime) -> bool {
        const DAY: u64 = 86_400 * crate::time::NANOS_PER_SEC;
        let time = SimSpan::from_nanos(now.as_nanos() % DAY);
        let (begins, ends) = self.day;
        if begins <= ends {
            begins <= time && time < ends
        } else {
            begins <= time || time < ends
        }
    }

    /// The mean of all steps together at a random time of day, seconds.
    pub fn mean(&self) -> f64 {
        let (begins, ends) = (self.day.0.as_secs_f64(), self.day.1.as_secs_f64());
        let day = (ends - begins).rem_euclid(86_400.0) / 86_400.0;
        self.steps
            .iter()
            .map(|[by_day, by_night]| day * by_day.mean() + (1.0 - day) * by_night.mean())
            .sum()
    }
}

/// Shocks from outside, each of which starts a fault on several components at the same instant.
#[derive(Clone, Debug)]
pub struct CommonCause {
    /// Its clock, of kind [`FaultKind::Common`](super::FaultKind::Common): `every` from one shock to
    /// the next. It is what the failures are attributed to.
    pub clock: ClockId,
    /// The clocks whose faults it starts, where they are not active already.
    pub hits: Vec<ClockId>,
    /// The probability that it starts one of them, each by itself.
    pub chance: f64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::fixed;

    #[test]
    fn a_day_may_last_over_midnight() {
        let mut people = People {
            name: "on_call".into(),
            day: (
                SimSpan::from_secs(8 * 3_600),
                SimSpan::from_secs(20 * 3_600),
            ),
            steps: std::array::from_fn(|_| [fixed(60.0), fixed(180.0)]),
        };
        let at = |hours: u64| SimTime::START + SimSpan::from_secs(hours * 3_600);
        assert!(people.is_day(at(8)) && people.is_day(at(43)) && !people.is_day(at(20)));
        assert_eq!(people.mean(), 360.0);
        people.day = (people.day.1, people.day.0);
        assert!(!people.is_day(at(8)) && people.is_day(at(20)) && people.is_day(at(24)));
        people.day.1 = SimSpan::from_secs(2 * 3_600);
        assert_eq!(people.mean(), 3.0 * (60.0 * 0.25 + 180.0 * 0.75));
    }
}
