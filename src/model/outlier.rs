//! Outlier detection of a balancer, by the names of Envoy's settings.

use crate::time::SimSpan;

/// Whom a balancer ejects because of what came of the attempts that it sends.
#[derive(Clone, Debug, PartialEq)]
pub struct OutlierDetection {
    /// Errors of any kind in a row that eject; 0: never.
    pub consecutive_5xx: u32,
    /// How often they do, percent.
    pub enforcing_consecutive_5xx: u32,
    /// Failures of connections and timeouts in a row that eject; 0: never.
    pub consecutive_gateway_failure: u32,
    /// How often they do, percent.
    pub enforcing_consecutive_gateway_failure: u32,
    /// Between two sweeps; not zero.
    pub interval: SimSpan,
    /// How long the first ejection lasts at least; not zero.
    pub base_ejection_time: SimSpan,
    /// How long any lasts, without jitter and the wait for a sweep; at least `base_ejection_time`.
    pub max_ejection_time: SimSpan,
    /// What is added at most.
    pub max_ejection_time_jitter: SimSpan,
    /// Members ejected at a time, percent of all.
    pub max_ejection_percent: u32,
    /// Whether one may be ejected whatever that is.
    pub always_eject_one_host: bool,
    /// Ejection for a success rate below that of the others.
    pub success_rate: OutlierRate,
    /// By how many thousandths of their standard deviation it is below their mean.
    pub success_rate_stdev_factor: u32,
    /// Ejection for the share of failures.
    pub failure_percentage: OutlierRate,
    /// The least share of failures that ejects, percent.
    pub failure_percentage_threshold: u32,
    /// Whether a probe that passes brings an ejected member back.
    pub passed_probe_unejects: bool,
    /// Members that are believed up and not ejected, percent, below which all members get attempts; 0: never.
    pub healthy_panic_threshold: u32,
}

/// What a detector that looks at rates needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutlierRate {
    /// Members with enough answers, at least.
    pub minimum_hosts: u32,
    /// Answers of a member between two sweeps, at least.
    pub request_volume: u32,
    /// How often it ejects whom it finds, percent.
    pub enforcing: u32,
}

impl OutlierDetection {
    /// From the first ejection of a member that always fails to the first of the longest ones, about.
    pub fn grows_for(&self) -> SimSpan {
        let base = self.base_ejection_time;
        let times = self.max_ejection_time.as_nanos() / base.as_nanos().max(1);
        // 1 + 2 + ... times, and half an interval for each until a sweep.
        base.saturating_mul(times.saturating_mul(times + 1) / 2)
            .saturating_add(self.interval.saturating_mul(times / 2))
    }

    /// From the ejection of a member that always fails to its return, at the longest.
    pub fn longest(&self) -> SimSpan {
        let interval = self.interval.as_nanos().max(1);
        let least = self
            .max_ejection_time
            .saturating_add(self.max_ejection_time_jitter);
        self.interval
            .saturating_mul(least.as_nanos().div_ceil(interval))
    }
}
