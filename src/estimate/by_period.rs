//! The pieces of replications, windows and quiet stretches, handed to the targets on periods.

use super::group::GroupRunner;
use super::met::Met;
use super::outages::OutageRecord;
use super::periods::{Periods, RequestCount, RequestPeriods};
use super::windows::Piece;
use crate::model::Source;
use std::collections::BTreeMap;

impl GroupRunner<'_> {
    /// Judges the periods of all replications of the group. Returns (failed, sampled) requests of the
    /// regime whose failing share is left open, by view; zero if there is none.
    pub(super) fn periods(
        &self,
        paths: &[Vec<Piece>],
        met: &BTreeMap<(u64, u64), Met>,
        planned: &[bool],
        outages: &mut OutageRecord,
        found: &mut [Option<RequestPeriods>],
    ) -> Vec<(f64, f64)> {
        let plan = self.plan;
        let periods = |source| Periods::new(self.system, source, plan.from, plan.to);
        let mut slices = periods(Source::Slices);
        let mut requests = periods(Source::Requests);
        if slices.is_empty() && requests.is_empty() {
            return Vec::new();
        }
        let calm = calm(met);
        let first = plan.slice_index(plan.from);
        let slice = plan.traffic.slice.as_nanos();
        // The instant at which a slice of the horizon begins.
        let instant = |index: u64| plan.from.as_nanos() + index.saturating_sub(first) * slice;
        for pieces in paths {
            slices.begin();
            requests.begin();
            // Share of bad slices right before a piece, and whether it is planned: what slices without
            // a request copy.
            let mut last = (0.0, false);
            for piece in pieces {
                match piece {
                    Piece::Window(seen) => {
                        let known = (seen.first + seen.copies).min(seen.end);
                        if known > seen.first && last.0 > 0.0 {
                            let (from, to) = (instant(seen.first), instant(known));
                            slices.push_bad(from, to, last.0, last.1);
                        }
                        if known < seen.end {
                            let run = seen.runs_by_cause.last();
                            let run = run.filter(|run| run.end == seen.end);
                            last = run.map_or((0.0, false), |run| (1.0, planned[run.cause]));
                        }
                        for run in &seen.runs_by_cause {
                            let (from, to) = (instant(run.first), instant(run.end));
                            slices.push_bad(from, to, 1.0, planned[run.cause]);
                        }
                        let all = std::iter::once(&seen.bins).chain(&seen.views);
                        for (view, bins) in all.enumerate() {
                            for bin in bins {
                                let count = RequestCount {
                                    ended: bin.ended as f64,
                                    failed: bin.failed as f64,
                                    planned: bin.planned as f64,
                                    open: 0.0,
                                };
                                let (from, to) = (instant(bin.first), instant(bin.end));
                                requests.push_requests(view, from, to, count);
                            }
                        }
                    }
                    Piece::Quiet(quiet) => {
                        let met = &met[&quiet.key];
                        let (from, to) = (quiet.from.as_nanos(), quiet.to.as_nanos());
                        let is_planned = planned[met.cause(quiet)];
                        if met.slices.judged > 0 {
                            last = (met.slices.share(), is_planned);
                        }
                        if last.0 > 0.0 {
                            slices.push_bad(from, to, last.0, last.1);
                        }
                        if requests.is_empty() {
                            continue;
                        }
                        let open = calm == Some(quiet.key.0);
                        let bursts = &quiet.regime.bursts;
                        for (index, view) in self.views.iter().enumerate() {
                            let ended = view.expected(self.system, quiet.from, quiet.to, bursts);
                            let failing = met.sampled.get(index).map_or(0.0, |row| row.failing);
                            let failed = if open { 0.0 } else { ended * failing };
                            let count = RequestCount {
                                ended,
                                failed,
                                planned: if is_planned { failed } else { 0.0 },
                                open: if open { ended } else { 0.0 },
                            };
                            requests.push_requests(index, from, to, count);
                        }
                    }
                }
            }
            slices.end(|target, judged| {
                outages.periods[target].push(judged.over as f64, judged.periods as f64);
            });
            requests.end(|target, judged| {
                if let Some(row) = &mut found[target] {
                    row.push(judged);
                }
            });
        }
        if requests.is_empty() {
            return Vec::new();
        }
        let of_view = |view: usize| {
            let (mut failed, mut expected, mut sampled) = (0.0, 0.0, 0.0);
            for (_, met) in met.iter().filter(|(key, _)| Some(key.0) == calm) {
                let Some(row) = met.sampled.get(view) else {
                    continue;
                };
                failed += row.failing * row.expected;
                expected += row.expected;
                sampled += row.sampled;
            }
            if expected > 0.0 {
                (failed / expected * sampled, sampled)
            } else {
                (0.0, 0.0)
            }
        };
        (0..self.views.len()).map(of_view).collect()
    }
}

/// The regime with the most expected requests in quiet time.
fn calm(met: &BTreeMap<(u64, u64), Met>) -> Option<u64> {
    let mut weights: BTreeMap<u64, f64> = BTreeMap::new();
    for (key, met) in met {
        *weights.entry(key.0).or_default() += met.weight();
    }
    let most = |a: &(&u64, &f64), b: &(&u64, &f64)| a.1.total_cmp(b.1).then(b.0.cmp(a.0));
    weights.iter().max_by(most).map(|(&key, _)| key)
}
