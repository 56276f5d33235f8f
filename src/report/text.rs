//! The summary for a terminal: at most 24 lines of 80 columns, verdict first.

use super::clean::{clean, columns, line, shortened};
use super::inputs as ranges;
use super::numbers::{self, Printed};
use super::recovery;
use super::words;
use crate::experiment::outcome::{Downtime, Outages, Outcome, TargetRow, Verdict};
use crate::model::Method;
use std::fmt::Write;

/// Lines of a terminal.
pub(super) const LINES: usize = 24;
/// Columns of a terminal.
pub(super) const COLUMNS: usize = 80;
/// Where the second column begins.
pub(super) const INDENT: usize = 15;
/// Room for a verdict.
const VERDICT: usize = 11;
/// The longest expression of a target that is not cut.
const EXPRESSION: usize = 33;
/// Causes that are shown.
const CAUSES: usize = 4;
/// Lines above them: an empty one and a heading.
const CAUSES_HEAD: usize = 2;

/// Whether the terminal shows colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Text only.
    Plain,
    /// With ANSI colours.
    Colour,
}

/// How a word stands out.
#[derive(Clone, Copy)]
pub(super) enum Ink {
    Good,
    Bad,
    Unsure,
    Strong,
}

impl Style {
    pub(super) fn paint(self, ink: Ink, text: &str) -> String {
        let code = match (self, ink) {
            (Self::Plain, _) => return text.to_owned(),
            (Self::Colour, Ink::Good) => "32;1",
            (Self::Colour, Ink::Bad) => "31;1",
            (Self::Colour, Ink::Unsure) => "33;1",
            (Self::Colour, Ink::Strong) => "1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

const fn ink(verdict: Verdict) -> Ink {
    match verdict {
        Verdict::Met => Ink::Good,
        Verdict::Missed => Ink::Bad,
        Verdict::Undecided => Ink::Unsure,
    }
}

/// The summary of a run; `report` says where its files are.
///
/// At most 24 lines of at most 80 columns, each ended by a newline.
pub fn summary(outcome: &Outcome, report: Option<&str>, style: Style) -> String {
    let outcome = &clean(outcome);
    let mut below = vec![String::new()];
    below.extend(availability(outcome, style));
    below.extend(figures(outcome, style));
    let mut last = vec![String::new()];
    last.extend(worst_loss(outcome, style));
    last.extend(inputs(outcome, style));
    last.extend(break_even(outcome, style));
    last.extend(cost(outcome, style));
    last.extend(provenance(outcome, style));
    if let Some(report) = report {
        last.push(labelled(
            "Report",
            &shortened_left(&line(report), COLUMNS - INDENT),
            style,
        ));
    }
    // Verdicts come first, also where there is little room: rather fewer causes than fewer targets.
    let others = below.len() + last.len() + outcome.targets.len() + CAUSES_HEAD;
    let room = LINES.saturating_sub(1 + others).clamp(1, CAUSES);
    let causes = causes(outcome, room, style);
    if !causes.is_empty() {
        below.push(String::new());
        below.extend(causes);
    }
    below.extend(last);
    let mut lines = vec![head(outcome, style)];
    lines.extend(target_lines(
        outcome,
        LINES.saturating_sub(1 + below.len()),
        style,
    ));
    lines.extend(below);
    lines.join("\n") + "\n"
}

/// One block for each target, missed before undecided before met, and a last line that counts them.
pub fn verdicts(outcome: &Outcome, style: Style) -> String {
    let outcome = &clean(outcome);
    let mut out = String::new();
    for row in worst_first(outcome) {
        let word = words::verdict(row.verdict);
        let _ = writeln!(
            out,
            "{}{}{}",
            style.paint(ink(row.verdict), word),
            pad(VERDICT, word),
            row.expression
        );
        let measured = words::measured(row);
        let margin = words::margin(row);
        let _ = writeln!(
            out,
            "           {measured}{}{}",
            if margin.is_empty() {
                String::new()
            } else {
                format!(", {margin}")
            },
            row.measured.as_ref().map_or_else(String::new, |e| format!(
                "; decided at {}",
                numbers::percent(e.confidence)
            )),
        );
        if let Some(words) = ranges::target(outcome, row) {
            let _ = writeln!(out, "           {words}");
        }
    }
    let _ = writeln!(out, "{}", head(outcome, style));
    let _ = writeln!(out, "{}", simulated(outcome));
    out
}

fn worst_first(outcome: &Outcome) -> impl Iterator<Item = &TargetRow> {
    [Verdict::Missed, Verdict::Undecided, Verdict::Met]
        .into_iter()
        .flat_map(|verdict| {
            outcome
                .targets
                .iter()
                .filter(move |row| row.verdict == verdict)
        })
}

pub(super) fn pad(width: usize, text: &str) -> String {
    " ".repeat(width.saturating_sub(columns(text)).max(1))
}

/// A bold label and a text, cut to the terminal.
pub(super) fn labelled(label: &str, text: &str, style: Style) -> String {
    format!(
        "{}{}{}",
        style.paint(Ink::Strong, label),
        pad(INDENT, label),
        shortened(text, COLUMNS - INDENT)
    )
}

/// The end of a path says more than its beginning.
pub(super) fn shortened_left(text: &str, width: usize) -> String {
    let too_many = columns(text).saturating_sub(width);
    if too_many == 0 {
        return text.to_owned();
    }
    let mut rest = text;
    while columns(rest) > width - 1 {
        rest = &rest[rest.chars().next().map_or(0, char::len_utf8)..];
    }
    format!("…{rest}")
}

fn head(outcome: &Outcome, style: Style) -> String {
    let partial = if outcome.run.complete {
        ""
    } else {
        "PARTIAL (interrupted) "
    };
    let (word, ink) = match words::overall(outcome) {
        Some(verdict) => (words::verdict(verdict), ink(verdict)),
        None => ("DONE", Ink::Strong),
    };
    let count = words::verdict_count(outcome);
    let used = partial.len() + word.len() + 2 + count.len() + 2;
    let name = shortened(&outcome.name, COLUMNS.saturating_sub(used).max(8));
    format!("{partial}{}: {count}, {name}", style.paint(ink, word))
}

/// At most `room` lines, the worst first.
fn target_lines(outcome: &Outcome, room: usize, style: Style) -> Vec<String> {
    let all = outcome.targets.len();
    let shown = if all <= room {
        all
    } else {
        room.saturating_sub(1)
    };
    let rows: Vec<&TargetRow> = worst_first(outcome).take(shown).collect();
    let width = rows
        .iter()
        .map(|row| columns(&row.expression))
        .max()
        .unwrap_or(0);
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| target_line(row, width.min(EXPRESSION), style))
        .collect();
    if shown < all && room > 0 {
        lines.push(format!(
            "and {}",
            numbers::plural((all - shown) as u64, "more target")
        ));
    }
    lines
}

/// Verdict, expression, measured value, interval and margin; as much of it as fits.
fn target_line(row: &TargetRow, width: usize, style: Style) -> String {
    let word = words::verdict(row.verdict);
    let expression = shortened(&row.expression, width);
    let Printed { value, interval } = words::measured(row);
    let margin = words::signed_margin(row);
    let room = COLUMNS - VERDICT - width - 2;
    let figure = [
        format!("{value} ({interval})  {margin}"),
        format!("{value}  {margin}"),
        format!("{value} ({interval})"),
    ]
    .into_iter()
    .map(|text| text.replace(" ()", "").trim_end().to_owned())
    .find(|text| columns(text) <= room)
    .unwrap_or_else(|| shortened(&value, room));
    format!(
        "{}{}{expression}{}{figure}",
        style.paint(ink(row.verdict), word),
        pad(VERDICT, word),
        pad(width + 2, &expression)
    )
}

/// Request, time and structural availability side by side.
fn availability(outcome: &Outcome, style: Style) -> Vec<String> {
    let a = &outcome.availability;
    let cells: Vec<(&str, Printed)> = [
        ("requests", a.request.as_ref()),
        ("time", a.time.as_ref()),
        ("structural", Some(&a.structural)),
    ]
    .into_iter()
    .filter_map(|(name, e)| e.map(|e| (name, numbers::share(e))))
    .collect();
    let row = |cell: &dyn Fn(&(&str, Printed)) -> String| -> String {
        cells
            .iter()
            .map(|c| {
                let t = cell(c);
                format!("{t}{}", pad(22, &t))
            })
            .collect()
    };
    let values = row(&|c| format!("{} {}", c.0, c.1.value));
    let beside = row(&|c| c.1.beside());
    let labels = ["Availability", "", ""];
    let lines = if [&values, &beside]
        .iter()
        .all(|row| columns(row.trim_end()) <= COLUMNS - INDENT)
    {
        vec![values, beside]
    } else {
        // So many digits that side by side the last figure would be cut.
        cells
            .iter()
            .map(|c| format!("{}{}{}, {}", c.0, pad(12, c.0), c.1.value, c.1.beside()))
            .collect()
    };
    labels
        .iter()
        .zip(&lines)
        .map(|(label, text)| labelled(label, text.trim_end(), style))
        .collect()
}

fn figures(outcome: &Outcome, style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    match (&outcome.downtime, &outcome.outages) {
        (Some(d), Some(o)) => {
            lines.push(labelled("Downtime", &downtime(outcome, d), style));
            lines.push(labelled("Outages", &outages(o), style));
        }
        _ => {
            lines.push(labelled(
                "Structural",
                &downtime(outcome, &outcome.structural_downtime),
                style,
            ));
            lines.push(labelled(
                "Outages",
                &outages(&outcome.structural_outages),
                style,
            ));
        }
    }
    if let Some(planned) = words::planned_downtime(outcome) {
        let text = format!("{} of the downtime", numbers::span_per_year(planned));
        lines.insert(1, labelled("Planned", &text, style));
    }
    if let Some((name, found)) = recovery::worst_recovery(outcome) {
        let parts = std::iter::once(name.to_owned()).chain(recovery::recovery(found));
        lines.push(labelled("Recovery", &fitting(parts), style));
    }
    if let Some(l) = &outcome.latency {
        let parts = [
            ("p50", &l.p50),
            ("p90", &l.p90),
            ("p99", &l.p99),
            ("p99.9", &l.p999),
        ]
        .map(|(name, e)| format!("{name} {}", numbers::brief_span(e)));
        lines.push(labelled("Latency", &fitting(parts), style));
    }
    if let Some(row) = words::worst_queue(outcome) {
        let parts = std::iter::once(row.name.clone()).chain(words::queue(row));
        lines.push(labelled("Messages", &fitting(parts), style));
    }
    lines
}

/// As many parts as fit behind a label.
fn fitting(parts: impl IntoIterator<Item = String>) -> String {
    let mut text = String::new();
    for part in parts {
        let separator = if text.is_empty() { "" } else { ", " };
        if columns(&text) + columns(&part) + separator.len() > COLUMNS - INDENT {
            break;
        }
        text.push_str(separator);
        text.push_str(&part);
    }
    text
}

fn downtime(outcome: &Outcome, d: &Downtime) -> String {
    let percentiles = [("p90", &d.p90), ("p99", &d.p99)]
        .into_iter()
        .filter_map(|(name, e)| Some(format!("{name} {}", numbers::brief_span(e.as_ref()?))));
    let none = numbers::share(&d.none).value;
    fitting(
        [numbers::span_per_year(&d.mean).to_string()]
            .into_iter()
            .chain(percentiles)
            .chain([format!("none in {none} of {}", words::histories(outcome))]),
    )
}

fn outages(o: &Outages) -> String {
    let durations = [
        ("mean", &o.duration_mean),
        ("p99", &o.duration_p99),
        ("one in", &o.mtbf),
    ]
    .into_iter()
    .filter_map(|(name, e)| Some(format!("{name} {}", numbers::brief_span(e.as_ref()?))));
    let number = numbers::per_year(&o.per_year)
        .to_string()
        .replace(" per year", "/y");
    fitting([number].into_iter().chain(durations))
}

/// At most `room` causes below a heading.
fn causes(outcome: &Outcome, room: usize, style: Style) -> Vec<String> {
    let ranking = words::first_ranking(outcome);
    if ranking.shares.is_empty() {
        return Vec::new();
    }
    let shown = ranking.shares.len().min(room);
    let verb = if ranking.what.ends_with('s') {
        "come"
    } else {
        "comes"
    };
    let mut lines = vec![style.paint(Ink::Strong, &format!("Where {} {verb} from", ranking.what))];
    for (row, share) in &ranking.shares[..shown] {
        let text = format!("{:>8}  {}", numbers::part(*share), words::cause(row));
        lines.push(shortened(&text, COLUMNS));
    }
    lines
}

/// What the ranges of the inputs do to the availability.
fn inputs(outcome: &Outcome, style: Style) -> Option<String> {
    let all = outcome.inputs.as_ref()?;
    Some(labelled("Inputs", &ranges::line(all), style))
}

/// The input that may be wrong by least until a target turns.
fn break_even(outcome: &Outcome, style: Style) -> Option<String> {
    let firsts = outcome.break_even.iter().filter_map(|rows| rows.first());
    let known = firsts.filter_map(|row| Some((row.factor?.ln().abs(), row)));
    let (_, row) = known.min_by(|a, b| a.0.total_cmp(&b.0))?;
    let text = format!("a target turns with {}", words::break_even(row));
    Some(labelled("Break-even", &text, style))
}

/// The worst of what single losses do.
fn worst_loss(outcome: &Outcome, style: Style) -> Option<String> {
    let text = words::worst_loss(outcome.at_peak.as_ref()?)?;
    Some(labelled("Worst loss", &text, style))
}

/// What the design costs, if its file states prices.
fn cost(outcome: &Outcome, style: Style) -> Option<String> {
    let bill = outcome.cost.as_ref()?;
    Some(labelled("Cost", &words::cost(bill), style))
}

fn provenance(outcome: &Outcome, style: Style) -> Vec<String> {
    let mut lines = vec![labelled("Simulated", &simulated(outcome), style)];
    if let Some(f) = &outcome.run.forcing {
        let text = format!(
            "structural outages, {} met in {} branches, mean weight {:.3}",
            numbers::count(f.hits),
            numbers::count(f.branches),
            f.mean_weight,
        );
        lines.push(labelled("Forced", &text, style));
    }
    if let Some(f) = &outcome.run.splitting {
        let text = format!(
            "failures of load, {} found in {} retrials, worth {:.0} independent finds",
            numbers::count(f.hits),
            numbers::count(f.retrials),
            f.effective_hits,
        );
        lines.push(labelled("Split", &text, style));
    }
    lines.push(labelled("Intervals", words::INTERVALS, style));
    if let Some(first) = outcome.warnings.first() {
        let label = if outcome.warnings.len() == 1 {
            "Warning"
        } else {
            "Warnings"
        };
        let text = match outcome.warnings.len() {
            1 => first.clone(),
            n => format!("{n}, first: {first}"),
        };
        lines.push(format!(
            "{}{}{}",
            style.paint(Ink::Unsure, label),
            pad(INDENT, label),
            shortened(&text, COLUMNS - INDENT)
        ));
    }
    lines
}

/// `1,024 histories of 1 y, seed 7, 12,614,400 requests (windows)`.
fn simulated(outcome: &Outcome) -> String {
    let run = &outcome.run;
    let requests = || numbers::plural(run.requests_simulated, "request");
    let how = match run.method {
        Method::None => "structure only".to_owned(),
        Method::Windows => format!("{} (windows)", requests()),
        Method::Exact => format!("{} (exact)", requests()),
    };
    format!(
        "{} of {}, seed {}, {how}",
        numbers::plural(run.replications, "history"),
        numbers::exact_span(run.horizon_s),
        run.seed
    )
}
