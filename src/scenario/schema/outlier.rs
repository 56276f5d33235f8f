//! Outlier detection of a balancer, as a file states it: by the names of Envoy's settings.

use crate::scenario::read::Opt;
use crate::scenario::units::{Percent, Span};
use schemars::JsonSchema;
use serde::Deserialize;

/// Outlier detection, as Envoy does it: a replica that fails is ejected, and gets no attempts, for `base_ejection_time`
/// times the number of its ejections of late. An error of the replica counts as an answer 500, a refused or broken
/// connection and a full queue as 503, no answer within the call's `timeout` as 504. Evidence: recorded, Envoy 1.40.0.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {consecutive_5xx: 5, max_ejection_percent: 50%}"
)]
#[schemars(rename = "OutlierDetection")]
pub(in crate::scenario) struct OutlierDetectionForm {
    /// Failures of any kind in a row that eject; 0 for never. Default: 5. Evidence: read in source, Envoy 00c7146 (2026).
    #[schemars(range(min = 0, max = 1_000_000))]
    pub(in crate::scenario) consecutive_5xx: Opt<u64>,
    /// How often they do, in whole percent. Default: 100%. Evidence: read in source, Envoy 00c7146 (2026).
    pub(in crate::scenario) enforcing_consecutive_5xx: Opt<Percent>,
    /// The same for answers 502, 503 and 504 in a row; one of 500 between them begins anew. Default: 5. Evidence: read in source, Envoy 00c7146 (2026).
    #[schemars(range(min = 0, max = 1_000_000))]
    pub(in crate::scenario) consecutive_gateway_failure: Opt<u64>,
    /// How often they do, in whole percent. Default: 0%. Evidence: read in source, Envoy 00c7146 (2026).
    pub(in crate::scenario) enforcing_consecutive_gateway_failure: Opt<Percent>,
    /// From one sweep to the next: replicas come back at sweeps only, and rates are those between two of them. Default: 10s. Evidence: read in source, Envoy 00c7146 (2026).
    pub(in crate::scenario) interval: Opt<Span>,
    /// How long the first ejection lasts; the second lasts twice as long, and so on. At each sweep at which a replica has been back for an `interval`, one of them is forgotten. Default: 30s. Evidence: read in source, Envoy 00c7146 (2026).
    pub(in crate::scenario) base_ejection_time: Opt<Span>,
    /// How long any lasts; at least `base_ejection_time`. Default: 300s, or `base_ejection_time` if that is longer. Evidence: read in source, Envoy 00c7146 (2026).
    pub(in crate::scenario) max_ejection_time: Opt<Span>,
    /// How much longer an ejection is at most, drawn for each in whole milliseconds. Default: 0s. Evidence: read in source, Envoy 00c7146 (2026).
    pub(in crate::scenario) max_ejection_time_jitter: Opt<Span>,
    /// Replicas that may be ejected at a time, in whole percent of all: with 10% and fewer than ten of them, none. Default: 10%. Evidence: recorded, Envoy 1.40.0.
    pub(in crate::scenario) max_ejection_percent: Opt<Percent>,
    /// Whether one may be ejected whatever `max_ejection_percent` says. Default: false. Evidence: recorded, Envoy 1.40.0.
    pub(in crate::scenario) always_eject_one_host: Opt<bool>,
    /// How often a success rate far below that of the others ejects, in whole percent; 0% for never. Default: 100%. Evidence: read in source, Envoy 00c7146 (2026).
    pub(in crate::scenario) enforcing_success_rate: Opt<Percent>,
    /// How many replicas must have enough answers for that. Default: 5. Evidence: read in source, Envoy 00c7146 (2026).
    #[schemars(range(min = 0, max = 1_000_000))]
    pub(in crate::scenario) success_rate_minimum_hosts: Opt<u64>,
    /// How many answers between two sweeps are enough. Default: 100. Evidence: read in source, Envoy 00c7146 (2026).
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub(in crate::scenario) success_rate_request_volume: Opt<u64>,
    /// How far below is far: so many thousandths of the rates' standard deviation below their mean. Default: 1900. Evidence: read in source, Envoy 00c7146 (2026).
    #[schemars(range(min = 0, max = 1_000_000))]
    pub(in crate::scenario) success_rate_stdev_factor: Opt<u64>,
    /// How often a share of failures of at least `failure_percentage_threshold` ejects, in whole percent. Default: 0%. Evidence: read in source, Envoy 00c7146 (2026).
    pub(in crate::scenario) enforcing_failure_percentage: Opt<Percent>,
    /// That share, in whole percent. Default: 85%. Evidence: read in source, Envoy 00c7146 (2026).
    pub(in crate::scenario) failure_percentage_threshold: Opt<Percent>,
    /// How many replicas must have enough answers for that. Default: 5. Evidence: read in source, Envoy 00c7146 (2026).
    #[schemars(range(min = 0, max = 1_000_000))]
    pub(in crate::scenario) failure_percentage_minimum_hosts: Opt<u64>,
    /// How many answers between two sweeps are enough. Default: 50. Evidence: read in source, Envoy 00c7146 (2026).
    #[schemars(range(min = 0, max = 1_000_000_000))]
    pub(in crate::scenario) failure_percentage_request_volume: Opt<u64>,
    /// Whether a probe that passes brings an ejected replica back at once. Default: true. Evidence: recorded, Envoy 1.40.0.
    pub(in crate::scenario) successful_active_health_check_uneject_host: Opt<bool>,
}
