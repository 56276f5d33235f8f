//! The words for numbers that are known as a range only, shared by all reports of a run.

use super::numbers;
use crate::experiment::outcome::{Estimate, InputFigure, Inputs, Outcome, TargetRow, Unit};

/// Whether the target at `index` holds in every draw of the inputs; `true` in a file without ranges.
pub(crate) fn holds(outcome: &Outcome, index: usize) -> bool {
    let Some(all) = &outcome.inputs else {
        return true;
    };
    let row = all.targets.get(index).copied().flatten();
    row.is_some_and(|row| row.met == all.asked)
}

/// How many targets hold in every draw of the inputs.
pub(crate) fn holding(outcome: &Outcome) -> usize {
    let targets = 0..outcome.targets.len();
    targets.filter(|&index| holds(outcome, index)).count()
}

/// `met in 13 of 16 draws of the inputs, 99.912 % to 99.994 %`; `None` in a file without ranges.
pub(crate) fn target(outcome: &Outcome, row: &TargetRow) -> Option<String> {
    let all = outcome.inputs.as_ref()?;
    let mut rows = outcome.targets.iter();
    let index = rows.position(|other| std::ptr::eq(other, row))?;
    let Some(found) = all.targets.get(index).copied().flatten() else {
        return Some("not judged for the ranges of the inputs".to_owned());
    };
    let ends = found
        .ends
        .filter(|(low, high)| low.is_finite() && high.is_finite());
    let ends = ends.map_or_else(String::new, |(low, high)| {
        let (low, high) = match row.unit {
            Unit::Share => shares(low, high),
            Unit::Seconds | Unit::SharedLatency | Unit::SharedRecovery => {
                (numbers::short_span(low), numbers::short_span(high))
            }
            Unit::PerYear | Unit::Number => {
                (numbers::significant(low, 3), numbers::significant(high, 3))
            }
        };
        format!(", {low} to {high}")
    });
    Some(format!(
        "met in {} of {} draws of the inputs{ends}",
        found.met, all.draws
    ))
}

/// What matters first of all figures: `availability 99.91 % to 99.99 % (16 draws, 3 ranges)`.
pub(crate) fn line(all: &Inputs) -> String {
    let of = |name: &str| all.figures.iter().find(|figure| figure.name == name);
    let ranges = numbers::plural(all.ranges.len() as u64, "range");
    let draws = numbers::plural(all.draws.into(), "draw");
    let structural = of("availability.structural").map(|figure| (figure, "structural"));
    match of("availability.request")
        .map(|figure| (figure, "availability"))
        .or(structural)
    {
        Some((figure, word)) => {
            let (low, high) = ends(figure);
            format!("{word} {low} to {high} ({draws}, {ranges})")
        }
        None => format!("the time was up before one of {ranges} was drawn"),
    }
}

/// What a figure is called, as in the sections of the page.
pub(crate) fn name(figure: &InputFigure) -> &'static str {
    match figure.name {
        "availability.request" => "availability, requests",
        "downtime_s_per_year" => "downtime per year",
        "latency_s.p50" => "latency p50",
        "latency_s.p99" => "latency p99",
        "availability.structural" => "availability, structural",
        "structural.downtime_s_per_year" => "structural downtime per year",
        "structural.outages_per_year" => "structural outages per year",
        other => other,
    }
}

/// Least and largest value over the draws.
pub(crate) fn ends(figure: &InputFigure) -> (String, String) {
    if figure.name.starts_with("availability") {
        shares(figure.low, figure.high)
    } else {
        (amount(figure, figure.low), amount(figure, figure.high))
    }
}

/// The scatter over the draws, and the error of simulation of one of them.
pub(crate) fn errors(figure: &InputFigure) -> (String, String) {
    (
        amount(figure, figure.deviation),
        amount(figure, figure.simulation),
    )
}

fn amount(figure: &InputFigure, value: f64) -> String {
    if figure.name.starts_with("availability") {
        numbers::points(value)
    } else if figure.name.contains("_s") && !figure.name.ends_with("outages_per_year") {
        numbers::short_span(value)
    } else {
        numbers::significant(value, 3)
    }
}

/// Two shares with as many decimals as tell them apart.
fn shares(low: f64, high: f64) -> (String, String) {
    let print = |value: f64| {
        let both = Estimate {
            value,
            low,
            high,
            confidence: 0.95,
            n: 1,
        };
        numbers::share(&both).value
    };
    (print(low), print(high))
}
