//! What an arrival has to know of a slot: who is served or waits there, and until when.

use std::collections::VecDeque;

/// Later than everything.
pub(super) const NEVER: u64 = u64::MAX;

/// As many ends are looked at, or moved, without asking whether they are there: that costs less than to guess.
const AT_ONCE: usize = 4;

/// This many that are over are dropped together.
const OVER: usize = 64;

/// A slot that serves in the order of arrival.
///
/// With the ends of all work that was ever accepted in order, the worker that is free first is free at the end
/// that has one less behind it than there are workers (Kiefer and Wolfowitz 1955): so ends are all that
/// is kept of work, served or waiting. What leaves before its work ends is kept apart, and seldom.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Ends of work, sorted; those before `first` are over, of which there are always some, and the last ones
    /// are never.
    ends: Vec<u64>,
    first: usize,
    /// By class of deadline, in order: until when one is in progress for its caller whose work does not end
    /// before, and when that ends; 0 for one that is never served.
    leaving: Vec<VecDeque<(u64, u64)>>,
    /// How many of those there are, and of `orphans`.
    odd: u32,
    /// How many of those are never served.
    quitters: u32,
    /// How many will never be answered and have no deadline.
    forever: u32,
    /// Ends of work for nobody.
    orphans: Vec<u64>,
}

impl Line {
    /// Without work; deadlines are of so many classes.
    pub(super) fn new(classes: usize) -> Self {
        Self {
            ends: [[0; AT_ONCE], [NEVER; AT_ONCE]].concat(),
            first: AT_ONCE,
            leaving: vec![VecDeque::new(); classes],
            odd: 0,
            quitters: 0,
            forever: 0,
            orphans: Vec::new(),
        }
    }

    pub(super) fn clear(&mut self) {
        self.ends.clear();
        self.ends.resize(AT_ONCE, 0);
        self.ends.resize(2 * AT_ONCE, NEVER);
        self.first = AT_ONCE;
        self.leaving.iter_mut().for_each(VecDeque::clear);
        (self.odd, self.quitters, self.forever) = (0, 0, 0);
        self.orphans.clear();
    }

    /// Lets pass what happens up to `now`; how many are at work or wait for it, of those that are served
    /// in the end.
    #[inline(always)]
    pub(super) fn pass(&mut self, now: u64) -> usize {
        let mut over = 0;
        if let Some(soonest) = self.ends[self.first..].first_chunk::<AT_ONCE>() {
            over = soonest.iter().map(|&end| usize::from(end <= now)).sum();
        }
        self.first += over;
        if over == AT_ONCE {
            self.pass_more(now);
        }
        if self.odd > 0 {
            self.pass_odd(now);
        }
        self.ends.len() - AT_ONCE - self.first
    }

    #[inline(never)]
    fn pass_more(&mut self, now: u64) {
        let left = &self.ends[self.first..];
        let more = left.iter().take_while(|&&end| end <= now).count();
        self.first += more.min(left.len() - AT_ONCE);
    }

    #[inline(never)]
    fn pass_odd(&mut self, now: u64) {
        let Self {
            leaving,
            odd,
            quitters,
            orphans,
            ..
        } = self;
        for leaving in leaving {
            while let Some(&(_, end)) = leaving.front().filter(|&&(until, _)| until <= now) {
                leaving.pop_front();
                if end > now {
                    orphans.push(end);
                    continue;
                }
                *odd -= 1;
                *quitters -= u32::from(end == 0);
            }
        }
        let before = orphans.len();
        orphans.retain(|&end| end > now);
        *odd -= (before - orphans.len()) as u32;
    }

    /// How many attempts are in progress here for who sent them, after [`pass`](Self::pass) said `present`.
    #[inline(always)]
    pub(super) fn load(&self, present: usize) -> u32 {
        (present as u32 + self.quitters + self.forever).wrapping_sub(self.orphans.len() as u32)
    }

    /// Both at once.
    #[inline(always)]
    pub(super) fn look(&mut self, now: u64) -> (usize, u32) {
        let present = self.pass(now);
        (present, self.load(present))
    }

    /// When one that comes `now` is served, if it waits for as long as it takes.
    #[inline(always)]
    pub(super) fn turn(&self, now: u64, present: usize, workers: usize) -> u64 {
        // While a worker is free that end is over.
        let free = (self.first + present).saturating_sub(workers);
        self.ends[free].max(now)
    }

    /// Whether one that comes finds all workers busy and so many in the queue.
    #[inline(always)]
    pub(super) fn is_full(&self, present: usize, workers: usize, queue: u32) -> bool {
        present >= workers
            && (present - workers) as u64 + u64::from(self.quitters) >= u64::from(queue)
    }

    /// Work will end at `end`.
    #[inline(always)]
    pub(super) fn serve(&mut self, end: u64) {
        if self.first >= OVER {
            self.drop_over();
        }
        self.ends.push(NEVER);
        let place = self.ends.len() - AT_ONCE;
        let mut later = end;
        if let Some(last) = self.ends[..place].last_chunk_mut::<AT_ONCE>() {
            // The last one is free; what is over is sooner than all others.
            for place in (1..AT_ONCE).rev() {
                let before = last[place - 1];
                last[place] = before.max(later);
                later = before.min(later);
            }
            last[0] = later;
        }
        if self.ends[place - AT_ONCE - 1] > later {
            self.move_down(place - AT_ONCE);
        }
    }

    /// The end at `place` may be sooner than those before it.
    #[inline(never)]
    fn move_down(&mut self, mut place: usize) {
        while self.ends[place - 1] > self.ends[place] {
            self.ends.swap(place - 1, place);
            place -= 1;
        }
    }

    #[inline(never)]
    fn drop_over(&mut self) {
        if 2 * self.first >= self.ends.len() {
            self.ends.drain(..self.first - AT_ONCE);
            self.first = AT_ONCE;
        }
    }

    /// One is in progress for its caller until `until` only, and its work, if it gets any, ends after that.
    #[inline(never)]
    pub(super) fn leave(&mut self, class: usize, until: u64, work: Option<u64>) {
        if until == NEVER {
            self.forever += u32::from(work.is_none());
            return;
        }
        self.leaving[class].push_back((until, work.unwrap_or(0)));
        self.odd += 1;
        self.quitters += u32::from(work.is_none());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    /// Against the workers themselves: when each is free.
    #[test]
    fn ends_in_order_say_when_a_worker_is_free_and_how_many_are_present() {
        for workers in [1_usize, 2, 4, 7] {
            let mut stream = Key::of_seed(workers as u64).stream();
            let mut line = Line::new(0);
            let (mut free, mut all, mut now) = (vec![0; workers], Vec::new(), 0);
            for _ in 0..20_000 {
                now += stream.bits() % 1_000;
                let present = line.pass(now);
                all.retain(|&end| end > now);
                assert_eq!(present, all.len());
                let soonest = free.iter_mut().min().unwrap();
                let start = line.turn(now, present, workers);
                assert_eq!(start, now.max(*soonest));
                let end = start + stream.bits() % (900 * workers as u64);
                *soonest = end;
                all.push(end);
                line.serve(end);
            }
            assert!(line.ends.len() < 10_000);
        }
    }

    #[test]
    fn what_leaves_early_counts_until_then_and_work_for_nobody_does_not() {
        let mut line = Line::new(2);
        line.serve(50);
        line.leave(0, 10, Some(50));
        line.leave(1, 20, None);
        line.leave(0, NEVER, None);
        let mut load = |now| line.look(now).1;
        assert_eq!(
            [0, 9, 10, 19, 20, 49, 50].map(&mut load),
            [3, 3, 2, 2, 1, 1, 1]
        );
        assert_eq!((line.odd, line.quitters), (0, 0));
    }
}
