//! How an observer learns that a target is down, and that it is back.

mod luck;
mod probe;

pub use probe::{Mode, Pace, Watch};
