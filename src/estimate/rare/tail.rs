//! Durations drawn with a heavier tail than their own, and the weight that corrects it.
//!
//! Long repairs make outages likely: with n faults needed, as the n-th power of their length. Half of
//! the draws take the survival probability from a logarithmic law instead of the uniform one, so that
//! long durations come often; the weight is at most 2, because the other half is as it always was
//! (defensive mixture, Hesterberg 1995).

/// The smallest survival probability that the logarithmic half gives.
const LEAST: f64 = 1e-6;

/// A survival probability from two uniforms, and its weight: the uniform density over the one that it
/// was drawn from.
pub(super) fn tail(choice: f64, place: f64) -> (f64, f64) {
    let width = -LEAST.ln();
    let v = if choice < 0.5 {
        place
    } else {
        (-width * place).exp()
    };
    let logarithmic = if v < LEAST { 0.0 } else { 0.5 / (v * width) };
    (v, 1.0 / (0.5 + logarithmic))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    #[test]
    fn weighted_draws_have_the_mean_of_plain_ones() {
        let mut stream = Stream::from_key(4);
        let n = 400_000;
        // E[-ln v] = 1 and E[(-ln v)^2] = 2 for a uniform v; E[w] = 1.
        let (mut sums, mut squares) = ([0.0; 3], [0.0; 3]);
        for _ in 0..n {
            let (v, weight) = tail(stream.uniform(), stream.uniform());
            assert!(v > 0.0 && v <= 1.0 && weight > 0.0 && weight <= 2.0);
            let life = -f64::ln(v);
            for (row, value) in [weight, weight * life, weight * life * life]
                .into_iter()
                .enumerate()
            {
                sums[row] += value;
                squares[row] += value * value;
            }
        }
        for (row, exact) in [1.0, 1.0, 2.0].into_iter().enumerate() {
            let mean = sums[row] / f64::from(n);
            let error = ((squares[row] / f64::from(n) - mean * mean) / f64::from(n)).sqrt();
            assert!((mean - exact).abs() < 4.0 * error, "{mean} for {exact}");
            assert!(error < 0.01 * exact);
        }
    }
}
