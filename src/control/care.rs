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
//! A case grows old at a rate: 1 while its component works, less or nothing while it stands by.

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
enum Stage {
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
    stage: Stage,
    /// Whom its failures are attributed to: itself, or a common cause.
    by: ClockId,
    /// What is left of the steps of its work; the present one only when it is interrupted.
    steps: [SimSpan; 3],
    /// What is left of its life while it does not grow old.
    life: SimSpan,
    /// How fast it grows old.
    rate: f64,
    /// When it asked for a crew or a part: a number that grows.
    ticket: u64,
    condition: Condition,
    handling: Sequence,
}

/// A crew: how many are free, what they work on, who waits, the next one first.
#[derive(Clone, Debug)]
pub(super) struct CrewNow {
    free: u32,
    working: Vec<u32>,
    waiting: Vec<u32>,
}

/// A stock of parts.
#[derive(Clone, Debug)]
pub(super) struct StockNow {
    parts: u32,
    waiting: Vec<u32>,
    draws: Sequence,
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
    cases: Vec<CaseNow>,
    crews: Vec<CrewNow>,
    stocks: Vec<StockNow>,
    commons: Vec<CommonNow>,
    tickets: u64,
    /// Cases that a shock has hit in this step.
    hit: Vec<u32>,
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
            rate: 1.0,
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
            (case.stage, case.by, case.rate) = (Stage::Up, known.clock, 1.0);
            (case.condition, case.ticket) = (None, 0);
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
        let timer = plan.care.cases[case as usize].timer;
        let rest = self.agenda.due(timer).since(self.now);
        self.agenda.cancel(timer);
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
        self.agenda.set(shock.index() as u32, self.now + life);
        let mut hit = std::mem::take(&mut self.care.hit);
        hit.clear();
        for (index, &case) in known.hits.iter().enumerate() {
            // Drawn for every one, so that shock by shock the draws stay in step.
            let chance = self.care.commons[row as usize].draws[index].uniform();
            let now = &self.care.cases[case as usize];
            if now.stage == Stage::Up && now.rate > 0.0 && chance < known.chance {
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
        let now = &mut self.care.cases[case as usize];
        let clock = &mut self.clocks[known.clock];
        now.by = by;
        clock.active = true;
        self.agenda.cancel(known.timer);
        now.steps = match known.people {
            NONE => [
                SimSpan::ZERO,
                SimSpan::ZERO,
                plan.clocks[known.clock].spans[1].draw(&mut clock.draws[1]),
            ],
            people => plan.care.people[people as usize].draw(self.now, &mut now.handling),
        };
        self.apply(plan, known.clock, by, true, signals);
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
        self.agenda.set(known.timer, self.now + notice);
        self.open(plan, case, Some(After::Unnoticed));
    }

    /// What the handling of a case leaves open.
    fn open(&mut self, plan: &Plan, case: u32, after: Option<After>) {
        let clock = plan.care.cases[case as usize].clock;
        let now = &mut self.care.cases[case as usize];
        let next = after.map(|after| (now.by, after));
        self.blames
            .change_handling(&plan.audiences, clock, &mut now.condition, next);
    }

    /// A case takes a part, or waits for one.
    fn ask_part(&mut self, plan: &Plan, case: u32) {
        self.open(plan, case, None);
        let known = &plan.care.cases[case as usize];
        if let Some(slot) = known.slot
            && self.waits_for_failover(plan, slot)
        {
            self.care.cases[case as usize].stage = Stage::Held;
            self.agenda.cancel(known.timer);
            return;
        }
        if known.stock == NONE {
            self.ask_crew(plan, case);
            return;
        }
        let stock = &mut self.care.stocks[known.stock as usize];
        if stock.parts > 0 {
            stock.parts -= 1;
            self.order_part(plan, known.stock);
            self.ask_crew(plan, case);
        } else {
            stock.waiting.push(case);
            self.care.cases[case as usize].stage = Stage::NeedsPart;
            self.agenda.cancel(known.timer);
            self.remark(plan, Event::PartAwaited(known.clock));
        }
    }

    /// A part was taken: another is ordered.
    fn order_part(&mut self, plan: &Plan, stock: u32) {
        let known = &plan.care.stocks[stock as usize];
        let takes = known
            .replaced
            .draw(&mut self.care.stocks[stock as usize].draws);
        let timers = known.first_timer..known.first_timer + known.count;
        let mut idle = timers.filter(|&timer| self.agenda.due(timer) == SimTime::NEVER);
        let timer = idle
            .next()
            .expect("there are as many orders as parts at most");
        self.agenda.set(timer, self.now + takes);
    }

    /// A part arrives, by the order of this timer.
    pub(super) fn receive_part(
        &mut self,
        plan: &Plan,
        stock: u32,
        timer: u32,
    ) -> (Event, Option<ClockId>) {
        self.agenda.cancel(timer);
        let now = &mut self.care.stocks[stock as usize];
        if now.waiting.is_empty() {
            now.parts += 1;
        } else {
            let case = now.waiting.remove(0);
            self.order_part(plan, stock);
            self.ask_crew(plan, case);
        }
        let event = Event::PartArrives(plan.care.stocks[stock as usize].fault);
        (event, None)
    }

    /// A case gets a crew, or waits for one.
    fn ask_crew(&mut self, plan: &Plan, case: u32) {
        self.care.tickets += 1;
        self.care.cases[case as usize].ticket = self.care.tickets;
        let known = &plan.care.cases[case as usize];
        if known.crew == NONE {
            self.begin_work(plan, case);
            return;
        }
        let crew = known.crew as usize;
        if self.care.crews[crew].free == 0 {
            let preempted = plan.care.crews[crew].preempts.then(|| {
                let working = self.care.crews[crew].working.iter().copied();
                working.max_by_key(|&other| self.place_in_queue(plan, other))
            });
            match preempted.flatten() {
                Some(other) if plan.care.cases[other as usize].priority > known.priority => {
                    self.interrupt(plan, other);
                }
                _ => {
                    self.enqueue(plan, case);
                    self.remark(plan, Event::RepairWaits(known.clock));
                    return;
                }
            }
        }
        self.take_up(plan, case);
    }

    /// The order in which a crew takes up cases: least first.
    fn place_in_queue(&self, plan: &Plan, case: u32) -> (u32, u64) {
        let known = &plan.care.cases[case as usize];
        (known.priority, self.care.cases[case as usize].ticket)
    }

    fn enqueue(&mut self, plan: &Plan, case: u32) {
        let known = &plan.care.cases[case as usize];
        self.care.cases[case as usize].stage = Stage::NeedsCrew;
        self.agenda.cancel(known.timer);
        let place = self.place_in_queue(plan, case);
        let waiting = &self.care.crews[known.crew as usize].waiting;
        let at = waiting.partition_point(|&other| self.place_in_queue(plan, other) < place);
        self.care.crews[known.crew as usize]
            .waiting
            .insert(at, case);
    }

    /// A free crew takes up a case.
    fn take_up(&mut self, plan: &Plan, case: u32) {
        let known = &plan.care.cases[case as usize];
        let crew = &mut self.care.crews[known.crew as usize];
        crew.free -= 1;
        crew.working.push(case);
        self.remark(plan, Event::RepairStarts(known.clock));
        self.begin_work(plan, case);
    }

    /// A crew leaves a case, which waits from now on.
    fn interrupt(&mut self, plan: &Plan, case: u32) {
        let known = &plan.care.cases[case as usize];
        let now = &mut self.care.cases[case as usize];
        if let Stage::Work(step) = now.stage {
            now.steps[step] = self.agenda.due(known.timer).since(self.now);
        }
        self.open(plan, case, None);
        self.remark(plan, Event::RepairInterrupted(known.clock));
        let crew = &mut self.care.crews[known.crew as usize];
        crew.working.retain(|&other| other != case);
        crew.free += 1;
        self.enqueue(plan, case);
    }

    /// The work begins, or goes on where it was interrupted.
    fn begin_work(&mut self, plan: &Plan, case: u32) {
        let steps = &self.care.cases[case as usize].steps;
        let step = steps.iter().position(|step| !step.is_zero());
        self.work(plan, case, step.unwrap_or(steps.len() - 1));
    }

    /// This step of the work begins, or the first after it that takes any time.
    fn work(&mut self, plan: &Plan, case: u32, step: usize) {
        let known = &plan.care.cases[case as usize];
        let now = &mut self.care.cases[case as usize];
        let ahead = (step..now.steps.len()).find(|&step| !now.steps[step].is_zero());
        let step = ahead.unwrap_or(now.steps.len() - 1);
        now.stage = Stage::Work(step);
        let span = now.steps[step];
        now.steps[..step].fill(SimSpan::ZERO);
        self.agenda.set(known.timer, self.now + span);
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
        self.apply(plan, known.clock, by, false, signals);
        let clock = &mut self.clocks[known.clock];
        clock.active = false;
        let life = plan.clocks[known.clock].spans[0].draw(&mut clock.draws[0]);
        let now = &mut self.care.cases[case as usize];
        (now.stage, now.by) = (Stage::Up, known.clock);
        self.live(known.timer, case, life);
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
    fn live(&mut self, timer: u32, case: u32, life: SimSpan) {
        let now = &mut self.care.cases[case as usize];
        if now.rate > 0.0 {
            self.agenda
                .set(timer, self.now + life.mul_f64(1.0 / now.rate));
        } else {
            now.life = life;
            self.agenda.cancel(timer);
        }
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
            let known = &plan.care.cases[case as usize];
            let (timer, active) = (known.timer, self.clocks[known.clock].active);
            let now = &mut self.care.cases[case as usize];
            let before = std::mem::replace(&mut now.rate, rate);
            if active || now.stage != Stage::Up || before == rate {
                continue;
            }
            let life = if before > 0.0 {
                self.agenda.due(timer).since(self.now).mul_f64(before)
            } else {
                now.life
            };
            self.live(timer, case, life);
        }
    }
}
