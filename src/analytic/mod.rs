//! Closed forms of small systems: what simulations are checked against, in tests and at run time.
//!
//! None of this feeds a result. Each file names its sources and keeps its digits where figures are
//! small, because that is where a simulation needs checking most.

mod chain;
mod closed;
mod detection;
mod queueing;
mod renewal;
mod structure;

pub use chain::Chain;
pub use closed::ClosedLoop;
pub use detection::{Heartbeat, Probing};
pub use queueing::{MultiServer, erlang_b, pollaczek_khinchine_wait};
pub use renewal::Alternating;
pub use structure::{Part, k_of_n, parallel, series};
