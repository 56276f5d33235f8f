//! Downtime as users saw it: bad slices joined into outages over the pieces of a replication.
//!
//! A piece is a window, whose runs of bad slices were seen one by one, or a quiet stretch, of which
//! only a sample was seen. A quiet stretch whose sample is mostly bad continues the outage before it
//! and after it. Where the sample has good and bad slices, the stretch has outages of its own, as
//! many a slice as a bad one followed a good one in the sample; they are counted and their seconds
//! are counted, but their durations are not known.

use super::sums::Sums;
use crate::stats::Histogram;
use crate::time::SimSpan;
use crate::traffic::BadRun;

/// What a sample says about the slices of a regime.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SliceShare {
    /// Slices judged.
    pub judged: u64,
    /// Bad ones among them.
    pub bad: u64,
    /// Pairs of neighbours among them.
    pub pairs: u64,
    /// Pairs of a good one and then a bad one.
    pub starts: u64,
}

impl SliceShare {
    /// Share of bad slices; 0 without any slice.
    pub fn share(self) -> f64 {
        if self.judged == 0 {
            0.0
        } else {
            self.bad as f64 / self.judged as f64
        }
    }

    /// Whether the regime counts as one long outage.
    pub fn solid(self) -> bool {
        self.share() >= 0.5
    }
}

/// Downtime and outages of many replications with traffic.
#[derive(Clone, Debug)]
pub struct OutageRecord {
    /// Per replication: (downtime in seconds, outages begun).
    pub downtime: Sums,
    /// Per replication: (downtime in seconds that is planned, 0).
    pub planned: Sums,
    /// Per replication: (downtime in seconds that is not planned, seconds without planned downtime).
    pub unplanned: Sums,
    /// Per replication: downtime in nanoseconds, in order.
    pub downtimes: Vec<u64>,
    /// Per replication: downtime in seconds by cause; zero rows are not pushed.
    pub by_cause: Vec<Sums>,
    /// Durations of outages that began and ended inside the horizon, nanoseconds.
    pub durations: Histogram,
}

impl OutageRecord {
    /// Without any replication; `causes` is how many causes there are.
    pub fn new(causes: usize) -> Self {
        Self {
            downtime: Sums::default(),
            planned: Sums::default(),
            unplanned: Sums::default(),
            downtimes: Vec::new(),
            by_cause: vec![Sums::default(); causes],
            durations: Histogram::new(),
        }
    }

    /// Adds the replications of `other`, which come after the ones here.
    pub fn merge(&mut self, other: &Self) {
        self.downtime.merge(&other.downtime);
        self.planned.merge(&other.planned);
        self.unplanned.merge(&other.unplanned);
        self.downtimes.extend_from_slice(&other.downtimes);
        for (mine, theirs) in self.by_cause.iter_mut().zip(&other.by_cause) {
            mine.merge(theirs);
        }
        self.durations.merge(&other.durations);
    }
}

/// Follows one replication from piece to piece, in order of time.
#[derive(Debug)]
pub struct OutageTracker<'a> {
    /// Whether each cause is planned.
    planned: &'a [bool],
    slice_s: f64,
    /// First slice of the horizon, and the one after its last.
    first: u64,
    end: u64,
    open: Option<BadRun>,
    /// The share of the open run that began where it seems to: less than 1 for a run at the start of
    /// a window after a stretch whose last slice, unseen, may have been bad already.
    begun: f64,
    /// Where a quiet stretch with good and bad slices has ended, and the chance that a bad slice
    /// right after it is the first of its run.
    edge: Option<(u64, f64)>,
    /// Whether the open run contains stretches that were not bad all the time.
    broken: bool,
    downtime_s: f64,
    outages: f64,
    by_cause: Vec<f64>,
}

impl<'a> OutageTracker<'a> {
    /// For a horizon of the slices `[first, end)`; `planned` says of each cause whether it is planned.
    pub fn new(slice: SimSpan, first: u64, end: u64, planned: &'a [bool]) -> Self {
        Self {
            planned,
            slice_s: slice.as_secs_f64(),
            first,
            end,
            open: None,
            begun: 1.0,
            edge: None,
            broken: false,
            downtime_s: 0.0,
            outages: 0.0,
            by_cause: vec![0.0; planned.len()],
        }
    }

    /// Bad slices seen in a window, each with its own cause already counted in `by_cause`.
    pub fn runs(&mut self, runs: &[BadRun], bad_by_cause: &[u64], record: &mut OutageRecord) {
        for &run in runs {
            self.downtime_s += (run.end - run.first) as f64 * self.slice_s;
            self.join(run, record);
        }
        for (sum, &bad) in self.by_cause.iter_mut().zip(bad_by_cause) {
            *sum += bad as f64 * self.slice_s;
        }
    }

    /// A quiet stretch of the slices `[first, end)` whose failures are due to `cause`.
    pub fn quiet(
        &mut self,
        first: u64,
        end: u64,
        share: SliceShare,
        cause: usize,
        record: &mut OutageRecord,
    ) {
        if share.bad == 0 || end <= first {
            return;
        }
        let slices = (end - first) as f64;
        self.downtime_s += slices * self.slice_s * share.share();
        self.by_cause[cause] += slices * self.slice_s * share.share();
        if share.pairs > 0 {
            self.outages += slices * share.starts as f64 / share.pairs as f64;
        }
        // Of all bad slices, those after a good one begin a run.
        let first_of_run = share.starts as f64 / share.pairs.max(1) as f64 / share.share();
        if share.solid() {
            self.join(BadRun { first, end, cause }, record);
            self.broken |= share.starts > 0;
        } else {
            self.edge = Some((end, first_of_run.min(1.0)));
        }
    }

    fn join(&mut self, run: BadRun, record: &mut OutageRecord) {
        match &mut self.open {
            Some(open) if open.end >= run.first => open.end = run.end,
            _ => {
                self.close(record);
                self.begun = match self.edge {
                    Some((end, first_of_run)) if end == run.first => first_of_run,
                    _ => 1.0,
                };
                self.open = Some(run);
            }
        }
    }

    fn close(&mut self, record: &mut OutageRecord) {
        let broken = std::mem::take(&mut self.broken);
        let Some(run) = self.open.take() else {
            return;
        };
        // One that is going on when the horizon begins belongs to the time before; one that is
        // going on when it ends has a duration that is not known.
        if run.first > self.first {
            self.outages += self.begun;
            if run.end < self.end && !broken {
                let secs = (run.end - run.first) as f64 * self.slice_s;
                record
                    .durations
                    .record(SimSpan::from_secs_f64(secs).as_nanos());
            }
        }
    }

    /// Ends the replication.
    pub fn end(mut self, record: &mut OutageRecord) {
        self.close(record);
        record.downtime.push(self.downtime_s, self.outages);
        record
            .downtimes
            .push(SimSpan::from_secs_f64(self.downtime_s).as_nanos());
        let mut planned = 0.0;
        for (index, (sums, &secs)) in record.by_cause.iter_mut().zip(&self.by_cause).enumerate() {
            if self.planned[index] {
                planned += secs;
            }
            if secs > 0.0 {
                sums.push(secs, 0.0);
            }
        }
        let horizon = (self.end - self.first) as f64 * self.slice_s;
        record.planned.push(planned, 0.0);
        record
            .unplanned
            .push((self.downtime_s - planned).max(0.0), horizon - planned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(first: u64, end: u64) -> BadRun {
        BadRun {
            first,
            end,
            cause: 0,
        }
    }

    fn follow(pieces: impl FnOnce(&mut OutageTracker<'_>, &mut OutageRecord)) -> OutageRecord {
        let mut record = OutageRecord::new(2);
        let mut tracker = OutageTracker::new(SimSpan::from_secs(1), 100, 1_100, &[false, true]);
        pieces(&mut tracker, &mut record);
        tracker.end(&mut record);
        record
    }

    #[test]
    fn a_bad_quiet_stretch_joins_the_runs_around_it() {
        let record = follow(|tracker, record| {
            tracker.runs(&[run(200, 205)], &[5, 0], record);
            tracker.quiet(
                205,
                300,
                SliceShare {
                    judged: 4,
                    bad: 4,
                    pairs: 3,
                    starts: 0,
                },
                1,
                record,
            );
            tracker.runs(&[run(300, 302), run(303, 304)], &[3, 0], record);
        });
        assert_eq!((record.downtime.y, record.downtime.x), (103.0, 2.0));
        assert_eq!((record.by_cause[0].y, record.by_cause[1].y), (8.0, 95.0));
        assert_eq!((record.planned.y, record.unplanned.y), (95.0, 8.0));
        assert_eq!(record.unplanned.x, 905.0);
        assert_eq!(record.durations.total(), 2);
    }

    #[test]
    fn an_outage_belongs_to_where_it_began() {
        let record = follow(|tracker, record| {
            tracker.runs(&[run(100, 110)], &[10, 0], record);
            tracker.runs(&[run(1_090, 1_100)], &[10, 0], record);
        });
        assert_eq!((record.downtime.y, record.downtime.x), (20.0, 1.0));
        assert_eq!(record.durations.total(), 0);
    }

    #[test]
    fn a_regime_that_is_bad_now_and_then_has_its_share() {
        let record = follow(|tracker, record| {
            tracker.quiet(
                200,
                300,
                SliceShare {
                    judged: 50,
                    bad: 5,
                    pairs: 40,
                    starts: 4,
                },
                0,
                record,
            );
        });
        assert_eq!(record.downtime.y, 10.0);
        assert_eq!(record.downtime.x, 10.0);
    }
}
