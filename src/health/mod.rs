//! How an observer learns that a target is down, and that it is back.

mod probe;

pub use probe::{Mode, Pace, Watch};
