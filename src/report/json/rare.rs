//! How what is rare was found, as JSON.

use super::{Json, estimate};
use crate::experiment::outcome::{Estimate, ForcingFacts, InitiatorRow, SplittingFacts};

fn initiator(row: &InitiatorRow) -> Json {
    Json::object([
        ("fault", row.fault.as_deref().map_or(Json::Null, Json::text)),
        ("branches", Json::integer(row.branches)),
        ("hits", Json::integer(row.hits)),
        ("share", Json::number(row.share)),
    ])
}

/// Structural outages.
pub(super) fn forcing(f: &ForcingFacts) -> Json {
    let share = |share: Option<f64>| share.map_or(Json::Null, Json::number);
    let mut facts = vec![
        ("branches", Json::integer(f.branches)),
        ("forced", Json::integer(f.forced)),
        ("hits", Json::integer(f.hits)),
        ("mean_weight", Json::number(f.mean_weight)),
        ("mean_weight_z", Json::number(f.mean_weight_z)),
        ("effective_share", share(f.effective_share)),
        ("largest_share", share(f.largest_share)),
        ("natural_hits", Json::integer(f.natural_hits)),
        ("expected_hits", Json::number(f.expected_hits)),
        ("durations_z", Json::number(f.durations_z)),
        ("error_ratio", share(f.error_ratio)),
        ("initiators", Json::list(f.initiators.iter().map(initiator))),
    ];
    if f.raised > 0 {
        facts.push(("demands_raised", Json::integer(f.raised)));
    }
    if let Some(f) = &f.injected {
        let injected = Json::object([
            ("branches", Json::integer(f.branches)),
            ("hits", Json::integer(f.hits)),
            ("mean_weight", Json::number(f.mean_weight)),
            ("mean_weight_z", Json::number(f.mean_weight_z)),
            ("effective_share", share(f.effective_share)),
            ("largest_share", share(f.largest_share)),
        ]);
        facts.push(("injected", injected));
    }
    if let Some(parts) = &f.parts {
        let both = |(plain, forced): &(Estimate, Estimate)| {
            Json::object([("plain", estimate(plain)), ("forced", estimate(forced))])
        };
        let requests = Json::object([
            ("failed_share", both(&parts.failed)),
            ("downtime_s_per_year", both(&parts.downtime_s_per_year)),
        ]);
        facts.push(("requests", requests));
    }
    Json::object(facts)
}

/// Requests that fail of load.
pub(super) fn splitting(f: &SplittingFacts) -> Json {
    Json::object([
        ("regimes", Json::integer(f.regimes)),
        ("levels", Json::integer(f.levels)),
        ("roots", Json::integer(f.roots)),
        ("retrials", Json::integer(f.retrials)),
        ("changes", Json::integer(f.changes)),
        ("hits", Json::integer(f.hits)),
        ("effective_hits", Json::number(f.effective_hits)),
        ("given_up", Json::integer(f.given_up)),
        ("unsplit", Json::integer(f.unsplit)),
    ])
}
