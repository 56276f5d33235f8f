//! The end of the page: every number as a table, and what the words mean.

use super::parts::figure;
use crate::experiment::outcome::{Estimate, Outcome, RequestCounts};
use crate::report::numbers::{self, Printed};
use crate::report::{method, words};
use maud::{Markup, html as markup};

/// Causes that are listed; the rest is in the embedded result.
const CAUSES: usize = 200;

const GLOSSARY: [(&str, &str); 12] = [
    (
        "availability (requests)",
        "(good + degraded) / (issued - still in flight at the end): a ratio of sums over all histories.",
    ),
    (
        "good, degraded, failed",
        "Answered in time and complete; answered in time without an optional part; everything else that ended, late answers included.",
    ),
    (
        "slice",
        "A short stretch of time in which the share of requests answered in time is judged. A slice without requests copies the one before.",
    ),
    (
        "outage, downtime",
        "A run of bad slices (runs closer than one slice are one outage); the length of the bad slices.",
    ),
    ("availability (time)", "1 - downtime / horizon."),
    (
        "structural",
        "From the structure function alone: which parts are needed, which are running and reachable, whatever anybody knew.",
    ),
    (
        "history (replication)",
        "One independent simulated course of the whole horizon.",
    ),
    (
        "p99",
        "The value that 99 % stay within: of requests for latency, of histories for downtime, of outages for durations.",
    ),
    (
        "during failover, during repair",
        "Arrived while a fault was being noticed, decided on or handed over; while it was under repair or its aftermath was being worked off.",
    ),
    (
        "phases",
        "Of a fault's handling: detect (nobody has noticed), decide (who takes over), promote, converge (the change is spreading), repair, warm up (starting, refilling, working off a backlog).",
    ),
    (
        "MTTR, MTBF",
        "Mean duration of an outage; mean time from the start of one outage to the start of the next. Ratios of sums.",
    ),
    (
        "n",
        "The count behind a figure: histories, outages or requests.",
    ),
];

struct Line<'a> {
    name: String,
    estimate: &'a Estimate,
    print: fn(&Estimate) -> Printed,
}

/// Every estimate that is not in a table of its own.
fn lines(outcome: &Outcome) -> Vec<Line<'_>> {
    let mut out: Vec<Line<'_>> = Vec::new();
    let a = &outcome.availability;
    push(
        &mut out,
        "availability, requests",
        a.request.as_ref(),
        numbers::share,
    );
    push(
        &mut out,
        "availability, complete answers",
        a.full.as_ref(),
        numbers::share,
    );
    push(
        &mut out,
        "availability, time",
        a.time.as_ref(),
        numbers::share,
    );
    push(
        &mut out,
        "availability, structural",
        Some(&a.structural),
        numbers::share,
    );
    let downtimes = [
        (
            "downtime",
            outcome.downtime.as_ref(),
            outcome.planned_downtime.as_ref(),
        ),
        (
            "structural downtime",
            Some(&outcome.structural_downtime),
            Some(&outcome.structural_planned_downtime),
        ),
    ];
    for (name, downtime, planned) in downtimes {
        let Some(d) = downtime else { continue };
        push(
            &mut out,
            &format!("{name}, mean"),
            Some(&d.mean),
            numbers::span_per_year,
        );
        for (p, e) in [
            ("p50", &d.p50),
            ("p90", &d.p90),
            ("p95", &d.p95),
            ("p99", &d.p99),
        ] {
            push(
                &mut out,
                &format!("{name}, {p}"),
                e.as_ref(),
                numbers::span_per_year,
            );
        }
        push(
            &mut out,
            &format!("{name}, planned, mean"),
            planned,
            numbers::span_per_year,
        );
        push(
            &mut out,
            &format!("{name}, histories without"),
            Some(&d.none),
            numbers::share,
        );
    }
    let outages = [
        ("outages", outcome.outages.as_ref()),
        ("structural outages", Some(&outcome.structural_outages)),
    ];
    for (name, outages) in outages {
        let Some(o) = outages else { continue };
        push(&mut out, name, Some(&o.per_year), numbers::per_year);
        push(
            &mut out,
            &format!("{name}, mean duration (MTTR)"),
            o.duration_mean.as_ref(),
            numbers::span,
        );
        push(
            &mut out,
            &format!("{name}, p50 of durations"),
            o.duration_p50.as_ref(),
            numbers::span,
        );
        push(
            &mut out,
            &format!("{name}, p99 of durations"),
            o.duration_p99.as_ref(),
            numbers::span,
        );
        push(
            &mut out,
            &format!("{name}, start to start (MTBF)"),
            o.mtbf.as_ref(),
            numbers::span,
        );
    }
    if let Some(l) = &outcome.latency {
        let all = [
            ("mean", &l.mean),
            ("p50", &l.p50),
            ("p90", &l.p90),
            ("p95", &l.p95),
            ("p99", &l.p99),
            ("p99.9", &l.p999),
        ];
        for (p, e) in all {
            push(
                &mut out,
                &format!("latency of answered requests, {p}"),
                Some(e),
                numbers::span,
            );
        }
    }
    out
}

fn push<'a>(
    out: &mut Vec<Line<'a>>,
    name: &str,
    estimate: Option<&'a Estimate>,
    print: fn(&Estimate) -> Printed,
) {
    out.extend(estimate.map(|estimate| Line {
        name: name.to_owned(),
        estimate,
        print,
    }));
}

pub(super) fn appendix(outcome: &Outcome) -> Markup {
    markup! {
        h2 { "Appendix" }
        details { summary { "Every figure with its interval" }
            div.scroll { table {
                thead { tr { @for name in ["figure", "value", "interval", "confidence", "n"] { th scope="col" { (name) } } } }
                tbody { @for line in lines(outcome) {
                    @let printed = (line.print)(line.estimate);
                    tr {
                        td.name { (line.name) }
                        td { (printed.value) }
                        td { (printed.beside()) }
                        td { (numbers::percent(line.estimate.confidence)) }
                        td.n { (numbers::count(line.estimate.n)) }
                    }
                } }
            } }
        }
        (causes(outcome))
        (services(outcome))
        (requests(outcome))
        (run(outcome))
        details { summary { "What the words mean" }
            dl { @for (word, meaning) in GLOSSARY { dt { (word) } dd { (meaning) } } }
        }
    }
}

fn causes(outcome: &Outcome) -> Markup {
    let head = [
        "cause",
        "phase",
        "failed per million requests",
        "downtime per year",
        "structural downtime per year",
    ];
    markup! {
        @if !outcome.causes.is_empty() {
            details { summary { "Every cause" }
                p { "Each column adds up to its total." }
                div.scroll { table {
                    thead { tr { @for name in head { th scope="col" { (name) } } } }
                    tbody {
                        @for row in outcome.causes.iter().take(CAUSES) {
                            tr {
                                td.name { (row.fault) }
                                td { (row.phase.map_or("", |p| p.word())) }
                                td { (figure(row.failed_per_million.as_ref(), numbers::plain)) }
                                td { (figure(row.downtime_s_per_year.as_ref(), numbers::span)) }
                                td { (figure(Some(&row.structural_downtime_s_per_year), numbers::span)) }
                            }
                        }
                        @if outcome.causes.len() > CAUSES {
                            tr { td.soft colspan=(head.len()) { "and " (outcome.causes.len() - CAUSES) " more in the embedded result" } }
                        }
                    }
                } }
            }
        }
    }
}

fn services(outcome: &Outcome) -> Markup {
    let head = [
        "name",
        "outages per year",
        "mean duration",
        "p50",
        "p99",
        "from start to start",
    ];
    markup! {
        @if !outcome.services.is_empty() {
            details { summary { "Structural outages of every service" }
                div.scroll { table {
                    thead { tr { @for name in head { th scope="col" { (name) } } } }
                    tbody { @for row in outcome.services.iter().take(CAUSES) {
                        @let o = &row.structural_outages;
                        tr {
                            td.name { (row.name) }
                            td { (figure(Some(&o.per_year), numbers::plain)) }
                            @for e in [&o.duration_mean, &o.duration_p50, &o.duration_p99, &o.mtbf] {
                                td { (figure(e.as_ref(), numbers::span)) }
                            }
                        }
                    } }
                } }
            }
        }
    }
}

fn requests(outcome: &Outcome) -> Markup {
    let row = |name: &str, c: &RequestCounts| {
        markup! {
            tr {
                td { (name) }
                @for n in [c.issued, c.good, c.degraded, c.failed, c.in_flight] { td.n { (numbers::count(n)) } }
            }
        }
    };
    markup! {
        @if let Some(r) = &outcome.requests {
            details { summary { "Requests counted" }
                p { "Issued = good + degraded + failed + in flight, checked in every simulated stretch." }
                div.scroll { table {
                    thead { tr { th scope="col" { "" } @for name in ["issued", "good", "degraded", "failed", "in flight"] { th.n scope="col" { (name) } } } }
                    tbody { (row("all histories, weighted by time", &r.total)) (row("simulated and counted", &r.simulated)) }
                } }
            }
        }
    }
}

/// By which faults forced branches began.
fn initiators(outcome: &Outcome) -> Markup {
    /// Rows that are shown; the others are in `result.json`.
    const MOST: usize = 12;
    markup! {
        @if let Some(f) = &outcome.run.forcing {
            details { summary { "Where forced outages begin" }
                p { (method::diagnosis(f)) }
                div.scroll { table {
                    thead { tr { th scope="col" { "branches that begin with" } @for name in ["branches", "with an outage", "downtime"] { th.n scope="col" { (name) } } } }
                    tbody {
                        @for row in f.initiators.iter().take(MOST) {
                            tr {
                                td { (row.fault.as_deref().unwrap_or("anything else")) }
                                td.n { (numbers::count(row.branches)) }
                                td.n { (numbers::count(row.hits)) }
                                td.n { (numbers::part(row.share)) }
                            }
                        }
                    }
                } }
            }
        }
    }
}

fn run(outcome: &Outcome) -> Markup {
    let run = &outcome.run;
    let facts = [
        ("seed", run.seed.to_string()),
        ("replications", numbers::count(run.replications)),
        ("with requests", numbers::count(run.traffic_replications)),
        ("horizon", numbers::exact_span(run.horizon_s)),
        (
            "slice",
            run.slice_s
                .map_or_else(|| "-".to_owned(), numbers::exact_span),
        ),
        ("requests simulated", numbers::count(run.requests_simulated)),
        ("attempts simulated", numbers::count(run.attempts_simulated)),
        ("requests simulated by", method::engine(run).to_owned()),
        (
            "changes of state simulated",
            numbers::count(run.transitions_simulated),
        ),
        ("regimes sampled", numbers::count(run.regimes)),
        (
            "share of time simulated request by request",
            numbers::part(run.share_simulated),
        ),
        ("structural outages", method::forced(run)),
        ("looks at the verdicts", run.looks.to_string()),
        (
            "complete",
            if run.complete {
                "yes"
            } else {
                "no, interrupted"
            }
            .to_owned(),
        ),
        ("scenario", outcome.hash.clone()),
        ("program", crate::report::ENGINE.to_owned()),
        ("intervals", words::INTERVALS.to_owned()),
    ];
    markup! {
        (initiators(outcome))
        details { summary { "How it was run" }
            div.scroll { table { tbody {
                @for (name, value) in &facts { tr { th scope="row" { (name) } td { (value) } } }
            } } }
        }
    }
}
