//! The summary of a comparison for a terminal: for two designs at most 24 lines of 80 columns,
//! verdict first; for each further candidate one such block.

use super::clean;
use super::words::{self, Standing};
use crate::experiment::comparison::{Comparison, Figure};
use crate::report::clean::{abbreviated, columns, line, shortened};
use crate::report::numbers::{self, Printed};
use crate::report::text::{COLUMNS, INDENT, Ink, LINES, Style, labelled, pad, shortened_left};
use crate::report::words::INTERVALS;

/// Figures that are shown, as long as there is room.
const FIGURES: [&str; 10] = [
    "availability",
    "availability.time",
    "structural.availability",
    "downtime",
    "outages",
    "structural.downtime",
    "structural.outages",
    "latency.p50",
    "latency.p99",
    "cost",
];

/// Where the columns of the table begin.
const AT: [usize; 3] = [24, 36, 48];

/// The summary of a comparison; `report` says where its files are.
pub fn summary(comparison: &Comparison, report: Option<&str>, style: Style) -> String {
    let comparison = &clean(comparison);
    let mut lines = Vec::new();
    for candidate in 0..comparison.candidates().len() {
        if candidate > 0 {
            lines.push(String::new());
        }
        let last = candidate + 1 == comparison.candidates().len();
        let below = if last {
            provenance(comparison, report, style)
        } else {
            Vec::new()
        };
        lines.extend(block(comparison, candidate, LINES - below.len(), style));
        lines.extend(below);
    }
    lines.join("\n") + "\n"
}

/// At most `room` lines about one candidate.
fn block(comparison: &Comparison, candidate: usize, room: usize, style: Style) -> Vec<String> {
    let mut lines = head(comparison, candidate, style);
    lines.push(String::new());
    let figures: Vec<&Figure> = FIGURES
        .iter()
        .filter_map(|name| comparison.figure(name))
        .filter(|figure| figure.differences[candidate].is_some())
        .collect();
    let changes = changes(comparison, candidate, style);
    let causes = causes(comparison, candidate, style);
    // Head, blank, table head; what is left is shared: figures first, then causes, then changes.
    let left = room.saturating_sub(lines.len() + 1);
    let shown = figures.len().min(left.saturating_sub(6).max(4));
    lines.push(row(
        style,
        None,
        [
            "",
            &words::letter(0),
            &words::letter(candidate + 1),
            "difference, 95 % interval",
        ],
    ));
    for figure in figures.iter().take(shown) {
        lines.push(figure_line(comparison, figure, candidate, style));
    }
    let mut left = room.saturating_sub(lines.len());
    let wanted = [changes.len().min(4), causes.len().min(4)];
    for (part, wanted) in [(changes, wanted[0]), (causes, wanted[1])] {
        if wanted >= 2 && left > wanted.min(3) {
            lines.push(String::new());
            let take = part.len().min(left - 1).min(5);
            left -= take + 1;
            lines.extend(part.into_iter().take(take));
        }
    }
    lines
}

fn head(comparison: &Comparison, candidate: usize, style: Style) -> Vec<String> {
    let standing = Standing::of(comparison, candidate);
    let ink = match standing {
        Standing::Better => Ink::Good,
        Standing::Worse => Ink::Bad,
        Standing::Mixed | Standing::Open => Ink::Unsure,
        Standing::Same => Ink::Strong,
    };
    let partial = if comparison.complete {
        ""
    } else {
        "PARTIAL (interrupted) "
    };
    let word = standing.word();
    let reasons = words::reasons(comparison, candidate);
    let used = partial.len() + word.len() + 2;
    let mut lines = vec![format!(
        "{partial}{}: {}",
        style.paint(ink, word),
        shortened(&reasons, COLUMNS.saturating_sub(used))
    )];
    for design in [0, candidate + 1] {
        let row = &comparison.designs[design];
        let targets = words::targets(comparison, design);
        let targets = if targets.is_empty() {
            String::new()
        } else {
            format!("; targets: {targets}")
        };
        let letter = words::letter(design);
        let room = COLUMNS - 3 - columns(&targets);
        let name = shortened(&format!("{}, {}", row.file, row.outcome.name), room);
        lines.push(format!(
            "{}  {name}{targets}",
            style.paint(Ink::Strong, &letter)
        ));
    }
    lines
}

/// Name, both values, difference.
fn row(style: Style, ink: Option<Ink>, cells: [&str; 4]) -> String {
    let mut text = String::new();
    for (index, cell) in cells.iter().enumerate() {
        let end = AT.get(index).copied().unwrap_or(COLUMNS);
        let start = if index == 0 { 0 } else { AT[index - 1] };
        let room = end - start - usize::from(index < 3);
        let cell = shortened(cell, room);
        if index == 3
            && let Some(ink) = ink
        {
            text.push_str(&style.paint(ink, &cell));
        } else {
            text.push_str(&cell);
            text.push_str(&" ".repeat(end.saturating_sub(start + columns(&cell))));
        }
    }
    text.trim_end().to_owned()
}

fn figure_line(comparison: &Comparison, figure: &Figure, candidate: usize, style: Style) -> String {
    let d = figure.differences[candidate].as_ref();
    let ink = words::improves(d, figure.higher_is_better)
        .map(|better| if better { Ink::Good } else { Ink::Bad });
    let printed = words::difference(comparison, d, figure.unit);
    let values =
        [0, candidate + 1].map(|design| words::brief(figure, figure.values[design].as_ref()));
    let mut difference = printed.to_string().replace(" per year", "/y");
    if columns(&difference) > COLUMNS - AT[2] {
        difference = printed.value;
    }
    row(
        style,
        ink,
        [&figure.name, &values[0], &values[1], &difference],
    )
}

fn changes(comparison: &Comparison, candidate: usize, style: Style) -> Vec<String> {
    let changes = &comparison.designs[candidate + 1].changes;
    if changes.is_empty() {
        return Vec::new();
    }
    let count = numbers::plural(changes.len() as u64, "change");
    let mut lines = vec![style.paint(Ink::Strong, &format!("What changed in the file ({count})"))];
    lines.extend(
        changes
            .iter()
            .map(|change| shortened(&format!("  {}", words::change(change)), COLUMNS)),
    );
    lines
}

fn causes(comparison: &Comparison, candidate: usize, style: Style) -> Vec<String> {
    let movers = words::movers(comparison, candidate);
    let Some(first) = movers.first() else {
        return Vec::new();
    };
    let what = if first.failed_per_million.is_some() {
        "failed requests"
    } else {
        "structural downtime"
    };
    let mut lines = vec![style.paint(Ink::Strong, &format!("Which causes of {what} moved"))];
    for row in movers {
        let Printed { value, interval } = words::moved(row, candidate);
        let figure = format!("{value} ({interval})");
        let figure = if columns(&figure) > 40 { value } else { figure };
        let name = abbreviated(&words::cause(row), COLUMNS - 44);
        lines.push(format!("  {name}{}{figure}", pad(COLUMNS - 42, &name)));
    }
    lines
}

fn provenance(comparison: &Comparison, report: Option<&str>, style: Style) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        labelled("Simulated", &words::simulated(comparison), style),
        labelled("Intervals", INTERVALS, style),
    ];
    if let Some(first) = comparison.warnings.first() {
        let text = match comparison.warnings.len() {
            1 => first.clone(),
            n => format!("{n}, first: {first}"),
        };
        lines.push(labelled("Warnings", &text, style));
    }
    if let Some(report) = report {
        lines.push(labelled(
            "Report",
            &shortened_left(&line(report), COLUMNS - INDENT),
            style,
        ));
    }
    lines
}
