//! Pieces that several sections of the page share.

use crate::experiment::outcome::{Estimate, Verdict};
use crate::report::charts::{Chart, Table};
use crate::report::numbers::Printed;
use maud::{Markup, PreEscaped, html as markup};

/// Rows of a table; the rest is only in the result.
pub(super) const ROWS: usize = 20;

/// A value with its interval below, or a dash.
pub(super) fn figure(e: Option<&Estimate>, print: fn(&Estimate) -> Printed) -> Markup {
    let printed = e.map_or_else(Printed::absent, print);
    markup! {
        (printed.value)
        @if !printed.interval.is_empty() { br; small { (printed.beside()) } }
    }
}

/// The class that colours a verdict.
pub(super) const fn class(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Met) => "met",
        Some(Verdict::Missed) => "missed",
        Some(Verdict::Undecided) => "undecided",
        None => "",
    }
}

/// A sign that says the verdict without colour.
pub(super) const fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "✓",
        Verdict::Missed => "✕",
        Verdict::Undecided => "?",
    }
}

/// The chart of that name with its title, note and data, if there is one.
pub(in crate::report) fn chart(charts: &[Chart], name: &str) -> Markup {
    let Some(chart) = charts.iter().find(|chart| chart.name == name) else {
        return markup! {};
    };
    markup! {
        figure {
            figcaption { strong { (chart.title) } small { (chart.note) } }
            div.scroll tabindex="0" role="group" aria-label=(chart.title) { (PreEscaped(chart.inline())) }
        }
        details { summary { "Data of this chart" } (table(&chart.table)) }
    }
}

/// A table of texts in a container that scrolls.
pub(super) fn table(table: &Table) -> Markup {
    markup! {
        div.scroll {
            table {
                thead { tr { @for cell in &table.head { th scope="col" { (cell) } } } }
                tbody {
                    @for row in &table.rows { tr { @for cell in row { td { (cell) } } } }
                }
            }
        }
    }
}

/// A last row that counts what was left out.
pub(super) fn more(all: usize, columns: usize) -> Markup {
    markup! {
        @if all > ROWS {
            tr { td.soft colspan=(columns) { "and " (all - ROWS) " more, all in the result below" } }
        }
    }
}
