//! What is worked out once about stores that choose a leader by stated times or by election
//! (`lead.rs`).

use super::Detail;
use super::audience::Audiences;
use super::care_plan::Notice;
use super::demand::Demands;
use super::network::{NetworkPlan, Seats};
use super::plan::{Delay, Plan, SlotPlan, Timer, follows_lease};
use crate::failover::{Fate, Rules, Span};
use crate::ids::{IdVec, PoolId, SlotId};
use crate::model::{GenericFailover, PoolKind, StoreFailover, System};
use crate::random::{Part, Sequence, name_hash};
use crate::time::{SimSpan, SimTime};

/// One store.
#[derive(Clone, Debug)]
pub(super) struct LeadPlan {
    pub(super) pool: PoolId,
    pub(super) slots: Vec<SlotId>,
    pub(super) name: Part,
    pub(super) way: Way,
    /// Who must reach a member that is to lead.
    pub(super) seats: Seats,
    pub(super) unit: u32,
    pub(super) timer: u32,
}

/// How it chooses.
#[derive(Clone, Debug)]
pub(super) enum Way {
    Generic(Box<GenericPlan>),
    Quorum {
        elects: Delay,
        /// How long a switchover takes, if planned work is one.
        hand_over: Option<Delay>,
    },
}

/// Failover by stated times.
#[derive(Clone, Debug)]
pub(super) struct GenericPlan {
    pub(super) rules: Rules,
    detect: Delay,
    decide: Delay,
    promote: Delay,
    pub(super) coverage: f64,
    person: Notice,
    settle: Delay,
    switch: Delay,
    hand_over: Delay,
    pub(super) restores_all: bool,
    pub(super) repairs_wait: bool,
}

impl GenericPlan {
    fn new(failover: &GenericFailover, members: usize) -> Self {
        let none = || Delay::Fixed(SimSpan::ZERO);
        let (rescue, failback) = (failover.rescue.as_ref(), failover.failback.as_ref());
        Self {
            rules: Rules {
                members,
                promote_the_last: failover.promote_the_last,
                failback: failback.is_some(),
                hands_over: failover.switchover.is_some(),
            },
            detect: Delay::of(&failover.detect),
            decide: Delay::of(&failover.decide),
            promote: Delay::of(&failover.promote),
            coverage: failover.coverage,
            person: rescue.map_or(Notice::By(none()), |rescue| Notice::of(&rescue.takes)),
            settle: failback.map_or_else(none, |failback| Delay::of(&failback.after)),
            hand_over: failover.switchover.as_ref().map_or_else(none, Delay::of),
            switch: failback.map_or_else(none, |failback| Delay::of(&failback.takes)),
            restores_all: rescue.is_some_and(|rescue| rescue.restores_all),
            repairs_wait: failover.repairs_wait,
        }
    }
}

/// The draws of one store.
pub(super) struct Dice<'a> {
    pub(super) plan: &'a Plan,
    pub(super) known: &'a GenericPlan,
    pub(super) now: SimTime,
    pub(super) draws: &'a mut Sequence,
    pub(super) demands: &'a mut Demands,
}

impl Fate for Dice<'_> {
    fn span(&mut self, what: Span) -> SimSpan {
        match what {
            Span::Detect => self.known.detect.draw(self.draws),
            Span::Decide => self.known.decide.draw(self.draws),
            Span::Promote => self.known.promote.draw(self.draws),
            Span::Person => self.known.person.draw(self.plan, self.now, self.draws),
            Span::Settle => self.known.settle.draw(self.draws),
            Span::Switch => self.known.switch.draw(self.draws),
            Span::HandOver => self.known.hand_over.draw(self.draws),
        }
    }

    fn covered(&mut self) -> bool {
        let coverage = self.known.coverage;
        coverage >= 1.0 || !self.demands.fails(coverage, self.draws.uniform())
    }
}

/// The stores of `system` that are followed.
pub(super) fn leads(
    system: &System,
    detail: Detail,
    network: &NetworkPlan,
    timers: &mut Vec<Timer>,
    slots: &mut IdVec<SlotId, SlotPlan>,
) -> Vec<LeadPlan> {
    let mut leads = Vec::new();
    for (id, pool) in system.pools.pairs() {
        let PoolKind::Store {
            failover: Some(failover),
        } = &pool.kind
        else {
            continue;
        };
        let (way, seats) = match failover {
            StoreFailover::Lease(_) => continue,
            StoreFailover::Generic(generic) => {
                let way = Way::Generic(Box::new(GenericPlan::new(generic, pool.slots.len())));
                let seats = match &generic.watched_from[..] {
                    [] => Seats::users(),
                    domains => network.seats(system, domains, &pool.slots),
                };
                (way, seats)
            }
            StoreFailover::Quorum(quorum) => {
                let elects = Delay::of(&quorum.elects_in);
                let hand_over = quorum.switchover.as_ref().map(Delay::of);
                let way = Way::Quorum { elects, hand_over };
                (way, Seats::Members(pool.slots.clone()))
            }
        };
        // Repairs that wait for a failover make it matter to all that fails there.
        let waits = matches!(&way, Way::Generic(known) if known.repairs_wait || known.restores_all);
        if !follows_lease(system, detail, id) && !waits {
            continue;
        }
        for &slot in &pool.slots {
            slots[slot].lead = leads.len() as u32;
        }
        let timer = timers.len() as u32;
        timers.push(Timer::Lead(leads.len() as u32));
        leads.push(LeadPlan {
            pool: id,
            slots: pool.slots.clone(),
            name: Part::new(name_hash(&pool.name)),
            way,
            seats,
            unit: Audiences::leader_unit(system, id),
            timer,
        });
    }
    leads
}
