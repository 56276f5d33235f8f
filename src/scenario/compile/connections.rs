//! Connections that services keep, and which calls use them.

use super::names::Kind;
use super::{Compiler, list};
use crate::ids::{BalancerId, CallId, ChannelId, Id, PoolId};
use crate::model::{Channel, ChannelTo};
use crate::scenario::limits;
use crate::scenario::place::{Place, quoted};
use crate::scenario::read::{At, Entry};
use crate::scenario::schema::{ConnectionsForm, File};
use crate::time::SimSpan;

/// Long enough for every pool there is, short enough to be looked through.
const IDLE_TIMEOUT: SimSpan = SimSpan::from_secs(60);

/// A history has to be simulated for so long before it has forgotten how it began.
const LONGEST_IDLE: SimSpan = SimSpan::from_secs(86_400);

impl<'a> Compiler<'a> {
    /// Compiles the connections of services, when all calls of services are known.
    pub(super) fn connections(&mut self, file: &'a File) {
        let Some(services) = file.services.as_ref().and_then(At::get) else {
            return;
        };
        let mut lines = 0;
        for (index, service) in services.0.iter().enumerate() {
            let from = PoolId::from_index(index);
            let stated = service
                .value
                .get()
                .and_then(|form| form.connections.as_ref());
            let Some(entries) = stated.and_then(At::get) else {
                continue;
            };
            if index >= self.system.pools.len() {
                return;
            }
            let calls = self.calls_of(from);
            for entry in &entries.0 {
                let (Some(to), Some(form)) = (self.link_to(entry), entry.value.get()) else {
                    continue;
                };
                let channel = self.channel(from, to, form, entry.value.place);
                let callers = self.system.pools[from].slots.len();
                lines += callers * channel.addresses(&self.system);
                let id = self.system.channels.push(channel);
                self.over(
                    "pools of connections (one for each replica and each address)",
                    lines,
                    limits::LINES,
                    entry.place,
                );
                self.use_link(id, &calls, entry.place);
            }
        }
    }

    /// The calls that operations of `pool` make.
    fn calls_of(&self, pool: PoolId) -> Vec<CallId> {
        let operations = self.system.operations.iter();
        operations
            .filter(|operation| operation.pool == pool)
            .flat_map(|operation| self.called(&operation.calls))
            .map(|(_, call)| call)
            .collect()
    }

    /// What a key under `connections` names.
    fn link_to(&mut self, entry: &Entry<ConnectionsForm>) -> Option<ChannelTo> {
        if let Some(index) = self.names.get(Kind::Balancer, &entry.name) {
            let known = index < self.system.balancers.len();
            return known.then(|| ChannelTo::Balancer(BalancerId::from_index(index)));
        }
        match self.names.find(Kind::Pool, &entry.name, entry.place) {
            Ok(index) => {
                let known = index < self.system.pools.len();
                known.then(|| ChannelTo::Pool(PoolId::from_index(index)))
            }
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    fn channel(
        &mut self,
        from: PoolId,
        to: ChannelTo,
        form: &ConnectionsForm,
        place: Place,
    ) -> Channel {
        let optional = |compiler: &mut Self, field, name, least, most| {
            let stated: &crate::scenario::read::Opt<u64> = field;
            stated
                .is_some()
                .then(|| compiler.count(field, 1, name, least, most))
        };
        let max = optional(self, &form.max, "max", 1, limits::CONNECTIONS);
        let queue = optional(self, &form.queue, "queue", 0, limits::WORKERS);
        let stated = [
            ("wait", form.wait.as_ref().map(|at| at.place)),
            ("queue", form.queue.as_ref().map(|at| at.place)),
        ];
        for (field, at) in stated {
            if let (Some(at), None) = (at, &form.max) {
                self.problem(
                    at,
                    format!("`{field}` without `max`"),
                    "nobody waits for a connection if there may be any number; add `max`",
                );
            }
        }
        if form.max.is_none() && form.setup.is_none() {
            self.problem(
                place,
                "these connections cost nothing and have no limit",
                "state `max` or `setup`, or leave them out",
            );
        }
        let wait = self.span(&form.wait, "wait");
        if let (Some(wait), Some(0), Some(at)) = (wait, queue, &form.queue)
            && !wait.is_zero()
        {
            self.problem(
                at.place,
                "`wait` where nobody waits",
                "a queue of 0 fails at once: state one of the two",
            );
        }
        let idle_timeout = self
            .positive(&form.idle_timeout, "idle_timeout")
            .unwrap_or(IDLE_TIMEOUT);
        if let Some(at) = form
            .idle_timeout
            .as_ref()
            .filter(|_| idle_timeout > LONGEST_IDLE)
        {
            self.problem(
                at.place,
                "`idle_timeout` is longer than a day",
                "all of it has to be simulated before a history has forgotten how it began",
            );
        }
        Channel {
            from,
            to,
            max,
            setup: self.dist(&form.setup),
            idle_timeout,
            wait,
            queue,
        }
    }

    /// Makes the calls among `calls` that go there use these connections.
    fn use_link(&mut self, id: ChannelId, calls: &[CallId], place: Place) {
        let channel = &self.system.channels[id];
        let (to, from) = (channel.to, channel.from);
        let mut used = false;
        let mut others = std::collections::BTreeSet::new();
        for &call in calls {
            let row = &self.system.calls[call];
            let goes = match row.through {
                Some(balancer) => ChannelTo::Balancer(balancer),
                None => ChannelTo::Pool(self.system.operations[row.to].pool),
            };
            if goes == to {
                self.system.calls[call].channel = Some(id);
                used = true;
                continue;
            }
            others.insert(match goes {
                ChannelTo::Pool(pool) => self.system.pools[pool].name.clone(),
                ChannelTo::Balancer(balancer) => self.system.balancers[balancer].name.clone(),
            });
        }
        if !used {
            let name = self.system.channels[id].name(&self.system).to_owned();
            let service = &self.system.pools[from].name;
            let message = format!("{} makes no call to {}", quoted(service), quoted(&name));
            let help = if others.is_empty() {
                "it calls nothing; leave them out".to_owned()
            } else {
                format!(
                    "what it calls directly, or the balancers that it calls through: {}",
                    list(others.iter().map(String::as_str))
                )
            };
            self.problem(place, message, help);
        }
    }
}
