//! What a run found out, as plain data: every figure with its interval and the count behind it.

use crate::model::{InputRange, PeriodBound};
use crate::path::Phase;

pub use super::facts::{
    Ejections, ForcingFacts, InitiatorRow, InjectedFacts, LateProbes, Parts, RunFacts, SlowRegime,
    SplittingFacts, WarmUpFacts,
};
pub use super::turning::{BreakEven, Scaled, Unturned};
pub use crate::stats::Estimate;

/// Everything a run found out.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The scenario's name.
    pub name: String,
    /// Hash of the scenario's meaning (comments and layout do not count), 16 hex digits.
    pub hash: String,
    /// What was done.
    pub run: RunFacts,
    /// Availability, four ways; n: traffic replications, structural: replications.
    pub availability: Availability,
    /// Downtime from slices; `None` without traffic.
    pub downtime: Option<Downtime>,
    /// Planned downtime from slices, seconds per year; `None` without traffic.
    pub planned_downtime: Option<Estimate>,
    /// Outages from slices; `None` without traffic.
    pub outages: Option<Outages>,
    /// Structural downtime.
    pub structural_downtime: Downtime,
    /// Planned structural downtime, seconds per year.
    pub structural_planned_downtime: Estimate,
    /// Structural outages.
    pub structural_outages: Outages,
    /// Requests; `None` without traffic.
    pub requests: Option<Requests>,
    /// Latency of answered requests; `None` without traffic or if none was answered.
    pub latency: Option<Latency>,
    /// The same by the state the request met on arrival: healthy, failover, degraded; absent ones had none.
    pub latency_by_condition: Vec<(Condition, Latency)>,
    /// One row for each service, cache, store and balancer, in the order of the file.
    pub services: Vec<Service>,
    /// By message queue; empty without traffic.
    pub queues: Vec<QueueRow>,
    /// One row for each journey.
    pub journeys: Vec<JourneyRow>,
    /// One row for each workload whose users wait for their answers; empty without traffic.
    pub users: Vec<UserRow>,
    /// Where it was lost; the columns add up to the totals. Largest first; ties by name.
    pub causes: Vec<CauseRow>,
    /// Verdicts, in the order of the file.
    pub targets: Vec<TargetRow>,
    /// For each target, how wrong single inputs may be until it turns; empty unless it was asked for.
    pub break_even: Vec<Vec<BreakEven>>,
    /// What the ranges of the file do to the figures above, which are those of the design with every
    /// range at its middle; `None` if the file has no range.
    pub inputs: Option<Inputs>,
    /// Pools whose needs follow from the load.
    pub needs_at_peak: Vec<NeedsRow>,
    /// What each single loss at the busiest time does; `None` without traffic, and in comparisons.
    pub at_peak: Option<AtPeak>,
    /// What the design costs; `None` if its file states no price.
    pub cost: Option<Bill>,
    /// What must be read before the figures are trusted.
    pub warnings: Vec<String>,
}

/// What is not known of the inputs, apart from the error of simulation.
#[derive(Clone, Debug, PartialEq)]
pub struct Inputs {
    /// The numbers that are ranges, in the order of the file.
    pub ranges: Vec<InputRange>,
    /// How many draws of all of them together were simulated.
    pub draws: u32,
    /// How many there were to be; more than `draws` if the run was ended before.
    pub asked: u32,
    /// Replications of each draw.
    pub replications: u64,
    /// How many of them had traffic; 0 if that was too costly, and figures of requests are left out.
    pub traffic_replications: u64,
    /// Main figures.
    pub figures: Vec<InputFigure>,
    /// For each target; `None` if it could not be measured in every draw.
    pub targets: Vec<Option<TargetInputs>>,
}

/// A figure over the draws of the inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InputFigure {
    /// Its place in `result.json`.
    pub name: &'static str,
    /// The least value of all draws.
    pub low: f64,
    /// The largest.
    pub high: f64,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation: the uncertainty that comes from the inputs.
    pub deviation: f64,
    /// Half of the 95 % interval of one draw, on average: the error of simulation, most of which the
    /// draws have in common.
    pub simulation: f64,
}

/// A target over the draws of the inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TargetInputs {
    /// Least and largest of what the target shows; `None` if one of the draws has no value.
    pub ends: Option<(f64, f64)>,
    /// In how many draws the value is on the right side of the bound.
    pub met: u32,
}

/// How many replicas carry the load at the busiest time, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct NeedsRow {
    /// The pool.
    pub pool: String,
    /// So many replicas are needed.
    pub needs: u32,
    /// So many there are.
    pub replicas: u32,
    /// Workers in use at the busiest time, on average.
    pub busy: f64,
    /// Workers of one replica.
    pub workers: u32,
    /// The share of them that may be in use.
    pub utilisation: f64,
    /// The busiest minute of the week, seconds since Monday 00:00.
    pub busiest_s: f64,
}

/// What each single loss at the busiest time does, once everything has settled.
#[derive(Clone, Debug, PartialEq)]
pub struct AtPeak {
    /// The busiest minute of the week, seconds since Monday 00:00.
    pub busiest_s: f64,
    /// Requests per second then.
    pub rate: f64,
    /// With nothing lost.
    pub healthy: PeakState,
    /// Losses of single parts, worst first; parts whose loss leaves the same are one row.
    pub losses: Vec<SingleLoss>,
    /// Parts that were not looked at, because too many of them stand differently.
    pub left_out: u64,
}

/// The loss of one of several parts that leave the same.
#[derive(Clone, Debug, PartialEq)]
pub struct SingleLoss {
    /// `replica`, `cache`, `member`, `balancer`, `machine`, or the kind of a domain in the file's word.
    pub kind: String,
    /// The first of them in the file.
    pub part: String,
    /// The others.
    pub alike: Vec<String>,
    /// What is left.
    pub left: PeakState,
}

/// How a system does at its busiest time.
#[derive(Clone, Debug, PartialEq)]
pub struct PeakState {
    /// By name of the pool, of those with limited workers: how much of the workers that are left
    /// the load takes, above 1 if there are too few; `None` if none are left.
    pub utilisation: Vec<(String, Option<f64>)>,
    /// Journeys that cannot be served at all.
    pub journeys_down: Vec<String>,
    /// Whether nothing at all is left: the loss of a domain with everything in it.
    pub nothing: bool,
    /// The share of requests that fail or are never answered; n: requests. `None` if it was not
    /// simulated, because that costs too much.
    pub lost: Option<Estimate>,
    /// 99th percentile of the latency of the others, seconds. `None` if there are too few.
    pub latency_p99: Option<Estimate>,
}

/// What a design costs in a month, as far as prices are stated.
#[derive(Clone, Debug, PartialEq)]
pub struct Bill {
    /// The currency; empty if the file does not name it.
    pub currency: String,
    /// Of everything that has a price.
    pub per_month: f64,
    /// One row for each component with a price, dearest first.
    pub items: Vec<BillItem>,
    /// Components without a price.
    pub without_price: Vec<String>,
}

/// What one component costs.
#[derive(Clone, Debug, PartialEq)]
pub struct BillItem {
    /// Its name.
    pub component: String,
    /// How many there are.
    pub count: u32,
    /// What one costs in a month.
    pub each_per_month: f64,
    /// What all of them cost in a month.
    pub per_month: f64,
}

/// Availability, four ways.
#[derive(Clone, Debug, PartialEq)]
pub struct Availability {
    /// (good + degraded) / (issued - in flight at the end).
    pub request: Option<Estimate>,
    /// good / (issued - in flight at the end).
    pub full: Option<Estimate>,
    /// 1 - downtime / horizon.
    pub time: Option<Estimate>,
    /// Share of time in which every journey could have been served.
    pub structural: Estimate,
    /// Share of replications in which every journey could have been served at the end of the horizon.
    pub structural_at_end: Estimate,
}

/// Downtime per replication, scaled to a year.
#[derive(Clone, Debug, PartialEq)]
pub struct Downtime {
    /// Mean, seconds per year; n: replications.
    pub mean: Estimate,
    /// Percentiles over replications, seconds per year; only where the order-statistic interval exists.
    pub p50: Option<Estimate>,
    /// 90th percentile.
    pub p90: Option<Estimate>,
    /// 95th percentile.
    pub p95: Option<Estimate>,
    /// 99th percentile.
    pub p99: Option<Estimate>,
    /// Share of replications without any.
    pub none: Estimate,
    /// Sorted (seconds per replication, share of replications with more), at most 200 points, for charts.
    pub exceedance: Vec<(f64, f64)>,
}

/// Outages.
#[derive(Clone, Debug, PartialEq)]
pub struct Outages {
    /// Number per year; n: outages.
    pub per_year: Estimate,
    /// Mean duration, seconds (MTTR); n: outages. `None` if there was none.
    pub duration_mean: Option<Estimate>,
    /// Median duration, seconds.
    pub duration_p50: Option<Estimate>,
    /// 99th percentile of the duration, seconds.
    pub duration_p99: Option<Estimate>,
    /// Mean time from the start of one outage to the start of the next, seconds.
    pub mtbf: Option<Estimate>,
}

/// Requests over all traffic replications.
#[derive(Clone, Debug, PartialEq)]
pub struct Requests {
    /// Estimated totals; for `exact` they are the counts.
    pub total: RequestCounts,
    /// What was simulated and counted: integers that add up in every stretch.
    pub simulated: RequestCounts,
    /// Estimated failed requests by cause; they sum to `total.failed` up to rounding.
    pub failed_by_cause: Vec<(String, f64)>,
    /// Estimated failed requests whose cause is planned work.
    pub failed_planned: f64,
}

/// issued = good + degraded + failed + in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// Started.
    pub issued: u64,
    /// Answered in time, complete.
    pub good: u64,
    /// Answered in time without an optional part.
    pub degraded: u64,
    /// Everything else that ended.
    pub failed: u64,
    /// Not ended at the end of the horizon.
    pub in_flight: u64,
}

/// What a request met on arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// No fault among its dependencies.
    Healthy,
    /// A fault is being noticed, decided on or handed over.
    Failover,
    /// A fault is under repair or its aftermath is being worked off.
    Degraded,
}

/// Latency of answered requests, seconds; n: answered requests counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Latency {
    /// Mean.
    pub mean: Estimate,
    /// Median.
    pub p50: Estimate,
    /// 90 %.
    pub p90: Estimate,
    /// 95 %.
    pub p95: Estimate,
    /// 99 %.
    pub p99: Estimate,
    /// 99.9 %.
    pub p999: Estimate,
    /// The largest value simulated; not an estimate.
    pub largest_seen: f64,
    /// (quantile in 0..1, seconds) for charts, about 100 points, increasing.
    pub curve: Vec<(f64, f64)>,
}

/// What became of calls to one pool, or through one balancer.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// `service`, `cache`, `store`, `external`, `queue` or `balancer`.
    pub kind: &'static str,
    /// Share of time with enough reachable slots.
    pub structural: Estimate,
    /// Structural downtime, outages per year; `mttr` is the mean duration.
    pub structural_outages: Outages,
    /// Traffic figures; `None` for balancers and without traffic.
    pub calls: Option<Calls>,
    /// The connections that its replicas keep; empty without traffic.
    pub connections: Vec<Connections>,
    /// Recoveries from the loss of a leader; `None` for all but stores that choose one.
    pub recovery: Option<Recovery>,
}

/// Messages of one queue.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueRow {
    /// Its name.
    pub name: String,
    /// Messages stored, done, dead, lost and left at the end, in all histories with traffic: the first is
    /// the sum of the others.
    pub counts: [u64; 5],
    /// Share of the attempts to publish that were refused because it was full.
    pub full: Option<Estimate>,
    /// Deliveries per message.
    pub delivered: Option<Estimate>,
    /// Deliveries per message that were not the first.
    pub redelivered: Option<Estimate>,
    /// Share of the messages that became dead letters.
    pub dead: Option<Estimate>,
    /// Share of the messages that were lost with the broker.
    pub lost: Option<Estimate>,
    /// Messages in the queue or in work, mean over time.
    pub backlog_mean: Option<Estimate>,
    /// The most that were seen waiting.
    pub backlog_largest_seen: u64,
    /// From publishing to the acknowledgement of those done, seconds.
    pub time: Option<Latency>,
}

/// Connections of a service to one thing that it calls.
#[derive(Clone, Debug, PartialEq)]
pub struct Connections {
    /// What they lead to: a service, cache, store, third party or balancer.
    pub to: String,
    /// Share of the attempts that got a connection for which it had to be opened.
    pub opened: Option<Estimate>,
    /// Share of the attempts that got none, as they waited too long or too many were waiting.
    pub shed: Option<Estimate>,
    /// Mean wait for a free one of all attempts, seconds.
    pub wait_mean: Option<Estimate>,
}

/// What ends the recovery time of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecoveryEnd {
    /// The first good answer of the new leader.
    FirstAnswer,
    /// A member that leads: no call asks the leader.
    NobodyAsks,
    /// A member that leads: no requests were simulated.
    NoTraffic,
}

/// Recoveries of a store from the loss of its leader.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovery {
    /// Their number per year.
    pub per_year: Estimate,
    /// From the fault to where [`Recovery::ends`] says, seconds.
    pub time: Spans,
    /// What ends it.
    pub ends: RecoveryEnd,
    /// From the fault to a member that leads, seconds, in every history.
    pub lead: Spans,
    /// What was acknowledged and is lost, in seconds of writes before the fault, where another member
    /// took over; `None` if the file does not say how the store replicates.
    pub loss: Option<Spans>,
    /// Acknowledged writes lost per year; `None` without a workload, or if `loss` is.
    pub writes_lost_per_year: Option<Estimate>,
}

/// Spans of some events, seconds; percentiles only where the order-statistic interval exists.
#[derive(Clone, Debug, PartialEq)]
pub struct Spans {
    /// Mean; `None` without any event.
    pub mean: Option<Estimate>,
    /// Median.
    pub p50: Option<Estimate>,
    /// 90 %.
    pub p90: Option<Estimate>,
    /// 99 %.
    pub p99: Option<Estimate>,
}

/// Calls of one pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Calls {
    /// Calls answered over calls ended; n: calls.
    pub availability: Option<Estimate>,
    /// Attempts per call (retry amplification).
    pub attempts_per_call: Option<Estimate>,
    /// Attempts per request issued, of any journey.
    pub attempts_per_request: Option<Estimate>,
    /// Share of worker time in use; `None` if the number of workers is not limited.
    pub utilisation: Option<Estimate>,
    /// Mean wait for a worker of the attempts that got one, seconds.
    pub wait_mean: Option<Estimate>,
    /// Latency of calls answered, seconds, retries and pauses included.
    pub latency: Option<Latency>,
}

/// One journey.
#[derive(Clone, Debug, PartialEq)]
pub struct JourneyRow {
    /// `<workload>.<journey>`.
    pub name: String,
    /// Share of time in which it could have been served.
    pub structural: Estimate,
    /// Its request availability.
    pub availability: Option<Estimate>,
    /// Its latency.
    pub latency: Option<Latency>,
}

/// Users in a closed loop.
#[derive(Clone, Debug, PartialEq)]
pub struct UserRow {
    /// The workload.
    pub name: String,
    /// How many there are.
    pub count: u32,
    /// Requests per second that they made, mean.
    pub rate: f64,
    /// The share of the requests that they would have made if they had always waited as long as
    /// without any fault, and did not make; below 0 if faults made them come again sooner.
    pub lost_demand: Option<Estimate>,
}

/// One (fault, phase) and what it cost.
#[derive(Clone, Debug, PartialEq)]
pub struct CauseRow {
    /// The fault's name, or `load` or `base`.
    pub fault: String,
    /// The phase; `None` for `load` and `base`.
    pub phase: Option<Phase>,
    /// Whether it is planned work.
    pub planned: bool,
    /// Failed requests per million issued; `None` without traffic.
    pub failed_per_million: Option<Estimate>,
    /// Downtime, seconds per year; `None` without traffic.
    pub downtime_s_per_year: Option<Estimate>,
    /// Structural downtime, seconds per year.
    pub structural_downtime_s_per_year: Estimate,
}

/// Whether a target holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its interval lies on the right side of the bound.
    Met,
    /// Its interval lies on the wrong side.
    Missed,
    /// The interval contains the bound.
    Undecided,
}

/// One target and its verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetRow {
    /// As it stands in the file.
    pub expression: String,
    /// The line of the file.
    pub line: u32,
    /// The verdict.
    pub verdict: Verdict,
    /// What was measured, with the interval that decides; `None` if nothing could be measured.
    /// For latency targets: the share of requests within the bound, to be compared with `required`.
    pub measured: Option<Estimate>,
    /// For latency targets the measured percentile itself, seconds; else the same as `measured.value`.
    pub shown: Option<f64>,
    /// What `measured` is compared with, same unit.
    pub required: f64,
    /// How to print `shown` and `required`.
    pub unit: Unit,
    /// Whether the metric must be at least (`true`) or at most (`false`) `required`.
    pub at_least: bool,
    /// For targets on periods, and on the probability that one of a history misses a bound: which.
    /// `measured` is then the share that keeps the bound if it must be at least `required`, else the
    /// share that misses it.
    pub periods: Option<PeriodBound>,
    /// For targets on availability and downtime of all requests: the share of histories that miss the
    /// bound by themselves.
    pub missed_by_histories: Option<Estimate>,
}

/// How to print a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A probability, as per cent with enough nines.
    Share,
    /// Seconds, as a span.
    Seconds,
    /// A plain number per year.
    PerYear,
    /// A plain number.
    Number,
    /// A latency target: `measured` and `required` are shares, `shown` is in seconds.
    SharedLatency,
    /// A target on the time or the data loss of recoveries: `measured` and `required` are shares of
    /// them, `shown` is in seconds.
    SharedRecovery,
}
