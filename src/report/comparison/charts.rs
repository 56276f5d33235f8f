//! The charts of a comparison: figures relative to the baseline, and causes that moved.

use super::words;
use crate::experiment::comparison::{Comparison, Difference, Figure, FigureUnit};
use crate::report::charts::Chart;
use crate::report::charts::differences::{self, Frame, Row};
use crate::report::words::INTERVALS;

/// Figures in the chart, in this order.
const FIGURES: [(&str, &str); 11] = [
    ("availability", "failed requests"),
    ("availability.full", "incomplete answers"),
    ("availability.time", "bad time"),
    ("structural.availability", "structural downtime"),
    ("outages", "outages"),
    ("structural.outages", "structural outages"),
    ("latency.p50", "latency.p50"),
    ("latency.p90", "latency.p90"),
    ("latency.p99", "latency.p99"),
    ("latency.p99.9", "latency.p99.9"),
    ("cost", "cost"),
];

/// Causes in the chart.
const CAUSES: usize = 12;

/// What is lost by a figure in the baseline: everything here is better if it is less.
fn loss(figure: &Figure) -> Option<f64> {
    let value = figure.values[0]?.value;
    Some(
        if figure.unit == FigureUnit::Share && figure.higher_is_better {
            1.0 - value
        } else {
            value
        },
    )
}

/// The charts for one candidate.
pub(super) fn all(comparison: &Comparison, candidate: usize) -> Vec<Chart> {
    [
        relative(comparison, candidate),
        causes(comparison, candidate),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn relative(comparison: &Comparison, candidate: usize) -> Option<Chart> {
    let rows: Vec<Row> = FIGURES
        .iter()
        .filter_map(|(name, words)| {
            let figure = comparison.figure(name)?;
            let d = figure.differences[candidate].as_ref()?;
            let loss = loss(figure).filter(|loss| *loss > 0.0 && loss.is_finite())?;
            let part = d.scaled(
                if figure.higher_is_better {
                    -100.0
                } else {
                    100.0
                } / loss,
            );
            Some(row(
                (*words).to_owned(),
                &part,
                words::improves(Some(d), figure.higher_is_better),
                words::difference(comparison, Some(d), figure.unit).to_string(),
            ))
        })
        .collect();
    let frame = Frame {
        name: "differences",
        title: format!(
            "{} against {}: to the left of the line is better",
            words::letter(candidate + 1),
            words::letter(0)
        ),
        note: format!(
            "Change in per cent of what the baseline loses; bars: {INTERVALS}; green: significantly \
             better, orange: worse, grey: not significant; n = {}",
            rows_n(comparison, candidate)
        ),
        unit: " %",
        most: 400.0,
    };
    differences::chart(frame, &rows)
}

fn rows_n(comparison: &Comparison, candidate: usize) -> String {
    let n = ["availability", "structural.availability"]
        .iter()
        .find_map(|name| comparison.figure(name)?.differences[candidate].as_ref())
        .map_or(0, |d| d.n);
    crate::report::numbers::plural(n, "pair")
}

fn row(name: String, d: &Difference, better: Option<bool>, words: String) -> Row {
    Row {
        name,
        value: d.value,
        low: d.low,
        high: d.high,
        better,
        words,
    }
}

fn causes(comparison: &Comparison, candidate: usize) -> Option<Chart> {
    let movers = words::movers(comparison, candidate);
    let traffic = movers.first()?.failed_per_million.is_some();
    let rows: Vec<Row> = movers
        .iter()
        .take(CAUSES)
        .filter_map(|cause| {
            let d = words::loss(cause).0.differences[candidate].as_ref()?;
            // Minutes are what people think in, and one axis serves all rows.
            let scaled = if traffic { *d } else { d.scaled(1.0 / 60.0) };
            Some(row(
                words::short_cause(cause),
                &scaled,
                words::improves(Some(d), false),
                words::moved(cause, candidate).to_string(),
            ))
        })
        .collect();
    let frame = Frame {
        name: "causes",
        title: if traffic {
            "Which causes of failed requests moved".to_owned()
        } else {
            "Which causes of structural downtime moved".to_owned()
        },
        note: format!(
            "Difference in {}; to the left of the line is better; bars: {INTERVALS}",
            if traffic {
                "failed requests per million"
            } else {
                "minutes per year"
            }
        ),
        unit: if traffic { "" } else { " min/y" },
        most: f64::INFINITY,
    };
    differences::chart(frame, &rows)
}
