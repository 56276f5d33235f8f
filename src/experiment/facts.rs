//! How a run was carried out: what was simulated, and what says that it can be believed.

use super::outcome::Estimate;
use crate::model::Method;

/// What was done.
#[derive(Clone, Debug, PartialEq)]
pub struct RunFacts {
    /// The seed.
    pub seed: u64,
    /// Replications of the control state.
    pub replications: u64,
    /// How many of them had traffic.
    pub traffic_replications: u64,
    /// The length of each, seconds.
    pub horizon_s: f64,
    /// How requests were simulated.
    pub method: Method,
    /// Whether they are worked out as they arrive for as long as nothing changes, and by events from then on;
    /// else all of them are by events. `None` without traffic.
    pub arrival_driven: Option<bool>,
    /// Whether the histories began in equilibrium.
    pub steady: bool,
    /// Whether it ended as planned, not by an interruption.
    pub complete: bool,
    /// Length of a slice, seconds; `None` without traffic.
    pub slice_s: Option<f64>,
    /// A slice is bad below this share.
    pub bad_below: f64,
    /// Requests simulated, warm-up included.
    pub requests_simulated: u64,
    /// Attempts simulated, warm-up included.
    pub attempts_simulated: u64,
    /// Control transitions simulated.
    pub transitions_simulated: u64,
    /// Distinct regimes sampled (0 for `exact` and `none`).
    pub regimes: u64,
    /// Share of the traffic replications' time simulated request by request (1 for `exact`).
    pub share_simulated: f64,
    /// Windows that were simulated on because overload outlived what began it, in all replications with
    /// traffic.
    pub unsettled_windows: u64,
    /// For how long they were, on average, seconds; 0 without any.
    pub unsettled_mean_s: f64,
    /// Probes that found no free worker to answer them; `None` where no worker answers any.
    pub late_probes: Option<LateProbes>,
    /// `None` where no balancer has outlier detection.
    pub ejections: Option<Ejections>,
    /// Histories without traffic whose downtime was bounded by their control alone; zero where no target
    /// asks for it.
    pub bounded_histories: u64,
    /// Histories without traffic whose quiet time counts in the figures of requests.
    pub lent_histories: u64,
    /// How long windows and samples warmed up; `None` if there were none.
    pub warm_up: Option<WarmUpFacts>,
    /// How structural outages were forced; `None` if they came as often as they do.
    pub forcing: Option<ForcingFacts>,
    /// How failures of load that are too rare for samples were found by splitting; `None` if there was no need
    /// or no way.
    pub splitting: Option<SplittingFacts>,
    /// How many times the verdicts were looked at.
    pub looks: u32,
}

/// How long windows and samples began before their requests counted, and what says that this is enough: pairs of runs
/// of the same requests, one from empty and one from a backlog, and when they were one.
#[derive(Clone, Debug, PartialEq)]
pub struct WarmUpFacts {
    /// So long, seconds.
    pub used_s: f64,
    /// What the formula says, seconds; it stands where it is the longer.
    pub formula_s: f64,
    /// Pairs in each regime.
    pub pairs: u64,
    /// How long they took on average in the regime that asks for most, seconds; `None` if none was measured.
    pub mean_s: Option<f64>,
    /// And at the longest, seconds.
    pub largest_s: Option<f64>,
    /// The pool of which a replica is missing in that regime; `None`: all is up, or none was measured.
    pub missing: Option<String>,
    /// Regimes that were measured, each at the busiest time: all up, and a replica of each pool missing.
    pub measured: u64,
    /// Regimes in which it cannot be known, or costs too much.
    pub unknown: u64,
    /// Regimes in which a pair was not one after a long time.
    pub slow: Vec<SlowRegime>,
    /// Whether what was measured says that it is too short.
    pub too_short: bool,
}

/// A regime that forgets slowly how it began.
#[derive(Clone, Debug, PartialEq)]
pub struct SlowRegime {
    /// The pool of which a replica is missing; `None`: all is up.
    pub missing: Option<String>,
    /// After this time two runs were not one, seconds.
    pub more_than_s: f64,
}

/// Overload acted back on control: probes failed because no worker had time for them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LateProbes {
    /// How many, where requests were followed one by one.
    pub failed: u64,
    /// How often balancers left out a replica for it in samples of quiet time.
    pub left_out_in_samples: u64,
    /// Windows that were simulated on, or begun, because of them.
    pub windows: u64,
    /// The share of the time that these are longer than windows are.
    pub share_of_time: f64,
}

/// Balancers ejected replicas that answer, and let them back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ejections {
    /// How often, where requests were simulated.
    pub seen: u64,
    /// Windows that were simulated on, or begun, until all of them were over.
    pub windows: u64,
    /// The share of the time that these are longer than windows are.
    pub share_of_time: f64,
}

/// What forcing outages took, and what says that it can be believed.
#[derive(Clone, Debug, PartialEq)]
pub struct ForcingFacts {
    /// Branches simulated.
    pub branches: u64,
    /// Those in which a fault was forced.
    pub forced: u64,
    /// Those in which something that is decided by chance when it is demanded was made likelier.
    pub raised: u64,
    /// Those that met an outage.
    pub hits: u64,
    /// The mean weight of all; 1 is right.
    pub mean_weight: f64,
    /// How many of its standard errors it is from 1.
    pub mean_weight_z: f64,
    /// Outages of equal weight that would say as much, over their number.
    pub effective_share: Option<f64>,
    /// The share of the heaviest outage in the weight of all.
    pub largest_share: Option<f64>,
    /// Replications that had an outage without any forcing.
    pub natural_hits: u64,
    /// How many of them there should be by what was forced.
    pub expected_hits: f64,
    /// Of the faults that were injected, if any were.
    pub injected: Option<InjectedFacts>,
    /// By which faults branches began, those with the most downtime first.
    pub initiators: Vec<InitiatorRow>,
    /// How far branches with long and with short first durations are apart, in standard errors.
    pub durations_z: f64,
    /// The error of the downtime over that of a sixteenth of the histories; about a quarter is right. `None` if too
    /// few histories met an outage.
    pub error_ratio: Option<f64>,
    /// Figures of requests that have a forced part; `None` without requests.
    pub parts: Option<Parts>,
}

/// Branches that begin with one fault.
#[derive(Clone, Debug, PartialEq)]
pub struct InitiatorRow {
    /// Its name; `None` of everything that cannot be forced itself.
    pub fault: Option<String>,
    /// How many.
    pub branches: u64,
    /// Those that met an outage.
    pub hits: u64,
    /// Their share of the downtime.
    pub share: f64,
}

/// What histories with traffic found without what is lost while the structure is down, the *plain part*, and that,
/// from branches, the *forced part*.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parts {
    /// The share of requests that fail: plain, forced.
    pub failed: (Estimate, Estimate),
    /// Downtime as slices show it, seconds per year: plain, forced.
    pub downtime_s_per_year: (Estimate, Estimate),
}

/// What injecting faults took that hardly any history has, and what says that it can be believed.
#[derive(Clone, Debug, PartialEq)]
pub struct InjectedFacts {
    /// Branches that begin with one.
    pub branches: u64,
    /// Those that met an outage.
    pub hits: u64,
    /// The mean of what corrects further faults that were forced in them; 1 is right.
    pub mean_weight: f64,
    /// How many of its standard errors it is from 1.
    pub mean_weight_z: f64,
    /// Outages of equal weight that would say as much, over their number.
    pub effective_share: Option<f64>,
    /// The share of the heaviest outage in the weight of all of them.
    pub largest_share: Option<f64>,
}

/// What splitting took to find requests that fail of load, and what says that it can be believed.
#[derive(Clone, Debug, PartialEq)]
pub struct SplittingFacts {
    /// Quiet regimes that were split, summed over groups.
    pub regimes: u64,
    /// Thresholds of the one with the most.
    pub levels: u64,
    /// Main trajectories, which are independent.
    pub roots: u64,
    /// Trajectories that were split off.
    pub retrials: u64,
    /// Changes of state, all together.
    pub changes: u64,
    /// Requests that failed of load in all of them.
    pub hits: u64,
    /// Main trajectories that would say as much if each that found anything found the same.
    pub effective_hits: f64,
    /// Regimes of groups that would have taken too long, and were left to samples.
    pub given_up: u64,
    /// Regimes of groups that were followed to their end without more splitting, as it took long.
    pub unsplit: u64,
}
