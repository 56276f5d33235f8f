//! Faults whose repair needs more than time: somebody who notices, a part, a crew, people; and shocks
//! that start several faults at once.
//!
//! A *case* is one fault clock with any of these. Its fault begins like any other, and then goes
//! through: noticing, waiting for a part, waiting for a crew, the work, step by step. `lasts` is the
//! work alone. A step of no length takes no event. What a case needs is drawn when its fault begins,
//! from streams of its own, so that no queue moves any draw.
//!
//! A crew that is free takes the first in its queue: by priority, if it has an order of priority, and
//! by the time of asking. One that preempts leaves the least urgent work it has (of equals the one that
//! asked last) for a more urgent one; what is left of it is resumed later, in the old place of the queue.
//!
//! A common cause starts the faults of cases that are not active already. Such a fault is attributed
//! to the common cause, which is over when the last fault that it started is.
//!
//! A case grows old at a rate: 1 while its component works, less or nothing while it stands by; and
//! not at all while its component does not run, if its clock is an operating one (`operate.rs`).

use super::blame::{After, Condition};
use super::plan::{NONE, Plan};
use super::state::State;
use crate::ids::{ClockId, Id, SlotId};
use crate::model::Step;
use crate::path::{Event, Signal};
use crate::random::{Key, Purpose, Sequence};
use crate::time::{SimSpan, SimTime};

/// How far a case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// No fault.
    Up,
    /// A fault that nobody has noticed.
    Unnoticed,
    /// A failover has to be over first.
    Held,
    /// No part is there.
    NeedsPart,
    /// No crew is free.
    NeedsCrew,
    /// The work is going on: this step of it.
    Work(usize),
}

/// One fault clock that is taken care of.
#[derive(Clone, Debug)]
pub(super) struct CaseNow {
    pub(super) stage: Stage,
    /// Whom its failures are attributed to: itself, or a common cause.
    by: ClockId,
    /// What is left of the steps of its work; the present one only when it is interrupted.
    pub(super) steps: [SimSpan; 3],
    /// What is left of its life while it does not grow old.
    life: SimSpan,
    /// When its clock is due.
    pub(super) due: SimTime,
    /// How fast it grows old while its component runs.
    rate: f64,
    /// Whether its component runs, if it does not grow old otherwise.
    runs: bool,
    /// When it asked for a crew or a part: a number that grows.
    pub(super) ticket: u64,
    condition: Condition,
    handling: Sequence,
}

/// A crew: how many are free, what they work on, who waits, the next one first.
#[derive(Clone, Debug)]
pub(super) struct CrewNow {
    pub(super) free: u32,
    pub(super) working: Vec<u32>,
    pub(super) waiting: Vec<u32>,
}

/// A stock of parts.
#[derive(Clone, Debug)]
pub(super) struct StockNow {
    pub(super) parts: u32,
    pub(super) waiting: Vec<u32>,
    pub(super) draws: Sequence,
}

/// A common cause.
#[derive(Clone, Debug)]
pub(super) struct CommonNow {
    /// Faults that it started and that are not over.
    started: u32,
    draws: Vec<Sequence>,
}

/// Everything that is taken care of.
#[derive(Clone, Debug)]
pub(super) struct CareNow {
    pub(super) cases: Vec<CaseNow>,
    pub(super) crews: Vec<CrewNow>,
    pub(super) stocks: Vec<StockNow>,
    commons: Vec<CommonNow>,
    pub(super) tickets: u64,
    /// Cases that a shock has hit in this step.
    hit: Vec<u32>,
}

impl CaseNow {
    /// How fast it grows old.
    fn pace(&self) -> f64 {
        if self.runs { self.rate } else { 0.0 }
    }
}

impl CareNow {
    pub(super) fn new(plan: &Plan) -> Self {
        let idle = Key::of_seed(0).sequence();
        let known = &plan.care;
        let case = |case: &super::care_plan::CasePlan| CaseNow {
            stage: Stage::Up,
            by: case.clock,
            steps: [SimSpan::ZERO; 3],
            life: SimSpan::ZERO,
            due: SimTime::NEVER,
            rate: 1.0,
            runs: true,
            ticket: 0,
            condition: None,
            handling: idle.clone(),
        };
        let crew = |count: &u32| CrewNow {
            free: *count,
            working: Vec::with_capacity(known.cases.len().min(*count as usize)),
            waiting: Vec::with_capacity(known.cases.len()),
        };
        Self {
            cases: known.cases.iter().map(case).collect(),
            crews: known
                .crews
                .iter()
                .map(|crew| &crew.count)
                .map(crew)
                .collect(),
            stocks: known
                .stocks
                .iter()
                .map(|stock| StockNow {
                    parts: stock.count,
                    waiting: Vec::with_capacity(known.cases.len()),
                    draws: idle.clone(),
                })
                .collect(),
            commons: known
                .commons
                .iter()
                .map(|common| CommonNow {
                    started: 0,
                    draws: vec![idle.clone(); common.hits.len()],
                })
                .collect(),
            tickets: 0,
            hit: Vec::with_capacity(known.cases.len()),
        }
    }
}

impl State {
    /// Crews free, stocks full, and every case as its clock stands; a fault in progress comes later, by
    /// [`State::resume_case`].
    pub(super) fn start_care(&mut self, plan: &Plan, base: Key) {
        let known = &plan.care;
        self.care.tickets = 0;
        for (case, known) in self.care.cases.iter_mut().zip(&known.cases) {
            let key = base.with_part(plan.clocks[known.clock].name);
            case.handling = key.with(Purpose::Handling as u64).sequence();
            (case.stage, case.by, case.rate, case.runs) = (Stage::Up, known.clock, 1.0, true);
            (case.condition, case.ticket) = (None, 0);
            case.due = self.agenda.due_clock(known.clock);
        }
        for (crew, known) in self.care.crews.iter_mut().zip(&known.crews) {
            crew.free = known.count;
            crew.working.clear();
            crew.waiting.clear();
        }
        for (stock, known) in self.care.stocks.iter_mut().zip(&known.stocks) {
            stock.parts = known.count;
            stock.waiting.clear();
            stock.draws = base
                .with_part(known.name)
                .with(Purpose::Parts as u64)
                .sequence();
        }
        for (common, known) in self.care.commons.iter_mut().zip(&known.commons) {
            common.started = 0;
            let key = base.with_part(plan.clocks[known.clock].name);
            for (draws, &hit) in common.draws.iter_mut().zip(&known.hits) {
                let name = plan.clocks[plan.care.cases[hit as usize].clock].name;
                *draws = key.with_part(name).with(Purpose::Hits as u64).sequence();
            }
        }
    }

    /// A fault that was active when the history began: it has been noticed and its parts have come; what
    /// is left of its duration is work, as far as there are crews.
    pub(super) fn resume_case(&mut self, plan: &Plan, case: u32) {
        let rest = self.care.cases[case as usize].due.since(self.now);
        self.set_due(plan, case, SimTime::NEVER);
        self.care.cases[case as usize].steps = [SimSpan::ZERO, SimSpan::ZERO, rest];
        self.ask_crew(plan, case);
    }

    /// The timer of a case is due.
    pub(super) fn step_case(
        &mut self,
        plan: &Plan,
        case: u32,
        signals: &mut Vec<Signal>,
    ) -> (Event, Option<ClockId>) {
        let clock = plan.care.cases[case as usize].clock;
        let (stage, by) = {
            let now = &self.care.cases[case as usize];
            (now.stage, now.by)
        };
        match stage {
            Stage::Up => {
                self.blames.turn(&plan.audiences, clock, true, self.now);
                self.begin_case(plan, case, clock, signals);
                self.spread(plan, Some(clock), signals);
                self.await_notice(plan, case);
                (Event::FaultBegins(clock), Some(clock))
            }
            Stage::Unnoticed => {
                self.ask_part(plan, case);
                (Event::Noticed(clock), Some(by))
            }
            Stage::Work(step) if !self.last_step(case, step) => {
                self.work(plan, case, step + 1);
                let step = Step::ALL[step];
                (Event::StepDone { clock, step }, Some(by))
            }
            Stage::Work(_) | Stage::Held | Stage::NeedsPart | Stage::NeedsCrew => {
                self.end_case(plan, case, signals);
                (Event::FaultEnds(clock), Some(by))
            }
        }
    }

    /// A common cause strikes.
    pub(super) fn strike(
        &mut self,
        plan: &Plan,
        row: u32,
        signals: &mut Vec<Signal>,
    ) -> (Event, Option<ClockId>) {
        let known = &plan.care.commons[row as usize];
        let shock = known.clock;
        let life = plan.clocks[shock].spans[0].draw(&mut self.clocks[shock].draws[0]);
        self.agenda.set_clock(shock, self.now + life);
        let mut hit = std::mem::take(&mut self.care.hit);
        hit.clear();
        for (index, &case) in known.hits.iter().enumerate() {
            // Drawn for every one, so that shock by shock the draws stay in step.
            let chance = self.care.commons[row as usize].draws[index].uniform();
            let now = &self.care.cases[case as usize];
            let can_be_hit = now.stage == Stage::Up && now.pace() > 0.0;
            if can_be_hit && self.demands.happens(known.chance, chance) {
                hit.push(case);
            }
        }
        if !hit.is_empty() {
            self.care.commons[row as usize].started += hit.len() as u32;
            self.blames.turn(&plan.audiences, shock, true, self.now);
        }
        for &case in &hit {
            self.begin_case(plan, case, shock, signals);
            self.remark(
                plan,
                Event::FaultBegins(plan.care.cases[case as usize].clock),
            );
        }
        self.spread(plan, Some(shock), signals);
        for &case in &hit {
            self.await_notice(plan, case);
        }
        self.care.hit = hit;
        (Event::FaultBegins(shock), Some(shock))
    }

    /// The fault of a case begins, because of `by`.
    fn begin_case(&mut self, plan: &Plan, case: u32, by: ClockId, signals: &mut Vec<Signal>) {
        let known = &plan.care.cases[case as usize];
        self.set_due(plan, case, SimTime::NEVER);
        let now = &mut self.care.cases[case as usize];
        let clock = &mut self.clocks[known.clock];
        now.by = by;
        clock.active = true;
        now.steps = match known.people {
            NONE => [
                SimSpan::ZERO,
                SimSpan::ZERO,
                plan.clocks[known.clock].spans[1].draw(&mut clock.draws[1]),
            ],
            people => plan.care.people[people as usize].draw(self.now, &mut now.handling),
        };
        let acts = self.change_effect(plan, known.clock, by, true, signals);
        if plan.operated.is_any() {
            self.stop_operated(plan, known.clock, true, acts);
        }
    }

    /// Somebody has to notice the fault of a case that has just begun.
    fn await_notice(&mut self, plan: &Plan, case: u32) {
        let known = &plan.care.cases[case as usize];
        let now = &mut self.care.cases[case as usize];
        let notice = known.noticed.draw(plan, self.now, &mut now.handling);
        if notice.is_zero() {
            self.ask_part(plan, case);
            return;
        }
        now.stage = Stage::Unnoticed;
        self.set_due(plan, case, self.now + notice);
        self.open(plan, case, Some(After::Unnoticed));
    }

    /// What the handling of a case leaves open.
    pub(super) fn open(&mut self, plan: &Plan, case: u32, after: Option<After>) {
        let clock = plan.care.cases[case as usize].clock;
        let now = &mut self.care.cases[case as usize];
        let next = after.map(|after| (now.by, after));
        self.blames
            .change_handling(&plan.audiences, clock, &mut now.condition, next);
    }

    /// The work begins, or goes on where it was interrupted.
    pub(super) fn begin_work(&mut self, plan: &Plan, case: u32) {
        let steps = &self.care.cases[case as usize].steps;
        let step = steps.iter().position(|step| !step.is_zero());
        self.work(plan, case, step.unwrap_or(steps.len() - 1));
    }

    /// This step of the work begins, or the first after it that takes any time.
    pub(super) fn work(&mut self, plan: &Plan, case: u32, step: usize) {
        let now = &mut self.care.cases[case as usize];
        let ahead = (step..now.steps.len()).find(|&step| !now.steps[step].is_zero());
        let step = ahead.unwrap_or(now.steps.len() - 1);
        now.stage = Stage::Work(step);
        let span = now.steps[step];
        now.steps[..step].fill(SimSpan::ZERO);
        self.set_due(plan, case, self.now + span);
        let after = (step + 1 < Step::ALL.len()).then_some(After::Undecided);
        self.open(plan, case, after);
    }

    fn last_step(&self, case: u32, step: usize) -> bool {
        let mut rest = self.care.cases[case as usize].steps[step + 1..].iter();
        rest.all(|step| step.is_zero())
    }

    /// The repair of a case need not wait for a failover any longer.
    pub(super) fn release_case(&mut self, plan: &Plan, case: u32) {
        if self.care.cases[case as usize].stage == Stage::Held {
            self.ask_part(plan, case);
        }
    }

    /// The fault of a case is ended, however far its repair is.
    pub(super) fn cure(&mut self, plan: &Plan, case: u32, signals: &mut Vec<Signal>) {
        let known = &plan.care.cases[case as usize];
        match self.care.cases[case as usize].stage {
            Stage::Up => return,
            Stage::NeedsPart => {
                let stock = &mut self.care.stocks[known.stock as usize];
                stock.waiting.retain(|&other| other != case);
            }
            Stage::NeedsCrew => {
                let crew = &mut self.care.crews[known.crew as usize];
                crew.waiting.retain(|&other| other != case);
            }
            Stage::Unnoticed | Stage::Held | Stage::Work(_) => {}
        }
        self.remark(plan, Event::FaultEnds(known.clock));
        self.end_case(plan, case, signals);
    }

    /// The fault of a case is over.
    fn end_case(&mut self, plan: &Plan, case: u32, signals: &mut Vec<Signal>) {
        let known = &plan.care.cases[case as usize];
        self.open(plan, case, None);
        let by = self.care.cases[case as usize].by;
        let clock = &mut self.clocks[known.clock];
        clock.active = false;
        let life = plan.clocks[known.clock].spans[0].draw(&mut clock.draws[0]);
        let acts = self.change_effect(plan, known.clock, by, false, signals);
        if plan.operated.is_any() {
            self.stop_operated(plan, known.clock, false, acts);
        }
        let now = &mut self.care.cases[case as usize];
        (now.stage, now.by) = (Stage::Up, known.clock);
        self.live(plan, case, life);
        if by == known.clock {
            self.blames.turn(&plan.audiences, by, false, self.now);
        } else {
            let row = plan.care.of_clock[by.index()] as usize;
            self.care.commons[row].started -= 1;
            if self.care.commons[row].started == 0 {
                self.blames.turn(&plan.audiences, by, false, self.now);
            }
        }
        self.spread(plan, Some(by), signals);
        if known.crew != NONE {
            let crew = &mut self.care.crews[known.crew as usize];
            let before = crew.working.len();
            crew.working.retain(|&other| other != case);
            if crew.working.len() < before {
                crew.free += 1;
                if !crew.waiting.is_empty() {
                    let next = crew.waiting.remove(0);
                    self.take_up(plan, next);
                }
            }
        }
    }

    /// A case without fault has this much of its life ahead, at its rate.
    fn live(&mut self, plan: &Plan, case: u32, life: SimSpan) {
        let now = &mut self.care.cases[case as usize];
        now.life = life;
        let pace = now.pace();
        let due = if pace > 0.0 {
            self.now + life.mul_f64(1.0 / pace)
        } else {
            SimTime::NEVER
        };
        self.set_due(plan, case, due);
    }

    /// The next step of a case is due `at`, or never.
    pub(super) fn set_due(&mut self, plan: &Plan, case: u32, at: SimTime) {
        self.care.cases[case as usize].due = at;
        let clock = plan.care.cases[case as usize].clock;
        self.agenda.set_clock(clock, at);
    }

    /// What happens beside the event of this step, for people.
    #[inline]
    pub(super) fn remark(&mut self, plan: &Plan, event: Event) {
        if plan.remarks {
            self.remarks.push(event);
        }
    }

    /// From now on the clocks of `slot` itself run at this rate.
    pub(super) fn set_rate(&mut self, plan: &Plan, slot: SlotId, rate: f64) {
        for &case in plan.care.of_slot.of(slot.index()) {
            let runs = self.care.cases[case as usize].runs;
            self.set_pace(plan, case, rate, runs);
        }
    }

    /// The component of a case that grows old only while it runs, runs from now on, or does not.
    pub(super) fn set_running(&mut self, plan: &Plan, case: u32, runs: bool) {
        let rate = self.care.cases[case as usize].rate;
        self.set_pace(plan, case, rate, runs);
    }

    fn set_pace(&mut self, plan: &Plan, case: u32, rate: f64, runs: bool) {
        let active = self.clocks[plan.care.cases[case as usize].clock].active;
        let now = &mut self.care.cases[case as usize];
        let before = now.pace();
        (now.rate, now.runs) = (rate, runs);
        if active || now.stage != Stage::Up || before == now.pace() {
            return;
        }
        let life = if before > 0.0 {
            now.due.since(self.now).mul_f64(before)
        } else {
            now.life
        };
        self.live(plan, case, life);
    }
}
