//! Availability by measure on an axis of nines, with intervals and targets.

use super::canvas::{self, BLUE, Chart, Drawn, GREEN, Hits, INK, RED, Table, label, text};
use super::scale::Scale;
use crate::experiment::outcome::{Estimate, Outcome, TargetRow, Unit};
use crate::report::clean::{abbreviated, shortened};
use crate::report::{numbers, words};
use plotters::chart::ChartBuilder;
use plotters::element::{Circle, PathElement, Polygon};
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

const ROW: i32 = 34;
const LEFT: i32 = 190;
const BOTTOM: i32 = 36;
/// Journeys that get a row.
const JOURNEYS: usize = 8;
/// Targets that get a line.
const TARGETS: usize = 4;

struct Row<'a> {
    name: String,
    estimate: &'a Estimate,
    main: bool,
}

fn rows(outcome: &Outcome) -> Vec<Row<'_>> {
    let a = &outcome.availability;
    let measures = [
        ("requests", a.request.as_ref()),
        ("complete answers", a.full.as_ref()),
        ("time", a.time.as_ref()),
        ("structural", Some(&a.structural)),
    ];
    let mut rows: Vec<Row<'_>> = measures
        .into_iter()
        .filter_map(|(name, e)| {
            Some(Row {
                name: name.to_owned(),
                estimate: e?,
                main: true,
            })
        })
        .collect();
    if outcome.journeys.len() > 1 {
        rows.extend(outcome.journeys.iter().take(JOURNEYS).map(|row| Row {
            name: row.name.clone(),
            estimate: row.availability.as_ref().unwrap_or(&row.structural),
            main: false,
        }));
    }
    rows
}

/// Targets on an availability, which have a place on this axis.
fn targets(outcome: &Outcome) -> Vec<&TargetRow> {
    let mut rows: Vec<_> = outcome
        .targets
        .iter()
        .filter(|row| row.unit == Unit::Share && row.at_least && row.required < 1.0)
        .collect();
    rows.sort_by(|a, b| a.required.total_cmp(&b.required));
    rows.truncate(TARGETS);
    rows
}

pub(super) fn chart(outcome: &Outcome) -> Chart {
    let rows = rows(outcome);
    let targets = targets(outcome);
    let headline = outcome
        .availability
        .request
        .as_ref()
        .unwrap_or(&outcome.availability.structural);
    let title = match &outcome.availability.request {
        Some(e) => format!(
            "{} of requests were answered in time",
            numbers::share(e).value
        ),
        None => format!(
            "{} of the time every journey could be served",
            numbers::share(headline).value
        ),
    };
    let title = if headline.value >= 1.0 {
        "No failure was seen".to_owned()
    } else {
        title
    };
    let note = format!(
        "Availability; bars: {}; n = {} histories; open mark: no failure seen, bound only; \
         green: single journeys",
        words::INTERVALS,
        numbers::count(headline.n)
    );
    let table = Table {
        head: ["measure", "availability", "95 % interval"]
            .map(str::to_owned)
            .to_vec(),
        rows: rows
            .iter()
            .map(|row| {
                let printed = numbers::share(row.estimate);
                vec![row.name.clone(), printed.value, printed.interval]
            })
            .collect(),
    };
    let top = 10 + 20 * targets.len() as i32;
    let height = top + ROW * rows.len() as i32 + BOTTOM;
    Chart::draw(
        "availability",
        title,
        note,
        table,
        height,
        |canvas, hits| draw(canvas, hits, &rows, &targets, top),
    )
}

fn draw(
    canvas: &canvas::Canvas<'_>,
    hits: &mut Hits,
    rows: &[Row<'_>],
    targets: &[&TargetRow],
    top: i32,
) -> Drawn {
    let lows = rows.iter().map(|row| row.estimate.low.max(0.0));
    let highs = rows.iter().map(|row| {
        if row.estimate.high < 1.0 {
            row.estimate.high
        } else {
            row.estimate.value.min(row.estimate.high)
        }
    });
    let bounds = targets.iter().map(|row| row.required);
    let low = lows.chain(bounds.clone()).fold(1.0, f64::min);
    // Room for the arrow of a bound without a value.
    let open = rows
        .iter()
        .filter(|row| row.estimate.value >= 1.0)
        .map(|row| row.estimate.low);
    let open = open.map(|low| 1.0 - (1.0 - low) / 5.0);
    let high = highs
        .chain(bounds)
        .chain(open)
        .filter(|v| *v < 1.0)
        .fold(low, f64::max);
    let scale = Scale::nines(low, high);
    let format = scale.label;
    let n = rows.len() as f64;
    let mut chart = ChartBuilder::on(canvas)
        .margin_top(top)
        .margin_right(30)
        .x_label_area_size(BOTTOM)
        .y_label_area_size(LEFT)
        .build_cartesian_2d(scale, n..0.0)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .y_labels(0)
        .bold_line_style(INK.mix(0.15))
        .light_line_style(INK.mix(0.0))
        .axis_style(INK.mix(0.5))
        .x_label_style(text(&INK, HPos::Center, VPos::Top))
        .x_label_formatter(&|v| format(*v))
        .draw()?;
    for (i, row) in targets.iter().enumerate() {
        let (x, y0) = chart.backend_coord(&(row.required, 0.0));
        let (_, y1) = chart.backend_coord(&(row.required, n));
        let y = 12 + 20 * i as i32;
        let words = shortened(&row.expression, 52);
        // The label stands on the side with more room.
        let right = x < (LEFT + canvas::WIDTH) / 2;
        let side = if right { HPos::Left } else { HPos::Right };
        label(
            canvas,
            &words,
            (if right { x + 6 } else { x - 6 }, y),
            &text(&RED, side, VPos::Center),
        )?;
        dashed(canvas, (x, y - 7), (x, y1))?;
        hits.area(
            (x - 4, y0),
            (x + 4, y1),
            &format!("target: {}", row.expression),
        );
    }
    let names = text(&INK, HPos::Right, VPos::Center);
    for (i, row) in rows.iter().enumerate() {
        let e = row.estimate;
        let at = |v: f64| chart.backend_coord(&(v, i as f64 + 0.5));
        let ((x0, y), (x, _), (x1, _)) = (at(e.low), at(e.value), at(e.high));
        let colour = if row.main { BLUE } else { GREEN };
        label(canvas, &abbreviated(&row.name, 25), (LEFT - 10, y), &names)?;
        canvas.draw(&PathElement::new(
            [(x0, y), (x1, y)],
            colour.stroke_width(3),
        ))?;
        for end in [x0, x1] {
            canvas.draw(&PathElement::new(
                [(end, y - 6), (end, y + 6)],
                colour.stroke_width(2),
            ))?;
        }
        if e.value >= 1.0 {
            canvas.draw(&Polygon::new(
                [(x1, y - 6), (x1 + 9, y), (x1, y + 6)],
                colour.filled(),
            ))?;
            canvas.draw(&Circle::new((x0, y), 6, colour.stroke_width(2)))?;
        } else {
            canvas.draw(&Circle::new((x, y), 6, colour.filled()))?;
        }
        let tooltip = format!("{}: {}", row.name, numbers::share(e));
        hits.area(
            (LEFT - 190, y - ROW / 2),
            (canvas::WIDTH, y + ROW / 2),
            &tooltip,
        );
    }
    Ok(())
}

/// A dashed line downwards.
fn dashed(canvas: &canvas::Canvas<'_>, (x, from): (i32, i32), (_, to): (i32, i32)) -> Drawn {
    let mut y = from;
    while y < to {
        canvas.draw(&PathElement::new(
            [(x, y), (x, (y + 5).min(to))],
            RED.stroke_width(2),
        ))?;
        y += 9;
    }
    Ok(())
}
