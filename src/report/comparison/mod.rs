//! A comparison as text, JSON, Markdown and HTML: pure functions, as for a single run.

mod charts;
mod html;
mod json;
mod markdown;
mod text;
mod words;

pub use html::html;
pub use json::{FORMAT, json};
pub use markdown::markdown;
pub use text::summary;

use super::clean::line;
use crate::experiment::comparison::Comparison;

/// The files of a comparison, by name.
pub fn files(comparison: &Comparison) -> Vec<(String, String)> {
    let mut files = vec![
        ("comparison.json".to_owned(), json(comparison)),
        ("report.html".to_owned(), html(comparison)),
        ("summary.md".to_owned(), markdown(comparison)),
    ];
    let cleaned = clean(comparison);
    let many = comparison.candidates().len() > 1;
    for candidate in 0..comparison.candidates().len() {
        for chart in charts::all(&cleaned, candidate) {
            let name = if many {
                format!("{}-{}.svg", chart.name, words::letter(candidate + 1))
            } else {
                format!("{}.svg", chart.name)
            };
            files.push((name.replace('#', ""), chart.standalone()));
        }
    }
    files
}

/// A copy of `comparison` in which every text is a harmless line.
fn clean(comparison: &Comparison) -> Comparison {
    let mut comparison = comparison.clone();
    for design in &mut comparison.designs {
        design.file = line(&design.file);
        design.outcome = super::clean::clean(&design.outcome);
        for change in &mut design.changes {
            for text in [&mut change.path, &mut change.before, &mut change.after] {
                *text = line(text);
            }
        }
    }
    let texts = comparison
        .figures
        .iter_mut()
        .map(|row| &mut row.name)
        .chain(comparison.causes.iter_mut().map(|row| &mut row.fault))
        .chain(comparison.targets.iter_mut().map(|row| &mut row.expression))
        .chain(comparison.watched.iter_mut().map(|row| &mut row.name))
        .chain(comparison.warnings.iter_mut());
    for text in texts {
        *text = line(text);
    }
    comparison
}
