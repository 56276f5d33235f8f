//! What the repair of a case waits for: a failover, a part, a crew.

use super::care::Stage;
use super::plan::{NONE, Plan};
use super::state::State;
use crate::ids::ClockId;
use crate::path::Event;
use crate::time::SimTime;

impl State {
    /// A case takes a part, or waits for one.
    pub(super) fn ask_part(&mut self, plan: &Plan, case: u32) {
        self.open(plan, case, None);
        let known = &plan.care.cases[case as usize];
        if let Some(slot) = known.slot
            && self.waits_for_failover(plan, slot)
        {
            self.care.cases[case as usize].stage = Stage::Held;
            self.set_due(plan, case, SimTime::NEVER);
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
            self.set_due(plan, case, SimTime::NEVER);
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
        let mut idle = timers.filter(|&timer| !self.agenda.is_set(timer));
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
    pub(super) fn ask_crew(&mut self, plan: &Plan, case: u32) {
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
        self.set_due(plan, case, SimTime::NEVER);
        let place = self.place_in_queue(plan, case);
        let waiting = &self.care.crews[known.crew as usize].waiting;
        let at = waiting.partition_point(|&other| self.place_in_queue(plan, other) < place);
        self.care.crews[known.crew as usize]
            .waiting
            .insert(at, case);
    }

    /// A free crew takes up a case.
    pub(super) fn take_up(&mut self, plan: &Plan, case: u32) {
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
            now.steps[step] = now.due.since(self.now);
        }
        self.open(plan, case, None);
        self.remark(plan, Event::RepairInterrupted(known.clock));
        let crew = &mut self.care.crews[known.crew as usize];
        crew.working.retain(|&other| other != case);
        crew.free += 1;
        self.enqueue(plan, case);
    }
}
