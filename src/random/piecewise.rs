//! Addressable Poisson arrivals at a rate that is constant in each of many pieces of time.
//!
//! Each piece is cut into blocks as a whole stream is in [`super::arrivals`], and block b of piece n
//! draws from a stream of its own, keyed by n and b. So nothing is thinned, whatever the rates; an
//! empty piece costs nothing; and a piece sees the same requests whatever the rates of others are.

use super::arrivals::block_len;
use super::dist::exp1;
use super::{Key, Stream};
use crate::time::{NANOS_PER_SEC, SimTime};

/// A stretch of time with a constant rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// Its start.
    pub from: SimTime,
    /// Its end, after its start; [`SimTime::NEVER`] for none.
    pub to: SimTime,
    /// Requests per second: finite, 0 or more.
    pub rate: f64,
    /// Its number, which names its streams; of pieces with a rate of 0 it means nothing.
    pub number: u64,
}

/// A rate that is constant in pieces.
pub trait Pieces {
    /// The piece that contains `at`.
    fn piece(&self, at: SimTime) -> Piece;
}

/// A place in such a stream. Allocates nothing, ever.
#[derive(Clone, Debug)]
pub struct PieceCursor<P> {
    pieces: P,
    key: Key,
    piece: Piece,
    /// Mean gap, nanoseconds.
    gap: f64,
    /// Length of a block, nanoseconds.
    block_nanos: u64,
    /// The block of `next`, counted from the start of its piece.
    block: u64,
    /// Its first nanosecond, and how many it has.
    block_from: u64,
    block_len: f64,
    /// Its stream, after the draws of `next`.
    stream: Stream,
    /// Where in its block `next` is, nanoseconds.
    offset: f64,
    next: (SimTime, u64),
}

impl<P: Pieces> PieceCursor<P> {
    /// The stream named `key`, at its first arrival.
    pub fn new(key: Key, pieces: P) -> Self {
        let mut cursor = Self {
            key,
            piece: pieces.piece(SimTime::EPOCH),
            pieces,
            gap: 0.0,
            block_nanos: 1,
            block: 0,
            block_from: 0,
            block_len: 0.0,
            stream: key.stream(),
            offset: 0.0,
            next: (SimTime::NEVER, 0),
        };
        cursor.seek(SimTime::EPOCH);
        cursor
    }

    /// Goes to the first arrival that is not before `at`, forward or backward.
    pub fn seek(&mut self, at: SimTime) {
        if !self.find_piece(at) {
            return;
        }
        let into = at.as_nanos().saturating_sub(self.piece.from.as_nanos());
        self.enter(into / self.block_nanos);
        self.advance();
        while self.next.0 < at {
            self.advance();
        }
    }

    /// When the next request comes; [`SimTime::NEVER`] if none does.
    #[inline]
    pub fn peek_time(&self) -> SimTime {
        self.next.0
    }

    /// When the next request comes and its key, from which everything the request draws follows;
    /// [`SimTime::NEVER`] if none does.
    #[inline]
    #[expect(
        clippy::should_implement_trait,
        reason = "a stream of arrivals has no end to report"
    )]
    pub fn next(&mut self) -> (SimTime, u64) {
        let next = self.next;
        if next.0 != SimTime::NEVER {
            self.advance();
        }
        next
    }

    /// To the piece of `at` or, if that is empty, to the next that is not; whether there is one.
    fn find_piece(&mut self, mut at: SimTime) -> bool {
        while at != SimTime::NEVER {
            let piece = self.pieces.piece(at);
            debug_assert!(piece.from <= at && at < piece.to, "a piece of its instant");
            if piece.rate > 0.0 {
                self.piece = piece;
                self.gap = NANOS_PER_SEC as f64 / piece.rate;
                self.block_nanos = block_len(piece.rate).as_nanos();
                return true;
            }
            at = piece.to;
        }
        self.next = (SimTime::NEVER, 0);
        false
    }

    /// To the start of a block of the piece.
    fn enter(&mut self, block: u64) {
        let from = self.piece.from.as_nanos() + block * self.block_nanos;
        let to = from
            .saturating_add(self.block_nanos)
            .min(self.piece.to.as_nanos());
        (self.block, self.block_from) = (block, from);
        // Exact: a block is shorter than 2^53 ns.
        self.block_len = (to - from) as f64;
        let key = self.key.with(self.piece.number).with(block);
        self.stream = key.stream();
        self.offset = 0.0;
    }

    #[inline(always)]
    fn advance(&mut self) {
        self.offset += exp1(&mut self.stream) * self.gap;
        if self.offset >= self.block_len && !self.enter_next() {
            return;
        }
        // Cut, not rounded: the last arrival of a block never enters the next one.
        let nanos = self.block_from + self.offset as i64 as u64;
        self.next = (SimTime::from_nanos(nanos), self.stream.bits());
    }

    /// To the first arrival in a later block; whether there is one.
    #[inline(never)]
    fn enter_next(&mut self) -> bool {
        loop {
            let end = self.block_from.saturating_add(self.block_len as u64);
            if end < self.piece.to.as_nanos() {
                self.enter(self.block + 1);
            } else if self.find_piece(SimTime::from_nanos(end)) {
                self.enter(0);
            } else {
                return false;
            }
            self.offset = exp1(&mut self.stream) * self.gap;
            if self.offset < self.block_len {
                return true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::special::Gamma;
    use crate::time::SimSpan;

    /// Steps of a second, over and over.
    #[derive(Clone, Copy, Debug)]
    struct Seconds<'a>(&'a [f64]);

    impl Pieces for Seconds<'_> {
        fn piece(&self, at: SimTime) -> Piece {
            let number = at.as_nanos() / NANOS_PER_SEC;
            Piece {
                from: SimTime::from_nanos(number * NANOS_PER_SEC),
                to: SimTime::from_nanos((number + 1) * NANOS_PER_SEC),
                rate: self.0[(number % self.0.len() as u64) as usize],
                number,
            }
        }
    }

    fn key(n: u64) -> Key {
        Key::of_seed(7).with(n)
    }

    fn secs(secs: f64) -> SimTime {
        SimTime::EPOCH + SimSpan::from_secs_f64(secs)
    }

    fn between(rates: &[f64], from: SimTime, to: SimTime) -> Vec<(SimTime, u64)> {
        let mut cursor = PieceCursor::new(key(1), Seconds(rates));
        cursor.seek(from);
        std::iter::repeat_with(|| cursor.next())
            .take_while(|(at, _)| *at < to)
            .collect()
    }

    const RATES: [f64; 5] = [300.0, 0.0, 5_000.0, 0.5, 0.0];

    #[test]
    fn seeking_anywhere_finds_what_running_through_finds() {
        let all = between(&RATES, secs(0.0), secs(100.0));
        let mut cursor = PieceCursor::new(key(1), Seconds(&RATES));
        let mut places = Stream::from_key(3);
        for _ in 0..500 {
            let at = match places.bits() % 4 {
                0 => secs((places.bits() % 90) as f64),
                1 => all[places.bits() as usize % (all.len() - 100)].0,
                _ => secs(places.uniform() * 90.0),
            };
            cursor.seek(at);
            let from = all.partition_point(|(time, _)| *time < at);
            for expected in all[from..].iter().take(50) {
                assert_eq!(cursor.peek_time(), expected.0);
                assert_eq!(cursor.next(), *expected);
            }
        }
    }

    #[test]
    fn another_rate_in_one_piece_moves_nothing_in_the_others() {
        let mut other = RATES;
        other[2] = 40.0;
        let in_others = |rates: &[f64]| {
            let mut all = between(rates, secs(0.0), secs(50.0));
            all.retain(|(at, _)| at.as_nanos() / NANOS_PER_SEC % 5 != 2);
            all
        };
        assert_eq!(in_others(&RATES), in_others(&other));
    }

    #[test]
    fn arrivals_follow_their_rates() {
        // Counts in tenths of each step against their expected numbers, by chi-square.
        let rates = [40.0, 0.0, 100.0, 7.0];
        let turns = 2_000.0;
        let all = between(&rates, secs(0.0), secs(4.0 * turns));
        let mut counts = [0.0_f64; 40];
        for (at, _) in &all {
            counts[(at.as_nanos() / (NANOS_PER_SEC / 10) % 40) as usize] += 1.0;
        }
        let (mut statistic, mut cells) = (0.0, 0);
        for (tenth, count) in counts.iter().enumerate() {
            let expected = rates[tenth / 10] * 0.1 * turns;
            if expected == 0.0 {
                assert_eq!(*count, 0.0);
                continue;
            }
            statistic += (count - expected).powi(2) / expected;
            cells += 1;
        }
        let p = (-Gamma::new(f64::from(cells) / 2.0).cumulative_hazard(statistic / 2.0)).exp();
        assert!(
            p > 0.001 && p < 0.999,
            "chi-square {statistic} of {cells}, p {p}"
        );
        // The number of a turn is Poisson: its variance is its mean, 147; four standard errors.
        let mut of_turns = vec![0.0; turns as usize];
        for (at, _) in &all {
            of_turns[(at.as_nanos() / NANOS_PER_SEC / 4) as usize] += 1.0;
        }
        let variance: f64 = of_turns
            .iter()
            .map(|count: &f64| (count - 147.0).powi(2))
            .sum::<f64>()
            / turns;
        let error = 147.0 * (2.0 / turns).sqrt();
        assert!((variance - 147.0).abs() < 4.0 * error, "{variance}");
    }

    #[test]
    fn a_stream_can_be_empty_for_ever() {
        #[derive(Clone, Copy, Debug)]
        struct Once;
        impl Pieces for Once {
            fn piece(&self, at: SimTime) -> Piece {
                let border = SimTime::from_nanos(NANOS_PER_SEC);
                let first = at < border;
                Piece {
                    from: if first { SimTime::EPOCH } else { border },
                    to: if first { border } else { SimTime::NEVER },
                    rate: if first { 1_000.0 } else { 0.0 },
                    number: 0,
                }
            }
        }
        let mut cursor = PieceCursor::new(key(2), Once);
        let mut count = 0;
        while cursor.next().0 != SimTime::NEVER {
            count += 1;
        }
        assert!((870..1_130).contains(&count));
        cursor.seek(SimTime::NEVER);
        assert_eq!(cursor.peek_time(), SimTime::NEVER);
        cursor.seek(SimTime::EPOCH);
        assert!(cursor.peek_time() < SimTime::NEVER);
    }
}
