//! How a run was carried out, in `result.json`.

use super::rare::{forcing, splitting};
use super::{ENGINE, Json, method_name};
use crate::experiment::outcome::{Outcome, WarmUpFacts};

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
                (
                    "ejections",
                    run.ejections.map_or(Json::Null, |ejections| {
                        Json::object([
                            ("seen", Json::integer(ejections.seen)),
                            ("windows", Json::integer(ejections.windows)),
                            ("share_of_time", Json::number(ejections.share_of_time)),
                        ])
                    }),
                ),
            ]),
        ),
        ("warm_up", run.warm_up.as_ref().map_or(Json::Null, warm_up)),
        ("forcing", run.forcing.as_ref().map_or(Json::Null, forcing)),
        (
            "splitting",
            run.splitting.as_ref().map_or(Json::Null, splitting),
        ),
        ("looks", Json::integer(run.looks.into())),
    ])
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
