//! How a balancer learns from the attempts that it sends itself.

use super::super::schema::Balancer;
use super::Compiler;
use crate::model::Passive;
use crate::time::SimSpan;

/// As in nginx.
const MAX_FAILS: u64 = 1;
const FAIL_TIMEOUT: SimSpan = SimSpan::from_secs(10);

impl Compiler<'_> {
    pub(super) fn passive(&mut self, form: &Balancer) -> Option<Passive> {
        if form.max_fails.is_none() && form.fail_timeout.is_none() {
            return None;
        }
        let max_fails = self.count(&form.max_fails, MAX_FAILS, "max_fails", 0, 1_000_000);
        let fail_timeout = self.positive(&form.fail_timeout, "fail_timeout");
        let whole = fail_timeout.is_none_or(|span| span.as_nanos() % 1_000_000_000 == 0);
        if let Some(at) = form.fail_timeout.as_ref().filter(|_| !whole) {
            self.problem(
                at.place,
                "`fail_timeout` is not a whole number of seconds",
                "nginx counts in whole seconds: write `1s`, `10s`",
            );
        }
        (max_fails > 0).then(|| Passive {
            max_fails,
            fail_timeout: fail_timeout.unwrap_or(FAIL_TIMEOUT),
        })
    }
}
