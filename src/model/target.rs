//! What must hold.

use super::PeriodBound;
use crate::ids::{JourneyId, PoolId, QueueId, WorkloadId};
use crate::time::SimSpan;

/// A condition on a metric.
#[derive(Clone, Debug)]
pub struct Target {
    /// The expression as it stands in the file.
    pub text: String,
    /// The line of the file.
    pub line: u32,
    /// What is measured.
    pub metric: Metric,
    /// Whether what is due to planned work is left out: of the time or the requests that are bad, and
    /// of all that there are.
    pub excluding_planned: bool,
    /// On which side of the bound it must be.
    pub relation: Relation,
    /// The bound, in the metric's unit: a probability, seconds, or a number per year.
    pub bound: f64,
}

/// On which side of the bound a metric must be; the bound itself is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
}

/// Whose requests a metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Population {
    /// All requests.
    All,
    /// The requests of one workload.
    Workload(WorkloadId),
    /// The requests of one journey.
    Journey(JourneyId),
}

/// Something measured that a target can name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Metric {
    /// `availability`, `readers.availability`, `readers.read.availability`: good and degraded over issued.
    Availability(Population),
    /// `availability.full`: good over issued.
    FullAvailability,
    /// `availability.time`: 1 - downtime / horizon.
    TimeAvailability,
    /// `structural.availability`.
    StructuralAvailability,
    /// `downtime`: its mean per year, seconds.
    Downtime,
    /// `structural.downtime`: its mean per year, seconds.
    StructuralDowntime,
    /// `outages`: their mean number per year.
    Outages,
    /// `structural.outages`: their mean number per year.
    StructuralOutages,
    /// `latency.p99` and the like, seconds; a failed request counts as later than any bound.
    Latency {
        /// Whose.
        population: Population,
        /// The share of requests, e.g. 0.99.
        quantile: f64,
    },
    /// `probability(downtime > 4h)`: of one replication.
    DowntimeExceeds(SimSpan),
    /// `probability(structural.downtime > 4h)`: of one replication.
    StructuralDowntimeExceeds(SimSpan),
    /// The share of periods that miss a bound where it must be at most something
    /// (`probability(availability over 30d < 99.9%)`), the share that keeps it where it must be at least
    /// something (`availability over 30d`).
    Periods(PeriodBound),
    /// `rto.p99`, `articles.rpo.p99`: seconds, of the recoveries of stores from the loss of a leader.
    Recovery {
        /// What of a recovery.
        quantity: Quantity,
        /// Of one store; `None`: of all.
        store: Option<PoolId>,
        /// The share of recoveries, e.g. 0.99.
        quantile: f64,
    },
    /// `queue.mail.delivered` and the like.
    Queue {
        /// Whose messages.
        queue: QueueId,
        /// What of them.
        measure: QueueMeasure,
    },
}

/// What is measured of the messages of a queue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum QueueMeasure {
    /// The share that is done, of those that are done, dead or lost.
    Delivered,
    /// The share that becomes dead letters.
    Dead,
    /// The share that is lost with the broker.
    Lost,
    /// The share of attempts to publish that is refused as the queue is full.
    Full,
    /// The mean number in the queue or in work.
    Backlog,
    /// `time.p99`: seconds from publishing to done, of the messages that are done, dead or lost; the
    /// latter are later than any bound.
    Time {
        /// The share of messages, e.g. 0.99.
        quantile: f64,
    },
}

/// What is measured of a recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// From the fault that takes the leader away to the first good answer of the next one; to a member that
    /// leads, where no call asks it or there is no traffic.
    Time,
    /// How long before the fault was written what its successor does not have.
    Loss,
}
