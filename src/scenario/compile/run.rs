//! The head of a file: version, name, run.

use super::Compiler;
use crate::model::{Method, RunSettings, Start};
use crate::scenario::limits;
use crate::scenario::read::At;
use crate::scenario::schema::{File, MethodForm, StartForm};
use crate::time::SimSpan;

/// What a file without `run` means.
pub(super) fn defaults() -> RunSettings {
    RunSettings {
        horizon: SimSpan::from_secs(31_536_000),
        seed: 1,
        start: Start::Steady,
        method: None,
        replications: None,
        slice: None,
        bad_below: 0.95,
    }
}

impl Compiler<'_> {
    /// Reads version, name and run settings; `stem` names the scenario if it has no name.
    pub(super) fn run(&mut self, file: &File, stem: &str) {
        match &file.fivenines {
            None => self.missing(self.root, "fivenines", "1"),
            Some(at) => {
                if let Some(&version) = at.get()
                    && version != 1
                {
                    self.problem(
                        at.place,
                        format!("format version {version} is not known"),
                        "this program reads version 1",
                    );
                }
            }
        }
        self.system.name = stem.to_owned();
        self.check_text(&file.name, "name");
        if let Some(name) = file.name.as_ref().and_then(At::get) {
            self.system.name.clone_from(name);
        }
        let Some(form) = file.run.as_ref().and_then(At::get) else {
            return;
        };
        let mut run = defaults();
        if let Some(horizon) = self.positive(&form.horizon, "horizon") {
            run.horizon = horizon;
        }
        if let Some(&seed) = form.seed.as_ref().and_then(At::get) {
            run.seed = seed;
        }
        run.start = match form.start.as_ref().and_then(At::get) {
            Some(StartForm::New) => Start::New,
            Some(StartForm::Steady) | None => Start::Steady,
        };
        run.method = form
            .method
            .as_ref()
            .and_then(At::get)
            .map(|method| match method {
                MethodForm::None => Method::None,
                MethodForm::Windows => Method::Windows,
                MethodForm::Exact => Method::Exact,
            });
        if form.replications.is_some() {
            let most = limits::REPLICATIONS;
            let count = self.count(&form.replications, 1, "replications", 1, most);
            run.replications = Some(u64::from(count));
        }
        run.slice = self.positive(&form.slice, "slice");
        if let (Some(slice), Some(at)) = (run.slice, &form.slice)
            && slice > run.horizon
        {
            self.problem(
                at.place,
                "`slice` is longer than the horizon",
                "a slice is a second, or some minutes",
            );
        }
        if let Some(at) = &form.bad_below
            && let Some(share) = at.get()
        {
            if share.0 <= 0.0 {
                self.problem(
                    at.place,
                    "`bad_below` is 0%: no slice would ever be bad",
                    "it must be above 0%, such as 95%",
                );
            }
            run.bad_below = share.0;
        }
        self.system.run = run;
    }
}
