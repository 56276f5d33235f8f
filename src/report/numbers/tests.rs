//! What is printed, by example.

use super::*;

fn e(value: f64, low: f64, high: f64) -> Estimate {
    Estimate {
        value,
        low,
        high,
        confidence: 0.95,
        n: 100,
    }
}

#[test]
fn a_share_shows_its_nines_and_no_digit_more() {
    assert_eq!(
        share(&e(0.999_81, 0.999_79, 0.999_83)).to_string(),
        "99.981 % (99.979 .. 99.983)"
    );
    assert_eq!(
        share(&e(0.987, 0.972, 1.0)).to_string(),
        "98.7 % (97.2 .. 100)"
    );
    assert_eq!(share(&e(0.5, 0.4, 0.6)).to_string(), "50 % (40 .. 60)");
    assert_eq!(
        share(&e(0.5, 0.485, 0.515)).to_string(),
        "50.0 % (48.5 .. 51.5)"
    );
    assert_eq!(
        share(&e(0.999_999_87, 0.999_999_85, 0.999_999_89)).to_string(),
        "99.999987 % (99.999985 .. 99.999989)"
    );
    // A very narrow interval does not lead to a tail of digits.
    assert_eq!(
        share(&e(0.999_812_345_6, 0.999_812_345_5, 0.999_812_345_7)).value,
        "99.98123 %"
    );
}

#[test]
fn a_share_that_is_not_certain_is_never_a_hundred_per_cent() {
    let skewed = share(&e(0.999_99, 0.99, 0.999_999));
    assert_eq!(skewed.to_string(), "99.999 % (99.000 .. 100)");
    assert_eq!(
        share(&e(1.0, 0.999_712, 1.0)).to_string(),
        "> 99.971 % (95 %)"
    );
    assert_eq!(share(&e(1.0, 1.0, 1.0)).to_string(), "100 % (exact)");
    assert_eq!(
        share(&e(1.0, 0.0, 1.0)).to_string(),
        "no failure seen (no lower bound)"
    );
    assert_eq!(part(0.9999), "99 %");
}

#[test]
fn a_share_that_was_not_seen_is_a_bound() {
    assert_eq!(share(&e(0.0, 0.0, 0.003_68)).to_string(), "< 0.37 % (95 %)");
    assert_eq!(
        share(&e(0.0, 0.0, 1.0)).to_string(),
        "none seen (no upper bound)"
    );
    assert_eq!(
        share(&e(0.000_012, 0.0, 0.004)).to_string(),
        "0.001 % (0 .. 0.400)"
    );
}

#[test]
fn a_span_is_in_its_readers_unit() {
    assert_eq!(
        span(&e(192.0, 174.0, 210.0)).to_string(),
        "3.2 min (2.9 .. 3.5)"
    );
    assert_eq!(
        span(&e(6_480.0, 6_120.0, 6_840.0)).to_string(),
        "108 min (102 .. 114)"
    );
    assert_eq!(
        span(&e(9_000.0, 8_000.0, 10_000.0)).to_string(),
        "2.5 h (2.2 .. 2.8)"
    );
    assert_eq!(
        span(&e(0.0523, 0.0520, 0.0526)).to_string(),
        "52.3 ms (52.0 .. 52.6)"
    );
    assert_eq!(span(&e(0.0523, 0.04, 0.07)).to_string(), "52 ms (40 .. 70)");
    assert_eq!(
        span(&e(0.000_012, 0.000_011, 0.000_013)).to_string(),
        "12.0 µs (11.0 .. 13.0)"
    );
    assert_eq!(
        span(&e(17_539_200.0, 1.7e7, 1.8e7)).to_string(),
        "203 d (197 .. 208)"
    );
    assert_eq!(
        span(&e(3.2 * YEAR_S, 2.9 * YEAR_S, 3.5 * YEAR_S)).to_string(),
        "3.2 y (2.9 .. 3.5)"
    );
    assert_eq!(
        span_per_year(&e(192.0, 174.0, 210.0)).to_string(),
        "3.2 min/y (2.9 .. 3.5)"
    );
}

#[test]
fn an_end_without_a_bound_says_so() {
    let mean = span(&e(192.0, 174.0, f64::INFINITY));
    assert_eq!(mean.to_string(), "3.2 min (2.9 .. no upper bound)");
    let rate = per_year(&e(2.0, f64::NEG_INFINITY, 3.0));
    assert_eq!(rate.to_string(), "2.0 per year (no lower bound .. 3.0)");
    assert_eq!(
        plain(&e(2.0, f64::NEG_INFINITY, f64::INFINITY)).value,
        "2.00"
    );
    assert_eq!(
        span(&e(f64::INFINITY, 3_600.0, f64::INFINITY)).to_string(),
        "> 60 min (95 %)"
    );
}

#[test]
fn nothing_seen_is_a_bound_and_never_zero() {
    assert_eq!(
        span_per_year(&e(0.0, 0.0, 35.2)).to_string(),
        "< 36 s/y (95 %)"
    );
    assert_eq!(
        span_per_year(&e(0.0, 0.0, 129.0)).to_string(),
        "< 2.2 min/y (95 %)"
    );
    let none = span_per_year(&e(0.0, 0.0, f64::INFINITY));
    assert_eq!(none.to_string(), "none seen (no upper bound)");
    assert_eq!(
        per_year(&e(0.0, 0.0, 0.003)).to_string(),
        "< 0.0030 per year (95 %)"
    );
    assert_eq!(span(&e(0.0, 0.0, 0.0)).to_string(), "none");
}

#[test]
fn a_wide_interval_takes_digits_away_and_never_the_value() {
    assert_eq!(
        plain(&e(1_234.0, 900.0, 1_600.0)).to_string(),
        "1,200 (900 .. 1,600)"
    );
    assert_eq!(
        plain(&e(0.001_2, 0.0, 3.0)).to_string(),
        "0.001 (0.000 .. 3.000)"
    );
    assert_eq!(
        plain(&e(1.0031, 1.0027, 1.0035)).to_string(),
        "1.003 (1.003 .. 1.004)"
    );
    assert_eq!(plain(&e(5.0, 5.0, 5.0)).value, "5.00");
}

#[test]
fn known_values_are_short() {
    assert_eq!(exact_span(0.3), "300 ms");
    assert_eq!(exact_span(14_400.0), "4 h");
    assert_eq!(exact_span(YEAR_S), "1 y");
    assert_eq!(exact_span(90.0), "90 s");
    assert_eq!(exact_span(60.0), "1 min");
    assert_eq!(exact_span(3_600.0), "1 h");
    assert_eq!(exact_span(30.0 * 86_400.0), "30 d");
    assert_eq!(exact_span(0.0), "0 s");
    assert_eq!(exact_span(f64::INFINITY), "for ever");
    assert_eq!(exact_share(0.9995), "99.95 %");
    assert_eq!(exact_share(0.05), "5 %");
    assert_eq!(exact_share(1.0), "100 %");
    assert_eq!(percent(0.95), "95 %");
    assert_eq!(percent(0.991_666), "99.17 %");
    assert_eq!(points(0.000_312), "0.031 pp");
}

#[test]
fn counts_have_separators_and_nouns_their_plural() {
    assert_eq!(count(0), "0");
    assert_eq!(count(999), "999");
    assert_eq!(count(12_614_400), "12,614,400");
    assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
    assert_eq!(plural(1, "outage"), "1 outage");
    assert_eq!(plural(0, "outage"), "0 outages");
    assert_eq!(plural(1_024, "history"), "1,024 histories");
    assert_eq!(plural(2, "journey"), "2 journeys");
}

#[test]
fn parts_of_a_whole_are_for_people() {
    assert_eq!(part(0.4249), "42 %");
    assert_eq!(part(0.031), "3.1 %");
    assert_eq!(part(0.000_3), "< 0.1 %");
    assert_eq!(part(0.0), "0 %");
    assert_eq!(part(1.0), "100 %");
}
