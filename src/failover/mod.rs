//! How a role moves to another member: an address between balancers, leadership in a store.

mod generic;
mod lease;
mod quorum;
mod vrrp;

pub use generic::{Fate, Generic, Progress, Rules, Span};
pub use lease::{Draw, Lease, Stage};
pub use quorum::{Quorum, Vote};
pub use vrrp::{Group, Moved, master_down};
