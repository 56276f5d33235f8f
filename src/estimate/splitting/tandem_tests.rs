//! RESTART against chains that are solved exactly: two queues in a row.

use super::levels::{Found, Stage, find};
use super::restart::{Levels, Restart, Trajectory};
use crate::random::{Key, Stream};

/// Two queues in a row, as a jump chain, until the second is empty or has `full` requests.
#[derive(Clone, Debug)]
struct Tandem {
    rates: [f64; 3],
    queues: [u32; 2],
    full: u32,
    /// Whether it ends with the second queue empty, or with both.
    ends_with_second: bool,
    stream: Stream,
    over: bool,
    hit: bool,
}

impl Trajectory for Tandem {
    /// Weight of hits, and how many.
    type Reward = (f64, u64);

    fn advance(&mut self) -> bool {
        if self.over {
            return false;
        }
        let [arrival, first, second] = self.rates;
        let [a, b] = self.queues;
        let first = if a > 0 { first } else { 0.0 };
        let second = if b > 0 { second } else { 0.0 };
        let point = self.stream.uniform() * (arrival + first + second);
        self.queues = if point < arrival {
            [a + 1, b]
        } else if point < arrival + first {
            [a - 1, b + 1]
        } else {
            [a, b - 1]
        };
        let [a, b] = self.queues;
        self.hit = b == self.full;
        self.over = self.hit || b == 0 && (self.ends_with_second || a == 0);
        true
    }

    fn importance(&self) -> f64 {
        f64::from(self.queues[1]) / f64::from(self.full)
    }

    fn collect(&mut self, weight: f64, into: &mut (f64, u64)) {
        if std::mem::take(&mut self.hit) {
            *into = (into.0 + weight, into.1 + 1);
        }
    }

    fn branch_from(&mut self, of: &Self, key: u64) {
        self.clone_from(of);
        self.stream = Key::of_seed(key).stream();
    }
}

/// Value and standard error of the probability that the second queue fills, from `roots` main trajectories.
fn estimate(start: &Tandem, levels: &Levels, roots: u64, key: Key) -> (f64, f64) {
    let mut restart = Restart::new(levels, key.with(1), u64::MAX);
    let (mut sum, mut squares) = (0.0, 0.0);
    for root in 0..roots {
        let mut main = start.clone();
        main.stream = key.with(2).with(root).stream();
        let mut hits = (0.0, 0);
        assert!(restart.follow(&mut main, &mut hits));
        sum += hits.0;
        squares += hits.0 * hits.0;
    }
    let (n, mean) = (roots as f64, sum / roots as f64);
    let error = ((squares / n - mean * mean) / (n - 1.0)).sqrt();
    (mean, error)
}

/// Levels by a pilot.
fn pilot(start: &Tandem, key: Key) -> Found {
    let found = find(|levels, number, longer| {
        let mut restart = Restart::noting(levels, key.with(number), 100_000_000);
        let mut hits = (0.0, 0);
        for root in 0..4_096 * longer {
            let mut main = start.clone();
            main.stream = key.with(number).with(root).stream();
            assert!(restart.follow(&mut main, &mut hits));
        }
        Some(Stage {
            visits: restart.visits().cloned().unwrap_or_default(),
            hits: hits.1,
            effort: restart.effort(),
        })
    });
    found.expect("levels")
}

#[track_caller]
fn check(start: &Tandem, roots: u64, exact: f64) {
    let key = Key::of_seed(20).with(u64::from(start.full));
    let found = pilot(start, key.with(1));
    let (value, error) = estimate(start, &found.levels, roots, key.with(2));
    assert!(error <= 0.01 * exact, "{value:e} +- {error:e}");
    assert!(
        (value - exact).abs() <= 3.0 * error,
        "{value:e} +- {error:e}, exactly {exact:e}"
    );
}

/// The first server is slower than the second, and than requests come.
fn fast(full: u32) -> Tandem {
    tandem([3.0, 2.0, 6.0], [0, 1], full, true)
}

/// The second server is the slower one.
fn slow(full: u32) -> Tandem {
    tandem([1.0, 4.0, 2.0], [1, 0], full, false)
}

fn tandem(rates: [f64; 3], queues: [u32; 2], full: u32, ends_with_second: bool) -> Tandem {
    Tandem {
        rates,
        queues,
        full,
        ends_with_second,
        stream: Key::of_seed(0).stream(),
        over: false,
        hit: false,
    }
}

/// The second queue fills before it is empty again; sparse solution of the linear equations of the chain.
#[test]
fn a_second_queue_fills_as_often_as_the_equations_of_the_chain_say() {
    for (full, exact) in [(8, 5.605_021e-6), (10, 3.147_909e-7)] {
        check(&fast(full), 1_500_000, exact);
    }
}

#[test]
#[ignore = "long: CI runs it"]
fn a_second_queue_fills_as_seldom_as_the_equations_of_the_chain_say() {
    for (full, exact) in [(12, 1.860_296e-8), (14, 1.138_964e-9)] {
        check(&fast(full), 4_000_000, exact);
    }
}

/// The same with the slower server behind, from one request in the first queue, before both are empty.
#[test]
fn a_slower_second_queue_fills_as_often_as_the_equations_of_the_chain_say() {
    check(&slow(10), 800_000, 1.302_619e-3);
}

#[test]
#[ignore = "long: CI runs it"]
fn a_slower_second_queue_fills_as_seldom_as_the_equations_of_the_chain_say() {
    for (full, exact) in [(20, 1.271_566e-6), (30, 1.241_763e-9)] {
        check(&slow(full), 2_000_000, exact);
    }
}

/// Whatever is split, a change of all trajectories together counts as one of the main one: so the weights of all
/// visits are those of the changes of trajectories that nobody splits. So it is where large trees are split no more.
#[test]
fn the_weights_of_all_changes_are_those_of_the_main_trajectories() {
    let start = fast(8);
    let weight = |levels: &Levels, until: u64, key: Key| {
        let (mut sum, mut squares, mut past) = (0.0, 0.0, 0);
        let roots = 150_000;
        for root in 0..roots {
            let of = Restart::noting(levels, key.with(1).with(root), u64::MAX);
            let mut restart = of.split_until(until);
            let mut main = start.clone();
            main.stream = key.with(2).with(root).stream();
            assert!(restart.follow(&mut main, &mut (0.0, 0)));
            let all = restart.weight_seen();
            sum += all;
            squares += all * all;
            past += u64::from(restart.is_past());
        }
        let (n, mean) = (roots as f64, sum / roots as f64);
        (mean, (squares / n - mean * mean) / (n - 1.0), past)
    };
    let never = u64::MAX;
    let plain = weight(&Levels::new([]), never, Key::of_seed(1));
    let levels = Levels::new([(0.3, 4), (0.45, 3), (0.7, 5)]);
    for (until, least) in [(never, 0), (12, 1_000)] {
        let split = weight(&levels, until, Key::of_seed(2));
        let z = (plain.0 - split.0) / (plain.1 + split.1).sqrt();
        assert!(z.abs() < 4.0, "{plain:?} {split:?} {z}");
        assert!(split.2 >= least, "{}", split.2);
    }
}

/// Most of what is found comes from large trees: those that are split no more find as much, and without them, as if
/// they were given up, far too little would be.
#[test]
fn trees_that_are_split_no_more_find_as_much() {
    let (start, exact) = (fast(8), 5.605_021e-6);
    let key = Key::of_seed(21);
    let found = pilot(&start, key.with(1));
    let (mut all, mut squares, mut small) = (0.0, 0.0, 0.0);
    let roots = 2_000_000;
    for root in 0..roots {
        let of = Restart::new(&found.levels, key.with(2).with(root), u64::MAX);
        let mut restart = of.split_until(200);
        let mut main = start.clone();
        main.stream = key.with(3).with(root).stream();
        let mut hits = (0.0, 0);
        assert!(restart.follow(&mut main, &mut hits));
        all += hits.0;
        squares += hits.0 * hits.0;
        if !restart.is_past() {
            small += hits.0;
        }
    }
    let (n, mean) = (roots as f64, all / roots as f64);
    let error = ((squares / n - mean * mean) / (n - 1.0)).sqrt();
    assert!(error < 0.05 * exact, "{error:e}");
    assert!((mean - exact).abs() < 3.0 * error, "{mean:e} +- {error:e}");
    assert!(small / n < 0.5 * exact, "{:e}", small / n);
}
