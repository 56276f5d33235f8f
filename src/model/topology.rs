//! Where things stand: domains, machines and the slots on them.

use crate::ids::{BalancerId, DomainId, NodeId, PoolId};

/// A failure domain: region, zone, rack, power feed.
#[derive(Clone, Debug)]
pub struct Domain {
    /// Its name.
    pub name: String,
    /// What it is, in the file's word (`zone`, `region`, ...).
    pub kind: String,
    /// The domain it lies in; its row comes earlier.
    pub parent: Option<DomainId>,
}

/// A machine.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name, e.g. `web-2`.
    pub name: String,
    /// The innermost domain it stands in.
    pub domain: Option<DomainId>,
}

/// Whose slot it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A replica or member.
    Pool(PoolId),
    /// An instance of a balancer.
    Balancer(BalancerId),
}

/// A running place: keeps its name through restarts.
#[derive(Clone, Debug)]
pub struct Slot {
    /// Its name, e.g. `app-3`; the key of its random streams.
    pub name: String,
    /// Whose it is.
    pub owner: Owner,
    /// Its index among its owner's slots.
    pub index: u32,
    /// The innermost domain it stands in: its node's, if it has a node.
    pub domain: Option<DomainId>,
    /// The machine it runs on, if the file names machines for it.
    pub node: Option<NodeId>,
}
