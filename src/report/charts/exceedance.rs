//! How likely a year with more than so much downtime is.

use super::axes::axes;
use super::canvas::{self, BLUE, CHARACTER, Chart, Drawn, GREEN, Hits, Table};
use super::scale::Scale;
use crate::experiment::outcome::{Downtime, Outcome};
use crate::report::{numbers, words};
use plotters::series::LineSeries;
use plotters::style::{Color, RGBColor};

const HEIGHT: i32 = 340;
/// Rows of the data table, at most.
const ROWS: usize = 20;

struct Curve<'a> {
    name: &'static str,
    colour: RGBColor,
    downtime: &'a Downtime,
    /// (seconds per year, share of histories with more), the first with all that have any.
    points: Vec<(f64, f64)>,
}

fn curve<'a>(
    name: &'static str,
    colour: RGBColor,
    downtime: &'a Downtime,
    years: f64,
) -> Option<Curve<'a>> {
    let mut points: Vec<(f64, f64)> = downtime
        .exceedance
        .iter()
        .map(|&(seconds, share)| (seconds / years, share))
        .filter(|(seconds, _)| *seconds > 0.0)
        .collect();
    let any = 1.0 - downtime.none.value;
    if let Some(&(first, share)) = points.first()
        && any > share
    {
        points.insert(0, (first, any));
    }
    (!points.is_empty()).then_some(Curve {
        name,
        colour,
        downtime,
        points,
    })
}

/// `None` if there was no downtime in any history.
pub(super) fn chart(outcome: &Outcome) -> Option<Chart> {
    let years = outcome.run.horizon_s / numbers::YEAR_S;
    let curves: Vec<Curve<'_>> = [
        outcome
            .downtime
            .as_ref()
            .and_then(|d| curve("downtime", BLUE, d, years)),
        curve(
            "structural downtime",
            GREEN,
            &outcome.structural_downtime,
            years,
        ),
    ]
    .into_iter()
    .flatten()
    .collect();
    let first = curves.first()?;
    let histories = words::histories(outcome);
    let long = first.downtime.p90.as_ref().filter(|e| e.value > 0.0);
    let title = match long {
        Some(e) => format!(
            "One in ten {histories} has more than {} of {}",
            numbers::span(e).value,
            first.name
        ),
        None => format!(
            "{} of {histories} have no {}",
            numbers::share(&first.downtime.none).value,
            first.name
        ),
    };
    let note = format!(
        "Share of {histories} with more downtime, both axes logarithmic; simulated shares, without \
         interval; n = {}",
        curves
            .iter()
            .map(|c| format!("{} ({})", numbers::count(c.downtime.mean.n), c.name))
            .collect::<Vec<_>>()
            .join(", ")
    );
    let mut rows = Vec::new();
    for curve in &curves {
        let step = curve.points.len().div_ceil(ROWS / curves.len()).max(1);
        rows.extend(curve.points.iter().step_by(step).map(|&(seconds, share)| {
            vec![
                curve.name.to_owned(),
                numbers::exact_span(seconds),
                numbers::exact_share(share),
            ]
        }));
    }
    let head = vec![
        "measure".to_owned(),
        "more than, per year".to_owned(),
        format!("share of {histories}"),
    ];
    let table = Table { head, rows };
    Some(Chart::draw(
        "downtime",
        title,
        note,
        table,
        HEIGHT,
        |canvas, hits| draw(canvas, hits, &curves, histories),
    ))
}

fn draw(
    canvas: &canvas::Canvas<'_>,
    hits: &mut Hits,
    curves: &[Curve<'_>],
    histories: &str,
) -> Drawn {
    let entries: Vec<_> = curves
        .iter()
        .map(|c| (c.colour, c.name.to_owned()))
        .collect();
    let all = || curves.iter().flat_map(|c| c.points.iter());
    let low = all().map(|p| p.0).fold(f64::INFINITY, f64::min);
    let high = all().map(|p| p.0).fold(0.0, f64::max);
    let least = all().map(|p| p.1).filter(|s| *s > 0.0).fold(1.0, f64::min);
    let (x, y) = (Scale::times(low, high), Scale::shares(least, 1.0));
    let floor = y.ends().0;
    let caption = format!("downtime per year (left axis: share of {histories} with more)");
    let mut chart = axes(canvas, &entries, (x, y), (HEIGHT, 30), &caption)?;
    debug_assert!(caption.len() as f64 * CHARACTER < f64::from(canvas::WIDTH));
    for curve in curves {
        // A step down at each point: the share holds until the next longer downtime.
        let mut steps = Vec::new();
        let mut before: Option<f64> = None;
        for &(seconds, share) in &curve.points {
            if let Some(share) = before {
                steps.push((seconds, share));
            }
            steps.push((seconds, share.max(floor)));
            before = Some(share.max(floor));
        }
        chart.draw_series(LineSeries::new(steps, curve.colour.stroke_width(3)))?;
        let step = curve.points.len().div_ceil(40).max(1);
        for &(seconds, share) in curve.points.iter().step_by(step) {
            let tooltip = format!(
                "{}: {} of {histories} have more than {} per year",
                curve.name,
                numbers::exact_share(share),
                numbers::exact_span(seconds)
            );
            hits.point(chart.backend_coord(&(seconds, share.max(floor))), &tooltip);
        }
    }
    Ok(())
}
