//! Runs a scenario through the library, for tests that need figures and no files.

use fivenines::experiment::outcome::Outcome;
use fivenines::experiment::{Options, Watch, run};
use fivenines::model::System;
use fivenines::scenario::{self, Loaded};

/// Nobody watches, and nobody ends a run.
pub(crate) struct Silent;

impl Watch for Silent {
    fn progress(&self, _done: u64, _total: u64) {}
    fn stop(&self) -> bool {
        false
    }
}

/// A scenario that is right.
#[track_caller]
pub(crate) fn load(source: &str) -> Loaded {
    match scenario::load(source.as_bytes(), "test.yaml") {
        Ok(loaded) => loaded,
        Err(problems) => panic!("{source}\n{}", problems.render(false)),
    }
}

#[track_caller]
pub(crate) fn system(source: &str) -> System {
    load(source).system
}

/// Options for so many replications.
pub(crate) fn replications(replications: u64) -> Options {
    Options {
        replications: Some(replications),
        ..Options::default()
    }
}

/// What so many replications find.
#[track_caller]
pub(crate) fn outcome(source: &str, count: u64) -> Outcome {
    let loaded = load(source);
    run(&loaded.system, &loaded.hash, &replications(count), &Silent).expect("it runs")
}
