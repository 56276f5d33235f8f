//! How stores recover from the loss of their leader.

use super::parts::{ROWS, figure, more};
use crate::experiment::outcome::Outcome;
use crate::report::numbers;
use crate::report::recovery::recovery_end;
use maud::{Markup, html as markup};

pub(super) fn recovery(outcome: &Outcome) -> Markup {
    let head = [
        "store",
        "leaders lost",
        "RTO mean",
        "RTO p50",
        "RTO p99",
        "RTO up to",
        "led again, mean",
        "led again, p99",
        "RPO mean",
        "RPO p99",
        "writes lost per year",
    ];
    let rows = outcome.services.iter();
    let rows: Vec<_> = rows
        .filter_map(|row| Some((&row.name, row.recovery.as_ref()?)))
        .collect();
    markup! {
        @if !rows.is_empty() {
            h2 { "Recovery of stores" }
            p { "From the fault that takes the leader away to the first good answer of the new one (RTO), \
                and what was acknowledged before it and is lost with it, in seconds of writes (RPO). Where \
                no call asks the leader, or no requests are simulated, the RTO ends when a member leads, \
                as `led again` does everywhere. If the leader is lost again before anybody had a good \
                answer, it is still the same recovery. Losses that were over before anybody had noticed, \
                and planned switchovers, are not counted." }
            div.scroll { table {
                thead { tr { @for name in head { th scope="col" { (name) } } } }
                tbody {
                    @for (name, found) in rows.iter().take(ROWS) {
                        @let loss = found.loss.as_ref();
                        tr {
                            td.name { (name) }
                            td { (figure(Some(&found.per_year), numbers::per_year)) }
                            td { (figure(found.time.mean.as_ref(), numbers::span)) }
                            td { (figure(found.time.p50.as_ref(), numbers::span)) }
                            td { (figure(found.time.p99.as_ref(), numbers::span)) }
                            td { (recovery_end(found.ends)) }
                            td { (figure(found.lead.mean.as_ref(), numbers::span)) }
                            td { (figure(found.lead.p99.as_ref(), numbers::span)) }
                            td { (figure(loss.and_then(|it| it.mean.as_ref()), numbers::span)) }
                            td { (figure(loss.and_then(|it| it.p99.as_ref()), numbers::span)) }
                            td { (figure(found.writes_lost_per_year.as_ref(), numbers::plain)) }
                        }
                    }
                    (more(rows.len(), head.len()))
                }
            } }
        }
    }
}
