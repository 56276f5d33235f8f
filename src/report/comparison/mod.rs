//! A comparison as text, JSON, Markdown and HTML: pure functions, as for a single run.

mod json;
mod text;
mod words;

pub use json::{FORMAT, json};
pub use text::summary;

use super::clean::line;
use crate::experiment::comparison::Comparison;

/// The files of a comparison, by name.
pub fn files(comparison: &Comparison) -> Vec<(String, String)> {
    vec![("comparison.json".to_owned(), json(comparison))]
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
