//! Accumulators that merge exactly, intervals, and the rule by which error is spent over looks.
//!
//! An interval never pretends: where the data say nothing about the spread (fewer than two groups,
//! all of them alike), it is infinite and not of zero width.

mod beta;
mod estimate;
mod histogram;
mod interval;
mod moments;
mod paired;
mod quantile;
mod ratio;
mod sparse;
mod spending;
mod split;
mod weighted;
mod zeros;

pub use estimate::Estimate;
pub use histogram::{Bucket, Histogram};
pub use interval::{
    Interval, clopper_pearson, mean_interval, nothing_seen, poisson_rate, quantile_of_sorted,
    quantile_ranks, student_t, wilson,
};
pub use moments::Moments;
pub use paired::{Difference, Paired, Scope};
pub use quantile::woodruff;
pub use ratio::Ratio;
pub use sparse::SparseHistogram;
pub use spending::{Looks, looks_at};
pub use split::Split;
pub use weighted::WeightedHistogram;
