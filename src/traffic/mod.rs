//! The fast clock: requests through the real per-request algorithms, over any stretch of a path.

mod tally;

pub use tally::{
    BadRun, Counts, JourneyTally, PoolTally, SliceTally, Tally, TrafficSettings,
};
