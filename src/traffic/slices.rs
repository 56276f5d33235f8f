//! Slices: which stretches of wall-clock time were bad for users, judged while requests come and go.
//!
//! A request belongs to the slice it arrived in. A slice is judged when it is over and all its
//! counted requests have ended, in order of time; one without a request copies the one before. Only
//! slices with requests in progress are kept, in a short queue, so nothing grows with the horizon.
//!
//! The commonest cause of a slice's failures is found by the majority vote of Boyer and Moore
//! (1981) in one word: it is right whenever a cause has more than half of them.

use super::bins::{Bin, BinSettings};
use super::tally::{BadRun, SliceTally};
use crate::ids::{Id, JourneyId};
use crate::time::{SimSpan, SimTime};
use std::collections::VecDeque;

/// A slice that is still open when this many later ones have begun is judged without the requests
/// that hang in it: users without patience in front of a slot that never answers. 2.6 MB.
const OPEN_LIMIT: usize = 65_536;

#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    /// Index of the slice.
    index: u64,
    /// Slices without a request right before it.
    empty: u64,
    /// Whether a counted range starts with those.
    starts: bool,
    /// Whether it is no slice at all, only the empty ones before the end of a range.
    tail: bool,
    issued: u32,
    ended: u32,
    ok: u32,
    cause: u32,
    votes: u32,
    /// Requests that failed because of planned work; only counted where bins are.
    planned: u32,
}

/// Requests of a slice that ended, failed, and failed because of planned work.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Viewed {
    ended: u32,
    failed: u32,
    planned: u32,
}

/// The slice that requests arrive in. What happens most is counted here, so that it costs an addition,
/// and goes into the cell when the slice is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Open {
    from: SimTime,
    to: SimTime,
    /// Serial number of its cell, the last one.
    serial: u32,
    issued: u32,
    /// Requests that have ended well.
    ok: u32,
}

/// The slices of a stretch.
#[derive(Clone, Debug)]
pub(super) struct Slices {
    length: u64,
    bad_below: f64,
    bins: Option<BinSettings>,
    /// Counted ranges that are not over, as slice indices.
    pub(super) ranges: VecDeque<(u64, u64)>,
    /// The next slice of the first range that has no cell.
    pub(super) next: u64,
    /// Whether the next cell is the first of its range.
    pub(super) starts: bool,
    pub(super) cells: VecDeque<Cell>,
    /// For each cell, what each view of the settings has counted.
    pub(super) viewed: VecDeque<Viewed>,
    views: usize,
    /// Serial number of the first cell.
    pub(super) first_serial: u32,
    /// The slice of the last cell, while it may still get requests.
    pub(super) open: Option<Open>,
    /// Cause of the slice judged last, if it was bad.
    pub(super) last: Option<usize>,
    /// Whether a slice of this range had a request, so that the next one has something to copy.
    pub(super) known: bool,
    pub(super) run: Option<BadRun>,
}

impl Slices {
    pub(super) fn new(length: SimSpan, bad_below: f64, bins: Option<BinSettings>) -> Self {
        Self {
            length: length.as_nanos().max(1),
            bad_below,
            views: bins.as_ref().map_or(0, |bins| bins.views.len()),
            viewed: VecDeque::new(),
            bins,
            ranges: VecDeque::new(),
            next: 0,
            starts: true,
            cells: VecDeque::new(),
            first_serial: 0,
            open: None,
            last: None,
            known: false,
            run: None,
        }
    }

    pub(super) fn clear(&mut self) {
        self.ranges.clear();
        self.cells.clear();
        self.viewed.clear();
        self.first_serial = 0;
        self.open = None;
        self.last = None;
        self.known = false;
        self.run = None;
    }

    /// Requests that arrive in `[from, to)`, both on slice borders, are counted. A range that begins
    /// where the one before ends continues it.
    pub(super) fn count(&mut self, from: SimTime, to: SimTime) {
        let (from, to) = (from.as_nanos() / self.length, to.as_nanos() / self.length);
        if from >= to {
            return;
        }
        match self.ranges.back_mut() {
            Some(last) if last.1 == from => last.1 = to,
            Some(last) => {
                debug_assert!(last.1 < from, "counted ranges are given in order");
                self.ranges.push_back((from, to));
            }
            None => {
                self.ranges.push_back((from, to));
                (self.next, self.starts) = (from, true);
            }
        }
    }

    /// A request arrives at `at`; returns the serial number of its slice, `None` if it is not counted.
    #[inline]
    pub(super) fn arrive(&mut self, at: SimTime, tally: &mut SliceTally) -> Option<u32> {
        if let Some(open) = &mut self.open
            && open.from <= at
            && at < open.to
        {
            open.issued += 1;
            return Some(open.serial);
        }
        self.advance(at, tally)
    }

    /// No further request arrives in the open slice.
    fn close(&mut self) {
        if let (Some(open), Some(cell)) = (self.open.take(), self.cells.back_mut()) {
            cell.issued += open.issued;
            cell.ended += open.ok;
            cell.ok += open.ok;
        }
    }

    /// Opens the slice of `at` for a request that arrives, if it is in a counted range.
    #[cold]
    fn advance(&mut self, at: SimTime, tally: &mut SliceTally) -> Option<u32> {
        let index = at.as_nanos() / self.length;
        self.close();
        self.judge_ended(tally);
        while let Some(&(from, to)) = self.ranges.front() {
            if index < from {
                return None;
            }
            if index < to {
                self.push(index, false, tally);
                let serial = self.first_serial.wrapping_add(self.cells.len() as u32 - 1);
                let from = SimTime::from_nanos(index * self.length);
                self.open = Some(Open {
                    from,
                    to: from + SimSpan::from_nanos(self.length),
                    serial,
                    issued: 1,
                    ok: 0,
                });
                return Some(serial);
            }
            self.end_range(to, tally);
        }
        None
    }

    /// The first range is over at slice `to`.
    /// Start and end of the first slice of those that have been bad without a break up to the last one that
    /// was judged.
    pub(super) fn first_bad(&self) -> Option<(SimTime, SimTime)> {
        let run = self.run.as_ref()?;
        let at = |index: u64| SimTime::from_nanos(index * self.length);
        Some((at(run.first), at(run.first + 1)))
    }

    fn end_range(&mut self, to: u64, tally: &mut SliceTally) {
        self.push(to, true, tally);
        self.judge_ended(tally);
        self.ranges.pop_front();
        if let Some(&(from, _)) = self.ranges.front() {
            (self.next, self.starts) = (from, true);
        }
    }

    fn push(&mut self, index: u64, tail: bool, tally: &mut SliceTally) {
        if self.cells.len() >= OPEN_LIMIT {
            self.judge_first(tally);
        }
        let empty = index - self.next;
        let starts = self.starts;
        let zero = Cell {
            index,
            empty,
            starts,
            tail,
            issued: 0,
            ended: 0,
            ok: 0,
            cause: 0,
            votes: 0,
            planned: 0,
        };
        self.cells.push_back(zero);
        for _ in 0..self.views {
            self.viewed.push_back(Viewed::default());
        }
        (self.next, self.starts) = (index + 1, false);
    }

    /// A counted request of slice `serial` has ended: `failed` with this cause, or else well.
    #[inline]
    pub(super) fn end(&mut self, serial: u32, failed: Option<usize>, tally: &mut SliceTally) {
        match &mut self.open {
            Some(open) if failed.is_none() && open.serial == serial => open.ok += 1,
            _ => self.end_in_cell(serial, failed, tally),
        }
    }

    fn end_in_cell(&mut self, serial: u32, failed: Option<usize>, tally: &mut SliceTally) {
        let place = serial.wrapping_sub(self.first_serial) as usize;
        let Some(cell) = self.cells.get_mut(place) else {
            return;
        };
        cell.ended += 1;
        if let (Some(cause), Some(bins)) = (failed, &self.bins) {
            cell.planned += u32::from(bins.planned[cause]);
        }
        match failed {
            None => cell.ok += 1,
            Some(cause) if cell.votes == 0 => (cell.cause, cell.votes) = (cause as u32, 1),
            Some(cause) if cell.cause == cause as u32 => cell.votes += 1,
            Some(_) => cell.votes -= 1,
        }
        if place == 0 && (self.open.is_none() || self.cells.len() > 1) {
            self.judge_ended(tally);
        }
    }

    /// Whether some requests are counted by time apart.
    #[inline]
    pub(super) fn has_views(&self) -> bool {
        self.views > 0
    }

    /// A counted request of a journey, of slice `serial`, ends, before [`Slices::end`] is told of it.
    #[inline(never)]
    pub(super) fn view(
        &mut self,
        serial: u32,
        journey: JourneyId,
        failed: Option<usize>,
        degraded: bool,
    ) {
        let place = serial.wrapping_sub(self.first_serial) as usize;
        let Some(bins) = self.bins.as_ref().filter(|_| place < self.cells.len()) else {
            return;
        };
        for (index, view) in bins.views.iter().enumerate() {
            if view.journeys[journey.index()] {
                let counts = &mut self.viewed[place * self.views + index];
                counts.ended += 1;
                counts.failed += u32::from(failed.is_some() || degraded && view.full);
                counts.planned += u32::from(failed.is_some_and(|cause| bins.planned[cause]));
            }
        }
    }

    /// Puts what the views have counted in a slice that is judged into their bins.
    #[inline(never)]
    fn bin_views(&mut self, cell: Cell, tally: &mut SliceTally) {
        let counts = self.viewed.drain(..self.views);
        let Some(bins) = self.bins.as_ref().filter(|_| !cell.tail) else {
            return;
        };
        for (counts, into) in counts.zip(&mut tally.views) {
            bins.add(cell.index, counts, into);
        }
    }

    /// Judges what is over and has no request in progress, in order.
    fn judge_ended(&mut self, tally: &mut SliceTally) {
        while let Some(first) = self.cells.front() {
            let over = self.cells.len() > 1 || self.open.is_none();
            if !over || first.ended < first.issued {
                return;
            }
            self.judge_first(tally);
        }
    }

    fn judge_first(&mut self, tally: &mut SliceTally) {
        let Some(cell) = self.cells.pop_front() else {
            return;
        };
        if self.views > 0 {
            self.bin_views(cell, tally);
        }
        self.first_serial = self.first_serial.wrapping_add(1);
        if cell.starts {
            tally.runs.extend(self.run.take());
            self.last = None;
            self.known = false;
        }
        self.judge(cell.index - cell.empty, cell.empty, self.last, tally);
        if cell.tail {
            return;
        }
        if cell.ended > 0 {
            let bad = f64::from(cell.ok) < self.bad_below * f64::from(cell.ended);
            self.last = bad.then_some(cell.cause as usize);
            self.known = true;
        }
        self.judge(cell.index, 1, self.last, tally);
        if let Some(bins) = &self.bins {
            let counts = Viewed {
                ended: cell.ended,
                failed: cell.ended - cell.ok,
                planned: cell.planned,
            };
            bins.add(cell.index, counts, &mut tally.bins);
        }
    }

    /// `count` slices from `first` on are bad with a cause, or good.
    fn judge(&mut self, first: u64, count: u64, bad: Option<usize>, tally: &mut SliceTally) {
        if count == 0 {
            return;
        }
        tally.judged += count;
        if !self.known {
            tally.unknown += count;
        }
        let Some(cause) = bad else {
            tally.runs.extend(self.run.take());
            return;
        };
        tally.bad += count;
        tally.bad_by_cause[cause] += count;
        match tally.runs_by_cause.last_mut() {
            Some(run) if run.end == first && run.cause == cause => run.end = first + count,
            _ => tally.runs_by_cause.push(BadRun {
                first,
                end: first + count,
                cause,
            }),
        }
        match &mut self.run {
            Some(run) => run.end = first + count,
            None => {
                self.run = Some(BadRun {
                    first,
                    end: first + count,
                    cause,
                })
            }
        }
    }

    /// The stretch ends at `at`: judges all counted slices that began before it, without the
    /// requests in progress.
    pub(super) fn finish(&mut self, at: SimTime, tally: &mut SliceTally) {
        self.close();
        let begun = at.as_nanos().div_ceil(self.length);
        while let Some(&(from, to)) = self.ranges.front() {
            let end = to.min(begun);
            if end > from && end > self.next {
                self.push(end, true, tally);
            }
            self.ranges.pop_front();
            if let Some(&(from, _)) = self.ranges.front() {
                (self.next, self.starts) = (from, true);
            }
        }
        while !self.cells.is_empty() {
            self.judge_first(tally);
        }
        tally.runs.extend(self.run.take());
        self.clear();
    }
}

impl BinSettings {
    /// Adds the requests of a slice that is judged.
    fn add(&self, slice: u64, counts: Viewed, bins: &mut Vec<Bin>) {
        let (ended, failed) = (u64::from(counts.ended), u64::from(counts.failed));
        let same = |length: u64, bin: &Bin| {
            let of = |slice: u64| slice.saturating_sub(self.origin) / length;
            of(bin.first) == of(slice)
        };
        let joins = |bin: &&mut Bin| {
            let both_good = failed == 0 && bin.failed == 0;
            same(self.bin, bin) || both_good && same(self.block, bin)
        };
        match bins.last_mut().filter(joins) {
            Some(bin) => {
                bin.end = slice + 1;
                bin.ended += ended;
                bin.failed += failed;
                bin.planned += u64::from(counts.planned);
            }
            None => bins.push(Bin {
                first: slice,
                end: slice + 1,
                ended,
                failed,
                planned: u64::from(counts.planned),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: f64) -> SimTime {
        SimTime::EPOCH + SimSpan::from_secs_f64(secs)
    }

    fn fresh() -> (Slices, SliceTally) {
        let tally = SliceTally {
            bad_by_cause: vec![0; 5],
            ..SliceTally::default()
        };
        (Slices::new(SimSpan::from_secs(1), 0.95, None), tally)
    }

    /// One request in each slice named, ended at once: `Some(cause)` failed.
    fn feed(slices: &mut Slices, tally: &mut SliceTally, requests: &[(f64, Option<usize>)]) {
        for &(secs, failed) in requests {
            if let Some(cell) = slices.arrive(at(secs), tally) {
                slices.end(cell, failed, tally);
            }
        }
    }

    #[test]
    fn an_empty_slice_copies_the_one_before_and_a_range_starts_good() {
        let (mut slices, mut tally) = fresh();
        slices.count(at(10.0), at(20.0));
        slices.count(at(30.0), at(40.0));
        let requests = [
            (9.5, Some(1)),
            (12.5, Some(3)),
            (15.5, None),
            (18.0, Some(2)),
            (25.0, None),
        ];
        feed(&mut slices, &mut tally, &requests);
        feed(&mut slices, &mut tally, &[(33.0, None)]);
        slices.finish(at(40.0), &mut tally);
        assert_eq!((tally.judged, tally.bad, tally.unknown), (20, 5, 5));
        assert_eq!(tally.bad_by_cause, [0, 0, 2, 3, 0]);
        let runs = [
            BadRun {
                first: 12,
                end: 15,
                cause: 3,
            },
            BadRun {
                first: 18,
                end: 20,
                cause: 2,
            },
        ];
        assert_eq!(tally.runs, runs);
    }

    #[test]
    fn a_range_that_continues_the_one_before_keeps_its_run() {
        let (mut slices, mut tally) = fresh();
        slices.count(at(0.0), at(5.0));
        feed(&mut slices, &mut tally, &[(3.0, Some(1))]);
        slices.count(at(5.0), at(8.0));
        feed(&mut slices, &mut tally, &[(7.0, None)]);
        slices.finish(at(8.0), &mut tally);
        assert_eq!(
            tally.runs,
            [BadRun {
                first: 3,
                end: 7,
                cause: 1
            }]
        );
        assert_eq!(tally.judged, 8);
    }

    #[test]
    fn slices_are_judged_in_order_of_time_however_late_their_requests_end() {
        let (mut slices, mut tally) = fresh();
        slices.count(at(0.0), at(10.0));
        let late = slices.arrive(at(0.5), &mut tally).unwrap();
        feed(
            &mut slices,
            &mut tally,
            &[(1.5, None), (2.5, Some(1)), (3.5, None)],
        );
        assert_eq!(tally.judged, 0);
        slices.end(late, Some(4), &mut tally);
        assert_eq!((tally.judged, tally.bad), (3, 2));
        slices.finish(at(10.0), &mut tally);
        let runs = [
            BadRun {
                first: 0,
                end: 1,
                cause: 4,
            },
            BadRun {
                first: 2,
                end: 3,
                cause: 1,
            },
        ];
        assert_eq!(tally.runs, runs);
    }

    #[test]
    fn a_slice_is_bad_below_the_threshold_and_not_at_it() {
        let (mut slices, mut tally) = fresh();
        slices.count(at(0.0), at(2.0));
        for _ in 0..19 {
            feed(&mut slices, &mut tally, &[(0.5, None)]);
        }
        feed(&mut slices, &mut tally, &[(0.5, Some(1))]);
        for _ in 0..18 {
            feed(&mut slices, &mut tally, &[(1.5, None)]);
        }
        feed(&mut slices, &mut tally, &[(1.5, Some(1))]);
        slices.finish(at(2.0), &mut tally);
        assert_eq!(
            tally.runs,
            [BadRun {
                first: 1,
                end: 2,
                cause: 1
            }]
        );
    }

    #[test]
    fn the_commonest_cause_is_the_one_of_most_failures() {
        let (mut slices, mut tally) = fresh();
        slices.count(at(0.0), at(1.0));
        let requests = [1, 3, 3, 2, 3].map(|cause| (0.5, Some(cause)));
        feed(&mut slices, &mut tally, &requests);
        slices.finish(at(1.0), &mut tally);
        assert_eq!(tally.bad_by_cause, [0, 0, 0, 1, 0]);
    }

    #[test]
    fn requests_in_progress_at_the_end_are_left_out() {
        let (mut slices, mut tally) = fresh();
        slices.count(at(0.0), at(5.0));
        slices.arrive(at(0.5), &mut tally);
        feed(&mut slices, &mut tally, &[(0.5, Some(1))]);
        slices.arrive(at(1.5), &mut tally);
        slices.finish(at(3.0), &mut tally);
        assert_eq!((tally.judged, tally.bad), (3, 3));
    }

    #[test]
    fn a_request_that_hangs_does_not_keep_slices_for_ever() {
        let (mut slices, mut tally) = fresh();
        slices.count(at(0.0), at(200_000.0));
        let hanging = slices.arrive(at(0.5), &mut tally).unwrap();
        for second in 1..100_000 {
            feed(&mut slices, &mut tally, &[(f64::from(second), None)]);
        }
        assert!(slices.cells.len() <= OPEN_LIMIT && tally.judged > 90_000);
        slices.end(hanging, Some(1), &mut tally);
        slices.finish(at(200_000.0), &mut tally);
        assert_eq!((tally.judged, tally.bad), (200_000, 0));
    }
}
