//! Downtime as users saw it: bad slices joined into outages over the pieces of a replication.
//!
//! A piece is a window, whose runs of bad slices were seen one by one, or a quiet stretch, of which
//! only a sample was seen.
//!
//! # How many outages
//!
//! An outage begins with each bad slice that follows a good one, so their number is a sum over pairs
//! of neighbours, and each pair is counted where it lies:
//!
//! - inside a window both slices were seen;
//! - inside a quiet stretch, and between two of the same regime, the pair is as likely as in the sample;
//! - between a window and a quiet stretch one slice was seen and the other has the sample's law.
//!   With `p` the sample's share of bad slices and `r` the correlation of its neighbours, two slices
//!   of which one is bad with probability `q` are bad together with probability
//!   `p q + r (min(p, q) - p q)`. `q` differs from `p` because the slice at the border of a window
//!   often contains some of the transition. All that need be known is on which side of `p` it lies:
//!   the formula is linear in `q` on either side, so what was seen, 0 or 1, may stand for `q`. It is
//!   exact if the slice is the regime's own (`q = p`), if neighbours are independent, or if the
//!   transition spoils (or mends) slices whatever their neighbour was;
//! - between quiet stretches with different samples, as where an hour of more load begins, the same
//!   formula holds with the share of the other for `q` and the mean of the two correlations.
//!
//! A slice without a request copies the one before. Where a window or an hour begins with such slices,
//! that is the last one of the piece before it, and the pair to be counted is the one around them.
//!
//! # How long they last
//!
//! A quiet stretch whose sample is mostly bad continues the outage before it and after it. Durations
//! are known of outages that were seen from beginning to end; where a sample has good and bad slices,
//! those of its own are not.

use super::slice_share::SliceShare;
use super::sums::Sums;
use crate::stats::Histogram;
use crate::time::SimSpan;
use crate::traffic::{BadRun, Bin};
use serde::{Deserialize, Serialize};

/// Downtime and outages of many replications with traffic.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
    /// Per replication, by target: (periods that miss its bound, periods); those on slices are filled.
    pub periods: Vec<Sums>,
}

impl OutageRecord {
    /// Without any replication; `causes` is how many causes there are, `targets` how many targets.
    pub fn new(causes: usize, targets: usize) -> Self {
        Self {
            downtime: Sums::default(),
            planned: Sums::default(),
            unplanned: Sums::default(),
            downtimes: Vec::new(),
            by_cause: vec![Sums::default(); causes],
            durations: Histogram::new(),
            periods: vec![Sums::default(); targets],
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
        for (mine, theirs) in self.periods.iter_mut().zip(&other.periods) {
            mine.merge(theirs);
        }
    }
}

/// A window: slices seen one by one.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its slices are `[first, end)`.
    pub first: u64,
    /// See `first`.
    pub end: u64,
    /// The first so many had no request and copy what came before.
    pub copies: u64,
    /// Runs of bad ones.
    pub runs: Vec<BadRun>,
    /// The same in runs with one cause each.
    pub runs_by_cause: Vec<BadRun>,
    /// Requests by time, where anybody wants them.
    pub bins: Vec<Bin>,
    /// The same by further views of the settings.
    pub views: Vec<Vec<Bin>>,
    /// Bad ones by cause.
    pub bad_by_cause: Vec<u64>,
    /// Whether its first transition takes something away, so that its first slice is bad more often
    /// than those before it. If not, it brings something back, and the opposite holds.
    pub falls: bool,
    /// Whether its last transition brings something back, so that its last slice is bad more often
    /// than those after it.
    pub rises: bool,
}

/// The piece before the next one.
#[derive(Clone, Copy, Debug)]
enum Before {
    /// None: the horizon begins, and what is bad already belongs to the time before.
    Nothing,
    /// A window.
    Seen {
        /// Whether its last slice was bad.
        bad: bool,
        /// See [`Seen::rises`].
        rises: bool,
    },
    /// A quiet stretch.
    Quiet(SliceShare),
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
    before: Before,
    /// Whom the last bad slices were due to.
    last_cause: usize,
    open: Option<BadRun>,
    /// Whether the open run contains stretches that were not bad all the time.
    broken: bool,
    downtime_s: f64,
    outages: f64,
    by_cause: Vec<f64>,
    /// Of these, what lies within quiet stretches.
    quiet: Bad,
    /// What quiet time of other histories adds, and which part of its own counts.
    lent: Option<(&'a Bad, f64)>,
    /// What is taken away, as its mean is known better.
    down: Option<&'a Bad>,
}

/// Bad time, and how often it begins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bad {
    /// Seconds.
    pub secs: f64,
    /// Outages that begin.
    pub begins: f64,
    /// Seconds by cause.
    pub by_cause: Vec<f64>,
}

impl Bad {
    /// None, of so many causes.
    pub fn none(causes: usize) -> Self {
        Self {
            by_cause: vec![0.0; causes],
            ..Self::default()
        }
    }
}

impl<'a> OutageTracker<'a> {
    /// For a horizon of the slices `[first, end)`; `planned` says of each cause whether it is planned.
    pub fn new(slice: SimSpan, first: u64, end: u64, planned: &'a [bool]) -> Self {
        Self {
            planned,
            slice_s: slice.as_secs_f64(),
            first,
            end,
            before: Before::Nothing,
            last_cause: 0,
            open: None,
            broken: false,
            downtime_s: 0.0,
            outages: 0.0,
            by_cause: vec![0.0; planned.len()],
            quiet: Bad::none(planned.len()),
            lent: None,
            down: None,
        }
    }

    /// `down` is taken away from the means, for whoever adds its expectation to them.
    #[must_use]
    pub fn without(self, down: &'a Bad) -> Self {
        Self {
            down: Some(down),
            ..self
        }
    }

    /// Of the quiet time of this replication only a part counts in the means, and `lent` is added to them.
    #[must_use]
    pub fn lending(self, lent: &'a Bad, part: f64) -> Self {
        Self {
            lent: Some((lent, part)),
            ..self
        }
    }

    /// A window.
    pub fn seen(&mut self, seen: &Seen, record: &mut OutageRecord) {
        let first = (seen.first + seen.copies).min(seen.end);
        self.empty(seen.first, first, record);
        if seen.end <= first {
            return;
        }
        let starts_bad = seen.runs.first().is_some_and(|run| run.first == first);
        self.outages += match self.before {
            Before::Nothing => 0.0,
            Before::Seen { bad, .. } => f64::from(u8::from(starts_bad && !bad)),
            Before::Quiet(share) => share.begins_seen(starts_bad, seen.falls),
        };
        for &run in &seen.runs {
            self.outages += f64::from(u8::from(run.first > first));
            self.downtime_s += (run.end - run.first) as f64 * self.slice_s;
            self.last_cause = run.cause;
            self.join(run, record);
        }
        for (sum, &bad) in self.by_cause.iter_mut().zip(&seen.bad_by_cause) {
            *sum += bad as f64 * self.slice_s;
        }
        self.before = Before::Seen {
            bad: seen.runs.last().is_some_and(|run| run.end == seen.end),
            rises: seen.rises,
        };
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
        if end <= first {
            return;
        }
        self.outages += match self.before {
            Before::Nothing => 0.0,
            Before::Seen { bad, rises } => share.begins_unseen(bad, rises),
            Before::Quiet(before) => share.begins_after(before),
        };
        self.before = Before::Quiet(share);
        if share.bad == 0 {
            return;
        }
        self.last_cause = cause;
        let slices = (end - first) as f64;
        let (begins, secs) = (
            (slices - 1.0) * share.begins(),
            slices * self.slice_s * share.share(),
        );
        self.outages += begins;
        self.downtime_s += secs;
        self.by_cause[cause] += secs;
        self.quiet.begins += begins;
        self.quiet.secs += secs;
        self.quiet.by_cause[cause] += secs;
        if share.solid() {
            self.join(BadRun { first, end, cause }, record);
            self.broken |= share.bad < share.judged;
        }
    }

    /// Slices `[first, end)` in which nobody comes: they copy the one before.
    pub fn empty(&mut self, first: u64, end: u64, record: &mut OutageRecord) {
        let (share, solid) = match self.before {
            Before::Nothing | Before::Seen { bad: false, .. } => return,
            Before::Seen { bad: true, .. } => (1.0, true),
            Before::Quiet(share) => (share.share(), share.solid()),
        };
        if end <= first || share == 0.0 {
            return;
        }
        let (secs, cause) = ((end - first) as f64 * self.slice_s * share, self.last_cause);
        self.downtime_s += secs;
        self.by_cause[cause] += secs;
        if solid {
            self.join(BadRun { first, end, cause }, record);
            self.broken |= share < 1.0;
        }
    }

    fn join(&mut self, run: BadRun, record: &mut OutageRecord) {
        match &mut self.open {
            Some(open) if open.end >= run.first => open.end = run.end,
            _ => {
                self.close(record);
                self.open = Some(run);
            }
        }
    }

    fn close(&mut self, record: &mut OutageRecord) {
        let broken = std::mem::take(&mut self.broken);
        let Some(run) = self.open.take() else {
            return;
        };
        // One that is going on when the horizon begins or ends has a duration that is not known.
        if run.first > self.first && run.end < self.end && !broken {
            let secs = (run.end - run.first) as f64 * self.slice_s;
            record
                .durations
                .record(SimSpan::from_secs_f64(secs).as_nanos());
        }
    }

    /// Ends the replication.
    pub fn end(mut self, record: &mut OutageRecord) {
        self.close(record);
        record
            .downtimes
            .push(SimSpan::from_secs_f64(self.downtime_s).as_nanos());
        let hit = self.downtime_s > 0.0;
        if let Some((lent, part)) = self.lent {
            // Rounding may leave the least bit below zero.
            let with =
                |own: f64, quiet: f64, lent: f64| (own - (1.0 - part) * quiet + lent).max(0.0);
            self.downtime_s = with(self.downtime_s, self.quiet.secs, lent.secs);
            self.outages = with(self.outages, self.quiet.begins, lent.begins);
            for (index, secs) in self.by_cause.iter_mut().enumerate() {
                *secs = with(*secs, self.quiet.by_cause[index], lent.by_cause[index]);
            }
        }
        if let Some(down) = self.down {
            self.downtime_s -= down.secs;
            self.outages -= down.begins;
            for (secs, down) in self.by_cause.iter_mut().zip(&down.by_cause) {
                *secs -= down;
            }
        }
        record.downtime.push_as(self.downtime_s, self.outages, hit);
        let mut planned = 0.0;
        for (index, (sums, &secs)) in record.by_cause.iter_mut().zip(&self.by_cause).enumerate() {
            if self.planned[index] {
                planned += secs;
            }
            if secs != 0.0 {
                sums.push(secs, 0.0);
            }
        }
        let mut unplanned = self.downtime_s - planned;
        if self.down.is_none() {
            unplanned = unplanned.max(0.0);
        }
        let horizon = (self.end - self.first) as f64 * self.slice_s;
        record.planned.push(planned, 0.0);
        record.unplanned.push(unplanned, horizon - planned);
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

    fn seen(first: u64, end: u64, runs: &[BadRun]) -> Seen {
        let bad = runs.iter().map(|run| run.end - run.first).sum();
        Seen {
            first,
            end,
            copies: 0,
            runs: runs.to_vec(),
            runs_by_cause: runs.to_vec(),
            bins: Vec::new(),
            views: Vec::new(),
            bad_by_cause: vec![bad, 0],
            falls: true,
            rises: true,
        }
    }

    fn follow(pieces: impl FnOnce(&mut OutageTracker<'_>, &mut OutageRecord)) -> OutageRecord {
        let mut record = OutageRecord::new(2, 0);
        let mut tracker = OutageTracker::new(SimSpan::from_secs(1), 100, 1_100, &[false, true]);
        pieces(&mut tracker, &mut record);
        tracker.end(&mut record);
        record
    }

    #[test]
    fn a_bad_quiet_stretch_joins_the_runs_around_it() {
        let record = follow(|tracker, record| {
            tracker.seen(&seen(190, 205, &[run(200, 205)]), record);
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
            tracker.seen(&seen(300, 310, &[run(300, 302), run(303, 304)]), record);
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
            tracker.seen(&seen(100, 120, &[run(100, 110)]), record);
            tracker.quiet(120, 1_080, SliceShare::default(), 0, record);
            tracker.seen(&seen(1_080, 1_100, &[run(1_090, 1_100)]), record);
        });
        assert_eq!((record.downtime.y, record.downtime.x), (20.0, 1.0));
        assert_eq!(record.durations.total(), 0);
    }

    /// Bad one slice in five, and neighbours like each other.
    const FLAPPING: SliceShare = SliceShare {
        judged: 1_001,
        bad: 200,
        pairs: 1_000,
        starts: 80,
    };

    #[test]
    fn a_regime_that_is_bad_now_and_then_has_its_share() {
        let record = follow(|tracker, record| {
            tracker.seen(&seen(100, 200, &[]), record);
            tracker.quiet(200, 300, FLAPPING, 0, record);
        });
        let p = FLAPPING.share();
        assert!((record.downtime.y - 100.0 * p).abs() < 1e-12);
        // The first slice follows a good one, the other 99 follow each other.
        let expected = 0.08 / (1.0 - p) + 99.0 * 0.08;
        assert!((record.downtime.x - expected).abs() < 1e-12);
        assert_eq!(record.durations.total(), 0);
    }

    #[test]
    fn slices_without_a_request_copy_the_last_one_before_them() {
        let bad = SliceShare {
            judged: 60,
            bad: 60,
            pairs: 59,
            starts: 0,
        };
        let record = follow(|tracker, record| {
            // Nobody comes at first, and what was before is not known.
            tracker.empty(100, 110, record);
            tracker.quiet(110, 150, SliceShare::default(), 0, record);
            tracker.quiet(150, 200, bad, 1, record);
            tracker.empty(200, 220, record);
            // A window in which nobody comes, and one with its first request at 260.
            tracker.seen(
                &Seen {
                    copies: 10,
                    ..seen(220, 230, &[])
                },
                record,
            );
            tracker.empty(230, 250, record);
            tracker.seen(
                &Seen {
                    copies: 10,
                    ..seen(250, 300, &[run(270, 280)])
                },
                record,
            );
        });
        assert_eq!((record.downtime.y, record.downtime.x), (120.0, 2.0));
        assert_eq!((record.by_cause[0].y, record.by_cause[1].y), (10.0, 110.0));
        let durations = &record.durations;
        assert_eq!(
            (durations.total(), durations.max_seen()),
            (2, 110_000_000_000)
        );
    }

    #[test]
    fn an_hour_of_more_load_begins_outages_at_its_border() {
        let share = |bad, starts| SliceShare {
            judged: 100,
            bad,
            pairs: 100,
            starts,
        };
        // Independent neighbours: a good one and then a bad one.
        let (low, high) = (share(20, 16), share(80, 16));
        assert!((high.begins_after(low) - 0.8 * 0.8).abs() < 1e-12);
        assert!((low.begins_after(high) - 0.2 * 0.2).abs() < 1e-12);
        // Neighbours as alike as they can be: only the additional ones begin.
        let (low, high) = (share(20, 0), share(80, 0));
        assert!((high.begins_after(low) - 0.6).abs() < 1e-12);
        assert!(low.begins_after(high).abs() < 1e-12);
        // Like the inside, if both are the same.
        assert!((FLAPPING.begins_after(FLAPPING) - FLAPPING.begins()).abs() < 1e-12);
        assert_eq!(share(100, 0).begins_after(share(0, 0)), 1.0);
    }

    #[test]
    fn a_border_that_is_like_the_regime_counts_like_the_inside() {
        let p = FLAPPING.share();
        for above in [false, true] {
            // Over slices seen at the border that are bad as often as the regime's own.
            let mean = |of: fn(SliceShare, bool, bool) -> f64| {
                p * of(FLAPPING, true, above) + (1.0 - p) * of(FLAPPING, false, above)
            };
            assert!((mean(SliceShare::begins_seen) - 0.08).abs() < 1e-12);
            assert!((mean(SliceShare::begins_unseen) - 0.08).abs() < 1e-12);
        }
    }

    #[test]
    fn a_border_that_the_transition_spoils_or_mends_begins_what_it_begins() {
        let (p, both) = (FLAPPING.share(), FLAPPING.share() - 0.08);
        let border = |of: fn(SliceShare, bool, bool) -> f64, q: f64, above| {
            q * of(FLAPPING, true, above) + (1.0 - q) * of(FLAPPING, false, above)
        };
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} and {b}");
        // A share of the good ones is spoiled, whatever their neighbours are.
        let spoiled = 0.7;
        let q = p + spoiled * (1.0 - p);
        let together = both + spoiled * 0.08;
        close(border(SliceShare::begins_seen, q, true), q - together);
        close(border(SliceShare::begins_unseen, q, true), p - together);
        // A share of the bad ones is mended.
        let mended = 0.4;
        let (q, together) = (p * (1.0 - mended), both * (1.0 - mended));
        close(border(SliceShare::begins_seen, q, false), q - together);
        close(border(SliceShare::begins_unseen, q, false), p - together);
    }

    #[test]
    fn a_regime_that_is_always_bad_begins_one_outage_after_a_good_slice_and_none_after_a_bad_one() {
        let dark = SliceShare {
            judged: 8,
            bad: 8,
            pairs: 7,
            starts: 0,
        };
        for above in [false, true] {
            assert_eq!(dark.begins_unseen(false, above), 1.0);
            assert_eq!(dark.begins_unseen(true, above), 0.0);
            assert_eq!(dark.begins_seen(true, above), 0.0);
            assert_eq!(SliceShare::default().begins_seen(true, above), 1.0);
        }
    }
}
