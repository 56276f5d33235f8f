//! The sections of the page above the appendix.

use super::parts::{ROWS, chart, class, figure, more, sign};
use crate::experiment::outcome::{Estimate, Outcome, Verdict};
use crate::model::Method;
use crate::report::charts::Chart;
use crate::report::clean::shortened;
use crate::report::inputs;
use crate::report::method;
use crate::report::numbers;
use crate::report::words::{self, Loss};
use maud::{Markup, html as markup};

pub(super) fn verdict(outcome: &Outcome) -> Markup {
    let order = [Verdict::Missed, Verdict::Undecided, Verdict::Met];
    let rows = order
        .iter()
        .flat_map(|v| outcome.targets.iter().filter(move |r| r.verdict == *v));
    let overall = words::overall(outcome);
    markup! {
        p.kicker { "Availability report" }
        h1 { (shortened(&outcome.name, 160)) }
        div.verdict.(class(overall)) {
            p {
                strong { (overall.map_or("DONE", words::verdict)) } ": " (words::verdict_count(outcome))
            }
            @if !outcome.run.complete {
                p.warn { strong { "Partial result. " } "The run was interrupted; the figures are valid, but \
                    their intervals are wider than they would have become." }
            }
            @if !outcome.targets.is_empty() {
                ul.chips {
                    @for row in rows {
                        li.(class(Some(row.verdict))) {
                            span.chip { (sign(row.verdict)) " " (words::verdict(row.verdict).to_lowercase()) }
                            code { (row.expression) }
                            span.figure {
                                (words::measured(row))
                                @let margin = words::margin(row);
                                @if !margin.is_empty() { ", " (margin) }
                                @let confidence = words::confidence(row.measured.as_ref());
                                @if !confidence.is_empty() {
                                    " " small { "decided at " (confidence) }
                                }
                                @let periods = words::periods(row, outcome);
                                @if !periods.is_empty() { br; small { (periods) } }
                                @if let Some(inputs) = inputs::target(outcome, row) { br; small { (inputs) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn done(outcome: &Outcome) -> Markup {
    markup! {
        p { (method::done(outcome)) }
        @if !outcome.warnings.is_empty() {
            p { a href="#assumptions" {
                (numbers::plural(outcome.warnings.len() as u64, "warning")) " to read before these \
                figures are used"
            } }
        }
    }
}

fn card(name: &str, e: Option<&Estimate>, words: &str) -> Markup {
    let printed = e.map_or_else(numbers::Printed::absent, numbers::share);
    markup! {
        div.card {
            h3 { (name) }
            div.big { (printed.value) }
            @if !printed.interval.is_empty() { small { (printed.beside()) } }
            p { (words) }
        }
    }
}

/// The label of the small figures above it.
fn intervals() -> Markup {
    markup! { p.soft { small { "Small figures: " (words::INTERVALS) "." } } }
}

pub(super) fn availability(outcome: &Outcome, charts: &[Chart]) -> Markup {
    let a = &outcome.availability;
    let run = &outcome.run;
    let time = run.slice_s.map_or_else(
        || "Not measured: no requests were simulated.".to_owned(),
        |slice| format!(
            "Share of time outside bad slices: a slice of {} is bad if fewer than {} of its requests \
             are answered in time.",
            numbers::exact_span(slice),
            numbers::exact_share(run.bad_below)
        ),
    );
    let request = if a.request.is_some() {
        "Share of requests that users saw answered in time, complete or degraded. Busy hours count more."
    } else {
        "Not measured: no requests were simulated."
    };
    markup! {
        h2 { "How available" }
        p { "Three ways to count the same histories. They differ because requests can fail while every \
            part is there, and parts can be missing while nobody asks." }
        div.cards {
            (card("Requests", a.request.as_ref(), request))
            (card("Time", a.time.as_ref(), &time))
            (card("Structural", Some(&a.structural),
                "Share of time in which every journey could have been served, whatever balancers and \
                 health checks knew."))
        }
        @if let Some(full) = &a.full {
            p { "Counting complete answers only: " (numbers::share(full)) "." }
        }
        (intervals())
        (chart(charts, "availability"))
    }
}

pub(super) fn downtime(outcome: &Outcome, charts: &[Chart]) -> Markup {
    let histories = words::histories(outcome);
    let rows = [
        ("Downtime (requests)", outcome.downtime.as_ref()),
        ("Structural downtime", Some(&outcome.structural_downtime)),
    ];
    let planned = words::planned_downtime(outcome);
    markup! {
        h2 { "Downtime in a year" }
        p { "The mean hides that " (histories) " differ: most downtime falls into a few of them. \
            A percentile is given where there are enough " (histories) " for its interval." }
        div.scroll { table {
            thead { tr {
                th scope="col" { "per year" }
                @for name in ["mean", "p50", "p90", "p95", "p99"] { th scope="col" { (name) } }
                th scope="col" { (histories) " without" }
            } }
            tbody { @for (name, downtime) in rows { @if let Some(d) = downtime {
                tr {
                    th scope="row" { (name) }
                    td { (figure(Some(&d.mean), numbers::span)) }
                    @for e in [&d.p50, &d.p90, &d.p95, &d.p99] {
                        td { (figure(e.as_ref(), numbers::span)) }
                    }
                    td { (figure(Some(&d.none), numbers::share)) }
                }
            } } }
        } }
        @if let Some(planned) = planned {
            p { "Of the mean, " (numbers::span_per_year(planned).to_string()) " is planned work." }
        }
        (intervals())
        (chart(charts, "downtime"))
    }
}

pub(super) fn outages(outcome: &Outcome) -> Markup {
    let rows = [
        ("Outages (requests)", outcome.outages.as_ref()),
        ("Structural outages", Some(&outcome.structural_outages)),
    ];
    markup! {
        h2 { "Outages" }
        p { "An outage is a run of bad slices, or of time in which a journey could not be served." }
        div.scroll { table {
            thead { tr {
                @for name in ["", "number", "mean duration", "p50", "p99", "from start to start"] {
                    th scope="col" { (name) }
                }
            } }
            tbody { @for (name, outages) in rows { @if let Some(o) = outages {
                tr {
                    th scope="row" { (name) }
                    td { (figure(Some(&o.per_year), numbers::per_year)) }
                    @for e in [&o.duration_mean, &o.duration_p50, &o.duration_p99, &o.mtbf] {
                        td { (figure(e.as_ref(), numbers::span)) }
                    }
                }
            } } }
        } }
        (intervals())
    }
}

pub(super) fn causes(outcome: &Outcome, charts: &[Chart]) -> Markup {
    let losses = [Loss::Requests, Loss::Downtime, Loss::Structural];
    let any = losses
        .iter()
        .any(|loss| !words::ranking(outcome, *loss).shares.is_empty());
    markup! {
        h2 { "Where it is lost" }
        @if any {
            p { "Every failed request and every second of downtime has exactly one cause: the fault that \
                completed the cut, and how far its handling had come." }
            @for name in ["causes-requests", "causes-downtime", "causes-structural"] { (chart(charts, name)) }
        } @else {
            p { "Nothing was lost in these histories, so there is nothing to attribute. That is a bound, not \
                a proof: see the intervals above." }
        }
    }
}

pub(super) fn cost(outcome: &Outcome) -> Markup {
    let Some(bill) = &outcome.cost else {
        return markup! {};
    };
    let money = |amount| numbers::money(amount, &bill.currency);
    markup! {
        h2 { "Cost" }
        p { (words::cost(bill)) ". A month has 730 hours." }
        div.scroll { table {
            thead { tr {
                @for name in ["component", "number", "each per month", "per month"] { th scope="col" { (name) } }
            } }
            tbody {
                @for item in bill.items.iter().take(ROWS) {
                    tr {
                        td.name { (item.component) }
                        td.n { (numbers::count(item.count.into())) }
                        td.n { (money(item.each_per_month)) }
                        td.n { (money(item.per_month)) }
                    }
                }
                (more(bill.items.len(), 4))
            }
        } }
        @if !bill.without_price.is_empty() {
            @let shown = bill.without_price.iter().take(ROWS).map(String::as_str).collect::<Vec<_>>();
            p.soft { "Without a price: " (shown.join(", "))
                @if bill.without_price.len() > ROWS { " and " (bill.without_price.len() - ROWS) " more" } "." }
        }
    }
}

pub(super) fn latency(outcome: &Outcome, charts: &[Chart]) -> Markup {
    let Some(latency) = &outcome.latency else {
        return match outcome.run.method {
            Method::None => markup! {},
            Method::Windows | Method::Exact => markup! {
                h2 { "Latency" }
                p { "No request was answered, so there is no latency to report." }
            },
        };
    };
    let rows = std::iter::once(("all", latency)).chain(
        outcome
            .latency_by_condition
            .iter()
            .map(|(c, l)| (words::condition(*c), l)),
    );
    markup! {
        h2 { "Latency" }
        p { "Of answered requests; targets on latency count a failed request as later than any bound. The rows \
            tell apart what a request met on arrival." }
        div.scroll { table {
            thead { tr {
                @for name in ["requests", "mean", "p50", "p90", "p95", "p99", "p99.9", "largest seen"] {
                    th scope="col" { (name) }
                }
            } }
            tbody { @for (name, l) in rows {
                tr {
                    th scope="row" { (name) }
                    @for e in [&l.mean, &l.p50, &l.p90, &l.p95, &l.p99, &l.p999] {
                        td { (figure(Some(e), numbers::span)) }
                    }
                    td { (numbers::exact_span(l.largest_seen)) }
                }
            } }
        } }
        (intervals())
        (chart(charts, "latency"))
    }
}

pub(super) fn services(outcome: &Outcome) -> Markup {
    let head = [
        "name",
        "kind",
        "structural availability",
        "calls answered",
        "attempts per call",
        "utilisation",
        "wait for a worker",
        "latency p50",
        "latency p99",
    ];
    markup! {
        @if !outcome.services.is_empty() {
            h2 { "Services" }
            div.scroll { table {
                thead { tr { @for name in head { th scope="col" { (name) } } } }
                tbody {
                    @for row in outcome.services.iter().take(ROWS) {
                        @let calls = row.calls.as_ref();
                        @let latency = calls.and_then(|c| c.latency.as_ref());
                        tr {
                            td.name { (row.name) }
                            td { (row.kind) }
                            td { (figure(Some(&row.structural), numbers::share)) }
                            td { (figure(calls.and_then(|c| c.availability.as_ref()), numbers::share)) }
                            td { (figure(calls.and_then(|c| c.attempts_per_call.as_ref()), numbers::plain)) }
                            td { (figure(calls.and_then(|c| c.utilisation.as_ref()), numbers::share)) }
                            td { (figure(calls.and_then(|c| c.wait_mean.as_ref()), numbers::span)) }
                            td { (figure(latency.map(|l| &l.p50), numbers::span)) }
                            td { (figure(latency.map(|l| &l.p99), numbers::span)) }
                        }
                    }
                    (more(outcome.services.len(), head.len()))
                }
            } }
            (intervals())
        }
    }
}

pub(super) fn queues(outcome: &Outcome) -> Markup {
    let head = [
        "queue",
        "published",
        "dead letters",
        "lost",
        "refused, full",
        "deliveries each",
        "mean backlog",
        "largest seen",
        "done in p50",
        "done in p99",
    ];
    markup! {
        @if !outcome.queues.is_empty() {
            h2 { "Message queues" }
            div.scroll { table {
                thead { tr { @for name in head { th scope="col" { (name) } } } }
                tbody {
                    @for row in outcome.queues.iter().take(ROWS) {
                        @let time = row.time.as_ref();
                        tr {
                            td.name { (row.name) }
                            td.n { (numbers::count(row.counts[0])) }
                            td { (figure(row.dead.as_ref(), numbers::share)) }
                            td { (figure(row.lost.as_ref(), numbers::share)) }
                            td { (figure(row.full.as_ref(), numbers::share)) }
                            td { (figure(row.delivered.as_ref(), numbers::plain)) }
                            td { (figure(row.backlog_mean.as_ref(), numbers::plain)) }
                            td.n { (numbers::count(row.backlog_largest_seen)) }
                            td { (figure(time.map(|l| &l.p50), numbers::span)) }
                            td { (figure(time.map(|l| &l.p99), numbers::span)) }
                        }
                    }
                    (more(outcome.queues.len(), head.len()))
                }
            } }
        }
    }
}

pub(super) fn connections(outcome: &Outcome) -> Markup {
    let head = [
        "from",
        "to",
        "opened for an attempt",
        "none in time",
        "wait for one",
    ];
    let rows = outcome.services.iter();
    let rows: Vec<_> = rows
        .flat_map(|row| row.connections.iter().map(|one| (&row.name, one)))
        .collect();
    markup! {
        @if !rows.is_empty() {
            h2 { "Connections" }
            div.scroll { table {
                thead { tr { @for name in head { th scope="col" { (name) } } } }
                tbody {
                    @for (name, one) in rows.iter().take(ROWS) {
                        tr {
                            td.name { (name) }
                            td.name { (one.to) }
                            td { (figure(one.opened.as_ref(), numbers::share)) }
                            td { (figure(one.shed.as_ref(), numbers::share)) }
                            td { (figure(one.wait_mean.as_ref(), numbers::span)) }
                        }
                    }
                    (more(rows.len(), head.len()))
                }
            } }
        }
    }
}

pub(super) fn journeys(outcome: &Outcome) -> Markup {
    let head = [
        "journey",
        "availability",
        "structural",
        "latency p50",
        "latency p99",
        "latency p99.9",
    ];
    markup! {
        @if !outcome.journeys.is_empty() {
            h2 { "Journeys" }
            div.scroll { table {
                thead { tr { @for name in head { th scope="col" { (name) } } } }
                tbody {
                    @for row in outcome.journeys.iter().take(ROWS) {
                        @let l = row.latency.as_ref();
                        tr {
                            td.name { (row.name) }
                            td { (figure(row.availability.as_ref(), numbers::share)) }
                            td { (figure(Some(&row.structural), numbers::share)) }
                            @for e in [l.map(|l| &l.p50), l.map(|l| &l.p99), l.map(|l| &l.p999)] {
                                td { (figure(e, numbers::span)) }
                            }
                        }
                    }
                    (more(outcome.journeys.len(), head.len()))
                }
            } }
            (intervals())
        }
    }
}

/// What users in closed loops did not ask for because they were waiting.
pub(super) fn users(outcome: &Outcome) -> Markup {
    let head = [
        "users",
        "how many",
        "requests per second",
        "demand lost by waiting",
    ];
    markup! {
        @if !outcome.users.is_empty() {
            h2 { "Users who wait" }
            div.scroll { table {
                thead { tr { @for name in head { th scope="col" { (name) } } } }
                tbody {
                    @for row in outcome.users.iter().take(ROWS) {
                        tr {
                            td.name { (row.name) }
                            td { (numbers::count(row.count.into())) }
                            td { (numbers::significant(row.rate, 3)) }
                            td { (figure(row.lost_demand.as_ref(), numbers::share)) }
                        }
                    }
                    (more(outcome.users.len(), head.len()))
                }
            } }
            (intervals())
        }
    }
}

pub(super) fn assumptions(outcome: &Outcome) -> Markup {
    let run = &outcome.run;
    markup! {
        h2 id="assumptions" { "Assumptions and warnings" }
        @for text in &outcome.warnings { p.warn { (text) } }
        @if outcome.warnings.is_empty() { p { "No warnings." } }
        ul {
            li { "Every interval: " (words::INTERVALS) ". A failure rate that was guessed wrong is not in it." }
            li { @if outcome.inputs.is_some() { "The verdicts hold for every range at its middle. All" }
                @else { "The verdicts hold for these inputs. All" } " verdicts of a run together are wrong with a chance of \
                at most 5 %." }
            li {
                @if run.steady { "Histories begin in equilibrium, as if the system had run for ever." }
                @else { "Histories begin with everything new and up." }
            }
            @for row in outcome.needs_at_peak.iter().take(ROWS) { li { (words::needs(row)) "." } }
            li { "A year has 365 days of 24 hours; day 0 is a Monday." }
            @if run.method == Method::Windows {
                li { "Requests of quiet times are samples weighted by the time they stand for; "
                    (numbers::part(run.share_simulated)) " of the time was simulated request by request." }
            }
        }
        p.soft { small { "All of it can be reproduced: seed " (run.seed) ", "
            (numbers::plural(run.replications, "replication")) ", " (crate::report::ENGINE) "." } }
        @if run.looks > 1 {
            p.soft { small { "The verdicts were looked at " (run.looks) " times; their intervals are wider for it." } }
        }
    }
}
