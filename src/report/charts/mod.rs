//! Charts as SVG: each says its message in the title, and carries its data as a table.
//!
//! Text and lines take the colour of the text around them, the background is transparent, and the
//! other colours have enough contrast on white and on near-black and differ for the colour-blind
//! (after Okabe and Ito 2008); shape, order or a label always says the same.

mod availability;
mod axes;
mod canvas;
mod causes;
pub(super) mod differences;
mod exceedance;
mod latency;
mod scale;

pub use canvas::{Chart, Table};

use super::clean::clean;
use super::words::Loss;
use crate::experiment::outcome::Outcome;

/// All charts that the outcome has data for, in the order of the report.
pub fn all(outcome: &Outcome) -> Vec<Chart> {
    let outcome = &clean(outcome);
    let losses: &[Loss] = if outcome.requests.is_some() {
        &[Loss::Requests, Loss::Downtime]
    } else {
        &[Loss::Structural]
    };
    let mut charts = vec![availability::chart(outcome)];
    charts.extend(exceedance::chart(outcome));
    charts.extend(
        losses
            .iter()
            .filter_map(|&loss| causes::chart(outcome, loss)),
    );
    charts.extend(latency::chart(outcome));
    charts
}
