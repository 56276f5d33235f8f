//! How a role moves to another member: an address between balancers, leadership in a store.

mod lease;
mod vrrp;

pub use lease::{Draw, Lease, Stage};
pub use vrrp::{Group, master_down};
