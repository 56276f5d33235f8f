//! The system as the event loop reads it: what it looks up for each attempt, side by side.

use super::frames::NONE;
use super::probers::ProberPlan;
use crate::balance::Kind;
use crate::engine::Rings;
use crate::ids::{
    BalancerId, CallId, ChannelId, ForkId, Id, IdVec, JourneyId, OperationId, PoolId, QueueId,
    SlotId,
};
use crate::model::{Algorithm, Backoff, Jitter, Patience, System};
use crate::model::{Owner, ServedBy};
use crate::random::Dist;
use crate::resilience::backoff;
use crate::time::SimSpan;

/// Positions in [`Plan::sequence`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub from: u32,
    pub end: u32,
}

impl Span {
    pub(super) fn is_empty(self) -> bool {
        self.from == self.end
    }
}

/// Which instance of a balancer a call goes through, as a row of [`Plan::relays`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Through {
    /// The call has no balancer.
    Nobody,
    /// The only one.
    One(u32),
    /// Any of them, all alike.
    Any {
        /// The first row.
        first: u32,
        /// How many.
        count: u32,
    },
    /// The one that holds the address.
    Holder(BalancerId),
}

/// A call site.
#[derive(Clone, Debug)]
pub(super) struct CallPlan<'a> {
    pub operation: OperationId,
    /// The calls of that operation.
    pub calls: Span,
    /// How long the operation's own work takes, seconds.
    pub takes: &'a Dist,
    /// The probability that it ends in an error.
    pub fails: f64,
    pub pool: PoolId,
    /// The slots of that pool.
    pub slots: &'a [SlotId],
    pub served_by: ServedBy,
    pub through: Through,
    /// The connections that it uses.
    pub channel: Option<ChannelId>,
    /// The ring of an attempt's deadline.
    pub timer: Option<u32>,
    /// Whether who serves it stops when the caller does not wait any more.
    pub passes: bool,
    pub retries: u32,
    pub backoff: backoff::Backoff,
    /// How urgent it is, as [`Frame::rank`](super::frames::Frame::rank); `None`: as its caller.
    pub rank: Option<i8>,
    pub hit: f64,
    pub on_miss: Span,
    pub on_failure: Span,
    pub optional: bool,
    /// Whether it has a chance or is a fork: see `traffic::fork`.
    pub special: bool,
    /// The probability that it is made at all.
    pub chance: f64,
    /// The calls made at the same time that stand here. Then only what is said of all of them
    /// together is said here: `chance`, `on_failure`, `optional`.
    pub fork: Option<ForkPlan>,
}

/// Calls made at the same time.
#[derive(Clone, Copy, Debug)]
pub(super) struct ForkPlan {
    pub legs: Span,
    pub copies: u32,
    pub wait_for: u32,
    /// The ring of its deadline. Then it has one leg, which does what has the deadline.
    pub timer: Option<u32>,
}

/// An operation.
#[derive(Clone, Debug)]
pub(super) struct OperationPlan<'a> {
    pub pool: PoolId,
    pub takes: &'a Dist,
    /// The probability that its own work ends in an error.
    pub fails: f64,
    /// Whether only the leader of a store serves it.
    pub of_leader: bool,
    /// How long an attempt waits for a worker at most.
    pub queue_timeout: Option<&'a Dist>,
    pub calls: Span,
}

/// A journey.
#[derive(Clone, Debug)]
pub(super) struct JourneyPlan {
    pub calls: Span,
    /// Whether the first of them is plain, so that it begins with an attempt.
    pub direct: bool,
    /// An answer later than this is no good.
    pub good_within: SimSpan,
    /// The row of its workload, if that is a closed loop; [`NONE`] if not.
    pub crowd: u32,
}

/// A workload.
#[derive(Clone, Debug)]
pub(super) struct WorkloadPlan<'a> {
    /// Journeys with the share of all before and including each, in 2^64ths.
    pub journeys: Vec<(JourneyId, u64)>,
    /// The ring of its users' patience, if it is the same for all.
    pub timer: Option<u32>,
    /// Their patience, if each has its own.
    pub patience: Option<&'a Dist>,
}

impl WorkloadPlan<'_> {
    /// Which journey a request is of, by its first roll.
    #[inline(always)]
    pub(super) fn journey(&self, roll: impl FnOnce() -> u64) -> JourneyId {
        self.journeys[self.place(roll)].0
    }

    /// The place of that journey among those of the workload.
    #[inline(always)]
    pub(super) fn place(&self, roll: impl FnOnce() -> u64) -> usize {
        if self.journeys.len() == 1 {
            return 0;
        }
        let point = roll();
        let place = self
            .journeys
            .partition_point(|&(_, before)| before <= point);
        // Shares sum to 1 up to rounding; what is left over belongs to the last.
        place.min(self.journeys.len() - 1)
    }
}

/// Everything.
#[derive(Clone, Debug)]
pub(super) struct Plan<'a> {
    pub system: &'a System,
    /// Call sites of journeys, operations and branches, in the order in which they are made.
    pub sequence: Vec<CallId>,
    /// The call at each position of `sequence`.
    pub calls: Vec<CallPlan<'a>>,
    pub operations: IdVec<OperationId, OperationPlan<'a>>,
    /// The call made for each message of a queue.
    pub messages: IdVec<QueueId, Span>,
    pub journeys: IdVec<JourneyId, JourneyPlan>,
    pub workloads: Vec<WorkloadPlan<'a>>,
    /// The balancer instance of a slot, as a row of the table of instances.
    pub relay_of: IdVec<SlotId, Option<u32>>,
    /// The instances of all balancers: whose they are and their slots.
    pub relays: Vec<(BalancerId, SlotId)>,
    /// Priorities above the normal one, and all of them.
    pub above: u32,
    pub ranks: u32,
    /// The slots of pools in which some stand by.
    pub standing_by: Vec<SlotId>,
    /// Words of a set of members of the largest pool behind a balancer.
    pub tried_words: usize,
    /// Who probes whom, where workers answer.
    pub probers: Vec<ProberPlan>,
    /// The first row of `operations` that is a probe.
    pub probe_from: u32,
}

impl<'a> Plan<'a> {
    /// Lays out `system`, adding a ring for each distinct deadline: those of attempts first, so that
    /// at one instant an attempt times out before its user leaves.
    pub(super) fn new(system: &'a System, rings: &mut Rings) -> Self {
        let mut sequence = Vec::new();
        // Where forks stand in the sequence, in order, and which.
        let mut heads: Vec<(usize, ForkId)> = Vec::new();
        let mut add = |calls: &[CallId]| {
            let from = sequence.len() as u32;
            sequence.extend_from_slice(calls);
            Span {
                from,
                end: sequence.len() as u32,
            }
        };
        let legs: IdVec<ForkId, Span> = system.forks.iter().map(|fork| add(&fork.calls)).collect();
        // One with a deadline stands on its own, as the only leg of what stands in the list of calls.
        let within: IdVec<ForkId, Option<Span>> = system
            .forks
            .iter()
            .map(|fork| fork.deadline.map(|_| add(&fork.calls[..1])))
            .collect();
        let mut lay = |calls: &[CallId]| {
            let from = sequence.len() as u32;
            for item in system.items(calls) {
                heads.extend(
                    system.calls[item[0]]
                        .fork
                        .map(|fork| (sequence.len(), fork)),
                );
                sequence.push(item[0]);
            }
            Span {
                from,
                end: sequence.len() as u32,
            }
        };
        let stated = system.calls.iter().filter_map(|call| call.priority);
        let mut priorities: Vec<i16> = stated.chain([0]).collect();
        priorities.sort_unstable_by_key(|&priority| std::cmp::Reverse(priority));
        priorities.dedup();
        let row = |priority: i16| priorities.iter().position(|&one| one == priority);
        let above = row(0).unwrap_or(0);
        let rank = |priority: i16| row(priority).map(|row| row as i8 - above as i8);
        let mut known: Vec<(SimSpan, u32)> = Vec::new();
        let ring = |span: SimSpan, rings: &mut Rings, known: &mut Vec<(SimSpan, u32)>| {
            if let Some(&(_, ring)) = known.iter().find(|(other, _)| *other == span) {
                return ring;
            }
            let ring = rings.add(span);
            known.push((span, ring));
            ring
        };
        let mut relay_of = IdVec::filled(None, system.slots.len());
        let mut relays = Vec::new();
        let mut throughs: IdVec<BalancerId, Through> = IdVec::new();
        for (id, balancer) in system.balancers.pairs() {
            let (first, count) = (relays.len() as u32, balancer.slots.len() as u32);
            throughs.push(match count {
                _ if balancer.failover.is_some() => Through::Holder(id),
                1 => Through::One(first),
                _ => Through::Any { first, count },
            });
            for &slot in &balancer.slots {
                relay_of[slot] = Some(relays.len() as u32);
                relays.push((id, slot));
            }
        }
        let mut calls: IdVec<CallId, CallPlan<'a>> = system
            .calls
            .iter()
            .map(|call| CallPlan {
                operation: call.to,
                calls: Span { from: 0, end: 0 },
                takes: &system.operations[call.to].takes,
                fails: system.operations[call.to].fails,
                pool: system.operations[call.to].pool,
                slots: &system.pools[system.operations[call.to].pool].slots,
                served_by: system.operations[call.to].served_by,
                through: call.through.map_or(Through::Nobody, |id| throughs[id]),
                channel: call.channel,
                timer: call.timeout.map(|span| ring(span, rings, &mut known)),
                passes: call.passes_deadline,
                retries: call.retries.max,
                backoff: backoff_of(&call.retries.backoff),
                rank: call.priority.and_then(rank),
                hit: call.hit,
                on_miss: lay(&call.on_miss),
                on_failure: lay(&call.on_failure),
                optional: call.optional,
                special: call.chance < 1.0,
                chance: call.chance,
                fork: None,
            })
            .collect();
        let mut operations: IdVec<OperationId, OperationPlan<'a>> = system
            .operations
            .iter()
            .map(|operation| OperationPlan {
                pool: operation.pool,
                takes: &operation.takes,
                fails: operation.fails,
                of_leader: operation.served_by == ServedBy::Leader,
                queue_timeout: system.pools[operation.pool].queue_timeout.as_ref(),
                calls: lay(&operation.calls),
            })
            .collect();
        for call in calls.as_mut_slice() {
            call.calls = operations[call.operation].calls;
        }
        let messages = system
            .queues
            .iter()
            .map(|queue| lay(&[queue.call]))
            .collect();
        let mut journeys: IdVec<JourneyId, JourneyPlan> = system
            .journeys
            .iter()
            .map(|journey| JourneyPlan {
                calls: lay(&journey.calls),
                direct: false,
                good_within: journey.good_within.unwrap_or(SimSpan::MAX),
                crowd: NONE,
            })
            .collect();
        // A call ends after its attempts, and before its user leaves.
        known.clear();
        let deadlines: IdVec<ForkId, Option<u32>> = system
            .forks
            .iter()
            .map(|fork| fork.deadline.map(|span| ring(span, rings, &mut known)))
            .collect();
        known.clear();
        let mut workloads = Vec::with_capacity(system.workloads.len());
        for workload in &system.workloads {
            let mut before = 0.0;
            let mut shares = Vec::with_capacity(workload.journeys.len());
            for &(journey, share) in &workload.journeys {
                before += share;
                // The cast saturates: 2^64 itself becomes the largest threshold.
                if workload.users.is_some() {
                    journeys[journey].crowd = workloads.len() as u32;
                }
                shares.push((journey, (before * 18_446_744_073_709_551_616.0) as u64));
                if let Some(Patience::Fixed(patience)) = workload.patience {
                    let good_within = &mut journeys[journey].good_within;
                    *good_within = (*good_within).min(patience);
                }
            }
            let (mut timer, mut patience) = (None, None);
            match &workload.patience {
                None => {}
                Some(Patience::Fixed(span)) => timer = Some(ring(*span, rings, &mut known)),
                Some(Patience::Drawn(dist)) => patience = Some(dist),
            }
            workloads.push(WorkloadPlan {
                journeys: shares,
                timer,
                patience,
            });
        }
        let instead: IdVec<ForkId, Span> = system
            .forks
            .iter()
            .map(|fork| lay(&fork.on_failure))
            .collect();
        let mut calls: Vec<CallPlan<'a>> = sequence
            .iter()
            .map(|&id: &CallId| calls[id].clone())
            .collect();
        for (position, id) in heads {
            let (fork, call) = (&system.forks[id], &mut calls[position]);
            call.special = true;
            call.chance = fork.chance;
            call.on_failure = instead[id];
            call.optional = fork.optional;
            let whole = ForkPlan {
                legs: legs[id],
                copies: fork.copies,
                wait_for: fork.wait_for,
                timer: None,
            };
            let Some(within) = within[id] else {
                call.fork = Some(whole);
                continue;
            };
            call.fork = Some(ForkPlan {
                legs: within,
                copies: 1,
                wait_for: 1,
                timer: deadlines[id],
            });
            if fork.calls.len() > 1 || fork.copies > 1 {
                let inner = &mut calls[within.from as usize];
                inner.special = true;
                (inner.chance, inner.optional) = (1.0, false);
                inner.on_failure = Span { from: 0, end: 0 };
                inner.fork = Some(whole);
            }
        }
        for journey in journeys.as_mut_slice() {
            let Span { from, end } = journey.calls;
            journey.direct = from < end && !calls[from as usize].special;
        }
        let probe_from = operations.len() as u32;
        let probers = add_probers(system, &relay_of, &mut operations);
        let members = |balancer: &crate::model::Balancer| system.pools[balancer.to].slots.len();
        let largest = system.balancers.iter().map(members).max().unwrap_or(0);
        Self {
            system,
            calls,
            sequence,
            operations,
            messages,
            journeys,
            workloads,
            relay_of,
            relays,
            above: above as u32,
            ranks: priorities.len() as u32,
            standing_by: system
                .pools
                .iter()
                .filter(|pool| pool.standby.is_some())
                .flat_map(|pool| pool.slots.iter().copied())
                .collect(),
            tried_words: largest.div_ceil(64),
            probers,
            probe_from,
        }
    }

    /// The slot of `member` of the pool that this instance of a balancer sends to.
    pub(super) fn member(&self, relay: u32, member: u32) -> SlotId {
        let (balancer, _) = self.relays[relay as usize];
        self.system.pools[self.system.balancers[balancer].to].slots[member as usize]
    }

    /// The pool whose slot this is; `None` for an instance of a balancer.
    pub(super) fn pool_of(&self, slot: SlotId) -> Option<PoolId> {
        match self.system.slots[slot].owner {
            Owner::Pool(pool) => Some(pool),
            Owner::Balancer(_) => None,
        }
    }

    /// The operation of an attempt's `what`.
    #[inline]
    pub(super) fn operation(&self, what: u32) -> &OperationPlan<'a> {
        &self.operations[OperationId::from_index(what as usize)]
    }

    /// The call at a position of the sequence.
    #[inline]
    pub(super) fn call(&self, position: u32) -> &CallPlan<'a> {
        &self.calls[position as usize]
    }
}

/// Who probes whom, where workers answer; a probe is one more operation, which makes no calls.
fn add_probers<'a>(
    system: &'a System,
    relay_of: &IdVec<SlotId, Option<u32>>,
    operations: &mut IdVec<OperationId, OperationPlan<'a>>,
) -> Vec<ProberPlan> {
    let mut probers = Vec::new();
    for balancer in &system.balancers {
        let Some((probes, work)) =
            (balancer.probes.as_ref()).and_then(|probes| Some((probes, probes.work.as_ref()?)))
        else {
            continue;
        };
        let what = operations.push(OperationPlan {
            pool: balancer.to,
            takes: work,
            fails: 0.0,
            of_leader: false,
            queue_timeout: None,
            calls: Span { from: 0, end: 0 },
        });
        for &instance in &balancer.slots {
            let Some(relay) = relay_of[instance] else {
                continue;
            };
            for (member, &slot) in (0..).zip(&system.pools[balancer.to].slots) {
                probers.push(ProberPlan {
                    instance,
                    relay,
                    member,
                    slot,
                    what: what.index() as u32,
                    interval: probes.interval,
                    timeout: probes.timeout,
                    fall: probes.fall,
                    rise: probes.rise,
                });
            }
        }
    }
    probers
}

/// The balancing algorithm of a scenario's word.
pub(super) fn kind_of(algorithm: Algorithm) -> Kind {
    match algorithm {
        Algorithm::RoundRobin => Kind::RoundRobin,
        Algorithm::LeastConnections => Kind::LeastConnections,
        Algorithm::TwoChoices => Kind::TwoChoices,
        Algorithm::Random => Kind::Random,
    }
}

fn backoff_of(backoff: &Backoff) -> backoff::Backoff {
    backoff::Backoff {
        base: backoff.base,
        factor: backoff.factor,
        cap: backoff.cap,
        jitter: match backoff.jitter {
            Jitter::None => backoff::Jitter::None,
            Jitter::Full => backoff::Jitter::Full,
            Jitter::Equal => backoff::Jitter::Equal,
        },
    }
}
