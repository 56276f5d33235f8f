//! Differences with their intervals around a line of no change, one row each.

use super::canvas::{self, Chart, Drawn, GREEN, GREY, Hits, INK, RED, Table, label, text};
use crate::report::clean::abbreviated;
use crate::report::numbers;
use plotters::element::{Circle, PathElement, Polygon};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, RGBColor};

const ROW: i32 = 30;
const LEFT: i32 = 200;
const RIGHT: i32 = 24;
const TOP: i32 = 8;
const BOTTOM: i32 = 40;

/// One row. Ends may be infinite.
#[derive(Clone, Debug)]
pub(in crate::report) struct Row {
    /// What it is.
    pub(in crate::report) name: String,
    /// The difference in units of the axis.
    pub(in crate::report) value: f64,
    /// Lower end of its interval.
    pub(in crate::report) low: f64,
    /// Upper end of its interval.
    pub(in crate::report) high: f64,
    /// Whether it is an improvement; `None` if it is not significant.
    pub(in crate::report) better: Option<bool>,
    /// The difference in words.
    pub(in crate::report) words: String,
}

/// What stands around the rows.
#[derive(Clone, Debug)]
pub(in crate::report) struct Frame {
    /// The stem of its file.
    pub(in crate::report) name: &'static str,
    /// Its message.
    pub(in crate::report) title: String,
    /// Unit, number behind it, intervals.
    pub(in crate::report) note: String,
    /// Unit of the axis, behind its numbers.
    pub(in crate::report) unit: &'static str,
    /// The widest range of the axis on either side.
    pub(in crate::report) most: f64,
}

/// `None` without rows.
pub(in crate::report) fn chart(frame: Frame, rows: &[Row]) -> Option<Chart> {
    if rows.is_empty() {
        return None;
    }
    let table = Table {
        head: ["", "difference", ""].map(str::to_owned).to_vec(),
        rows: rows
            .iter()
            .map(|row| {
                let word = match row.better {
                    Some(true) => "better",
                    Some(false) => "worse",
                    None => "not significant",
                };
                vec![row.name.clone(), row.words.clone(), word.to_owned()]
            })
            .collect(),
    };
    let height = TOP + ROW * rows.len() as i32 + BOTTOM;
    let (unit, most) = (frame.unit, frame.most);
    Some(Chart::draw(
        frame.name,
        frame.title,
        frame.note,
        table,
        height,
        |canvas, hits| draw(canvas, hits, rows, unit, most),
    ))
}

/// Half the width of the axis: what the rows need, within bounds.
fn reach(rows: &[Row], most: f64) -> f64 {
    let values = rows.iter().map(|row| row.value.abs()).fold(0.0, f64::max);
    let ends = rows
        .iter()
        .flat_map(|row| [row.low.abs(), row.high.abs()])
        .filter(|end| end.is_finite())
        .fold(0.0, f64::max);
    // An interval much wider than all values is cut, so that the others can still be seen.
    let needed = if values > 0.0 {
        ends.min(3.0 * values).max(values)
    } else {
        ends
    };
    (1.1 * needed).clamp(f64::MIN_POSITIVE, most)
}

/// A step of 1, 2 or 5 times a power of ten, of which `reach` has two to five.
fn step(reach: f64) -> f64 {
    let power = 10_f64.powf((reach / 2.0).log10().floor());
    let lead = reach / 2.0 / power;
    power
        * if lead >= 5.0 {
            5.0
        } else if lead >= 2.0 {
            2.0
        } else {
            1.0
        }
}

const fn colour(better: Option<bool>) -> RGBColor {
    match better {
        Some(true) => GREEN,
        Some(false) => RED,
        None => GREY,
    }
}

fn draw(
    canvas: &canvas::Canvas<'_>,
    hits: &mut Hits,
    rows: &[Row],
    unit: &str,
    most: f64,
) -> Drawn {
    let reach = reach(rows, most);
    let half = f64::from(canvas::WIDTH - LEFT - RIGHT) / 2.0;
    let zero = f64::from(LEFT) + half;
    let at = |value: f64| (zero + (value / reach).clamp(-1.0, 1.0) * half).round() as i32;
    let bottom = TOP + ROW * rows.len() as i32;
    let step = step(reach);
    let ticks = (reach / step).floor() as i32;
    let ticks_style = text(&INK, HPos::Center, VPos::Top);
    for tick in -ticks..=ticks {
        let value = f64::from(tick) * step;
        let x = at(value);
        let strong = if tick == 0 { 0.7 } else { 0.15 };
        canvas.draw(&PathElement::new(
            [(x, TOP), (x, bottom)],
            INK.mix(strong).stroke_width(if tick == 0 { 2 } else { 1 }),
        ))?;
        let sign = match tick {
            0 => "",
            tick if tick < 0 => "-",
            _ => "+",
        };
        let words = format!("{sign}{}{unit}", numbers::significant(value.abs(), 3));
        label(canvas, &words, (x, bottom + 8), &ticks_style)?;
    }
    let names = text(&INK, HPos::Right, VPos::Center);
    for (index, row) in rows.iter().enumerate() {
        let top = TOP + ROW * index as i32;
        let y = top + ROW / 2;
        let colour = colour(row.better);
        label(canvas, &abbreviated(&row.name, 27), (LEFT - 10, y), &names)?;
        let ends = [row.low, row.high];
        let [x0, x1] = ends.map(at);
        canvas.draw(&PathElement::new(
            [(x0, y), (x1, y)],
            colour.stroke_width(3),
        ))?;
        for (end, x, way) in [(row.low, x0, -1), (row.high, x1, 1)] {
            if end.abs() > reach {
                // It goes on beyond the axis.
                let tip = [(x, y - 6), (x + 8 * way, y), (x, y + 6)];
                canvas.draw(&Polygon::new(tip, colour.filled()))?;
            } else {
                canvas.draw(&PathElement::new(
                    [(x, y - 6), (x, y + 6)],
                    colour.stroke_width(2),
                ))?;
            }
        }
        canvas.draw(&Circle::new((at(row.value), y), 6, colour.filled()))?;
        let tooltip = format!("{}: {}", row.name, row.words);
        hits.area((0, top), (canvas::WIDTH, top + ROW), &tooltip);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_a_few_round_steps() {
        for reach in [0.001, 0.9, 1.0, 3.3, 47.0, 99.0, 1e6] {
            let steps = reach / step(reach);
            assert!((2.0..=5.0).contains(&steps), "{reach}: {steps}");
        }
    }

    #[test]
    fn an_interval_without_end_is_drawn_with_an_arrow() {
        let row = Row {
            name: "a<b".into(),
            value: 1.0,
            low: f64::NEG_INFINITY,
            high: 2.0,
            better: None,
            words: "+1".into(),
        };
        let frame = Frame {
            name: "x",
            title: "t".into(),
            note: "n".into(),
            unit: " %",
            most: 300.0,
        };
        let svg = chart(frame.clone(), &[row]).unwrap().inline();
        assert!(svg.contains("polygon") && svg.contains("a&lt;b") && !svg.contains("a<b"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
        assert!(chart(frame, &[]).is_none());
    }
}
