//! What `result.json` says of single losses at the busiest time.

use super::{Json, maybe};
use crate::experiment::outcome::{AtPeak, BreakEven, NeedsRow, PeakState, SingleLoss, Unturned};

/// The fields `peak` and `single_losses`.
pub(super) fn fields(at_peak: Option<&AtPeak>) -> [(&'static str, Json); 2] {
    let Some(at) = at_peak else {
        return [("peak", Json::Null), ("single_losses", Json::Null)];
    };
    let mut fields = vec![
        ("at_s", Json::number(at.busiest_s)),
        ("rate_per_s", Json::number(at.rate)),
    ];
    fields.extend(state(&at.healthy));
    fields.push(("left_out", Json::integer(at.left_out)));
    [
        ("peak", Json::object(fields)),
        ("single_losses", Json::list(at.losses.iter().map(loss))),
    ]
}

/// The field `needs_at_peak`.
pub(super) fn needs(rows: &[NeedsRow]) -> Json {
    Json::list(rows.iter().map(|row| {
        Json::object([
            ("pool", Json::text(&row.pool)),
            ("needs", Json::integer(row.needs.into())),
            ("replicas", Json::integer(row.replicas.into())),
            ("busy_workers", Json::number(row.busy)),
            ("workers", Json::integer(row.workers.into())),
            ("utilisation", Json::number(row.utilisation)),
            ("at_s", Json::number(row.busiest_s)),
        ])
    }))
}

/// One of `targets[].break_even[]`.
pub(super) fn break_even(row: &BreakEven) -> Json {
    Json::object([
        ("input", Json::text(&row.input)),
        ("times_as", Json::text(row.scaled.word())),
        ("met", Json::Bool(row.met)),
        ("factor", row.factor.map_or(Json::Null, Json::number)),
        (
            "between",
            row.between.map_or(Json::Null, |(near, far)| {
                Json::list([Json::number(near), Json::number(far)])
            }),
        ),
        ("tried", Json::number(row.tried)),
        (
            "unturned",
            row.unturned.map_or(Json::Null, |why| {
                Json::text(match why {
                    Unturned::NotYet => "not_yet",
                    Unturned::TooClose => "too_close",
                    Unturned::TooCostly => "too_costly",
                })
            }),
        ),
    ])
}

fn loss(row: &SingleLoss) -> Json {
    let mut fields = vec![
        ("lost", Json::text(&row.part)),
        ("kind", Json::text(&row.kind)),
        (
            "alike",
            Json::list(row.alike.iter().map(|name| Json::text(name))),
        ),
    ];
    fields.extend(state(&row.left));
    Json::object(fields)
}

fn state(left: &PeakState) -> [(&'static str, Json); 4] {
    let utilisation = left
        .utilisation
        .iter()
        .map(|(name, share)| (name.as_str(), share.map_or(Json::Null, Json::number)));
    let down = left.journeys_down.iter().map(|name| Json::text(name));
    [
        ("utilisation", Json::object(utilisation)),
        ("journeys_down", Json::list(down)),
        ("lost_share", maybe(left.lost.as_ref())),
        ("latency_p99_s", maybe(left.latency_p99.as_ref())),
    ]
}
