//! How a run was carried out, in `result.json`.

use super::{ENGINE, Json, estimate, method_name};
use crate::experiment::outcome::{Estimate, ForcingFacts, InitiatorRow, Outcome, WarmUpFacts};

pub(super) fn run(o: &Outcome) -> Json {
    let run = &o.run;
    Json::object([
        ("seed", Json::integer(run.seed)),
        ("replications", Json::integer(run.replications)),
        (
            "traffic_replications",
            Json::integer(run.traffic_replications),
        ),
        ("horizon_s", Json::number(run.horizon_s)),
        ("method", Json::text(method_name(run.method))),
        ("engine", Json::text(ENGINE)),
        (
            "requests_by",
            run.arrival_driven.map_or(Json::Null, |arrivals| {
                Json::text(if arrivals { "arrivals" } else { "events" })
            }),
        ),
        ("complete", Json::Bool(run.complete)),
        ("steady", Json::Bool(run.steady)),
        ("slice_s", run.slice_s.map_or(Json::Null, Json::number)),
        ("bad_below", Json::number(run.bad_below)),
        (
            "simulated",
            Json::object([
                ("requests", Json::integer(run.requests_simulated)),
                ("attempts", Json::integer(run.attempts_simulated)),
                ("transitions", Json::integer(run.transitions_simulated)),
                ("regimes", Json::integer(run.regimes)),
                ("share_of_time", Json::number(run.share_simulated)),
                ("unsettled_windows", Json::integer(run.unsettled_windows)),
                ("unsettled_mean_s", Json::number(run.unsettled_mean_s)),
                ("bounded_histories", Json::integer(run.bounded_histories)),
                ("lent_histories", Json::integer(run.lent_histories)),
                (
                    "late_probes",
                    run.late_probes.map_or(Json::Null, |late| {
                        Json::object([
                            ("failed", Json::integer(late.failed)),
                            (
                                "left_out_in_samples",
                                Json::integer(late.left_out_in_samples),
                            ),
                            ("windows", Json::integer(late.windows)),
                            ("share_of_time", Json::number(late.share_of_time)),
                        ])
                    }),
                ),
            ]),
        ),
        ("warm_up", run.warm_up.as_ref().map_or(Json::Null, warm_up)),
        ("forcing", run.forcing.as_ref().map_or(Json::Null, forcing)),
        ("looks", Json::integer(run.looks.into())),
    ])
}

fn initiator(row: &InitiatorRow) -> Json {
    Json::object([
        ("fault", row.fault.as_deref().map_or(Json::Null, Json::text)),
        ("branches", Json::integer(row.branches)),
        ("hits", Json::integer(row.hits)),
        ("share", Json::number(row.share)),
    ])
}

fn forcing(f: &ForcingFacts) -> Json {
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

fn warm_up(facts: &WarmUpFacts) -> Json {
    let seconds = |secs: Option<f64>| secs.map_or(Json::Null, Json::number);
    let missing = |pool: &Option<String>| pool.as_deref().map_or(Json::Null, Json::text);
    let slow = facts.slow.iter().map(|row| {
        Json::object([
            ("missing", missing(&row.missing)),
            ("more_than_s", Json::number(row.more_than_s)),
        ])
    });
    Json::object([
        ("used_s", Json::number(facts.used_s)),
        ("formula_s", Json::number(facts.formula_s)),
        ("pairs", Json::integer(facts.pairs)),
        ("mean_s", seconds(facts.mean_s)),
        ("largest_s", seconds(facts.largest_s)),
        ("missing", missing(&facts.missing)),
        ("measured", Json::integer(facts.measured)),
        ("unknown", Json::integer(facts.unknown)),
        ("slow", Json::list(slow)),
        ("too_short", Json::Bool(facts.too_short)),
    ])
}
