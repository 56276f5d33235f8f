//! The pause before a retry: exponential, capped, and spread so that many clients that failed
//! together do not return together.
//!
//! The three spreads are those of the AWS architecture blog, "Exponential Backoff and Jitter"
//! (2015): none, full (uniform from zero to the pause) and equal (half of it, and a uniform half).
//! Its fourth, decorrelated jitter, needs the pause before and is left out.

use crate::time::SimSpan;

/// How a pause is spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// The pause itself.
    None,
    /// Uniform between zero and the pause.
    Full,
    /// Half the pause, and a uniform half.
    Equal,
}

/// Pauses before retries 1, 2, ...
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    /// The first pause, before jitter.
    pub base: SimSpan,
    /// How much longer each next pause is, at least 1.
    pub factor: f64,
    /// The longest pause, before jitter.
    pub cap: SimSpan,
    /// How a pause is spread.
    pub jitter: Jitter,
}

impl Backoff {
    /// The pause before retry `retry` (1, 2, ...): `base * factor^(retry - 1)`, at most `cap`, then
    /// jittered by `uniform`, a number in (0, 1).
    ///
    /// ```
    /// use fivenines::resilience::backoff::{Backoff, Jitter};
    /// use fivenines::time::SimSpan;
    /// let ms = SimSpan::from_millis;
    /// let backoff = Backoff { base: ms(100), factor: 2.0, cap: ms(350), jitter: Jitter::Equal };
    /// assert_eq!(backoff.pause(1, 0.5), ms(75));
    /// assert_eq!(backoff.pause(2, 0.5), ms(150));
    /// assert_eq!(backoff.pause(3, 0.0), ms(175)); // half of the cap
    /// ```
    pub fn pause(&self, retry: u32, uniform: f64) -> SimSpan {
        let doublings = i32::try_from(retry.saturating_sub(1)).unwrap_or(i32::MAX);
        // A power that overflows is infinite, and the cap holds it; zero times infinity is NaN,
        // which becomes zero.
        let pause = self.base.mul_f64(self.factor.powi(doublings)).min(self.cap);
        match self.jitter {
            Jitter::None => pause,
            Jitter::Full => pause.mul_f64(uniform),
            Jitter::Equal => {
                let half = SimSpan::from_nanos(pause.as_nanos() / 2);
                half.saturating_add(pause.saturating_sub(half).mul_f64(uniform))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(jitter: Jitter, uniform: f64, expected_ms: [u64; 5]) {
        let backoff = Backoff {
            base: SimSpan::from_millis(50),
            factor: 2.0,
            cap: SimSpan::from_millis(300),
            jitter,
        };
        let pauses = [1, 2, 3, 4, 5].map(|retry| backoff.pause(retry, uniform));
        assert_eq!(pauses, expected_ms.map(SimSpan::from_millis));
    }

    #[test]
    fn pauses_double_up_to_the_cap() {
        check(Jitter::None, 0.3, [50, 100, 200, 300, 300]);
    }

    #[test]
    fn full_jitter_is_uniform_from_zero_to_the_pause() {
        check(Jitter::Full, 0.0, [0; 5]);
        check(Jitter::Full, 0.5, [25, 50, 100, 150, 150]);
        check(Jitter::Full, 1.0, [50, 100, 200, 300, 300]);
    }

    #[test]
    fn equal_jitter_is_uniform_over_the_upper_half() {
        check(Jitter::Equal, 0.0, [25, 50, 100, 150, 150]);
        check(Jitter::Equal, 1.0, [50, 100, 200, 300, 300]);
    }

    #[test]
    fn no_pause_stays_no_pause_and_no_retry_is_too_late() {
        let backoff = Backoff {
            base: SimSpan::ZERO,
            factor: 3.0,
            cap: SimSpan::MAX,
            jitter: Jitter::None,
        };
        assert_eq!(backoff.pause(u32::MAX, 0.5), SimSpan::ZERO);
        let backoff = Backoff {
            base: SimSpan::from_secs(1),
            ..backoff
        };
        assert_eq!(backoff.pause(u32::MAX, 0.5), SimSpan::MAX);
    }
}
