//! Latency by percentile, on an axis of nines.

use super::axes::axes;
use super::canvas::{self, BLUE, Chart, Drawn, GREEN, Hits, INK, RED, Table};
use super::scale::Scale;
use crate::experiment::outcome::{Condition, Latency, Outcome};
use crate::report::{numbers, words};
use plotters::series::LineSeries;
use plotters::style::{Color, RGBColor};

const HEIGHT: i32 = 360;

struct Curve<'a> {
    name: &'static str,
    colour: RGBColor,
    latency: &'a Latency,
    points: Vec<(f64, f64)>,
}

fn curve<'a>(name: &'static str, colour: RGBColor, latency: &'a Latency) -> Curve<'a> {
    let points = latency
        .curve
        .iter()
        .copied()
        .filter(|(q, seconds)| (0.0..1.0).contains(q) && *seconds > 0.0 && seconds.is_finite())
        .collect();
    Curve {
        name,
        colour,
        latency,
        points,
    }
}

/// `None` without an answered request.
pub(super) fn chart(outcome: &Outcome) -> Option<Chart> {
    let latency = outcome.latency.as_ref()?;
    let mut curves = vec![curve("all", INK, latency)];
    for (condition, latency) in &outcome.latency_by_condition {
        let colour = match condition {
            Condition::Healthy => BLUE,
            Condition::Failover => RED,
            Condition::Degraded => GREEN,
        };
        curves.push(curve(words::condition(*condition), colour, latency));
    }
    curves.retain(|curve| curve.points.len() > 1);
    if curves.is_empty() {
        return None;
    }
    let value = numbers::brief_span;
    let title = format!(
        "Half of the answers come within {}, 99 % within {}",
        value(&latency.p50),
        value(&latency.p99)
    );
    let note = format!(
        "Latency of answered requests by percentile, both axes logarithmic; n = {} requests; \
         intervals in the table",
        numbers::count(latency.p50.n)
    );
    let head = [
        "requests",
        "mean",
        "p50",
        "p90",
        "p95",
        "p99",
        "p99.9",
        "largest seen",
    ];
    let table = Table {
        head: head.map(str::to_owned).to_vec(),
        rows: curves
            .iter()
            .map(|c| {
                let l = c.latency;
                let mut row = vec![c.name.to_owned()];
                row.extend(
                    [&l.mean, &l.p50, &l.p90, &l.p95, &l.p99, &l.p999]
                        .map(|e| numbers::span(e).to_string()),
                );
                row.push(numbers::exact_span(l.largest_seen));
                row
            })
            .collect(),
    };
    Some(Chart::draw(
        "latency",
        title,
        note,
        table,
        HEIGHT,
        |canvas, hits| draw(canvas, hits, &curves),
    ))
}

fn draw(canvas: &canvas::Canvas<'_>, hits: &mut Hits, curves: &[Curve<'_>]) -> Drawn {
    let entries: Vec<_> = curves
        .iter()
        .map(|c| (c.colour, c.name.to_owned()))
        .collect();
    let all = || curves.iter().flat_map(|c| c.points.iter());
    let most = all().map(|p| p.0).fold(0.9, f64::max);
    let low = all().map(|p| p.1).fold(f64::INFINITY, f64::min);
    let high = all().map(|p| p.1).fold(0.0, f64::max);
    let (x, y) = (Scale::nines(0.0, most), Scale::times(low, high));
    let caption = "share of requests answered at least as fast";
    let mut chart = axes(canvas, &entries, (x, y), (HEIGHT, 40), caption)?;
    // All requests last, so that their line is never hidden by the commonest condition's.
    for curve in curves.iter().rev() {
        let width = if curve.name == "all" { 2 } else { 3 };
        let points = curve.points.iter().copied();
        chart.draw_series(LineSeries::new(points, curve.colour.stroke_width(width)))?;
        let step = curve.points.len().div_ceil(40).max(1);
        for &(q, seconds) in curve.points.iter().step_by(step) {
            let tooltip = format!(
                "{}: {} of requests within {}",
                curve.name,
                numbers::exact_share(q),
                numbers::exact_span(seconds)
            );
            hits.point(chart.backend_coord(&(q, seconds)), &tooltip);
        }
    }
    Ok(())
}
