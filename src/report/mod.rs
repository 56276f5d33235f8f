//! Outcome to text, JSON, Markdown, SVG and HTML: pure functions, which touch no file and no clock.

pub mod charts;
mod clean;
pub mod comparison;
mod html;
mod inputs;
mod json;
mod markdown;
mod method;
pub mod numbers;
mod recovery;
mod text;
pub mod timeline;
mod words;

pub use clean::line;
pub use html::html;
pub use json::{ENGINE, FORMAT, json};
pub use markdown::markdown;
pub use text::{Style, summary, verdicts};
pub use words::overall;

use crate::experiment::outcome::Outcome;

/// The files of a report, by name: `result.json`, `report.html`, `summary.md` and the charts.
pub fn files(outcome: &Outcome) -> Vec<(String, String)> {
    let mut files = vec![
        ("result.json".to_owned(), json(outcome)),
        ("report.html".to_owned(), html(outcome)),
        ("summary.md".to_owned(), markdown(outcome)),
    ];
    let charts = charts::all(outcome);
    files.extend(
        charts
            .iter()
            .map(|chart| (format!("{}.svg", chart.name), chart.standalone())),
    );
    files
}

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;
