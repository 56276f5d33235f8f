//! Periods against counting them one by one.

use super::*;
use proptest::prelude::*;

const HORIZON: u64 = 60;

/// Whole seconds, so that every edge of a period that matters is on the grid.
fn run(length: u64, rolling: bool, limit: f64, stretches: &[Stretch]) -> Judged {
    let at = |secs: u64| SimTime::from_nanos(secs);
    let mut meter = Meter::new(at(100), at(100 + HORIZON), length, rolling, limit);
    let mut last = Judged::default();
    // Twice: what the first replication has left must not be felt by the second.
    for _ in 0..2 {
        meter.begin();
        for &stretch in stretches {
            meter.push(stretch);
        }
        last = meter.end().clone();
    }
    last
}

fn bad(from: u64, to: u64) -> Stretch {
    Stretch {
        from: 100 + from,
        to: 100 + to,
        weight: (to - from) as f64,
        open: 0.0,
    }
}

#[test]
fn periods_one_after_the_other_share_what_crosses_their_border() {
    let judged = run(20, false, 3.0, &[bad(5, 8), bad(18, 24), bad(41, 47)]);
    assert_eq!((judged.periods, judged.over), (3, 3));
    let judged = run(20, false, 4.0, &[bad(5, 8), bad(18, 24), bad(41, 47)]);
    assert_eq!(
        (judged.periods, judged.over),
        (3, 2),
        "3 + 2, 4 and 6 seconds"
    );
    let judged = run(25, false, 0.0, &[bad(55, 60)]);
    assert_eq!(
        (judged.periods, judged.over),
        (2, 0),
        "the rest is no whole period"
    );
}

#[test]
fn a_rolling_period_finds_what_borders_hide() {
    let both = [bad(17, 20), bad(20, 23)];
    assert_eq!(run(20, false, 3.0, &both).over, 0);
    let judged = run(20, true, 3.0, &both);
    assert_eq!((judged.periods, judged.over), (1, 1));
    assert_eq!(
        run(20, true, 6.0, &both).over,
        0,
        "what is just reached is kept"
    );
}

#[test]
fn a_stretch_longer_than_the_period_fills_it() {
    assert_eq!(run(10, true, 9.9, &[bad(3, 50)]).over, 1);
    assert_eq!(run(10, true, 10.0, &[bad(3, 50)]).over, 0);
    assert_eq!(run(10, false, 9.0, &[bad(3, 50)]).over, 4);
}

#[test]
fn an_open_part_says_from_which_factor_on() {
    let stretch = |from: u64, to: u64, weight: f64, open: f64| Stretch {
        from: 100 + from,
        to: 100 + to,
        weight,
        open,
    };
    // Of 100 requests in 30 s two fail, one in a hundred may; of the others it is open.
    let judged = run(
        30,
        false,
        0.0,
        &[stretch(0, 10, 2.0 - 0.2, 0.0), stretch(10, 60, -5.0, 500.0)],
    );
    assert_eq!((judged.periods, judged.over), (2, 0));
    let expected = [(2.0 - 1.8) / 200.0, 3.0 / 300.0];
    for (found, expected) in judged.open.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-12, "{found} and {expected}");
    }
}

/// What becomes of a period that begins at `from`, second by second.
fn sums(seconds: &[(f64, f64)], from: u64, length: u64) -> (f64, f64) {
    let row = &seconds[from as usize..(from + length) as usize];
    row.iter()
        .fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn any_stretches_give_what_counting_gives(
        parts in prop::collection::vec((0_u64..7, 1_u64..25, 0_u32..9, 0_u32..3), 0..12),
        length in 1_u64..=HORIZON,
        limit in 0_u32..40,
    ) {
        let mut stretches = Vec::new();
        let mut seconds = vec![(0.0, 0.0); HORIZON as usize];
        let mut at = 0;
        for (gap, long, weight, open) in parts {
            let (from, to) = (at + gap, (at + gap + long).min(HORIZON));
            if from >= to {
                break;
            }
            // Weights in steps that are exact, so that reaching a limit is no matter of rounding.
            let (weight, open) = (f64::from(weight) * 0.25, f64::from(open) * 0.5);
            let secs = (to - from) as f64;
            stretches.push(Stretch {
                from: 100 + from,
                to: 100 + to,
                weight: weight * secs,
                open: open * secs,
            });
            seconds[from as usize..to as usize].fill((weight, open));
            at = to;
        }
        let limit = f64::from(limit) * 0.5;
        let judge = |from: u64| {
            let (weight, open) = sums(&seconds, from, length);
            if weight > limit { Some(-1.0) } else { (open > 0.0).then(|| (limit - weight) / open) }
        };
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (1.0 + b.abs());

        let calendar = run(length, false, limit, &stretches);
        let whole: Vec<f64> = (0..HORIZON / length).filter_map(|index| judge(index * length)).collect();
        let open: Vec<f64> = whole.iter().copied().filter(|factor| *factor >= 0.0).collect();
        prop_assert_eq!(calendar.over as usize, whole.len() - open.len());
        prop_assert_eq!(calendar.open.len(), open.len());
        prop_assert!(calendar.open.iter().zip(&open).all(|(a, b)| close(*a, *b)));

        let rolling = run(length, true, limit, &stretches);
        let worst = (0..=HORIZON - length).filter_map(judge).fold(f64::INFINITY, f64::min);
        prop_assert_eq!(rolling.over, u64::from(worst < 0.0));
        if worst >= 0.0 && worst.is_finite() {
            prop_assert!(close(rolling.open[0], worst), "{} and {}", rolling.open[0], worst);
        }
    }
}
