//! Message queues: which method suits them, and what became of their messages.

use super::RunError;
use super::figures::Figures;
use super::outcome::QueueRow;
use crate::estimate::{QueueFold, Sums};
use crate::model::{Queue, System};

const CONFIDENCE: f64 = 0.95;

/// Refuses samples of quiet time where the backlog of an outage may last for hours.
pub(super) fn check(system: &System) -> Result<(), RunError> {
    let Some(queue) = system.queues.iter().next() else {
        return Ok(());
    };
    Err(RunError::Unsuitable {
        line: None,
        message: format!(
            "`windows` samples quiet time, and the messages of `{}` remember an outage for as long \
             as it takes to work them off",
            system.pools[queue.pool].name
        ),
        help:
            "use `--method exact` with a shorter horizon, fewer replications or a lower rate, or \
               `--method none` for structural figures only"
                .into(),
    })
}

/// What became of the messages of each queue.
pub(super) fn rows(figures: &Figures<'_>) -> Vec<QueueRow> {
    let Some(traffic) = &figures.record.traffic else {
        return Vec::new();
    };
    let row = |(queue, fold): (&Queue, &QueueFold)| {
        let ratio = |sums: &Sums, largest: f64| {
            let ratio = sums.ratio(largest, CONFIDENCE);
            ratio.map(|ratio| ratio.counted(sums.x.round() as u64))
        };
        QueueRow {
            name: figures.system.pools[queue.pool].name.clone(),
            counts: fold.counts.map(|count| count.round() as u64),
            full: ratio(&fold.full, 1.0),
            delivered: ratio(&fold.delivered, f64::INFINITY),
            redelivered: ratio(&fold.redelivered, f64::INFINITY),
            dead: ratio(&fold.dead, 1.0),
            lost: ratio(&fold.lost, 1.0),
            backlog_mean: fold.held.ratio(f64::INFINITY, CONFIDENCE),
            backlog_largest_seen: fold.most_waiting,
            time: super::summary::latency(&[&fold.latency]),
        }
    };
    figures
        .system
        .queues
        .iter()
        .zip(&traffic.queues)
        .map(row)
        .collect()
}
