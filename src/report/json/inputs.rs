//! What `result.json` says of the ranges of a scenario.

use super::Json;
use crate::experiment::outcome::Inputs;

/// The field `inputs`.
pub(super) fn inputs(all: &Inputs) -> Json {
    let ranges = all.ranges.iter().map(|range| {
        Json::object([
            ("field", Json::text(&range.field)),
            ("line", Json::integer(range.line.into())),
            ("low", Json::text(&range.low)),
            ("high", Json::text(&range.high)),
        ])
    });
    let figures = all.figures.iter().map(|figure| {
        let row = Json::object([
            ("low", Json::number(figure.low)),
            ("high", Json::number(figure.high)),
            ("mean", Json::number(figure.mean)),
            ("deviation", Json::number(figure.deviation)),
            ("simulation_error", Json::number(figure.simulation)),
        ]);
        (figure.name, row)
    });
    Json::object([
        ("draws", Json::integer(all.draws.into())),
        ("draws_asked", Json::integer(all.asked.into())),
        ("replications", Json::integer(all.replications)),
        (
            "traffic_replications",
            Json::integer(all.traffic_replications),
        ),
        ("ranges", Json::list(ranges)),
        ("figures", Json::object(figures)),
    ])
}

/// The field `targets[].inputs`.
pub(super) fn target(all: &Inputs, index: usize) -> Json {
    let Some(Some(row)) = all.targets.get(index) else {
        return Json::Null;
    };
    let end = |end: Option<f64>| end.map_or(Json::Null, Json::number);
    Json::object([
        ("low", end(row.ends.map(|ends| ends.0))),
        ("high", end(row.ends.map(|ends| ends.1))),
        ("met_in", Json::integer(row.met.into())),
        ("draws", Json::integer(all.draws.into())),
    ])
}
