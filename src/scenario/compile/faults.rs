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
        let mut every =
            self.needed_dist(&form.every, at.place, "every", "{exponential: {mean: 90d}}");
        let (lasts, work) = self.work(&form.lasts, at.place);
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
        let common = self.beta(&form.common, components.len(), &mut every);
        let clocks = self.system.clocks.len() + components.len() + usize::from(common.is_some());
        if self.over(
            "fault clocks (one for each fault of each component)",
            clocks,
            limits::CLOCKS,
            at.place,
        ) {
            return;
        }
        let fault_name = format!("{owner}.{word}");
        let name = fault_name.clone();
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
        self.repair(form, at.place, fault, work);
        if let Some(every) = common {
            let hits = self.clocks_of(fault);
            self.common_cause(format!("{fault_name}.common"), every, hits, 1.0);
        }
    }
}
