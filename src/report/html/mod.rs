//! `report.html`: one page for people who were not there; no network, no script.

mod appendix;
mod inputs;
pub(super) mod parts;
mod peak;
mod recovery;
mod sections;

use super::clean::clean;
use super::{charts, json, words};
use crate::experiment::outcome::Outcome;
use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

/// Nothing is loaded from anywhere, and nothing runs.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

pub(super) const STYLE: &str = include_str!("style.css");

/// The text of `report.html`.
pub fn html(outcome: &Outcome) -> String {
    let result = json::json_for_html(outcome);
    let outcome = &clean(outcome);
    let charts = charts::all(outcome);
    let page = markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (outcome.name) ": availability report" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    (sections::verdict(outcome))
                    (sections::done(outcome))
                    (sections::availability(outcome, &charts))
                    (sections::downtime(outcome, &charts))
                    (sections::outages(outcome))
                    (sections::causes(outcome, &charts))
                    (sections::latency(outcome, &charts))
                    (sections::services(outcome))
                    (sections::connections(outcome))
                    (sections::queues(outcome))
                    (recovery::recovery(outcome))
                    (sections::journeys(outcome))
                    (sections::users(outcome))
                    (peak::at_peak(outcome))
                    (inputs::inputs(outcome))
                    (peak::break_even(outcome))
                    (sections::cost(outcome))
                    (sections::assumptions(outcome))
                    (appendix::appendix(outcome))
                    (footer(outcome))
                }
                // A block of data, which no browser runs.
                script type="application/json" id="result" { (PreEscaped(result)) }
            }
        }
    };
    page.into_string()
}

fn footer(outcome: &Outcome) -> Markup {
    markup! {
        p.soft {
            small {
                (json::ENGINE) " · scenario " code { (outcome.hash) } " · seed " (outcome.run.seed)
                " · intervals: " (words::INTERVALS)
            }
        }
    }
}
