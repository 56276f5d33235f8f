//! What is worked out once about faults that are taken care of (`care.rs`).

use super::lists::Lists;
use super::plan::{Delay, Handled, NONE, Timer};
use crate::ids::{ClockId, FaultId, Id, SlotId};
use crate::model::{Component, CrewOrder, Handling, People, System, Work};
use crate::random::{Part, Sequence, name_hash};
use crate::time::{SimSpan, SimTime};

/// One fault clock that is taken care of.
#[derive(Clone, Debug)]
pub(super) struct CasePlan {
    pub(super) clock: ClockId,
    /// The slot whose own fault it is.
    pub(super) slot: Option<SlotId>,
    pub(super) noticed: Notice,
    /// The stock its parts come from, or [`NONE`].
    pub(super) stock: u32,
    /// The crew that works on it, or [`NONE`].
    pub(super) crew: u32,
    /// 1 is the most urgent; always 1 for a crew without an order of priority.
    pub(super) priority: u32,
    /// The people whose steps the work is, or [`NONE`]: it takes as long as the fault lasts.
    pub(super) people: u32,
}

/// How long it takes until a fault is noticed.
#[derive(Clone, Debug)]
pub(super) enum Notice {
    By(Delay),
    People(u32),
}

impl Notice {
    pub(super) fn of(handling: &Handling) -> Self {
        match handling {
            Handling::Drawn(dist) => Self::By(Delay::of(dist)),
            Handling::People(people) => Self::People(people.index() as u32),
        }
    }

    /// The same where nobody has to do anything if nothing is stated.
    pub(super) fn or_at_once(handling: Option<&Handling>) -> Self {
        handling.map_or(Self::By(Delay::Fixed(SimSpan::ZERO)), Self::of)
    }

    pub(super) fn draw(
        &self,
        plan: &super::plan::Plan,
        now: SimTime,
        draws: &mut Sequence,
    ) -> SimSpan {
        match self {
            Self::By(delay) => delay.draw(draws),
            Self::People(people) => plan.care.people[*people as usize]
                .draw(now, draws)
                .into_iter()
                .fold(SimSpan::ZERO, SimSpan::saturating_add),
        }
    }
}

/// People, with the delays of their steps by day and by night.
#[derive(Clone, Debug)]
pub(super) struct PeoplePlan {
    people: People,
    steps: [[Delay; 2]; 3],
}

impl PeoplePlan {
    /// Three steps of work that is called for at `now`.
    pub(super) fn draw(&self, now: SimTime, draws: &mut Sequence) -> [SimSpan; 3] {
        let when = usize::from(!self.people.is_day(now));
        self.steps.each_ref().map(|step| step[when].draw(draws))
    }
}

/// A crew.
#[derive(Clone, Debug)]
pub(super) struct CrewPlan {
    pub(super) count: u32,
    pub(super) preempts: bool,
}

/// A stock of parts, with a timer for each order.
#[derive(Clone, Debug)]
pub(super) struct StockPlan {
    pub(super) fault: FaultId,
    pub(super) name: Part,
    pub(super) count: u32,
    pub(super) replaced: Delay,
    pub(super) first_timer: u32,
}

/// A common cause.
#[derive(Clone, Debug)]
pub(super) struct CommonPlan {
    pub(super) clock: ClockId,
    /// The cases that it hits.
    pub(super) hits: Vec<u32>,
    pub(super) chance: f64,
}

/// All of it.
#[derive(Debug)]
pub(super) struct CarePlan {
    pub(super) cases: Vec<CasePlan>,
    pub(super) crews: Vec<CrewPlan>,
    pub(super) stocks: Vec<StockPlan>,
    pub(super) people: Vec<PeoplePlan>,
    pub(super) commons: Vec<CommonPlan>,
    /// The cases of each slot's own faults.
    pub(super) of_slot: Lists<u32>,
    /// The case of each clock, or [`NONE`]; for the clock of a common cause its row.
    pub(super) of_clock: Vec<u32>,
}

impl CarePlan {
    /// `minded` are the clocks that need a case for other reasons than their repair. Appends the timers
    /// of orders.
    pub(super) fn new(system: &System, minded: &[bool], timers: &mut Vec<Timer>) -> Self {
        let care = &system.care;
        let mut has_case = minded.to_vec();
        for (id, clock) in system.clocks.pairs() {
            has_case[id.index()] |= care.repairs.contains_key(&clock.fault);
        }
        for common in &care.commons {
            for hit in &common.hits {
                has_case[hit.index()] = true;
            }
        }
        let mut stocks = Vec::new();
        let mut stock_of = vec![NONE; system.faults.len()];
        for (&fault, repair) in &care.repairs {
            let Some(spares) = &repair.spares else {
                continue;
            };
            stock_of[fault.index()] = stocks.len() as u32;
            let first_timer = timers.len() as u32;
            timers.extend((0..spares.count).map(|_| Timer::Order(stocks.len() as u32)));
            stocks.push(StockPlan {
                fault,
                name: Part::new(name_hash(&system.faults[fault].name)),
                count: spares.count,
                replaced: Delay::of(&spares.replaced_in),
                first_timer,
            });
        }
        let (mut cases, mut of_clock) = (Vec::new(), vec![NONE; system.clocks.len()]);
        let mut of_slot = vec![Vec::new(); system.slots.len()];
        for (id, clock) in system.clocks.pairs() {
            if let Component::Common(row) = clock.component {
                of_clock[id.index()] = row;
                continue;
            }
            if !has_case[id.index()] {
                continue;
            }
            let row = cases.len() as u32;
            of_clock[id.index()] = row;
            if let Component::Slot(slot) = clock.component {
                of_slot[slot.index()].push(row);
            }
            let mut case = CasePlan {
                clock: id,
                slot: match clock.component {
                    Component::Slot(slot) => Some(slot),
                    _ => None,
                },
                noticed: Notice::By(Delay::Fixed(SimSpan::ZERO)),
                stock: stock_of[clock.fault.index()],
                crew: NONE,
                priority: 1,
                people: NONE,
            };
            if let Some(repair) = care.repairs.get(&clock.fault) {
                case.noticed = Notice::of(&repair.noticed_in);
                if let Work::People(people) = repair.work {
                    case.people = people.index() as u32;
                }
                if let Some(crew) = repair.crew {
                    case.crew = crew.index() as u32;
                    if care.crews[crew].order != CrewOrder::Fifo {
                        case.priority = repair.priority;
                    }
                }
            }
            cases.push(case);
        }
        let crew = |crew: &crate::model::Crew| CrewPlan {
            count: crew.count,
            preempts: crew.order == CrewOrder::Priority { preempts: true },
        };
        let people = |people: &People| PeoplePlan {
            people: people.clone(),
            steps: people
                .steps
                .each_ref()
                .map(|step| step.each_ref().map(Delay::of)),
        };
        let common = |common: &crate::model::CommonCause| CommonPlan {
            clock: common.clock,
            hits: common
                .hits
                .iter()
                .map(|hit| of_clock[hit.index()])
                .collect(),
            chance: common.chance,
        };
        Self {
            commons: care.commons.iter().map(common).collect(),
            cases,
            crews: care.crews.iter().map(crew).collect(),
            stocks,
            people: care.people.iter().map(people).collect(),
            of_slot: Lists::new(&of_slot),
            of_clock,
        }
    }

    /// What happens when the clock `id` of `component` is due.
    pub(super) fn handled(&self, id: ClockId, component: Component) -> Handled {
        match (self.of_clock[id.index()], component) {
            (NONE, _) => Handled::Alone,
            (row, Component::Common(_)) => Handled::Common(row),
            (row, _) => Handled::Case(row),
        }
    }
}
