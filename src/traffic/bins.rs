//! Requests counted by time, for targets on periods.

/// Requests that arrived in some slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bin {
    /// Its slices are `[first, end)`.
    pub first: u64,
    /// See `first`.
    pub end: u64,
    /// Requests that ended.
    pub ended: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Requests that failed because of planned work.
    pub planned: u64,
}

/// How requests are counted by time: in bins that lie within blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BinSettings {
    /// The slice in which the first bin and the first block begin.
    pub origin: u64,
    /// Slices of a bin with failed requests, at most.
    pub bin: u64,
    /// Slices of a block: neighbours of it without a failed request are one bin.
    pub block: u64,
    /// Whether each cause is planned.
    pub planned: Vec<bool>,
    /// Bins of their own for some requests.
    pub views: Vec<BinView>,
}

/// Which requests are counted by time, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BinView {
    /// By journey: whether its requests are.
    pub journeys: Vec<bool>,
    /// Whether an answer that is not complete counts as failed.
    pub full: bool,
}
