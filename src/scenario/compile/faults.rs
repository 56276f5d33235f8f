//! Faults and their clocks.

use super::Compiler;
use crate::model::{Component, Fault, FaultClock, FaultKind};
use crate::scenario::limits;
use crate::scenario::read::Opt;
use crate::scenario::schema;

impl Compiler<'_> {
    /// Compiles one fault of `owner`, with a clock for each of its components.
    pub(super) fn fault(
        &mut self,
        fault: &Opt<schema::Fault>,
        owner: &str,
        kind: FaultKind,
        components: &[(Component, String)],
    ) {
        let Some(at) = fault else { return };
        let Some(form) = at.get() else { return };
        let before = self.problems.len();
        let every = self.needed_dist(&form.every, at.place, "every", "{exponential: {mean: 90d}}");
        let lasts = self.needed_dist(
            &form.lasts,
            at.place,
            "lasts",
            "{lognormal: {median: 10m, p95: 1h}}",
        );
        if self.problems.len() == before
            && every.mean() <= 0.0
            && let Some(every) = form.every.as_ref().filter(|every| every.get().is_some())
        {
            self.problem(
                every.place,
                "this fault comes again after no time at all",
                "`every` must be longer than 0s",
            );
        }
        let word = kind.word();
        let clocks = self.system.clocks.len() + components.len();
        if self.over(
            "fault clocks (one for each fault of each component)",
            clocks,
            limits::CLOCKS,
            at.place,
        ) {
            return;
        }
        let name = format!("{owner}.{word}");
        let fault = self.system.faults.push(Fault {
            name,
            kind,
            every,
            lasts,
        });
        for (component, name) in components {
            let name = format!("{name}.{word}");
            self.system.clocks.push(FaultClock {
                fault,
                component: *component,
                name,
            });
        }
    }
}
