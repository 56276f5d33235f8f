//! Stores that choose a leader by stated times or by election: what they are told, and what follows.

use super::blame::{After, Condition};
use super::lead_plan::{Dice, LeadPlan, Way};
use super::network::is_available_to;
use super::plan::{NONE, Plan};
use super::state::{State, is_available};
use crate::failover::{Generic, Progress, Quorum, Vote};
use crate::ids::{ClockId, Id, SlotId};
use crate::model::Start;
use crate::path::{Event, Signal};
use crate::random::{Key, Purpose, Sequence};

/// One store.
#[derive(Clone, Debug)]
pub(super) struct LeadNow {
    machine: Machine,
    draws: Sequence,
    /// The fault clock behind the last loss of the leader.
    root: Option<ClockId>,
    condition: Condition,
}

#[derive(Clone, Debug)]
enum Machine {
    Generic(Generic),
    Quorum(Quorum),
}

/// How far a store is, whatever its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Generic(Progress),
    Quorum(Vote),
}

impl Machine {
    fn standing(&self) -> Standing {
        match self {
            Self::Generic(machine) => Standing::Generic(machine.progress()),
            Self::Quorum(machine) => Standing::Quorum(machine.vote()),
        }
    }

    fn leader(&self) -> Option<usize> {
        match self {
            Self::Generic(machine) => machine.leader(),
            Self::Quorum(machine) => machine.leader(),
        }
    }

    fn chosen(&self) -> Option<usize> {
        match self {
            Self::Generic(machine) => machine.chosen(),
            Self::Quorum(_) => None,
        }
    }
}

impl LeadNow {
    pub(super) fn new(known: &LeadPlan) -> Self {
        let machine = match &known.way {
            Way::Generic(generic) => Machine::Generic(Generic::new(generic.rules)),
            Way::Quorum { .. } => Machine::Quorum(Quorum::new(known.slots.len())),
        };
        Self {
            machine,
            draws: Key::of_seed(0).sequence(),
            root: None,
            condition: None,
        }
    }

    pub(super) fn clear(&mut self) {
        (self.root, self.condition) = (None, None);
    }

    /// Whether repairs that wait for a failover have to.
    pub(super) fn is_failing_over(&self) -> bool {
        matches!(
            self.machine.standing(),
            Standing::Generic(
                Progress::Detecting | Progress::Deciding | Progress::Promoting | Progress::Person
            )
        )
    }
}

impl State {
    /// The leader at the first instant: the first member if everything is new, or if the lead returns to
    /// it; else any of those that can lead.
    pub(super) fn first_lead(
        &mut self,
        plan: &Plan,
        index: usize,
        base: Key,
        unread: &mut Vec<Signal>,
    ) {
        let known = &plan.leads[index];
        let (now, regime) = (self.now, &self.regime);
        let mut draws = base
            .with_part(known.name)
            .with(Purpose::Failover as u64)
            .sequence();
        let able = |member: usize| is_available_to(&known.seats, regime, known.slots[member]);
        let choice = draws.uniform();
        let count = (0..known.slots.len())
            .filter(|&member| able(member))
            .count();
        let any = (0..known.slots.len())
            .filter(|&member| able(member))
            .nth((choice * count as f64) as usize);
        let first = match &known.way {
            _ if plan.start == Start::New => Some(0),
            Way::Generic(generic) if generic.rules.failback && able(0) => Some(0),
            Way::Generic(_) => any,
            // While anything is cut, who is available reaches a majority.
            Way::Quorum { .. } => {
                any.filter(|_| regime.network.is_cut() || 2 * count > known.slots.len())
            }
        };
        let lead = &mut self.leads[index];
        match (&mut lead.machine, &known.way) {
            (Machine::Generic(machine), Way::Generic(generic)) => {
                let mut dice = Dice {
                    plan,
                    known: generic,
                    now,
                    draws: &mut draws,
                    demands: &mut self.demands,
                };
                machine.reset(now, first, able, &mut dice);
            }
            (Machine::Quorum(machine), _) => machine.reset(first),
            (Machine::Generic(_), Way::Quorum { .. }) => {}
        }
        lead.draws = draws;
        self.follow_lead(plan, index, unread);
    }

    /// Members of a store changed.
    pub(super) fn tell_lead(
        &mut self,
        plan: &Plan,
        index: usize,
        cause: Option<ClockId>,
        signals: &mut Vec<Signal>,
    ) {
        let known = &plan.leads[index];
        let (at, regime, now) = (self.now, &self.regime, &mut self.leads[index]);
        let (before, chosen) = (now.machine.standing(), now.machine.chosen());
        let available = |member: usize| is_available_to(&known.seats, regime, known.slots[member]);
        match (&mut now.machine, &known.way) {
            (Machine::Generic(machine), Way::Generic(generic)) => {
                let mut dice = Dice {
                    plan,
                    known: generic,
                    now: at,
                    draws: &mut now.draws,
                    demands: &mut self.demands,
                };
                let planned = cause.is_some_and(|clock| plan.clocks[clock].planned);
                machine.react(at, planned, available, &mut dice);
            }
            (Machine::Quorum(machine), Way::Quorum { elects, hand_over }) => {
                let draws = &mut now.draws;
                let running = |slot: &&SlotId| is_available(regime, **slot);
                // While anything is cut, a member is available if it reaches a majority.
                let majority = 2 * known.slots.iter().filter(running).count() > known.slots.len()
                    && (0..known.slots.len()).any(available);
                let planned = cause.is_some_and(|clock| plan.clocks[clock].planned);
                if let Some(takes) = hand_over.as_ref().filter(|_| planned) {
                    machine.hand_over(at, majority, available, || takes.draw(draws));
                }
                machine.react(at, majority, available, || elects.draw(draws));
            }
            (Machine::Generic(_), Way::Quorum { .. }) | (Machine::Quorum(_), Way::Generic(_)) => {}
        }
        let after = now.machine.standing();
        let led = [
            Standing::Generic(Progress::Led),
            Standing::Quorum(Vote::Led),
        ];
        if after != before && (led.contains(&before) || now.root.is_none()) {
            now.root = cause.or(now.root);
        }
        let candidate = now.machine.chosen();
        if plan.remarks {
            if let Some(lost) = chosen
                && !is_available_to(&known.seats, &self.regime, known.slots[lost])
            {
                self.remark(plan, Event::PromotionVoid(known.slots[lost]));
            }
            if after != before || candidate != chosen {
                self.remark_standing(plan, known, after, candidate);
            }
        }
        self.follow_lead(plan, index, signals);
    }

    /// What a store has come to, for people.
    fn remark_standing(
        &mut self,
        plan: &Plan,
        known: &LeadPlan,
        after: Standing,
        candidate: Option<usize>,
    ) {
        let pool = known.pool;
        let event = match after {
            Standing::Generic(Progress::Promoting) => {
                candidate.map(|member| Event::Promoting(known.slots[member]))
            }
            Standing::Generic(Progress::Person) => Some(Event::FailoverFailed(pool)),
            Standing::Generic(Progress::Lost) => Some(Event::AllLost(pool)),
            Standing::Generic(Progress::Switching) => {
                candidate.map(|member| Event::HandsOver(known.slots[member]))
            }
            Standing::Quorum(Vote::Electing) => Some(Event::ElectionBegins(pool)),
            Standing::Quorum(Vote::NoMajority) => Some(Event::MajorityLost(pool)),
            Standing::Generic(Progress::Led | Progress::Detecting | Progress::Deciding)
            | Standing::Quorum(Vote::Led | Vote::Switching) => None,
        };
        if let Some(event) = event {
            self.remark(plan, event);
        }
    }

    /// A step of a store is due.
    pub(super) fn move_lead(
        &mut self,
        plan: &Plan,
        index: usize,
        signals: &mut Vec<Signal>,
    ) -> (Event, Option<ClockId>) {
        let known = &plan.leads[index];
        let before = self.leads[index].machine.standing();
        let cause = self.leads[index].root;
        let person = before == Standing::Generic(Progress::Person);
        if person && matches!(&known.way, Way::Generic(generic) if generic.restores_all) {
            self.restore(plan, &known.slots, signals);
        }
        let (at, regime, now) = (self.now, &self.regime, &mut self.leads[index]);
        let available = |member: usize| is_available_to(&known.seats, regime, known.slots[member]);
        // Restored members have told the machine, which may already have its leader again.
        if now.machine.standing() == before {
            match (&mut now.machine, &known.way) {
                (Machine::Generic(machine), Way::Generic(generic)) => {
                    let mut dice = Dice {
                        plan,
                        known: generic,
                        now: at,
                        draws: &mut now.draws,
                        demands: &mut self.demands,
                    };
                    machine.fire(at, available, &mut dice);
                }
                (Machine::Quorum(machine), _) => machine.fire(available),
                (Machine::Generic(_), Way::Quorum { .. }) => {}
            }
        }
        let after = now.machine.standing();
        if after == Standing::Generic(Progress::Switching) && now.root.is_none() {
            now.root = self.slots[known.slots[0]].root;
        }
        let slot = |member: Option<usize>| member.map(|member| known.slots[member]);
        let (leader, candidate) = (slot(now.machine.leader()), slot(now.machine.chosen()));
        let event = match (before, after, leader, candidate) {
            (Standing::Generic(Progress::Person), ..) => Event::PutRight(known.pool),
            (
                Standing::Generic(Progress::Led),
                Standing::Generic(Progress::Switching),
                _,
                Some(to),
            ) => Event::FailsBack(to),
            (Standing::Generic(Progress::Detecting), Standing::Generic(Progress::Deciding), ..) => {
                Event::LossDetected(known.pool)
            }
            (_, Standing::Generic(Progress::Promoting), _, Some(to)) => Event::Promoting(to),
            (_, _, Some(leader), _) => Event::Leads(leader),
            _ => Event::AllLost(known.pool),
        };
        self.follow_lead(plan, index, signals);
        (event, cause)
    }

    /// The state of a store is taken over: its timer, its leader, what it leaves open, and the repairs
    /// that have waited for it.
    pub(super) fn follow_lead(&mut self, plan: &Plan, index: usize, signals: &mut Vec<Signal>) {
        let known = &plan.leads[index];
        let now = &mut self.leads[index];
        let due = match &now.machine {
            Machine::Generic(machine) => machine.next_time(),
            Machine::Quorum(machine) => machine.next_time(),
        };
        let leader = now.machine.leader().map(|member| known.slots[member]);
        let switches = matches!(
            now.machine.standing(),
            Standing::Generic(Progress::Switching) | Standing::Quorum(Vote::Switching)
        );
        let after = match now.machine.standing() {
            Standing::Generic(Progress::Detecting) => Some(After::Unnoticed),
            Standing::Generic(Progress::Deciding | Progress::Person)
            | Standing::Quorum(Vote::Electing) => Some(After::Undecided),
            Standing::Generic(Progress::Promoting | Progress::Switching)
            | Standing::Quorum(Vote::Switching) => Some(After::Unpromoted),
            Standing::Generic(Progress::Led | Progress::Lost)
            | Standing::Quorum(Vote::Led | Vote::NoMajority) => None,
        };
        let next = now.root.zip(after);
        self.blames
            .change(&plan.audiences, known.unit, &mut now.condition, next);
        self.agenda.set(known.timer, due);
        let row = plan.leases.len() + index;
        self.note_leader(plan, row, leader, switches);
        let leader = self.writable(plan, row, leader, &known.slots);
        if self.regime.leaders[known.pool] != leader {
            self.regime.leaders[known.pool] = leader;
            signals.push(Signal::Leader {
                pool: known.pool,
                leader,
            });
            self.structure
                .set_leader(&plan.structure, known.pool, leader);
        }
        if matches!(&known.way, Way::Generic(generic) if generic.repairs_wait)
            && !self.leads[index].is_failing_over()
        {
            self.release(plan, &known.slots);
        }
    }

    /// Whether the repair of what fails on `slot` itself has to wait for a failover.
    pub(super) fn waits_for_failover(&self, plan: &Plan, slot: SlotId) -> bool {
        let lead = plan.slots[slot].lead;
        lead != NONE
            && matches!(&plan.leads[lead as usize].way, Way::Generic(generic) if generic.repairs_wait)
            && self.leads[lead as usize].is_failing_over()
    }

    /// The repairs of what failed on these slots need not wait any longer.
    fn release(&mut self, plan: &Plan, slots: &[SlotId]) {
        for &slot in slots {
            for &case in plan.care.of_slot.of(slot.index()) {
                self.release_case(plan, case);
            }
        }
    }

    /// A person ends all faults of these slots themselves.
    fn restore(&mut self, plan: &Plan, slots: &[SlotId], signals: &mut Vec<Signal>) {
        for &slot in slots {
            for &case in plan.care.of_slot.of(slot.index()) {
                self.cure(plan, case, signals);
            }
        }
    }
}
