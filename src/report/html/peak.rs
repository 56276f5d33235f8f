//! The section of the page on single losses at the busiest time.

use super::parts::{ROWS, figure, more};
use crate::experiment::outcome::{AtPeak, Outcome, PeakState};
use crate::report::{numbers, words};
use maud::{Markup, html as markup};

/// Names of parts that a row shows.
const NAMES: usize = 6;

pub(super) fn at_peak(outcome: &Outcome) -> Markup {
    let Some(at) = &outcome.at_peak else {
        return markup! {};
    };
    let head = [
        "lost",
        "requests lost",
        "latency p99",
        "busiest pools",
        "cannot be served",
    ];
    markup! {
        h2 id="single-losses" { "What each single loss does at the busiest time" }
        p { "At " (words::time_of_week(at.busiest_s)) " " (numbers::significant(at.rate, 3)) " requests come each \
            second, more than at any other time. Each row is what one loss leaves when nothing else fails and \
            everything has settled: health checks have noticed, roles have moved, standbys have taken over. How \
            busy a pool is was calculated from its load and the workers that are left (above 100 % it is too \
            much); requests lost and latency were simulated." }
        div.scroll { table {
            thead { tr { @for name in head { th scope="col" { (name) } } } }
            tbody {
                tr { th scope="row" { "nothing" } (cells(&at.healthy)) }
                @for row in at.losses.iter().take(ROWS) {
                    tr {
                        th scope="row" { (row.part)
                            br; small { (row.kind) (alike(&row.alike)) } }
                        (cells(&row.left))
                    }
                }
                (more(at.losses.len(), head.len()))
            }
        } }
        (left_out(at))
    }
}

/// How wrong single inputs may be until a target turns.
pub(super) fn break_even(outcome: &Outcome) -> Markup {
    let rows = outcome.targets.iter().zip(&outcome.break_even);
    let rows: Vec<_> = rows.filter(|(_, inputs)| !inputs.is_empty()).collect();
    markup! {
        @if !rows.is_empty() {
            h2 { "How wrong an input may be" }
            p { "The experiment again, on the same random numbers, with one input scaled until the figure of \
                the target crosses its bound. Looked at are the faults that cost most, delays until they are \
                noticed, and coverage. Of targets on requests the factor lies between two at which \
                the figure, with its interval, was clearly on either side of the bound." }
            div.scroll { table {
                thead { tr { @for name in ["target", "turns with"] { th scope="col" { (name) } } } }
                tbody { @for (target, inputs) in rows.iter().take(ROWS) { tr {
                    th scope="row" { code { (target.expression) } }
                    td { @for input in *inputs { (words::break_even(input)) br; } }
                } } }
            } }
        }
    }
}

fn left_out(at: &AtPeak) -> Markup {
    let skipped = at.losses.iter().filter(|row| row.left.lost.is_none());
    let skipped = skipped.count() as u64;
    markup! {
        @if skipped > 0 {
            p.soft { (numbers::plural(skipped, "row")) " without requests lost: to simulate them takes longer than \
                is allowed for this table." }
        }
        @if at.left_out > 0 {
            p.soft { (numbers::plural(at.left_out, "more part")) " were not looked at: too many stand differently." }
        }
    }
}

fn alike(names: &[String]) -> String {
    let mut text = String::new();
    for name in names.iter().take(NAMES) {
        text.push_str(", or ");
        text.push_str(name);
    }
    if names.len() > NAMES {
        text.push_str(&format!(", or any of {} more", names.len() - NAMES));
    }
    text
}

fn cells(left: &PeakState) -> Markup {
    let busiest = words::busiest_pools(left, 3);
    let down = &left.journeys_down;
    markup! {
        td { (figure(left.lost.as_ref(), numbers::share)) }
        td { (figure(left.latency_p99.as_ref(), numbers::span)) }
        td { @if busiest.is_empty() { "–" } @else { (busiest) } }
        td {
            @if down.is_empty() { "–" }
            @for name in down.iter().take(NAMES) { (name) br; }
            @if down.len() > NAMES { "and " (down.len() - NAMES) " more" }
        }
    }
}
