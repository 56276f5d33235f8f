//! `summary.md` of a comparison: for a pull request or a step summary, at most 60 KB.

use super::clean;
use super::words::{self, Standing};
use crate::experiment::comparison::{Comparison, Figure};
use crate::report::markdown::{LIMIT, ROWS, escaped};
use crate::report::numbers::{self, Printed};
use crate::report::words::INTERVALS;
use std::fmt::Write;

/// The text of `summary.md`.
pub fn markdown(comparison: &Comparison) -> String {
    let comparison = &clean(comparison);
    let mut out = String::new();
    let all = comparison.candidates().len();
    let mut told = 0;
    // A candidate takes at most 37 KB, and hardly ever more than five.
    while told < all && (told == 0 || out.len() < LIMIT / 6) {
        let candidate = told;
        told += 1;
        head(&mut out, comparison, candidate);
        figures(&mut out, comparison, candidate);
        changes(&mut out, comparison, candidate);
        causes(&mut out, comparison, candidate);
    }
    if told < all {
        let _ = writeln!(
            out,
            "And {} more, in `comparison.json`.\n",
            numbers::plural((all - told) as u64, "candidate")
        );
    }
    if !comparison.warnings.is_empty() {
        let count = numbers::plural(comparison.warnings.len() as u64, "warning");
        let _ = writeln!(out, "**{count}**\n");
        for text in comparison.warnings.iter().take(ROWS) {
            let _ = writeln!(out, "- {}", escaped(text));
        }
        out.push('\n');
    }
    let _ = writeln!(
        out,
        "<sub>{}. Differences: {INTERVALS}, paired by history. {}.</sub>",
        escaped(&words::simulated(comparison)),
        crate::report::ENGINE
    );
    debug_assert!(
        out.len() <= LIMIT,
        "the summary has grown to {} bytes",
        out.len()
    );
    out
}

fn head(out: &mut String, comparison: &Comparison, candidate: usize) {
    let standing = Standing::of(comparison, candidate);
    let mark = match standing {
        Standing::Better => "✅ better",
        Standing::Worse => "❌ worse",
        Standing::Mixed => "❔ mixed",
        Standing::Open => "❔ no difference seen",
        Standing::Same => "✅ the same",
    };
    let design = |index: usize| &comparison.designs[index];
    let _ = writeln!(
        out,
        "## {mark}: {} against {}\n",
        escaped(&design(candidate + 1).file),
        escaped(&design(0).file)
    );
    if !comparison.complete {
        let _ = writeln!(out, "**Partial result: the run was interrupted.**\n");
    }
    let _ = writeln!(
        out,
        "{}.\n",
        escaped(&words::reasons(comparison, candidate))
    );
    for index in [0, candidate + 1] {
        let targets = words::targets(comparison, index);
        let targets = if targets.is_empty() {
            String::new()
        } else {
            format!("; targets: {targets}")
        };
        let _ = writeln!(
            out,
            "- {}: {}{targets}",
            words::letter(index),
            escaped(&design(index).outcome.name)
        );
    }
    out.push('\n');
}

fn figures(out: &mut String, comparison: &Comparison, candidate: usize) {
    let other = candidate + 1;
    let _ = writeln!(
        out,
        "| figure | {} | {} | difference | 95 % interval | |\n|---|---|---|---|---|---|",
        words::letter(0),
        words::letter(other)
    );
    let has = |figure: &&Figure| figure.differences[candidate].is_some();
    for figure in comparison.figures.iter().filter(has).take(ROWS) {
        let d = figure.differences[candidate].as_ref();
        let Printed { value, interval } = words::difference(comparison, d, figure.unit);
        let cell = |design: usize| escaped(&words::brief(figure, figure.values[design].as_ref()));
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            escaped(&figure.name),
            cell(0),
            cell(other),
            escaped(&value),
            escaped(&interval),
            words::improvement(words::improves(d, figure.higher_is_better))
        );
    }
    let all = comparison.figures.iter().filter(has).count();
    if all > ROWS {
        let _ = writeln!(out, "| and {} more | | | | | |", all - ROWS);
    }
    out.push('\n');
}

fn changes(out: &mut String, comparison: &Comparison, candidate: usize) {
    let changes = &comparison.designs[candidate + 1].changes;
    if changes.is_empty() {
        return;
    }
    let _ = writeln!(out, "What changed in the file:\n");
    for change in changes.iter().take(ROWS / 2) {
        let _ = writeln!(out, "- {}", escaped(&words::change(change)));
    }
    if changes.len() > ROWS / 2 {
        let _ = writeln!(out, "- and {} more", changes.len() - ROWS / 2);
    }
    out.push('\n');
}

fn causes(out: &mut String, comparison: &Comparison, candidate: usize) {
    let movers = words::movers(comparison, candidate);
    let Some(first) = movers.first() else {
        return;
    };
    let what = if first.failed_per_million.is_some() {
        "failed requests"
    } else {
        "structural downtime"
    };
    let _ = writeln!(
        out,
        "| cause of {what} | difference | 95 % interval |\n|---|---|---|"
    );
    for row in movers.iter().take(ROWS / 2) {
        let Printed { value, interval } = words::moved(row, candidate);
        let _ = writeln!(
            out,
            "| {} | {} | {} |",
            escaped(&words::cause(row)),
            escaped(&value),
            escaped(&interval)
        );
    }
    out.push('\n');
}
