//! `report.html` of a comparison: one page for people who were not there; no network, no script.

use super::words::{self, Standing};
use super::{charts, clean, json};
use crate::experiment::comparison::{Comparison, Figure};
use crate::report::html::{POLICY, STYLE, parts};
use crate::report::words::INTERVALS;
use crate::report::{ENGINE, numbers};
use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

/// Rows of a table; the rest is only in the result.
const ROWS: usize = 60;

/// The text of `report.html`.
pub fn html(comparison: &Comparison) -> String {
    let result = json::json_for_html(comparison);
    let comparison = &clean(comparison);
    let base = &comparison.designs[0];
    let page = markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Comparison with " (base.outcome.name) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    p.kicker { "Comparison of designs" }
                    h1 { (base.outcome.name) }
                    p { "Both the baseline and each candidate lived through the same histories: the same \
                        failures, repairs and users. What they share cancels in a difference, so that it \
                        is known more sharply than either figure." }
                    @if !comparison.complete {
                        p.warn { strong { "Partial result. " } "The run was interrupted; the figures are \
                            valid, but their intervals are wider than they would have become." }
                    }
                    @for candidate in 0..comparison.candidates().len() { (section(comparison, candidate)) }
                    (warnings(comparison))
                    h2 { "What the words mean" }
                    dl {
                        @for (word, meaning) in GLOSSARY { dt { (word) } dd { (meaning) } }
                    }
                    p.soft { small {
                        (ENGINE) " · " (words::simulated(comparison)) " · intervals: " (INTERVALS)
                    } }
                }
                // A block of data, which no browser runs.
                script type="application/json" id="comparison" { (PreEscaped(result)) }
            }
        }
    };
    page.into_string()
}

const GLOSSARY: [(&str, &str); 6] = [
    (
        "difference",
        "Candidate minus baseline, with the interval of the differences history by history (or group of histories by group).",
    ),
    (
        "significant",
        "The interval does not contain zero. What decides better or worse is watched at a stricter confidence, so that all such words together are wrong with a chance of at most 5 %.",
    ),
    (
        "correlation",
        "How much the errors of the two figures go together: near 1, the common random numbers cancel nearly all noise.",
    ),
    (
        "structural",
        "From the structure function alone: which parts are needed, which are running and reachable, whatever anybody knew.",
    ),
    (
        "latency.p99",
        "The time within which 99 % of all requests were answered; a failed request counts as later than any answer. latency.answered counts answered requests only.",
    ),
    (
        "cause",
        "Every failed request and every second of downtime has exactly one: the fault that completed the cut, and how far its handling had come.",
    ),
];

const fn class(standing: Standing) -> &'static str {
    match standing {
        Standing::Better | Standing::Same => "met",
        Standing::Worse => "missed",
        Standing::Mixed | Standing::Open => "undecided",
    }
}

fn section(comparison: &Comparison, candidate: usize) -> Markup {
    let standing = Standing::of(comparison, candidate);
    let other = candidate + 1;
    let charts = charts::all(comparison, candidate);
    markup! {
        h2 { (comparison.designs[other].file) " against " (comparison.designs[0].file) }
        div.verdict.(class(standing)) {
            p { strong { (standing.word()) } ": " (words::reasons(comparison, candidate)) }
            ul.chips {
                @for row in &comparison.watched {
                    @let (_, d) = &row.rows[candidate];
                    @let better = words::improves(d.as_ref(), row.higher_is_better);
                    li.(match better { Some(true) => "met", Some(false) => "missed", None => "undecided" }) {
                        span.chip { (match better { Some(true) => "✓ better", Some(false) => "✕ worse", None => "? open" }) }
                        code { (row.name) }
                        span.figure {
                            (words::difference(comparison, d.as_ref(), row.unit))
                            @if let Some(d) = d { " " small { "decided at " (numbers::percent(d.confidence)) } }
                        }
                    }
                }
            }
        }
        div.scroll { table { tbody {
            @for index in [0, other] {
                @let design = &comparison.designs[index];
                tr {
                    th scope="row" { (words::letter(index)) }
                    td.name { (design.file) }
                    td.name { (design.outcome.name) }
                    td { (words::targets(comparison, index)) }
                    td { code { (design.outcome.hash) } }
                }
            }
        } } }
        (changes(comparison, candidate))
        (parts::chart(&charts, "differences"))
        (figures(comparison, candidate))
        (parts::chart(&charts, "causes"))
        (causes(comparison, candidate))
    }
}

fn changes(comparison: &Comparison, candidate: usize) -> Markup {
    let changes = &comparison.designs[candidate + 1].changes;
    markup! {
        h3 { "What changed in the file" }
        @if changes.is_empty() {
            p { "Nothing but layout, comments or texts for people." }
        } @else {
            ul { @for change in changes.iter().take(ROWS) { li { code { (words::change(change)) } } } }
            @if changes.len() > ROWS { p.soft { "and " (changes.len() - ROWS) " more, all in the result below" } }
        }
    }
}

fn figures(comparison: &Comparison, candidate: usize) -> Markup {
    let other = candidate + 1;
    let head = [
        "figure",
        "baseline",
        "candidate",
        "difference",
        "",
        "correlation",
        "n",
    ];
    let has = |figure: &&Figure| figure.differences[candidate].is_some();
    markup! {
        h3 { "Every figure" }
        div.scroll { table {
            thead { tr { @for name in head { th scope="col" { (name) } } } }
            tbody {
                @for figure in comparison.figures.iter().filter(has).take(ROWS) {
                    @let d = figure.differences[candidate].as_ref();
                    @let better = words::improves(d, figure.higher_is_better);
                    tr {
                        td.name { (figure.name) }
                        @for design in [0, other] { td { (value(figure, design)) } }
                        td { (with_interval(&words::difference(comparison, d, figure.unit))) }
                        td { (words::improvement(better)) }
                        td.n { @if let Some(c) = d.and_then(|d| d.correlation) { (format!("{c:.3}")) } }
                        td.n { @if let Some(d) = d { (numbers::count(d.n)) } }
                    }
                }
            }
        } }
    }
}

fn value(figure: &Figure, design: usize) -> Markup {
    let printed = figure.values[design]
        .as_ref()
        .map_or_else(numbers::Printed::absent, |e| words::value(figure, e));
    with_interval(&printed)
}

fn with_interval(printed: &numbers::Printed) -> Markup {
    markup! {
        (printed.value)
        @if !printed.interval.is_empty() { br; small { (printed.beside()) } }
    }
}

fn causes(comparison: &Comparison, candidate: usize) -> Markup {
    let movers = words::movers(comparison, candidate);
    let other = candidate + 1;
    markup! {
        @if !movers.is_empty() {
            @let what = if movers[0].failed_per_million.is_some() { "failed per million" } else { "structural downtime" };
            details { summary { "Every cause that moved" }
                div.scroll { table {
                    thead { tr {
                        @for name in ["cause", "baseline", "candidate", "difference"] { th scope="col" { (name) } }
                    } }
                    tbody { @for row in movers.iter().take(ROWS) {
                        @let values = &words::loss(row).0.values;
                        tr {
                            td.name { (words::cause(row)) }
                            @for index in [0, other] { td.n { (numbers::significant(values[index], 3)) } }
                            td { (with_interval(&words::moved(row, candidate))) }
                        }
                    } }
                } }
                p.soft { small { (what) "; seconds per year where it is downtime" } }
            }
        }
    }
}

fn warnings(comparison: &Comparison) -> Markup {
    markup! {
        @if !comparison.warnings.is_empty() {
            h2 { "To read before these figures are used" }
            ul { @for text in comparison.warnings.iter().take(ROWS) { li { (text) } } }
        }
    }
}
