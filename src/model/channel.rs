//! Connections that callers keep.

use super::{ServedBy, System};
use crate::ids::{BalancerId, PoolId};
use crate::random::Dist;
use crate::time::SimSpan;

/// What connections lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelTo {
    /// The slots of a pool, called directly.
    Pool(PoolId),
    /// The instances of a balancer.
    Balancer(BalancerId),
}

/// The connections that every slot of a service keeps to every address of what it calls.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Whose.
    pub from: PoolId,
    /// Where to.
    pub to: ChannelTo,
    /// From one slot to one address at most; `None` for any number.
    pub max: Option<u32>,
    /// How long it takes to open one, seconds.
    pub setup: Dist,
    /// An idle one is closed when it was not used for so long.
    pub idle_timeout: SimSpan,
    /// How long an attempt waits for one at most; `None` as long as its caller waits.
    pub wait: Option<SimSpan>,
    /// Attempts that may wait for one; `None` for any number.
    pub queue: Option<u32>,
}

impl Channel {
    /// How many addresses there are.
    pub fn addresses(&self, system: &System) -> usize {
        match self.to {
            ChannelTo::Pool(pool) => system.pools[pool].slots.len(),
            ChannelTo::Balancer(balancer) => system.balancers[balancer].slots.len(),
        }
    }

    /// How many of them are in use when all is well: one, where one leads or holds the address.
    pub fn addresses_in_use(&self, system: &System) -> usize {
        let one = match self.to {
            ChannelTo::Pool(pool) => system
                .operations
                .iter()
                .any(|operation| operation.pool == pool && operation.served_by == ServedBy::Leader),
            ChannelTo::Balancer(balancer) => system.balancers[balancer].failover.is_some(),
        };
        match self.to {
            _ if one => 1,
            ChannelTo::Pool(pool) => system.pools[pool].active().max(1),
            ChannelTo::Balancer(_) => self.addresses(system),
        }
    }

    /// The name of what they lead to.
    pub fn name<'s>(&self, system: &'s System) -> &'s str {
        match self.to {
            ChannelTo::Pool(pool) => &system.pools[pool].name,
            ChannelTo::Balancer(balancer) => &system.balancers[balancer].name,
        }
    }
}
