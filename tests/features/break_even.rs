//! How wrong an input may be until a verdict turns, where that can be worked out.

use fivenines::experiment::outcome::BreakEven;
use fivenines::experiment::{break_even, run};

use super::library::{Silent, load, replications};

/// The rows of the only target of a scenario.
fn rows(source: &str) -> Vec<BreakEven> {
    let loaded = load(source);
    let options = replications(1_024);
    let outcome = run(&loaded.system, &loaded.hash, &options, &Silent).expect("it runs");
    let found = break_even(&loaded.system, &options, &outcome, &Silent).expect("it can be tried");
    found.into_iter().next().expect("one target")
}

fn factor(rows: &[BreakEven], input: &str) -> f64 {
    let row = rows.iter().find(|row| row.input == input);
    row.and_then(|row| row.factor)
        .expect("a factor of that input")
}

const ONE: &str = "
fivenines: 1
run: {horizon: 20y}
services: {app: {faults: {crash: {every: {exponential: {mean: 10d}}, lasts: {exponential: {mean: 1h}}}}}}
targets: [structural.availability >= 99%]
";

/// A component that is up for M and down for R: its availability is M / (M + k R), however k comes
/// about, and a share of 99 % is reached at k = M / (99 R).
#[test]
fn one_component_turns_where_its_availability_says() {
    let found = rows(ONE);
    let exact = 240.0 / 99.0;
    for input in ["app.crash.every", "app.crash.lasts"] {
        let factor = factor(&found, input);
        assert!(
            (factor / exact - 1.0).abs() < 0.02,
            "{input}: {factor} is not {exact}"
        );
    }
    assert!(found.iter().all(|row| row.met));
}

#[test]
fn a_target_that_is_missed_says_how_much_better_it_must_get() {
    let found = rows(&ONE.replace("99%", "99.9%"));
    let exact = 240.0 / 999.0;
    let factor = factor(&found, "app.crash.lasts");
    assert!(
        (factor / exact - 1.0).abs() < 0.03,
        "{factor} is not {exact}"
    );
    assert!(found.iter().all(|row| !row.met));
}

/// Two of two that must both fail: the share of time without either is u^2 with u = k R / (M + k R).
#[test]
fn a_pair_may_be_wrong_by_the_root() {
    let found = rows(
        &ONE.replace("app: {", "app: {replicas: 2, ")
            .replace("99%", "99.99%"),
    );
    let exact = 0.01 / 0.99 * 240.0;
    let factor = factor(&found, "app.crash.lasts");
    assert!(
        (factor / exact - 1.0).abs() < 0.05,
        "{factor} is not {exact}"
    );
}

#[test]
fn what_no_fault_can_turn_has_no_factor_and_says_how_far_it_was_tried() {
    let found = rows(&ONE.replace(">= 99%", ">= 0.01%").replace("20y", "1y"));
    let lasts = found.iter().find(|row| row.input == "app.crash.lasts");
    let row = lasts.expect("the only fault");
    assert!(
        row.met && row.factor.is_none() && row.tried >= 512.0,
        "{row:?}"
    );
}
