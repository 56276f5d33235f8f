//! Numbers of a scenario that are known as a range only.

/// A number that is somewhere between two ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputRange {
    /// Which one: the names on the way to it, such as `services.app.faults.crash.every`.
    pub field: String,
    /// The line of the file it stands in.
    pub line: u32,
    /// The low end, as written.
    pub low: String,
    /// The high end, as written.
    pub high: String,
}

/// How many times the ranges of a scenario are drawn. Each draw is a whole design, and the places of one
/// range in all of them fill its strata, so that sixteen of them miss a mean by little.
pub const INPUT_DRAWS: u32 = 16;
