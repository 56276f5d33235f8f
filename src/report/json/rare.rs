//! How what is rare was found, as JSON.

use super::Json;
use crate::experiment::outcome::{ForcingFacts, SplittingFacts};

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
    ])
}
