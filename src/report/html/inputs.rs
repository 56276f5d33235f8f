//! The section of the page on numbers that are known as a range only.

use super::parts::{ROWS, more};
use crate::experiment::outcome::Outcome;
use crate::report::{inputs as words, numbers};
use maud::{Markup, html as markup};

pub(super) fn inputs(outcome: &Outcome) -> Markup {
    let Some(all) = &outcome.inputs else {
        return markup! {};
    };
    let head = [
        "figure",
        "over the inputs",
        "deviation over the inputs",
        "simulation error of a draw",
    ];
    markup! {
        h2 id="inputs" { "What is not known of the inputs" }
        p { "All other figures of this page are those of the design with every range at its middle. Here all \
            ranges were drawn " (numbers::plural(all.draws.into(), "time")) " together, and each draw was simulated \
            with " (numbers::plural(all.replications, "history")) ", on the same random numbers: what moves from draw \
            to draw is due to the inputs. A value within a range was taken to be as likely as any other, times and \
            rates on a logarithmic scale."
            @if all.traffic_replications == 0 && outcome.run.traffic_replications > 0 {
                " Requests were left out, because to simulate them for every draw takes longer than is allowed."
            }
            @if all.draws < all.asked { " The run was ended before all draws were simulated." }
        }
        div.scroll { table {
            thead { tr { @for name in head { th scope="col" { (name) } } } }
            tbody { @for figure in &all.figures { tr {
                @let (low, high) = words::ends(figure);
                @let (deviation, simulation) = words::errors(figure);
                th scope="row" { (words::name(figure)) }
                td { (low) " to " (high) }
                td { (deviation) }
                td { "± " (simulation) }
            } } }
        } }
        div.scroll { table {
            thead { tr { @for name in ["line", "input", "range"] { th scope="col" { (name) } } } }
            tbody {
                @for range in all.ranges.iter().take(ROWS) { tr {
                    td { (range.line) }
                    th scope="row" { code { (range.field) } }
                    td { (range.low) " to " (range.high) }
                } }
                (more(all.ranges.len(), 3))
            }
        } }
    }
}
