//! For how long a replica that comes back gets less than its share.

use super::super::schema::Balancer;
use super::Compiler;
use crate::model::Algorithm;
use crate::time::SimSpan;

impl Compiler<'_> {
    pub(super) fn slow_start(&mut self, form: &Balancer, algorithm: Algorithm) -> SimSpan {
        let Some(at) = form.slow_start.as_ref() else {
            return SimSpan::ZERO;
        };
        let place = at.place;
        let span = self.positive(&form.slow_start, "slow_start");
        if span.is_some_and(|span| span.as_nanos() % 1_000_000_000 != 0) {
            self.problem(
                place,
                "`slow_start` is not a whole number of seconds",
                "shares grow by the second: write `10s`, `1min`",
            );
        }
        if matches!(algorithm, Algorithm::TwoChoices | Algorithm::Random) {
            self.problem(
                place,
                "`slow_start` needs an algorithm with weights",
                "use `round_robin` or `least_conn`, or leave it out",
            );
        }
        if form.probes.is_none() {
            self.problem(
                place,
                "`slow_start` without `probes` begins never",
                "it is for replicas that probes bring back: add `probes`, or leave it out",
            );
        }
        span.unwrap_or(SimSpan::ZERO)
    }
}
