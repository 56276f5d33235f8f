//! `summary.md`: the result for a pull request or a step summary, at most 60 KB.

use super::clean::{clean, shortened};
use super::inputs as ranges;
use super::method;
use super::numbers::{self, Printed};
use super::recovery;
use super::words::{self, Loss};
use crate::experiment::outcome::{Estimate, Latency, Outcome, QueueRow, RecoveryEnd, Verdict};
use std::fmt::Write;

/// GitHub refuses step summaries of more than 1 MiB and comments of more than 64 KiB.
pub(super) const LIMIT: usize = 60 * 1024;
/// Rows of a table.
pub(super) const ROWS: usize = 20;
/// Characters of a name or an expression.
const TEXT: usize = 120;

/// The text of `summary.md`.
pub fn markdown(outcome: &Outcome) -> String {
    let outcome = &clean(outcome);
    let mut out = String::new();
    head(&mut out, outcome);
    targets(&mut out, outcome);
    figures(&mut out, outcome);
    causes(&mut out, outcome);
    inputs(&mut out, outcome);
    losses(&mut out, outcome);
    warnings(&mut out, outcome);
    let _ = writeln!(out, "{}\n", method::done(outcome));
    let _ = writeln!(
        out,
        "<sub>Intervals: {}. Scenario `{}`, seed {}, {}.</sub>",
        words::INTERVALS,
        code(&outcome.hash),
        outcome.run.seed,
        super::ENGINE
    );
    // Every table and text above has a limit, so this is far away; a long file is still a file.
    debug_assert!(
        out.len() <= LIMIT,
        "the summary has grown to {} bytes",
        out.len()
    );
    out
}

/// What the ranges of the inputs do.
fn inputs(out: &mut String, outcome: &Outcome) {
    let Some(all) = &outcome.inputs else {
        return;
    };
    let _ = writeln!(out, "Inputs: {}.\n", escaped(&ranges::line(all)));
    for row in outcome.targets.iter().take(ROWS) {
        if let Some(words) = ranges::target(outcome, row) {
            let text = (escaped(&row.expression), escaped(&words));
            let _ = writeln!(out, "- {}: {}", text.0, text.1);
        }
    }
    out.push('\n');
}

/// Text in which nothing is markup, neither for Markdown nor for HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in shortened(text, TEXT).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '!' | '|'
            | '~' | '@' | ':' => {
                // As an entity, because a backslash does not stop links and mentions.
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// Text between back ticks.
fn code(text: &str) -> String {
    text.replace('`', "'")
}

const fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "✅ met",
        Verdict::Missed => "❌ missed",
        Verdict::Undecided => "❔ undecided",
    }
}

fn head(out: &mut String, outcome: &Outcome) {
    let verdict = words::overall(outcome).map_or("Done", mark);
    let _ = writeln!(out, "## {verdict}: {}\n", escaped(&outcome.name));
    if !outcome.run.complete {
        let _ = writeln!(out, "**Partial result: the run was interrupted.**\n");
    }
    let _ = writeln!(out, "{}.\n", words::verdict_count(outcome));
}

fn targets(out: &mut String, outcome: &Outcome) {
    if outcome.targets.is_empty() {
        return;
    }
    out.push_str("| verdict | target | measured | interval | margin |\n|---|---|---|---|---|\n");
    let order = [Verdict::Missed, Verdict::Undecided, Verdict::Met];
    let rows = order
        .iter()
        .flat_map(|v| outcome.targets.iter().filter(move |r| r.verdict == *v));
    for row in rows.take(ROWS) {
        let Printed { value, interval } = words::measured(row);
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            mark(row.verdict),
            escaped(&row.expression),
            escaped(&value),
            escaped(&interval),
            words::margin(row)
        );
    }
    more(out, outcome.targets.len(), 5);
    out.push('\n');
    let mut noted = false;
    let judged = outcome.targets.iter().filter(|row| row.periods.is_some());
    for row in judged.take(ROWS) {
        let words = words::periods(row, outcome);
        let _ = writeln!(out, "- {}: {}", escaped(&row.expression), escaped(&words));
        noted = true;
    }
    if noted {
        out.push('\n');
    }
}

/// A last row that counts what was left out.
fn more(out: &mut String, all: usize, columns: usize) {
    if all > ROWS {
        let _ = writeln!(
            out,
            "| and {} more {}",
            all - ROWS,
            "| ".repeat(columns - 1) + "|"
        );
    }
}

fn row(out: &mut String, name: &str, printed: &Printed) {
    let _ = writeln!(
        out,
        "| {name} | {} | {} |",
        escaped(&printed.value),
        escaped(&printed.beside())
    );
}

fn figures(out: &mut String, outcome: &Outcome) {
    out.push_str("| figure | value | 95 % interval |\n|---|---|---|\n");
    let a = &outcome.availability;
    for (name, e) in [
        ("availability of requests", a.request.as_ref()),
        (
            "availability of requests, complete answers only",
            a.full.as_ref(),
        ),
        ("availability by time", a.time.as_ref()),
        ("structural availability", Some(&a.structural)),
    ] {
        if let Some(e) = e {
            row(out, name, &numbers::share(e));
        }
    }
    let structural = (
        &outcome.structural_downtime,
        &outcome.structural_outages,
        "structural ",
    );
    let (downtime, outages, prefix) = match (&outcome.downtime, &outcome.outages) {
        (Some(d), Some(o)) => (d, o, ""),
        _ => structural,
    };
    let mut one = |name: &str, e: Option<&Estimate>, print: fn(&Estimate) -> Printed| {
        if let Some(e) = e {
            row(out, &format!("{prefix}{name}"), &print(e));
        }
    };
    one(
        "downtime, mean",
        Some(&downtime.mean),
        numbers::span_per_year,
    );
    one(
        "downtime that is planned, mean",
        words::planned_downtime(outcome),
        numbers::span_per_year,
    );
    one(
        "downtime, p90 of histories",
        downtime.p90.as_ref(),
        numbers::span_per_year,
    );
    one(
        "downtime, p99 of histories",
        downtime.p99.as_ref(),
        numbers::span_per_year,
    );
    one("outages", Some(&outages.per_year), numbers::per_year);
    one(
        "outage, mean duration",
        outages.duration_mean.as_ref(),
        numbers::span,
    );
    let stores = outcome.services.iter();
    let stores = stores.filter_map(|row| Some((&row.name, row.recovery.as_ref()?)));
    for (name, found) in stores.take(ROWS) {
        let name = escaped(name);
        let end = recovery::recovery_end(found.ends);
        let up_to = |word: &str| format!("recovery of the leader up to {end}, {word}");
        let (mean, p99) = (up_to("mean"), up_to("p99"));
        let felt = found.ends == RecoveryEnd::FirstAnswer;
        let led = found.lead.mean.as_ref().filter(|_| felt);
        let spans = [
            (mean.as_str(), found.time.mean.as_ref()),
            (p99.as_str(), found.time.p99.as_ref()),
            ("to a member that leads, mean", led),
            (
                "writes lost, mean",
                found.loss.as_ref().and_then(|it| it.mean.as_ref()),
            ),
            (
                "writes lost, p99",
                found.loss.as_ref().and_then(|it| it.p99.as_ref()),
            ),
        ];
        row(
            out,
            &format!("{name}: leaders lost"),
            &numbers::per_year(&found.per_year),
        );
        for (word, e) in spans {
            if let Some(e) = e {
                row(out, &format!("{name}: {word}"), &numbers::span(e));
            }
        }
    }
    if let Some(l) = &outcome.latency {
        latency(out, l);
    }
    for queue in outcome.queues.iter().take(ROWS) {
        messages(out, queue);
    }
    for users in outcome.users.iter().take(ROWS) {
        if let Some(lost) = &users.lost_demand {
            let name = format!("demand of {} lost by waiting", escaped(&users.name));
            row(out, &name, &numbers::share(lost));
        }
    }
    if let Some(bill) = &outcome.cost {
        let _ = writeln!(out, "| cost | {} | |", escaped(&words::cost(bill)));
    }
    out.push('\n');
}

/// What became of the messages of a queue.
fn messages(out: &mut String, queue: &QueueRow) {
    let name = escaped(&queue.name);
    let mut one = |word: &str, e: Option<&Estimate>, print: fn(&Estimate) -> Printed| {
        if let Some(e) = e {
            row(out, &format!("{name}: {word}"), &print(e));
        }
    };
    let time = queue.time.as_ref();
    one("message done, p50", time.map(|l| &l.p50), numbers::span);
    one("message done, p99", time.map(|l| &l.p99), numbers::span);
    one("dead letters", queue.dead.as_ref(), numbers::share);
    one("messages lost", queue.lost.as_ref(), numbers::share);
    one("refused, full", queue.full.as_ref(), numbers::share);
    one("backlog, mean", queue.backlog_mean.as_ref(), numbers::plain);
}

fn latency(out: &mut String, l: &Latency) {
    for (name, e) in [("p50", &l.p50), ("p99", &l.p99), ("p99.9", &l.p999)] {
        row(
            out,
            &format!("latency, {name} of answered requests"),
            &numbers::span(e),
        );
    }
}

fn causes(out: &mut String, outcome: &Outcome) {
    for loss in [Loss::Requests, Loss::Downtime, Loss::Structural] {
        let ranking = words::ranking(outcome, loss);
        if ranking.shares.is_empty() || (loss == Loss::Structural && outcome.requests.is_some()) {
            continue;
        }
        let _ = writeln!(out, "| share of {} | cause |\n|---:|---|", ranking.what);
        for (row, share) in ranking.shares.iter().take(ROWS / 2) {
            let _ = writeln!(
                out,
                "| {} | {} |",
                escaped(&numbers::part(*share)),
                escaped(&words::cause(row))
            );
        }
        let rest = &ranking.shares[ranking.shares.len().min(ROWS / 2)..];
        if !rest.is_empty() {
            let share: f64 = rest.iter().map(|(_, share)| share).sum();
            let other = numbers::plural(rest.len() as u64, "other cause");
            let _ = writeln!(out, "| {} | {other} |", escaped(&numbers::part(share)));
        }
        out.push('\n');
    }
}

/// The worst of what single losses at the busiest time do.
fn losses(out: &mut String, outcome: &Outcome) {
    let Some(at) = outcome.at_peak.as_ref().filter(|at| !at.losses.is_empty()) else {
        return;
    };
    let _ = writeln!(
        out,
        "| single loss at {} | requests lost | latency p99 | busiest pools |\n|---|---|---|---|",
        words::time_of_week(at.busiest_s)
    );
    let nothing = [("nothing".to_owned(), &at.healthy)];
    let worst = at.losses.iter().take(ROWS / 2).map(|row| {
        let more = match row.alike.len() {
            0 => String::new(),
            n => format!(" or one of {n} alike"),
        };
        (format!("{}{more}", row.part), &row.left)
    });
    for (name, left) in nothing.into_iter().chain(worst) {
        let lost = left
            .lost
            .as_ref()
            .map_or_else(Printed::absent, numbers::share);
        let p99 = left.latency_p99.as_ref();
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            escaped(&name),
            escaped(&lost.to_string()),
            escaped(&p99.map_or_else(Printed::absent, numbers::span).value),
            escaped(&words::busiest_pools(left, 2))
        );
    }
    more(out, at.losses.len() + ROWS / 2, 4);
    out.push('\n');
}

fn warnings(out: &mut String, outcome: &Outcome) {
    if outcome.warnings.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "**{}**\n",
        numbers::plural(outcome.warnings.len() as u64, "warning")
    );
    for text in outcome.warnings.iter().take(ROWS) {
        let _ = writeln!(out, "- {}", escaped(text));
    }
    if outcome.warnings.len() > ROWS {
        let _ = writeln!(out, "- and {} more", outcome.warnings.len() - ROWS);
    }
    out.push('\n');
}
