//! How differences are printed: with their sign, in the reader's unit, never more digits than the
//! interval supports.

use super::{Printed, fixed, places, significant, unit_of};
use crate::experiment::comparison::{Difference, FigureUnit};

/// A difference with its interval: `+0.031 pp (+0.027 .. +0.035)`. `currency` is for money.
pub fn change(d: &Difference, unit: FigureUnit, currency: &str) -> Printed {
    let (size, word) = scale(d, unit, currency);
    let (value, low, high) = (d.value / size, d.low / size, d.high / size);
    if value == 0.0 && low == 0.0 && high == 0.0 {
        return Printed::new("no change", "exact");
    }
    if value == 0.0 {
        let interval = match (low.is_finite(), high.is_finite()) {
            (true, true) => format!(
                "{} .. {}",
                signed(&significant(low.abs(), 2), low),
                signed(&significant(high.abs(), 2), high)
            ),
            (false, true) => format!("at most {}", signed(&significant(high.abs(), 2), high)),
            (true, false) => format!("at least {}", signed(&significant(low.abs(), 2), low)),
            (false, false) => "nothing is known".to_owned(),
        };
        return Printed::new(format!("0 {word}"), interval);
    }
    if unit == FigureUnit::PerMonth {
        let amount = signed(&super::money(d.value.abs(), currency), d.value);
        return Printed::new(format!("{amount} per month"), "");
    }
    let places = places(value, low, high);
    let end = |x: f64, open: &str| {
        if x.is_finite() {
            let text = fixed(x.abs(), places);
            if text.bytes().all(|b| b"0.".contains(&b)) {
                "0".to_owned()
            } else {
                signed(&text, x)
            }
        } else {
            open.to_owned()
        }
    };
    Printed::new(
        format!("{} {word}", signed(&fixed(value.abs(), places), value)),
        format!(
            "{} .. {}",
            end(low, "no lower bound"),
            end(high, "no upper bound")
        ),
    )
}

fn signed(text: &str, value: f64) -> String {
    let sign = if value < 0.0 { '-' } else { '+' };
    format!("{sign}{text}")
}

/// The size of the unit in which the reader thinks, and its word.
fn scale(d: &Difference, unit: FigureUnit, currency: &str) -> (f64, String) {
    let seen = [d.value, d.high, d.low]
        .into_iter()
        .find(|x| *x != 0.0 && x.is_finite())
        .unwrap_or(0.0);
    match unit {
        FigureUnit::Share => (0.01, "pp".to_owned()),
        FigureUnit::Seconds => {
            let (size, word) = unit_of(seen);
            (size, word.to_owned())
        }
        FigureUnit::SecondsPerYear => {
            let (size, word) = unit_of(seen);
            (size, format!("{word}/y"))
        }
        FigureUnit::PerYear => (1.0, "per year".to_owned()),
        FigureUnit::PerMonth => (1.0, currency.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(value: f64, low: f64, high: f64, unit: FigureUnit) -> String {
        let d = Difference {
            value,
            low,
            high,
            confidence: 0.95,
            n: 32,
            correlation: None,
        };
        change(&d, unit, "EUR").to_string()
    }

    #[test]
    fn differences_have_a_sign_and_the_digits_of_their_interval() {
        assert_eq!(
            printed(0.000_311, 0.000_274, 0.000_348, FigureUnit::Share),
            "+0.031 pp (+0.027 .. +0.035)"
        );
        assert_eq!(
            printed(-720.0, -900.0, -540.0, FigureUnit::SecondsPerYear),
            "-12 min/y (-15 .. -9)"
        );
        assert_eq!(
            printed(-0.0004, -0.002, 0.0012, FigureUnit::Seconds),
            "-400 µs (-2,000 .. +1,200)"
        );
        assert_eq!(
            printed(0.0, 0.0, 0.0, FigureUnit::Share),
            "no change (exact)"
        );
        assert_eq!(
            printed(0.0, -0.003, 0.003, FigureUnit::Share),
            "0 pp (-0.3 .. +0.3)"
        );
        assert_eq!(
            printed(-12.5, -12.5, -12.5, FigureUnit::PerMonth),
            "-12.50 EUR per month"
        );
        assert_eq!(
            printed(1.0, f64::NEG_INFINITY, 2.0, FigureUnit::PerYear),
            "+1.0 per year (no lower bound .. +2.0)"
        );
    }
}
