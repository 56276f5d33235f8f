//! Accumulators that merge exactly, and intervals.

mod histogram;

pub use histogram::Histogram;
