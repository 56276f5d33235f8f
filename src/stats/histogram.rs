//! Log-linear histogram of spans in nanoseconds.

/// Counts of spans in buckets of relative width 2^-7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    counts: Vec<u64>,
}

impl Histogram {
    /// Without any value.
    pub fn new() -> Self {
        Self { counts: vec![0; Self::BUCKETS] }
    }

    /// Number of buckets.
    pub const BUCKETS: usize = 128 * 58;

    /// Counts one value.
    #[inline]
    pub fn record(&mut self, nanos: u64) {
        let _ = (&mut self.counts, nanos);
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}
