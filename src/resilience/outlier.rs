//! Outlier detection: a balancer ejects a member because of what came of the attempts that it sent there itself.
//!
//! A member is ejected at once after so many errors in a row, or, at a sweep, for a success rate far below that of the
//! others or for too many failures. It comes back at the first sweep after `base_ejection_time` times a multiplier,
//! which grows by one with each ejection and falls by one at each sweep of a member that has been back for an interval:
//! memory that outlasts what caused it. At most a part of all members is ejected at any time; without that cap a shared
//! dependency that fails empties the pool, and keeps it empty after it has come back.
//!
//! # Source
//! Envoy 1.40.0, `source/common/upstream/outlier_detection_impl.cc`; recorded (`tests/recordings`). Failures of
//! connections and timeouts count as answers of the codes 503 and 504 (`split_external_local_origin_errors` is off).
//! Different: at a sweep members are looked at in the order of the configuration, upstream in that of a hash table.

use crate::time::{SimSpan, SimTime};

/// Settings of one cluster, by their upstream names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Errors of any kind in a row that eject.
    pub consecutive_5xx: u32,
    /// How often they do, percent.
    pub enforcing_consecutive_5xx: u32,
    /// Gateway failures in a row that eject.
    pub consecutive_gateway_failure: u32,
    /// How often they do, percent.
    pub enforcing_consecutive_gateway_failure: u32,
    /// Between two sweeps; not zero.
    pub interval: SimSpan,
    /// How long the first ejection lasts at least.
    pub base_ejection_time: SimSpan,
    /// How long any lasts, without jitter and the wait for a sweep; at least `base_ejection_time`.
    pub max_ejection_time: SimSpan,
    /// What is added at most, in whole milliseconds.
    pub max_ejection_time_jitter: SimSpan,
    /// Members ejected at a time, percent of all.
    pub max_ejection_percent: u32,
    /// Whether one may be ejected whatever that is.
    pub always_eject_one_host: bool,
    /// Ejection for a success rate below that of the others.
    pub success_rate: Rate,
    /// By how many thousandths of their standard deviation it is below their mean.
    pub success_rate_stdev_factor: u32,
    /// Ejection for the share of failures.
    pub failure_percentage: Rate,
    /// The least share of failures that ejects, percent.
    pub failure_percentage_threshold: u32,
}

/// What a detector that looks at rates needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Members with enough answers, at least.
    pub minimum_hosts: u32,
    /// Answers of a member between two sweeps, at least.
    pub request_volume: u64,
    /// How often it ejects whom it finds, percent.
    pub enforcing: u32,
}

/// What came of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer that is no error.
    Success,
    /// An answer that is an error of the member itself, such as 500.
    Error,
    /// A connection refused or reset, no answer in time, or an answer that says so (502 to 504).
    GatewayFailure,
}

/// What one process knows of the members it sends attempts to.
#[derive(Clone, Debug)]
pub struct OutlierDetection {
    settings: Settings,
    hosts: Vec<Host>,
    ejected: u32,
    next_sweep: SimTime,
}

#[derive(Clone, Copy, Debug)]
struct Host {
    errors: u32,
    gateway_failures: u32,
    /// Answers since the last sweep, and those that were no errors.
    answers: u64,
    successes: u64,
    is_ejected: bool,
    /// Since when it is, or was.
    ejected_at: SimTime,
    jitter: SimSpan,
    multiplier: u64,
    /// When it came back last; never, if it has not been away.
    back_at: SimTime,
}

impl Host {
    const NEW: Self = Self {
        errors: 0,
        gateway_failures: 0,
        answers: 0,
        successes: 0,
        is_ejected: false,
        ejected_at: SimTime::NEVER,
        jitter: SimSpan::ZERO,
        multiplier: 0,
        back_at: SimTime::NEVER,
    };
}

impl OutlierDetection {
    /// For so many members, of which nothing is known; the first sweep is at `first_sweep`.
    ///
    /// # Panics
    /// If `interval` is zero.
    pub fn new(settings: Settings, members: usize, first_sweep: SimTime) -> Self {
        assert!(!settings.interval.is_zero(), "sweeps would never end");
        Self {
            settings,
            hosts: vec![Host::NEW; members],
            ejected: 0,
            next_sweep: first_sweep,
        }
    }

    /// Forgets everything, as a process that has just started.
    pub fn restart(&mut self, first_sweep: SimTime) {
        self.hosts.fill(Host::NEW);
        (self.ejected, self.next_sweep) = (0, first_sweep);
    }

    /// Whether `member` gets no attempts.
    #[inline]
    pub fn is_ejected(&self, member: u32) -> bool {
        self.hosts[member as usize].is_ejected
    }

    /// Whether it knows of any ejection of `member` yet.
    pub fn remembers(&self, member: u32) -> bool {
        let host = &self.hosts[member as usize];
        host.is_ejected || host.multiplier > 0
    }

    /// Whether a member that fails whenever it is tried will yet be ejected for longer than it has been.
    pub fn climbs(&self, member: u32) -> bool {
        let host = &self.hosts[member as usize];
        let longest = host.multiplier + 1 >= self.most_multiplier();
        !longest && self.ejects_failing() && (host.is_ejected || self.may_eject())
    }

    /// From one ejection of a member that always fails to the next, once they are as long as they can be: it is back at
    /// the first sweep after its time, and ejected again soon after.
    pub fn turn(&self) -> SimSpan {
        self.settings.interval.saturating_mul(self.sweeps())
    }

    /// Sweeps in such a turn.
    fn sweeps(&self) -> u64 {
        let Settings {
            interval,
            max_ejection_time,
            ..
        } = self.settings;
        max_ejection_time.as_nanos() / interval.as_nanos() + 1
    }

    /// Whether any detector ejects a member that always fails.
    fn ejects_failing(&self) -> bool {
        let Settings {
            consecutive_5xx,
            enforcing_consecutive_5xx,
            consecutive_gateway_failure,
            enforcing_consecutive_gateway_failure,
            success_rate,
            failure_percentage,
            ..
        } = self.settings;
        let hosts = self.hosts.len() as u32;
        let by_rate = |rate: Rate| rate.enforcing > 0 && rate.minimum_hosts <= hosts;
        consecutive_5xx > 0 && enforcing_consecutive_5xx > 0
            || consecutive_gateway_failure > 0 && enforcing_consecutive_gateway_failure > 0
            || by_rate(success_rate)
            || by_rate(failure_percentage)
    }

    fn most_multiplier(&self) -> u64 {
        let base = self.settings.base_ejection_time.as_nanos().max(1);
        self.settings.max_ejection_time.as_nanos().div_ceil(base) + 1
    }

    /// Takes it for known that `member` has failed for long, and whenever it was tried: soon after a sweep that brings
    /// it back it is ejected again, for the longest time. At which of the sweeps that may be the next of them, `draw`
    /// says, uniform on (0, 1). Whether it is ejected: not where the cap forbids it.
    pub fn assume(&mut self, member: u32, draw: f64) -> bool {
        if self.is_ejected(member) || !self.may_eject() || !self.ejects_failing() {
            return false;
        }
        let Settings {
            interval,
            max_ejection_time,
            ..
        } = self.settings;
        let after = interval.saturating_mul((draw * self.sweeps() as f64) as u64);
        let most = self.most_multiplier();
        let back_at = self.next_sweep + after;
        let host = &mut self.hosts[member as usize];
        (host.is_ejected, host.multiplier) = (true, most);
        host.ejected_at = back_at.before(max_ejection_time);
        self.ejected += 1;
        true
    }

    /// Whether the time of a sweep has come.
    #[inline(always)]
    pub fn is_due(&self, now: SimTime) -> bool {
        now >= self.next_sweep
    }

    /// Sweeps up to `now`. `changed` is told who is ejected (true) or back (false), `bits` gives 64 random bits for each
    /// ejection.
    pub fn sweep(
        &mut self,
        now: SimTime,
        mut bits: impl FnMut() -> u64,
        mut changed: impl FnMut(u32, bool),
    ) {
        while self.is_due(now) {
            let at = self.next_sweep;
            self.sweep_once(at, &mut bits, &mut changed);
            self.next_sweep = at + self.settings.interval;
            let remembers = |host: &Host| host.is_ejected || host.multiplier > 0;
            if self.is_due(now) && !self.hosts.iter().any(remembers) {
                // Nothing happens at the others.
                let interval = self.settings.interval;
                let left = now.since(self.next_sweep).as_nanos() / interval.as_nanos();
                self.next_sweep = self.next_sweep + interval.saturating_mul(left + 1);
            }
        }
    }

    fn sweep_once(
        &mut self,
        at: SimTime,
        bits: &mut impl FnMut() -> u64,
        changed: &mut impl FnMut(u32, bool),
    ) {
        let settings = self.settings;
        for member in 0..self.hosts.len() as u32 {
            let host = &self.hosts[member as usize];
            let lasts = settings
                .base_ejection_time
                .saturating_mul(host.multiplier)
                .min(settings.max_ejection_time)
                .saturating_add(host.jitter);
            if host.is_ejected && lasts <= at.since(host.ejected_at) {
                self.let_back(member, at);
                changed(member, false);
            }
        }
        self.eject_by_rates(at, bits, changed);
        for host in &mut self.hosts {
            (host.answers, host.successes) = (0, 0);
            let is_back = !host.is_ejected && host.back_at != SimTime::NEVER;
            if is_back && at.since(host.back_at) >= settings.interval {
                host.multiplier = host.multiplier.saturating_sub(1);
            }
        }
    }

    fn eject_by_rates(
        &mut self,
        at: SimTime,
        bits: &mut impl FnMut() -> u64,
        changed: &mut impl FnMut(u32, bool),
    ) {
        let Settings {
            success_rate,
            failure_percentage,
            success_rate_stdev_factor,
            failure_percentage_threshold,
            ..
        } = self.settings;
        let hosts = self.hosts.len() as u32;
        // Who has enough answers is settled before anybody is ejected.
        let counts = |host: &Host, volume: u64| {
            !host.is_ejected && host.answers > 0 && host.answers >= volume
        };
        let members = |detection: &Self, volume: u64| {
            let all = detection.hosts.iter();
            all.filter(|host| counts(host, volume)).count() as u32
        };
        let of_failures = members(self, failure_percentage.request_volume);
        if hosts >= success_rate.minimum_hosts && success_rate.enforcing > 0 {
            let rates = || {
                let all = self.hosts.iter();
                all.filter(|host| counts(host, success_rate.request_volume))
                    .map(rate)
            };
            let number = rates().count() as u32;
            if number > 0 && number >= success_rate.minimum_hosts {
                let mean = rates().sum::<f64>() / f64::from(number);
                let squares: f64 = rates().map(|rate| (rate - mean).powi(2)).sum();
                let deviation = (squares / f64::from(number)).sqrt();
                let least = mean - f64::from(success_rate_stdev_factor) / 1000.0 * deviation;
                for member in 0..hosts {
                    let host = &self.hosts[member as usize];
                    if counts(host, success_rate.request_volume)
                        && rate(host) < least
                        && self.eject(member, at, success_rate.enforcing, bits())
                    {
                        changed(member, true);
                    }
                }
            }
        }
        if of_failures > 0
            && of_failures >= failure_percentage.minimum_hosts
            && failure_percentage.enforcing > 0
        {
            for member in 0..hosts {
                let host = &self.hosts[member as usize];
                if counts(host, failure_percentage.request_volume)
                    && 100.0 - rate(host) >= f64::from(failure_percentage_threshold)
                    && self.eject(member, at, failure_percentage.enforcing, bits())
                {
                    changed(member, true);
                }
            }
        }
    }

    /// An attempt at `member` has come to this at `now`; whether it is ejected for it. `bits` are 64 random bits.
    #[inline]
    pub fn report(&mut self, member: u32, outcome: Outcome, now: SimTime, bits: u64) -> bool {
        let settings = &self.settings;
        let host = &mut self.hosts[member as usize];
        host.answers += 1;
        if outcome == Outcome::Success {
            host.successes += 1;
            (host.errors, host.gateway_failures) = (0, 0);
            return false;
        }
        host.errors = host.errors.saturating_add(1);
        host.gateway_failures = match outcome {
            Outcome::GatewayFailure => host.gateway_failures.saturating_add(1),
            Outcome::Success | Outcome::Error => 0,
        };
        // At equality only: who is ejected meanwhile counts on, and is not ejected again.
        let gateway = outcome == Outcome::GatewayFailure
            && host.gateway_failures == settings.consecutive_gateway_failure;
        let any = host.errors == settings.consecutive_5xx;
        if !(gateway || any) || host.is_ejected {
            return false;
        }
        let enforcing = (
            settings.enforcing_consecutive_gateway_failure,
            settings.enforcing_consecutive_5xx,
        );
        let mut ejected = false;
        if gateway {
            ejected = self.eject(member, now, enforcing.0, bits >> 7);
            self.hosts[member as usize].gateway_failures = 0;
        }
        if any && !ejected {
            ejected = self.eject(member, now, enforcing.1, bits);
            self.hosts[member as usize].errors = 0;
        }
        ejected
    }

    /// A probe of `member` has passed at `now`; whether that brings it back.
    pub fn pass(&mut self, member: u32, now: SimTime) -> bool {
        let was = self.is_ejected(member);
        if was {
            self.let_back(member, now);
        }
        was
    }

    fn may_eject(&self) -> bool {
        let percent = 100.0 * f64::from(self.ejected + 1) / self.hosts.len() as f64;
        let cap = f64::from(self.settings.max_ejection_percent.min(100));
        percent <= cap || self.settings.always_eject_one_host && self.ejected == 0
    }

    /// Ejects `member`, if the cap and `enforcing`, percent, let it.
    fn eject(&mut self, member: u32, now: SimTime, enforcing: u32, bits: u64) -> bool {
        if !self.may_eject() || bits % 100 >= u64::from(enforcing) {
            return false;
        }
        let settings = &self.settings;
        let jitter = settings.max_ejection_time_jitter.as_nanos() / 1_000_000;
        let base = settings.base_ejection_time;
        let most = settings.max_ejection_time.saturating_add(base);
        let host = &mut self.hosts[member as usize];
        (host.is_ejected, host.ejected_at) = (true, now);
        host.jitter = SimSpan::from_millis((bits >> 32) % (jitter + 1));
        host.multiplier += u64::from(base.saturating_mul(host.multiplier) < most);
        self.ejected += 1;
        true
    }

    fn let_back(&mut self, member: u32, now: SimTime) {
        let host = &mut self.hosts[member as usize];
        (host.is_ejected, host.back_at) = (false, now);
        (host.errors, host.gateway_failures) = (0, 0);
        self.ejected -= 1;
    }
}

/// The share of answers that are no errors, percent.
fn rate(host: &Host) -> f64 {
    100.0 * host.successes as f64 / host.answers as f64
}

#[cfg(test)]
pub(crate) mod recorded;
#[cfg(test)]
mod tests;
