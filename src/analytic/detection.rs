//! How long until a failure is noticed, when its moment is independent of the phase of the observer.

/// Active probes at fixed intervals, of which some in a row must fail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probing {
    /// Time from one probe to the next.
    pub interval: f64,
    /// Failed probes in a row that mean "down", at least 1.
    pub threshold: u32,
    /// From the start of a probe that fails until it is known to have failed: 0 if refused, the
    /// probe's timeout if it is swallowed.
    pub latency: f64,
}

impl Probing {
    /// The soonest: the first probe comes right after the failure.
    pub fn min(self) -> f64 {
        f64::from(self.threshold - 1) * self.interval + self.latency
    }

    /// The latest: the failure comes right after a probe.
    pub fn max(self) -> f64 {
        f64::from(self.threshold) * self.interval + self.latency
    }

    /// The mean, half an interval above the soonest.
    pub fn mean(self) -> f64 {
        0.5 * (self.min() + self.max())
    }

    /// The standard deviation: that of a uniform phase.
    pub fn std_dev(self) -> f64 {
        self.interval / 12.0_f64.sqrt()
    }

    /// The time that a share `q` of the detections does not exceed.
    pub fn quantile(self, q: f64) -> f64 {
        self.min() + q * self.interval
    }

    /// The mean number of probes from the failure to detection if each fails with probability
    /// `fails` only: the mean wait for a run of `threshold` failures. Infinite if none fails.
    pub fn mean_probes_if_gray(self, fails: f64) -> f64 {
        // Sum of fails^-1 + fails^-2 + ... : the closed form divides by 1 - fails.
        (1..=self.threshold)
            .map(|k| fails.powf(-f64::from(k)))
            .sum()
    }

    /// The mean time to detection if each probe fails with probability `fails` only.
    pub fn mean_if_gray(self, fails: f64) -> f64 {
        (self.mean_probes_if_gray(fails) - 0.5) * self.interval + self.latency
    }
}

/// Heartbeats sent at fixed intervals; the sender is given up some time after the last one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heartbeat {
    /// Time from one heartbeat to the next.
    pub interval: f64,
    /// Time after the last heartbeat at which the sender is given up; at least the interval.
    pub timeout: f64,
}

impl Heartbeat {
    /// The soonest: the sender dies right before it would have sent.
    pub fn min(self) -> f64 {
        self.timeout - self.interval
    }

    /// The latest: the sender dies right after it sent.
    pub fn max(self) -> f64 {
        self.timeout
    }

    /// The mean.
    pub fn mean(self) -> f64 {
        self.timeout - 0.5 * self.interval
    }

    /// The time that a share `q` of the detections does not exceed.
    pub fn quantile(self, q: f64) -> f64 {
        self.min() + q * self.interval
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!(
            (found / expected - 1.0).abs() < 1e-9,
            "{found}, not {expected}"
        );
    }

    #[test]
    fn three_probes_ten_seconds_apart() {
        let probing = Probing {
            interval: 10.0,
            threshold: 3,
            latency: 0.0,
        };
        assert_eq!(
            (probing.min(), probing.mean(), probing.max()),
            (20.0, 25.0, 30.0)
        );
        close(probing.std_dev(), 2.886_751_346);
        close(probing.quantile(0.95), 29.5);
        close(probing.quantile(0.99), 29.9);
    }

    #[test]
    fn probes_that_fail_now_and_then_take_much_longer() {
        let probing = Probing {
            interval: 10.0,
            threshold: 3,
            latency: 0.0,
        };
        close(probing.mean_probes_if_gray(0.6), 9.074_074_074);
        close(probing.mean_if_gray(0.6), 85.740_740_74);
        // All of them fail: as if it were dead.
        close(probing.mean_if_gray(1.0), probing.mean());
        assert_eq!(probing.mean_probes_if_gray(0.0), f64::INFINITY);
    }

    #[test]
    fn heartbeats_every_second() {
        let heartbeat = Heartbeat {
            interval: 1.0,
            timeout: 3.5,
        };
        assert_eq!(
            (heartbeat.min(), heartbeat.mean(), heartbeat.max()),
            (2.5, 3.0, 3.5)
        );
        close(heartbeat.quantile(0.95), 3.45);
    }
}
