//! Which systems the arrival-driven engine can run, and what it looks up for each arrival.

use super::line::NEVER;
use crate::ids::{JourneyId, PoolId};
use crate::model::{Algorithm, Discipline, Patience, ServedBy, System};
use crate::random::Dist;
use crate::traffic::plan::{CallPlan, Plan, Through};
use std::fmt;

/// Members of a pool behind a balancer that asks all of them for each attempt: with more, events are faster.
const ASKED: usize = 10;

/// Classes of deadlines: with more, events are faster.
const CLASSES: usize = 8;

/// Why requests of a system need the event engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyEvents {
    /// Users in a closed loop come when they were answered.
    ClosedLoop,
    /// Users whose patience is drawn.
    DrawnPatience,
    /// A journey makes more than one call, or none.
    SeveralCalls,
    /// A call is part of a fork, has a chance, or may fail without harm.
    SpecialCall,
    /// A call is made again when it has failed, or others instead or after a miss.
    FollowUps,
    /// Who serves a call stops at its deadline.
    PassedDeadline,
    /// A call needs a connection that is kept.
    Connections,
    /// Serving a call takes further calls.
    NestedCalls,
    /// An operation of the leader, or one that needs a quorum.
    Roles,
    /// A queue that is not first in, first out.
    Discipline,
    /// A queue that attempts leave after a time of its own.
    QueueTimeout,
    /// Message queues.
    Messages,
    /// Probes that workers answer.
    Probes,
    /// A balancer that counts failures.
    PassiveAccounting,
    /// A balancer that counts what is in progress, while its members also get other attempts.
    SharedMembers,
    /// A balancer that compares too many members.
    ManyMembers,
    /// Deadlines of too many kinds.
    ManyDeadlines,
    /// Work that takes exactly as long for many requests, and failures of several kinds: what happens at the
    /// same instant has an order.
    SameInstants,
    /// There are no requests.
    NoRequests,
}

impl fmt::Display for WhyEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClosedLoop => "users wait for answers before they come again",
            Self::DrawnPatience => "each user has a patience of its own",
            Self::SeveralCalls => "a journey makes several calls",
            Self::SpecialCall => "a call is optional, has a chance or is made with others",
            Self::FollowUps => "calls are tried again, or others follow them",
            Self::PassedDeadline => "a call passes its deadline on",
            Self::Connections => "connections are kept",
            Self::NestedCalls => "who serves a call makes calls",
            Self::Roles => "an operation needs a leader or a quorum",
            Self::Discipline => "a queue is not first in, first out",
            Self::QueueTimeout => "a queue limits how long one waits",
            Self::Messages => "there are message queues",
            Self::Probes => "workers answer probes",
            Self::PassiveAccounting => "a balancer counts failures",
            Self::SharedMembers => "a balancer shares its members with another",
            Self::ManyMembers => "a balancer compares many members",
            Self::ManyDeadlines => "there are many different deadlines",
            Self::SameInstants => "much happens at the same instant",
            Self::NoRequests => "there are no requests",
        })
    }
}

/// What the requests of one journey from one workload do.
#[derive(Clone, Debug)]
pub(super) struct Row<'a> {
    pub journey: JourneyId,
    pub workload: usize,
    /// The position of its call.
    pub position: u32,
    pub pool: PoolId,
    pub takes: &'a Dist,
    pub fails: f64,
    /// Workers and places in the queue of each slot.
    pub workers: usize,
    pub queue: u32,
    /// Whether it matters what else is in progress at its slot.
    pub lined: bool,
    /// Whether a balancer compares how much is in progress at its slots.
    pub compared: bool,
    /// How long it waits, nanoseconds; [`NEVER`] for ever. Which of two deadlines that is, as a ring, and
    /// which class of equal ones.
    pub deadline: u64,
    pub ring: u32,
    pub class: usize,
    /// An answer later than this is no good, nanoseconds.
    pub good_within: u64,
}

/// The rows of all workloads.
#[derive(Clone, Debug)]
pub(super) struct Rows<'a> {
    pub rows: Vec<Row<'a>>,
    /// Where those of each workload begin, in the order of its journeys.
    pub first: Vec<usize>,
    /// How many classes of deadlines there are.
    pub classes: usize,
    /// Requests per second, at most.
    pub rate: f64,
}

impl<'a> Rows<'a> {
    /// # Errors
    /// Why events are needed.
    pub(super) fn new(plan: &Plan<'a>) -> Result<Self, WhyEvents> {
        let system = plan.system;
        if !system.queues.is_empty() {
            return Err(WhyEvents::Messages);
        }
        if !plan.probers.is_empty() {
            return Err(WhyEvents::Probes);
        }
        let (mut rows, mut first, mut rate) = (Vec::new(), Vec::new(), 0.0);
        let mut classes: Vec<u64> = Vec::new();
        for (index, workload) in system.workloads.as_slice().iter().enumerate() {
            if workload.users.is_some() {
                return Err(WhyEvents::ClosedLoop);
            }
            let patience = match &workload.patience {
                None => NEVER,
                Some(Patience::Fixed(span)) => span.as_nanos(),
                Some(Patience::Drawn(_)) => return Err(WhyEvents::DrawnPatience),
            };
            first.push(rows.len());
            let usual = match workload.every {
                Some(every) => 1e9 / every.as_nanos() as f64,
                None => workload.rate_max(),
            };
            rate += usual * workload.burst_factor();
            for &(journey, _) in &plan.workloads[index].journeys {
                let calls = plan.journeys[journey].calls;
                if calls.end != calls.from + 1 {
                    return Err(WhyEvents::SeveralCalls);
                }
                let call = plan.call(calls.from);
                is_plain(plan, call)?;
                let timeout = call.timer.zip(timeout_of(plan, calls.from));
                let timeout = timeout.map(|(ring, span)| (span, ring));
                let leaves = (patience, plan.workloads[index].timer.unwrap_or(0));
                // At one instant attempts time out before users leave.
                let (deadline, ring) = match timeout {
                    Some(timeout) if timeout.0 <= leaves.0 => timeout,
                    _ => leaves,
                };
                let known = classes.iter().position(|&class| class == deadline);
                let class = known.unwrap_or(classes.len());
                if known.is_none() {
                    classes.push(deadline);
                }
                let pool = &system.pools[call.pool];
                let compared = balancer_of(plan, call)
                    .is_some_and(|(algorithm, _)| compares(algorithm).is_some());
                rows.push(Row {
                    journey,
                    workload: index,
                    position: calls.from,
                    pool: call.pool,
                    takes: call.takes,
                    fails: call.fails,
                    workers: pool.workers.map_or(usize::MAX, |workers| workers as usize),
                    queue: pool.queue.unwrap_or(u32::MAX),
                    lined: pool.workers.is_some() || compared,
                    compared,
                    deadline,
                    ring,
                    class,
                    good_within: plan.journeys[journey].good_within.as_nanos(),
                });
            }
        }
        if rows.is_empty() {
            return Err(WhyEvents::NoRequests);
        }
        if classes.len() > CLASSES {
            return Err(WhyEvents::ManyDeadlines);
        }
        members_are_alone(plan, &rows)?;
        instants_differ(&rows)?;
        Ok(Self {
            rows,
            first,
            classes: classes.len(),
            rate,
        })
    }
}

/// How long an attempt of the call at a position may take, nanoseconds.
fn timeout_of(plan: &Plan<'_>, position: u32) -> Option<u64> {
    let id = plan.sequence[position as usize];
    plan.system.calls[id].timeout.map(|span| span.as_nanos())
}

fn is_plain(plan: &Plan<'_>, call: &CallPlan<'_>) -> Result<(), WhyEvents> {
    let pool = &plan.system.pools[call.pool];
    let needs = [
        (call.special || call.optional, WhyEvents::SpecialCall),
        (
            call.retries > 0 || !call.on_miss.is_empty() || !call.on_failure.is_empty(),
            WhyEvents::FollowUps,
        ),
        (call.passes, WhyEvents::PassedDeadline),
        (call.channel.is_some(), WhyEvents::Connections),
        (!call.calls.is_empty(), WhyEvents::NestedCalls),
        (call.served_by != ServedBy::Any, WhyEvents::Roles),
        (pool.discipline != Discipline::Fifo, WhyEvents::Discipline),
        (pool.queue_timeout.is_some(), WhyEvents::QueueTimeout),
        (
            balancer_of(plan, call).is_some_and(|(_, learns)| learns),
            WhyEvents::PassiveAccounting,
        ),
    ];
    match needs.iter().find(|(needed, _)| *needed) {
        Some(&(_, why)) => Err(why),
        None => Ok(()),
    }
}

/// The algorithm of the balancer of a call, and whether it learns from what comes of attempts.
fn balancer_of(plan: &Plan<'_>, call: &CallPlan<'_>) -> Option<(Algorithm, bool)> {
    let id = match call.through {
        Through::Nobody => return None,
        Through::One(relay) | Through::Any { first: relay, .. } => plan.relays[relay as usize].0,
        Through::Holder(balancer) => balancer,
    };
    let balancer = &plan.system.balancers[id];
    let learns = balancer.passive.is_some() || balancer.outlier_detection.is_some();
    Some((balancer.algorithm, learns))
}

/// How many members an algorithm compares by what is in progress there, if it does.
fn compares(algorithm: Algorithm) -> Option<usize> {
    match algorithm {
        Algorithm::LeastConnections => Some(usize::MAX),
        Algorithm::TwoChoices => Some(2),
        Algorithm::RoundRobin | Algorithm::Random => None,
    }
}

/// A balancer counts its own attempts only. They are all that is in progress at a member, if nobody else sends
/// anything there.
fn members_are_alone(plan: &Plan<'_>, rows: &[Row<'_>]) -> Result<(), WhyEvents> {
    for row in rows {
        let call = plan.call(row.position);
        let compared = balancer_of(plan, call).and_then(|(algorithm, _)| compares(algorithm));
        let Some(compared) = compared else {
            continue;
        };
        if compared.min(call.slots.len()) > ASKED {
            return Err(WhyEvents::ManyMembers);
        }
        let others = rows.iter().filter(|other| other.pool == row.pool);
        let mut others = others.map(|other| plan.call(other.position).through);
        if matches!(call.through, Through::Any { .. }) || others.any(|other| other != call.through)
        {
            return Err(WhyEvents::SharedMembers);
        }
    }
    Ok(())
}

/// Where work takes equally long again and again, several of it may begin and end at the same instants, and the order
/// in which it ends then follows from the whole history. It matters only where it ends badly, for one cause or
/// another.
fn instants_differ(rows: &[Row<'_>]) -> Result<(), WhyEvents> {
    let same = rows.iter().any(|row| !row.takes.has_density());
    let late = |row: &Row<'_>| row.fails > 0.0 || row.good_within < row.deadline;
    if same && (rows.len() > 1 || rows.iter().any(late)) {
        return Err(WhyEvents::SameInstants);
    }
    Ok(())
}

/// Whether the arrival-driven engine can run the requests of `system`, at least up to the first change of a stretch.
///
/// # Errors
/// Why it cannot.
pub fn arrival_driven(system: &System) -> Result<(), WhyEvents> {
    let mut rings = crate::engine::Rings::new();
    Rows::new(&Plan::new(system, &mut rings)).map(|_| ())
}
