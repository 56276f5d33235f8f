//! The Kolmogorov-Smirnov test.

/// Asserts that `values` follow the continuous law with distribution function `cdf`.
///
/// The statistic sqrt(n) D exceeds 2.47 with probability 2 exp(-2 * 2.47^2) = 1e-5 under the law.
#[track_caller]
pub(crate) fn follows(name: &str, mut values: Vec<f64>, cdf: &dyn Fn(f64) -> f64) {
    values.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let mut distance = 0.0_f64;
    for (index, &value) in values.iter().enumerate() {
        let share = cdf(value);
        assert!(
            (-1e-9..=1.0 + 1e-9).contains(&share),
            "{name}: cdf({value}) = {share}"
        );
        let (below, above) = (index as f64 / n, (index + 1) as f64 / n);
        distance = distance.max(share - below).max(above - share);
    }
    let statistic = distance * n.sqrt();
    assert!(statistic < 2.47, "{name}: sqrt(n) D = {statistic}");
}
