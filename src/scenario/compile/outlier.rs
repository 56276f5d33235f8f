//! Whom a balancer ejects because of what came of the attempts that it sends.

use super::super::schema::{Balancer, OutlierDetectionForm};
use super::Compiler;
use crate::model::{OutlierDetection, OutlierRate};
use crate::scenario::read::{At, Opt};
use crate::scenario::units::Percent;
use crate::time::SimSpan;

const INTERVAL: SimSpan = SimSpan::from_secs(10);
const BASE: SimSpan = SimSpan::from_secs(30);
const LONGEST: SimSpan = SimSpan::from_secs(300);

/// The shortest interval of sweeps.
const LEAST: SimSpan = SimSpan::from_millis(10);

/// Sweeps in the longest ejection, at most: there is work at each.
const SWEEPS: u64 = 100_000;

impl Compiler<'_> {
    pub(super) fn outlier_detection(&mut self, form: &Balancer) -> Option<OutlierDetection> {
        let panic = &form.healthy_panic_threshold;
        let Some(at) = form.outlier_detection.as_ref() else {
            if let Some(percent) = panic
                .as_ref()
                .filter(|_| self.whole(panic, "healthy_panic_threshold", 0) > 0)
            {
                self.problem(
                    percent.place,
                    "`healthy_panic_threshold` without `outlier_detection`",
                    "panic is looked at where replicas are ejected: add `outlier_detection`, or leave it out",
                );
            }
            return None;
        };
        if let Some(other) = form
            .max_fails
            .as_ref()
            .map(|at| at.place)
            .or(form.fail_timeout.as_ref().map(|at| at.place))
        {
            self.problem(
                other,
                "`max_fails` and `fail_timeout` beside `outlier_detection`",
                "one is what nginx does, the other what Envoy does: leave one of them out",
            );
        }
        let settings = at.get()?;
        let detection = self.outlier_settings(settings, panic);
        if detection.max_ejection_time < detection.base_ejection_time {
            self.problem(
                settings
                    .max_ejection_time
                    .as_ref()
                    .map_or(at.place, |at| at.place),
                "`max_ejection_time` is shorter than `base_ejection_time`",
                "no ejection could last as long as the first one",
            );
        }
        if detection.interval < LEAST {
            self.problem(
                settings.interval.as_ref().map_or(at.place, |at| at.place),
                "`interval` is below 10ms",
                "sweeps are simulated one by one: use 10ms or more",
            );
        }
        let sweeps = detection.longest().as_nanos() / detection.interval.as_nanos().max(1);
        if sweeps > SWEEPS {
            self.problem(
                settings.interval.as_ref().map_or(at.place, |at| at.place),
                format!("{sweeps} sweeps in the longest ejection"),
                format!("there may be {SWEEPS}: use a longer `interval` or a shorter `max_ejection_time`"),
            );
        }
        Some(detection)
    }

    fn outlier_settings(
        &mut self,
        form: &OutlierDetectionForm,
        panic: &Opt<Percent>,
    ) -> OutlierDetection {
        const HOSTS: u64 = 1_000_000;
        const VOLUME: u64 = 1_000_000_000;
        let base = self
            .positive(&form.base_ejection_time, "base_ejection_time")
            .unwrap_or(BASE);
        let flag = |field: &Opt<bool>, default: bool| {
            field.as_ref().and_then(At::get).copied().unwrap_or(default)
        };
        OutlierDetection {
            consecutive_5xx: self.count(&form.consecutive_5xx, 5, "consecutive_5xx", 0, HOSTS),
            enforcing_consecutive_5xx: self.whole(
                &form.enforcing_consecutive_5xx,
                "enforcing_consecutive_5xx",
                100,
            ),
            consecutive_gateway_failure: self.count(
                &form.consecutive_gateway_failure,
                5,
                "consecutive_gateway_failure",
                0,
                HOSTS,
            ),
            enforcing_consecutive_gateway_failure: self.whole(
                &form.enforcing_consecutive_gateway_failure,
                "enforcing_consecutive_gateway_failure",
                0,
            ),
            interval: self
                .positive(&form.interval, "interval")
                .unwrap_or(INTERVAL),
            base_ejection_time: base,
            max_ejection_time: self
                .positive(&form.max_ejection_time, "max_ejection_time")
                .unwrap_or(LONGEST.max(base)),
            max_ejection_time_jitter: self
                .span(&form.max_ejection_time_jitter, "max_ejection_time_jitter")
                .unwrap_or(SimSpan::ZERO),
            max_ejection_percent: self.whole(
                &form.max_ejection_percent,
                "max_ejection_percent",
                10,
            ),
            always_eject_one_host: flag(&form.always_eject_one_host, false),
            success_rate: OutlierRate {
                minimum_hosts: self.count(
                    &form.success_rate_minimum_hosts,
                    5,
                    "success_rate_minimum_hosts",
                    0,
                    HOSTS,
                ),
                request_volume: self.count(
                    &form.success_rate_request_volume,
                    100,
                    "success_rate_request_volume",
                    0,
                    VOLUME,
                ),
                enforcing: self.whole(&form.enforcing_success_rate, "enforcing_success_rate", 100),
            },
            success_rate_stdev_factor: self.count(
                &form.success_rate_stdev_factor,
                1_900,
                "success_rate_stdev_factor",
                0,
                1_000_000,
            ),
            failure_percentage: OutlierRate {
                minimum_hosts: self.count(
                    &form.failure_percentage_minimum_hosts,
                    5,
                    "failure_percentage_minimum_hosts",
                    0,
                    HOSTS,
                ),
                request_volume: self.count(
                    &form.failure_percentage_request_volume,
                    50,
                    "failure_percentage_request_volume",
                    0,
                    VOLUME,
                ),
                enforcing: self.whole(
                    &form.enforcing_failure_percentage,
                    "enforcing_failure_percentage",
                    0,
                ),
            },
            failure_percentage_threshold: self.whole(
                &form.failure_percentage_threshold,
                "failure_percentage_threshold",
                85,
            ),
            passed_probe_unejects: flag(&form.successful_active_health_check_uneject_host, true),
            healthy_panic_threshold: self.whole(panic, "healthy_panic_threshold", 50),
        }
    }

    /// A share in whole percent, as Envoy counts it.
    fn whole(&mut self, field: &Opt<Percent>, name: &str, default: u32) -> u32 {
        let Some((place, share)) = field.as_ref().and_then(|at| Some((at.place, at.get()?.0)))
        else {
            return default;
        };
        let percent = (100.0 * share).round();
        if (100.0 * share - percent).abs() > 1e-9 {
            self.problem(
                place,
                format!("`{name}` is not a whole number of percent"),
                "Envoy counts in whole percent",
            );
        }
        percent.clamp(0.0, 100.0) as u32
    }
}
