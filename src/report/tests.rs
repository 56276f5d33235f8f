//! What every format promises, on outcomes made by hand.

use super::fixture::{self, HOSTILE};
use super::*;
use crate::experiment::outcome::{Outcome, Verdict};
use serde_json::Value;

fn all() -> [Outcome; 4] {
    [
        fixture::ordinary(),
        fixture::largest(),
        fixture::without_traffic(),
        fixture::without_failures(),
    ]
}

#[test]
fn the_summary_fits_a_terminal() {
    for outcome in all() {
        let path = "reports/".to_owned() + &"deep/".repeat(30) + "report.html";
        let text = summary(&outcome, Some(&path), Style::Plain);
        assert!(text.lines().count() <= 24, "{text}");
        for line in text.lines() {
            assert!(
                clean::columns(line) <= 80,
                "{} columns: {line}",
                clean::columns(line)
            );
            assert_eq!(line, line.trim_end());
        }
        assert!(text.ends_with("report.html\n"));
    }
}

#[test]
fn the_verdict_comes_first() {
    let text = summary(&fixture::ordinary(), None, Style::Plain);
    assert!(
        text.starts_with("MISSED: 1 of 4 targets missed, 1 undecided, Article site"),
        "{text}"
    );
    let text = summary(&fixture::without_traffic(), None, Style::Plain);
    assert!(text.starts_with("DONE: no target stated"), "{text}");
    assert!(summary(&fixture::largest(), None, Style::Plain).starts_with("PARTIAL (interrupted) "));
}

/// A reader may do without the fourth cause, but not without a target or its bound.
#[test]
fn causes_make_room_for_targets() {
    let mut outcome = fixture::ordinary();
    (outcome.planned_downtime, outcome.cost) = (None, None);
    let expressions = [
        "availability >= 99.9%",
        "structural.availability >= 99.9%",
        "latency.p99 <= 300ms",
        "readers.read.latency.p50 <= 40ms",
        "probability(downtime > 12h) <= 5%",
        "downtime <= 4h",
    ];
    outcome.targets = expressions
        .map(|expression| fixture::target(expression, Verdict::Met))
        .into();
    let text = summary(&outcome, Some("reports/x/report.html"), Style::Plain);
    for expression in expressions {
        assert!(text.contains(expression), "{expression} is not in\n{text}");
    }
    assert!(text.contains("Where failed requests come from"), "{text}");
}

#[test]
fn colour_is_only_where_it_was_asked_for() {
    let outcome = fixture::ordinary();
    assert!(!summary(&outcome, None, Style::Plain).contains('\u{1b}'));
    assert!(!verdicts(&outcome, Style::Plain).contains('\u{1b}'));
    assert!(summary(&outcome, None, Style::Colour).contains("\u{1b}[31;1mMISSED\u{1b}[0m"));
}

#[test]
fn no_text_of_the_file_acts_on_a_terminal() {
    let outcome = fixture::largest();
    let text = summary(&outcome, Some(HOSTILE), Style::Plain) + &verdicts(&outcome, Style::Plain);
    for text in [text, json(&outcome), markdown(&outcome), html(&outcome)] {
        let bad = text.chars().find(|c| *c != '\n' && clean::is_unsafe(*c));
        assert_eq!(bad, None);
    }
}

#[test]
fn no_text_of_the_file_is_markup() {
    let outcome = fixture::largest();
    for (name, text) in files(&outcome) {
        if name == "result.json" {
            continue;
        }
        let scripts = text.matches("<script").count();
        assert_eq!(scripts, usize::from(name == "report.html"), "{name}");
        assert_eq!(text.matches("</script").count(), scripts, "{name}");
        // The data block of the page is JSON, where a quote is escaped in JSON's way.
        let text = text.split("<script").next().unwrap();
        assert!(!text.contains("\" onload="), "{name}");
    }
    let markdown = markdown(&outcome);
    assert!(!markdown.contains("javascript:b)"));
    let raw = markdown.lines().filter(|line| line.contains("red"));
    assert!(raw.clone().count() > 0);
    for line in raw {
        assert!(
            !line.contains(['`', '*', '<']) || line.starts_with("**"),
            "{line}"
        );
    }
}

#[test]
fn the_page_loads_nothing_and_runs_nothing() {
    for outcome in all() {
        let page = html(&outcome);
        assert!(page.contains("default-src 'none'"));
        for word in [
            "src=",
            "href=\"http",
            "url(",
            "@import",
            "<link",
            "<img",
            "<iframe",
            "onclick",
        ] {
            assert!(!page.contains(word), "{word}");
        }
        assert!(page.len() < 1_000_000, "{} bytes", page.len());
    }
}

#[test]
fn the_embedded_result_is_the_result() {
    for outcome in all() {
        let page = html(&outcome);
        let start = page.find("id=\"result\">").unwrap() + "id=\"result\">".len();
        let end = start + page[start..].find("</script>").unwrap();
        let embedded: Value = serde_json::from_str(&page[start..end]).unwrap();
        assert_eq!(
            embedded,
            serde_json::from_str::<Value>(&json(&outcome)).unwrap()
        );
    }
}

/// Start tags must be closed in order; enough of XML for what is written here.
fn assert_balanced(name: &str, text: &str) {
    let mut open = Vec::new();
    for part in text.split('<').skip(1) {
        let tag = part.split('>').next().unwrap();
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed), "{name}");
        } else if !tag.ends_with('/') {
            open.push(tag.split([' ', '\n']).next().unwrap());
        }
    }
    assert!(open.is_empty(), "{name}: {open:?}");
}

#[test]
fn charts_say_what_they_show_and_are_well_formed() {
    for outcome in all() {
        for chart in charts::all(&outcome) {
            for text in [chart.inline(), chart.standalone()] {
                assert_balanced(chart.name, &text);
                assert!(text.contains("role=\"img\" aria-label=\""));
                assert!(text.contains("<title>"), "{} has no tooltip", chart.name);
                assert!(
                    !text.contains("NaN") && !text.contains("inf"),
                    "{}",
                    chart.name
                );
            }
            assert!(
                !chart.title.is_empty() && chart.note.contains("n = "),
                "{}",
                chart.note
            );
            assert!(!chart.table.rows.is_empty());
            for row in &chart.table.rows {
                assert_eq!(row.len(), chart.table.head.len());
            }
        }
    }
    let names: Vec<_> = charts::all(&fixture::ordinary())
        .iter()
        .map(|chart| chart.name)
        .collect();
    let expected = [
        "availability",
        "downtime",
        "causes-requests",
        "causes-downtime",
        "latency",
    ];
    assert_eq!(names, expected);
    let names: Vec<_> = charts::all(&fixture::without_failures())
        .iter()
        .map(|chart| chart.name)
        .collect();
    assert_eq!(names, ["availability", "latency"]);
}

#[test]
fn published_names_of_the_result_are_there() {
    let result: Value = serde_json::from_str(&json(&fixture::ordinary())).unwrap();
    for path in [
        "/format",
        "/scenario/name",
        "/scenario/hash",
        "/run/seed",
        "/run/replications",
        "/run/horizon_s",
        "/run/method",
        "/run/engine",
        "/run/requests_by",
        "/run/complete",
        "/availability/request/value",
        "/availability/full/low",
        "/availability/time/high",
        "/availability/structural/confidence",
        "/downtime_s_per_year/mean/n",
        "/downtime_s_per_year/p50",
        "/downtime_s_per_year/p90",
        "/downtime_s_per_year/p99",
        "/downtime_s_per_year/none",
        "/outages/per_year",
        "/outages/duration_s/mean",
        "/outages/duration_s/p50",
        "/outages/duration_s/p99",
        "/outages/mtbf_s",
        "/outages/mttr_s",
        "/requests/issued",
        "/requests/good",
        "/requests/degraded",
        "/requests/failed",
        "/requests/in_flight",
        "/requests/failed_by_cause",
        "/requests/simulated/issued",
        "/latency_s/mean",
        "/latency_s/p50",
        "/latency_s/p90",
        "/latency_s/p95",
        "/latency_s/p99",
        "/latency_s/p999",
        "/latency_s/largest_seen",
        "/structural/availability",
        "/structural/up_at_end/value",
        "/structural/downtime_s_per_year",
        "/structural/outages_per_year",
        "/structural/mtbf_s",
        "/structural/mttr_s",
        "/services/app/structural/availability/value",
        "/causes/0/fault",
        "/targets/0/expression",
        "/targets/0/verdict",
        "/warnings/0",
    ] {
        assert!(result.pointer(path).is_some(), "{path}");
    }
    assert_eq!(result["format"], 1);
    assert_eq!(result["run"]["method"], "windows");
    assert_eq!(result["targets"][1]["verdict"], "missed");
    assert_eq!(result["targets"][2]["unit"], "latency");
    // An end without a bound, and what was not measured.
    assert_eq!(
        result["causes"][8]["failed_per_million"]["high"],
        Value::Null
    );
    assert_eq!(result["downtime_s_per_year"]["p99"], Value::Null);
    assert_eq!(result["services"]["edge"]["calls"], Value::Null);
}

#[test]
fn without_traffic_the_request_block_is_null() {
    let result: Value = serde_json::from_str(&json(&fixture::without_traffic())).unwrap();
    for name in ["requests", "latency_s", "outages", "downtime_s_per_year"] {
        assert_eq!(result[name], Value::Null, "{name}");
    }
    assert_eq!(result["availability"]["request"], Value::Null);
    assert!(result["structural"]["availability"]["value"].is_number());
}

#[test]
fn the_same_outcome_gives_the_same_bytes() {
    for outcome in all() {
        assert_eq!(files(&outcome), files(&outcome.clone()));
        let text = json(&outcome);
        assert!(text.ends_with("}\n") && !text.contains("\r"));
    }
}

#[test]
fn the_markdown_summary_fits_a_step_summary() {
    for outcome in all() {
        let text = markdown(&outcome);
        assert!(text.len() <= 60 * 1024, "{} bytes", text.len());
    }
    assert!(
        markdown(&fixture::ordinary()).starts_with("## ❌ missed: Article site, three zones\n")
    );
}

#[test]
fn nothing_seen_is_never_printed_as_perfect() {
    let outcome = fixture::without_failures();
    let texts = [
        summary(&outcome, None, Style::Plain),
        markdown(&outcome),
        html(&outcome).split("<script").next().unwrap().to_owned(),
    ];
    for text in texts {
        assert!(
            !text.contains(" 100 % (") && !text.contains(">100 %<"),
            "{text}"
        );
        assert!(
            text.contains("> 99.971 %") || text.contains("&gt; 99.971 %"),
            "{text}"
        );
    }
}

#[test]
fn missed_comes_before_undecided_before_met() {
    let mut outcome = fixture::ordinary();
    assert_eq!(overall(&outcome), Some(Verdict::Missed));
    outcome.targets.retain(|row| row.verdict != Verdict::Missed);
    assert_eq!(overall(&outcome), Some(Verdict::Undecided));
    outcome.targets.retain(|row| row.verdict == Verdict::Met);
    assert_eq!(overall(&outcome), Some(Verdict::Met));
    outcome.targets.clear();
    assert_eq!(overall(&outcome), None);
}

#[test]
fn every_target_has_its_line_in_a_check() {
    let text = verdicts(&fixture::ordinary(), Style::Plain);
    let first = "MISSED     readers.publish.availability >= 99.95%\n           \
        99.920 % (99.910 .. 99.930), 0.03 pp short; decided at 99.17 %\n";
    assert!(text.starts_with(first), "{text}");
    assert_eq!(
        verdicts(&fixture::largest(), Style::Plain).lines().count(),
        2 * 44 + 2
    );
}

/// Leaves the reports under the target directory: `cargo test --lib looked_at -- --ignored`.
#[test]
#[ignore = "writes files for people to look at"]
fn reports_can_be_looked_at() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/looked-at");
    let names = ["ordinary", "largest", "without-traffic", "without-failures"];
    for (name, outcome) in names.into_iter().zip(all()) {
        let dir = root.join(name);
        std::fs::create_dir_all(&dir).unwrap();
        for (file, text) in files(&outcome) {
            std::fs::write(dir.join(file), text).unwrap();
        }
        let text = summary(&outcome, Some("reports/x/report.html"), Style::Plain);
        std::fs::write(
            dir.join("summary.txt"),
            text + &verdicts(&outcome, Style::Plain),
        )
        .unwrap();
    }
}
