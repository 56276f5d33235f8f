//! When a process that has ended is started again: pauses that grow, and limits on starts.
//!
//! One rule for both of the well-known ones. Kubernetes (kubelet 1.31, `pkg/kubelet/kubelet.go` and
//! `client-go/util/flowcontrol/backoff.go`): the first restart at once, then pauses of 10 s, doubled, at
//! most 300 s; a container that ran for more than 600 s from its start to its end begins anew. systemd
//! (254, `src/core/service.c` and `src/basic/ratelimit.c`): a pause of `RestartSec` before each restart,
//! and no start at all beyond `StartLimitBurst` within `StartLimitIntervalSec` of the first one counted,
//! in windows one after the other. A unit that reaches the limit stays down until a person starts it.
//!
//! Left out: the kubelet looks for pauses that are over when it next syncs the pod, up to ten seconds
//! late; systemd's `RestartSteps`, which are a factor; and starts by others, which count for its limit.

use crate::time::{SimSpan, SimTime};

/// How restarts are spaced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// Whether there are any; if not, a person starts it.
    pub restarts: bool,
    /// Whether the first restart comes without a pause.
    pub at_once: bool,
    /// The first pause.
    pub first: SimSpan,
    /// How many times as long each next pause is, at least 1.
    pub factor: f64,
    /// The longest pause.
    pub cap: SimSpan,
    /// What ran for longer than this from its start to its end begins with the first restart again.
    pub resets_after: SimSpan,
    /// Beyond this nobody tries.
    pub limit: Option<Limit>,
}

impl Rule {
    /// Kubernetes, `restartPolicy: Always`.
    pub const KUBERNETES: Self = Self {
        restarts: true,
        at_once: true,
        first: SimSpan::from_secs(10),
        factor: 2.0,
        cap: SimSpan::from_secs(300),
        resets_after: SimSpan::from_secs(600),
        limit: None,
    };

    /// systemd, `Restart=always` and no other setting.
    pub const SYSTEMD: Self = Self {
        restarts: true,
        at_once: false,
        first: SimSpan::from_millis(100),
        factor: 1.0,
        cap: SimSpan::from_millis(100),
        resets_after: SimSpan::from_secs(600),
        limit: Some(Limit {
            starts: 5,
            within: SimSpan::from_secs(10),
        }),
    };
}

/// At most so many starts in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// How many, at least 1.
    pub starts: u32,
    /// From the first of them on. Later than that another window begins.
    pub within: SimSpan,
}

/// What comes after an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is started at this instant.
    Start(SimTime),
    /// At this instant nobody tries any more.
    GivesUp(SimTime),
}

/// The starts of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Starts {
    /// The pause that the next end meets; `None`: it is the first.
    pause: Option<SimSpan>,
    last: SimTime,
    /// The first start of the window, and how many there were.
    window: (SimTime, u32),
}

impl Default for Starts {
    /// It has been running for ever.
    fn default() -> Self {
        Self {
            pause: None,
            last: SimTime::EPOCH,
            window: (SimTime::EPOCH, 0),
        }
    }
}

impl Starts {
    /// The process ends `at`, in whatever way: when it is started again.
    ///
    /// ```
    /// use fivenines::orchestrate::restart::{Next, Rule, Starts};
    /// use fivenines::time::{SimSpan, SimTime};
    /// let mut starts = Starts::default();
    /// let mut at = SimTime::START;
    /// let mut pauses = Vec::new();
    /// for _ in 0..8 {
    ///     let Next::Start(next) = starts.ended(&Rule::KUBERNETES, at) else { panic!() };
    ///     pauses.push((next - at).as_secs_f64());
    ///     at = next; // it fails at once
    /// }
    /// assert_eq!(pauses, [0.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0]);
    /// ```
    pub fn ended(&mut self, rule: &Rule, at: SimTime) -> Next {
        if !rule.restarts {
            return Next::GivesUp(at);
        }
        if at.since(self.last) > rule.resets_after {
            self.pause = None;
        }
        let (pause, next) = match self.pause {
            None if rule.at_once => (SimSpan::ZERO, rule.first),
            None => (rule.first, rule.first.mul_f64(rule.factor)),
            Some(pause) => (pause, pause.mul_f64(rule.factor)),
        };
        self.pause = Some(next.min(rule.cap));
        let start = at + pause;
        if let Some(limit) = rule.limit {
            let (first, count) = &mut self.window;
            if *count == 0 || start.since(*first) > limit.within {
                (*first, *count) = (start, 0);
            }
            if *count >= limit.starts {
                return Next::GivesUp(start);
            }
            *count += 1;
        }
        self.last = start;
        Next::Start(start)
    }

    /// A person starts it `at`, after everybody had given up.
    pub fn by_hand(&mut self, at: SimTime) {
        *self = Self {
            pause: None,
            last: at,
            window: (at, 1),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> SimTime {
        SimTime::START + SimSpan::from_millis(ms)
    }

    /// Starts at which a process that fails `after` each of them is started again, until nobody tries.
    fn tries(rule: &Rule, after: SimSpan, most: usize) -> (Vec<f64>, Option<f64>) {
        let (mut starts, mut at, mut found) = (Starts::default(), ms(0), Vec::new());
        while found.len() < most {
            match starts.ended(rule, at) {
                Next::Start(start) => {
                    found.push(start.secs_in_horizon());
                    at = start + after;
                }
                Next::GivesUp(when) => return (found, Some(when.secs_in_horizon())),
            }
        }
        (found, None)
    }

    #[test]
    fn a_container_that_ran_for_longer_than_ten_minutes_begins_anew() {
        let rule = &Rule::KUBERNETES;
        let mut starts = Starts::default();
        for (end, start) in [
            (0, 0),
            (1_000, 11_000),
            // Ten minutes are not longer than ten minutes.
            (611_000, 631_000),
            (1_231_001, 1_231_001),
            (1_231_002, 1_241_002),
        ] {
            assert_eq!(starts.ended(rule, ms(end)), Next::Start(ms(start)));
        }
    }

    #[test]
    fn five_starts_in_ten_seconds_and_no_sixth() {
        // A unit that exits at once: the sixth start would come at 0.6 s.
        let (found, given_up) = tries(&Rule::SYSTEMD, SimSpan::ZERO, 100);
        assert_eq!(found, [0.1, 0.2, 0.3, 0.4, 0.5]);
        assert_eq!(given_up, Some(0.6));
        // One that takes 2 s to fail is started for ever: 2.1 s apart, five are 10.5 s.
        let (found, given_up) = tries(&Rule::SYSTEMD, SimSpan::from_secs(2), 100);
        assert_eq!((found.len(), given_up), (100, None));
        // 1.9 s: starts at 0.1, 2.1, 4.1, 6.1, 8.1, and 10.1 is within 10 s of the first.
        let (found, given_up) = tries(&Rule::SYSTEMD, SimSpan::from_millis(1_900), 100);
        assert_eq!(found.len(), 5);
        assert!((given_up.unwrap() - 10.1).abs() < 1e-9);
    }

    #[test]
    fn a_start_by_hand_counts_and_opens_a_window() {
        let rule = &Rule::SYSTEMD;
        let mut starts = Starts::default();
        starts.by_hand(ms(0));
        for start in [100, 200, 300, 400] {
            assert_eq!(starts.ended(rule, ms(start - 100)), Next::Start(ms(start)));
        }
        assert_eq!(starts.ended(rule, ms(400)), Next::GivesUp(ms(500)));
    }

    #[test]
    fn without_restarts_a_person_is_needed_at_once() {
        let never = Rule {
            restarts: false,
            ..Rule::KUBERNETES
        };
        assert_eq!(Starts::default().ended(&never, ms(7)), Next::GivesUp(ms(7)));
    }
}
