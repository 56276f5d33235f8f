//! Computed flips against probes that tick, and the delays of the textbook.

use super::*;
use crate::random::Stream;

fn pace(interval: u64, timeout: u64, takes: u64, rise: u32, fall: u32) -> Pace {
    let span = SimSpan::from_nanos;
    Pace {
        interval: span(interval),
        timeout: span(timeout),
        takes: span(takes),
        rise,
        fall,
    }
}

/// For modes without chance.
fn no_chance() -> f64 {
    unreachable!("nothing is drawn")
}

/// The draws of the period that follows change `index` of the mode.
fn luck_of(index: usize) -> Stream {
    Stream::from_key(100 + index as u64)
}

/// A probe on its way in the slow reference.
struct Ticked {
    start: u64,
    /// What a healthy target would still need; `None` when there will be no answer.
    left: Option<f64>,
    /// Whether the process that holds it hangs.
    hung: bool,
    /// When it fails, if it does.
    fails: u64,
}

/// The same by walking through every nanosecond. Returns the flips.
fn ticked(pace: &Pace, first: u64, modes: &[(u64, Mode)], end: u64) -> Vec<(u64, bool)> {
    let timeout = pace.timeout.as_nanos();
    let (mut flips, mut mode, mut changes) = (Vec::new(), modes[0].1, modes[1..].iter().zip(1..));
    let mut change = changes.next();
    let (mut luck, mut draws) = (Luck::new(), luck_of(0));
    let (full, mut health) = (pace.rise + pace.fall - 1, pace.rise);
    let mut flight: Option<Ticked> = None;
    for now in 0..end {
        while let Some((&(_, to), index)) = change.filter(|change| change.0.0 == now) {
            if to != mode {
                (luck, draws) = (Luck::new(), luck_of(index));
            }
            if let Some(flight) = flight.as_mut().filter(|_| to != mode) {
                if flight.hung && to != Mode::Silent {
                    flight.fails = now;
                }
                flight.hung = to == Mode::Hangs && flight.left.is_some();
                match to {
                    Mode::Refuses if flight.left.take().is_some() => flight.fails = now,
                    Mode::Silent => flight.left = None,
                    Mode::Hangs => flight.left = None,
                    _ => {}
                }
            }
            mode = to;
            change = changes.next();
        }
        for starts in [false, true] {
            if starts && now >= first && (now - first).is_multiple_of(pace.interval.as_nanos()) {
                assert!(flight.is_none(), "probes overlap");
                let error = mode.chance().is_some_and(|share| {
                    if luck.run().is_none() {
                        luck.look_ahead(share, &mut || draws.uniform());
                    }
                    let (error, _) = luck.run().unwrap();
                    luck.pass(1);
                    error
                });
                let error = error || matches!(mode, Mode::Impaired { errors, .. } if errors == 1.0);
                let refused = error || mode == Mode::Refuses;
                let worked = !refused && mode != Mode::Silent && mode != Mode::Hangs;
                flight = Some(Ticked {
                    start: now,
                    left: worked.then_some(pace.takes.as_nanos() as f64),
                    hung: mode == Mode::Hangs,
                    fails: if refused { now } else { now + timeout },
                });
            }
            let goes_on = !matches!(mode, Mode::Pauses | Mode::Hangs);
            let passes = flight.as_ref().is_some_and(|flight| {
                flight.left == Some(0.0) && goes_on && now < flight.start + timeout
            });
            if passes || flight.as_ref().is_some_and(|flight| flight.fails == now) {
                flight = None;
                let was_up = health >= pace.rise;
                if passes {
                    health = (health + 1).min(full);
                    health = if health >= pace.rise { full } else { health };
                } else {
                    health = health.saturating_sub(1);
                    health = if health < pace.rise { 0 } else { health };
                }
                if (health >= pace.rise) != was_up {
                    flips.push((now, !was_up));
                }
            }
        }
        if let Some(left) = flight.as_mut().and_then(|flight| flight.left.as_mut()) {
            *left -= match mode {
                Mode::Impaired { factor, .. } => factor.recip(),
                Mode::Pauses => 0.0,
                _ => 1.0,
            };
        }
    }
    flips
}

fn computed(pace: &Pace, first: u64, modes: &[(u64, Mode)], end: u64) -> Vec<(u64, bool)> {
    let mut watch = Watch::start(pace, SimTime::from_nanos(first), modes[0].1);
    let mut draws = luck_of(0);
    let (mut flips, mut up) = (Vec::new(), true);
    let mut due = watch.next_flip(pace, || draws.uniform());
    let end = std::iter::once((end, Mode::Silent));
    for ((at, mode), index) in modes[1..].iter().copied().chain(end).zip(1..) {
        let at = SimTime::from_nanos(at);
        while let Some(flips_at) = due.filter(|due| *due < at) {
            due = watch.flip(pace, || draws.uniform());
            if watch.is_up(pace) != up {
                up = watch.is_up(pace);
                flips.push((flips_at.as_nanos(), up));
            }
        }
        if mode != watch.mode() {
            draws = luck_of(index);
        }
        due = watch.observe(pace, at, mode, || draws.uniform());
    }
    flips
}

#[test]
fn computed_flips_equal_those_of_ticking_probes() {
    // Powers of two, so that a half-done probe is a number without rounding.
    let impaired = |factor, errors| Mode::Impaired {
        factor,
        errors,
        adds: SimSpan::ZERO,
        lost: 0.0,
    };
    let kinds = [
        Mode::Answers,
        Mode::Refuses,
        Mode::Silent,
        Mode::Hangs,
        Mode::Pauses,
        impaired(2.0, 0.0),
        impaired(4.0, 0.5),
        impaired(1.0, 0.6),
        impaired(1.0, 0.05),
        impaired(2.0, 1.0),
    ];
    let mut stream = Stream::from_key(1);
    let mut below = |n: u64| stream.bits() % n;
    let mut flips = 0;
    for round in 0..12_000 {
        // Multiples of eight, so that it ends at a whole nanosecond.
        let unit = if round < 6_000 { 1 } else { 8 };
        let interval = unit * (1 + below(20));
        let timeout = unit * (1 + below(interval / unit));
        let pace = pace(
            interval,
            timeout,
            unit * below(timeout / unit),
            1 + below(4) as u32,
            1 + below(4) as u32,
        );
        let most = if round < 6_000 { 5 } else { kinds.len() as u64 };
        let mut modes = vec![(0, kinds[below(most) as usize])];
        let mut at = 0;
        for _ in 0..8 {
            at += unit * below(8 * interval / unit);
            modes.push((at, kinds[below(most) as usize]));
        }
        let first = unit * below(interval / unit);
        let end = at + 40 * interval;
        let expected = ticked(&pace, first, &modes, end);
        assert_eq!(
            computed(&pace, first, &modes, end),
            expected,
            "{pace:?} {first} {modes:?}"
        );
        flips += expected.len();
    }
    assert!(flips > 30_000, "{flips} flips are too few to compare");
}

/// Delay from a fault at a random moment to the flip, in the seconds of a pace in milliseconds.
fn delays(pace: &Pace, mode: Mode) -> (f64, f64, f64) {
    let mut stream = Stream::from_key(2);
    let (mut sum, mut least, mut most) = (0.0, f64::INFINITY, 0.0_f64);
    let trials = 100_000;
    for _ in 0..trials {
        let first = pace.interval.mul_f64(stream.uniform());
        let mut watch = Watch::start(pace, SimTime::EPOCH + first, Mode::Answers);
        let fault = SimTime::EPOCH + pace.interval.mul_f64(10.0 + stream.uniform());
        let flips = watch
            .observe(pace, fault, mode, no_chance)
            .expect("it will be noticed");
        let delay = (flips - fault).as_secs_f64();
        (sum, least, most) = (sum + delay, least.min(delay), most.max(delay));
    }
    (sum / f64::from(trials), least, most)
}

#[test]
fn a_refused_port_is_noticed_after_a_uniform_phase_and_two_intervals() {
    let second = 1_000_000_000;
    let (mean, least, most) = delays(&pace(10 * second, second, 0, 2, 3), Mode::Refuses);
    // U(0, 10) + 2 * 10: mean 25, standard error 2.89 / sqrt(100,000) = 0.009.
    assert!((mean - 25.0).abs() < 0.04, "{mean}");
    assert!((20.0..20.01).contains(&least) && (29.99..=30.0).contains(&most));
}

#[test]
fn silence_is_noticed_one_timeout_later() {
    let second = 1_000_000_000;
    let (mean, least, most) = delays(&pace(10 * second, second, 0, 2, 3), Mode::Silent);
    assert!((mean - 26.0).abs() < 0.04, "{mean}");
    assert!((21.0..21.01).contains(&least) && (30.99..=31.0).contains(&most));
}

#[test]
fn a_new_observer_needs_one_failure_and_a_settled_one_needs_all() {
    let pace = pace(10, 5, 1, 2, 3);
    let at = SimTime::from_nanos;
    let mut watch = Watch::start(&pace, at(3), Mode::Refuses);
    assert_eq!(watch.next_flip(&pace, no_chance), Some(at(3)));
    let mut watch = Watch::start(&pace, at(3), Mode::Answers);
    assert_eq!(
        watch.observe(&pace, at(10), Mode::Refuses, no_chance),
        Some(at(33))
    );
}

/// Delay until a target that answers a share of its probes with errors is noticed.
#[test]
fn a_grey_failure_is_noticed_after_a_run_of_failures() {
    let second = 1_000_000_000;
    let pace = pace(10 * second, second, 0, 2, 3);
    let mode = Mode::Impaired {
        factor: 1.0,
        errors: 0.6,
        adds: SimSpan::ZERO,
        lost: 0.0,
    };
    let mut stream = Stream::from_key(4);
    let (mut sum, mut squares) = (0.0, 0.0);
    let trials = 100_000;
    for _ in 0..trials {
        let first = pace.interval.mul_f64(stream.uniform());
        let mut watch = Watch::start(&pace, SimTime::EPOCH + first, Mode::Answers);
        let fault = SimTime::EPOCH + pace.interval.mul_f64(10.0 + stream.uniform());
        let mut at = watch.observe(&pace, fault, mode, || stream.uniform());
        loop {
            let due = at.expect("it will be noticed");
            at = watch.flip(&pace, || stream.uniform());
            if !watch.is_up(&pace) {
                let delay = (due - fault).as_secs_f64();
                (sum, squares) = (sum + delay, squares + delay * delay);
                break;
            }
        }
    }
    // 5 s to the first probe, and (1 - q^3) / (q^3 (1 - q)) probes ten seconds apart.
    let (n, expected) = (f64::from(trials), 85.740_740_740_7);
    let error = ((squares / n - (sum / n).powi(2)) / n).sqrt();
    assert!((sum / n - expected).abs() < 4.0 * error, "{}", sum / n);
}

#[test]
fn a_tiny_share_is_looked_at_a_few_times_only() {
    let second = 1_000_000_000;
    let pace = pace(second, second / 2, 0, 2, 3);
    let mode = Mode::Impaired {
        factor: 1.0,
        errors: 1e-6,
        adds: SimSpan::ZERO,
        lost: 0.0,
    };
    let mut stream = Stream::from_key(4);
    let mut watch = Watch::start(&pace, SimTime::EPOCH, mode);
    let mut due = watch.next_flip(&pace, || stream.uniform());
    let mut looks = 0;
    // A year of probes, 31.5 million of them.
    while due.is_some_and(|due| due < SimTime::EPOCH + SimSpan::from_secs(365 * 86_400)) {
        due = watch.flip(&pace, || stream.uniform());
        looks += 1;
    }
    assert!(looks < 40 && watch.is_up(&pace), "{looks}");
}

#[test]
fn an_observer_that_stood_still_goes_on_where_it_was() {
    let pace = pace(10, 5, 1, 2, 3);
    let at = SimTime::from_nanos;
    let mut watch = Watch::start(&pace, at(3), Mode::Answers);
    // Failures at 13 and 23, and none while it stands still from 30 to 57: the third is at 63.
    assert_eq!(
        watch.observe(&pace, at(10), Mode::Refuses, no_chance),
        Some(at(33))
    );
    watch.rest(&pace, at(30));
    let due = watch.resume(&pace, at(57), Mode::Refuses, no_chance);
    assert_eq!(due, Some(at(63)));
}
