//! Where failed requests or downtime come from: one bar for each fault, cut into phases.

use super::canvas::{
    self, BLUE, Chart, Drawn, GREEN, GREY, Hits, INK, ORANGE, PURPLE, RED, Table, label, legend,
    text,
};
use crate::experiment::outcome::Outcome;
use crate::path::Phase;
use crate::report::clean::abbreviated;
use crate::report::words::{self, Loss};
use crate::report::{numbers, words::Ranking};
use plotters::element::Rectangle;
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, RGBColor};

const ROW: i32 = 30;
const LEFT: i32 = 190;
const RIGHT: i32 = 90;
/// Faults that get a bar; the rest share one.
const BARS: usize = 10;

struct Part {
    phase: Option<Phase>,
    share: f64,
}

struct Bar {
    name: String,
    parts: Vec<Part>,
}

impl Bar {
    fn share(&self) -> f64 {
        self.parts.iter().map(|part| part.share).sum()
    }
}

const fn colour(phase: Option<Phase>) -> RGBColor {
    match phase {
        Some(Phase::Detect) => RED,
        Some(Phase::Decide) => ORANGE,
        Some(Phase::Promote) => PURPLE,
        Some(Phase::Converge) => BLUE,
        Some(Phase::Repair) => GREY,
        Some(Phase::WarmUp) => GREEN,
        None => INK,
    }
}

fn word(phase: Option<Phase>) -> &'static str {
    phase.map_or("no fault", Phase::word)
}

/// Bars by fault, longest first; phases in their order.
fn bars(ranking: &Ranking<'_>) -> Vec<Bar> {
    let mut bars: Vec<Bar> = Vec::new();
    for (row, share) in &ranking.shares {
        let part = Part {
            phase: row.phase,
            share: *share,
        };
        match bars.iter_mut().find(|bar| bar.name == row.fault) {
            Some(bar) => bar.parts.push(part),
            None => bars.push(Bar {
                name: row.fault.clone(),
                parts: vec![part],
            }),
        }
    }
    for bar in &mut bars {
        bar.parts.sort_by_key(|part| part.phase);
    }
    bars.sort_by(|a, b| {
        b.share()
            .total_cmp(&a.share())
            .then_with(|| a.name.cmp(&b.name))
    });
    if bars.len() > BARS {
        let rest = bars.split_off(BARS - 1);
        let mut other = Bar {
            name: format!("{} others", rest.len()),
            parts: Vec::new(),
        };
        for part in rest.into_iter().flat_map(|bar| bar.parts) {
            match other.parts.iter_mut().find(|p| p.phase == part.phase) {
                Some(p) => p.share += part.share,
                None => other.parts.push(part),
            }
        }
        other.parts.sort_by_key(|part| part.phase);
        bars.push(other);
    }
    bars
}

/// `None` if nothing was lost.
pub(super) fn chart(outcome: &Outcome, loss: Loss) -> Option<Chart> {
    let ranking = words::ranking(outcome, loss);
    let bars = bars(&ranking);
    let first = bars.first()?;
    let name = match loss {
        Loss::Requests => "causes-requests",
        Loss::Downtime => "causes-downtime",
        Loss::Structural => "causes-structural",
    };
    let title = format!(
        "{} {} {} of {}",
        first.name,
        if first.name.ends_with("others") {
            "cost"
        } else {
            "costs"
        },
        numbers::part(first.share()),
        ranking.what
    );
    let n = ranking.shares.first().and_then(|(row, _)| match loss {
        Loss::Requests => row.failed_per_million.map(|e| e.n),
        Loss::Downtime => row.downtime_s_per_year.map(|e| e.n),
        Loss::Structural => Some(row.structural_downtime_s_per_year.n),
    });
    let note = format!(
        "Share of {} by fault and phase; each has exactly one cause, so shares add up to 100 %; \
         n = {}; intervals in the appendix",
        ranking.what,
        numbers::count(n.unwrap_or(0))
    );
    let rows = bars.iter().flat_map(|bar| {
        bar.parts.iter().map(|part| {
            vec![
                bar.name.clone(),
                word(part.phase).to_owned(),
                numbers::part(part.share),
            ]
        })
    });
    let table = Table {
        head: vec![
            "cause".to_owned(),
            "phase".to_owned(),
            format!("share of {}", ranking.what),
        ],
        rows: rows.collect(),
    };
    let phases: Vec<Option<Phase>> = Phase::ALL
        .into_iter()
        .map(Some)
        .chain([None])
        .filter(|phase| {
            bars.iter()
                .any(|bar| bar.parts.iter().any(|part| part.phase == *phase))
        })
        .collect();
    let top = 56;
    let height = top + ROW * bars.len() as i32 + 6;
    Some(Chart::draw(
        name,
        title,
        note,
        table,
        height,
        |canvas, hits| {
            let entries: Vec<_> = phases
                .iter()
                .map(|p| (colour(*p), word(*p).to_owned()))
                .collect();
            legend(canvas, (12, 8), &entries)?;
            draw(canvas, hits, &bars, top)
        },
    ))
}

fn draw(canvas: &canvas::Canvas<'_>, hits: &mut Hits, bars: &[Bar], top: i32) -> Drawn {
    let longest = bars
        .iter()
        .map(Bar::share)
        .fold(f64::MIN_POSITIVE, f64::max);
    let scale = f64::from(canvas::WIDTH - LEFT - RIGHT) / longest;
    let names = text(&INK, HPos::Right, VPos::Center);
    let shares = text(&INK, HPos::Left, VPos::Center);
    for (i, bar) in bars.iter().enumerate() {
        let y = top + ROW * i as i32;
        let middle = y + ROW / 2;
        label(
            canvas,
            &abbreviated(&bar.name, 25),
            (LEFT - 10, middle),
            &names,
        )?;
        let mut from = 0.0;
        for part in &bar.parts {
            let (x0, x1) = (
                LEFT + (from * scale) as i32,
                LEFT + ((from + part.share) * scale) as i32,
            );
            from += part.share;
            if x1 > x0 {
                let area = [(x0, y + 5), (x1, y + ROW - 5)];
                canvas.draw(&Rectangle::new(area, colour(part.phase).filled()))?;
                let tooltip = format!(
                    "{}, {}: {}",
                    bar.name,
                    word(part.phase),
                    numbers::part(part.share)
                );
                hits.area(area[0], area[1], &tooltip);
            }
        }
        let end = LEFT + (from * scale) as i32;
        label(
            canvas,
            &numbers::part(bar.share()),
            (end + 8, middle),
            &shares,
        )?;
        hits.area(
            (0, y),
            (LEFT, y + ROW),
            &format!("{}: {}", bar.name, numbers::part(bar.share())),
        );
    }
    Ok(())
}
