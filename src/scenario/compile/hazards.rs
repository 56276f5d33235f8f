//! Designs that are allowed and whose results say little: too much load, one place for everything,
//! times that do not fit each other.

use super::Compiler;
use crate::ids::{CallId, DomainId, IdVec, OperationId, PoolId, SlotId};
use crate::model::{Load, Metric, PoolKind, ServedBy, StoreFailover};
use crate::scenario::place::Place;
use crate::scenario::problem::line;
use crate::time::SimSpan;
use std::collections::{BTreeMap, BTreeSet};

/// Attempts that one call at the top may become by retries of retries before a warning.
const RETRIES: f64 = 10.0;

/// Warnings of one kind that are given one by one; the rest is counted.
const EACH: usize = 20;

impl Compiler<'_> {
    /// Warnings about how parts fit together.
    pub(super) fn hazards(&self) -> Vec<String> {
        [
            self.overloaded(),
            self.together(),
            self.impatient(),
            self.nested_retries(),
            self.undecidable(),
        ]
        .into_iter()
        .flat_map(few)
        .collect()
    }

    fn at(&self, text: String, place: Option<Place>) -> String {
        match place {
            Some(place) => format!("line {}: {text}", line(self.source, place)),
            None => text,
        }
    }

    fn named(&self, text: String, name: &str) -> String {
        self.at(text, self.names.place(name))
    }

    /// Pools whose workers cannot do what comes at the busiest time.
    fn overloaded(&self) -> Vec<String> {
        let system = &self.system;
        if system.workloads.is_empty() {
            return Vec::new();
        }
        let load = Load::at_peak(system, None);
        let busy = system.pools.pairs().filter_map(|(id, pool)| {
            let share = load.pools[id].utilisation_max.filter(|&share| share > 1.0)?;
            let takes_from = system.queues.iter().find(|queue| queue.consumer == id);
            let so = match takes_from {
                Some(queue) => format!("messages pile up in {}", system.pools[queue.pool].name),
                None => "requests are lost".to_owned(),
            };
            let text = format!(
                "{} is offered {:.0} % of what its workers can do at the busiest time: {so} though nothing fails",
                pool.name,
                (share * 100.0).min(1e9)
            );
            Some(self.named(text, &pool.name))
        });
        busy.collect()
    }

    /// Groups that are to survive a loss, and stand in one place.
    fn together(&self) -> Vec<String> {
        let system = &self.system;
        let mut warnings = Vec::new();
        for (id, pool) in system.pools.pairs() {
            if !self.elects(id) {
                continue;
            }
            let members = pool.active();
            for (domain, count) in self.innermost(&pool.slots[..members.min(pool.slots.len())]) {
                if members > 1 && self.has_elsewhere(domain) && count > members - (members / 2 + 1)
                {
                    let name = &system.domains[domain].name;
                    let text = format!(
                        "{count} of {members} members of {} stand in {name}: with it the majority is lost",
                        pool.name
                    );
                    warnings.push(self.named(text, &pool.name));
                }
            }
        }
        let balancers = system.balancers.iter().map(|row| (&row.name, &row.slots));
        let pools = system.pools.iter().map(|row| (&row.name, &row.slots));
        for (name, slots) in balancers.clone() {
            for (domain, count) in self.innermost(slots) {
                if count > 1 && count == slots.len() && self.has_elsewhere(domain) {
                    let zone = &system.domains[domain].name;
                    let text = format!(
                        "all {count} instances of {name} stand in {zone}: with it all are lost"
                    );
                    warnings.push(self.named(text, name));
                }
            }
        }
        for (name, slots) in pools.chain(balancers) {
            let first = slots.first().and_then(|&slot| system.slots[slot].node);
            let one = slots.iter().all(|&slot| system.slots[slot].node == first);
            if let Some(node) = first.filter(|_| one && slots.len() > 1) {
                let text = format!(
                    "all {} of {name} run on {}: with it all are lost",
                    slots.len(),
                    system.nodes[node].name
                );
                warnings.push(self.named(text, name));
            }
        }
        warnings
    }

    /// Whether a pool needs a majority of its members.
    fn elects(&self, id: PoolId) -> bool {
        let quorum =
            |row: &crate::model::Operation| row.pool == id && row.served_by == ServedBy::Quorum;
        let failover = match &self.system.pools[id].kind {
            PoolKind::Store { failover } => failover.as_ref(),
            PoolKind::Service | PoolKind::Cache | PoolKind::External | PoolKind::Queue => None,
        };
        matches!(failover, Some(StoreFailover::Quorum(_)))
            || self.system.operations.iter().any(quorum)
    }

    /// How many of `slots` stand in each domain.
    fn innermost(&self, slots: &[SlotId]) -> BTreeMap<DomainId, usize> {
        let mut counts = BTreeMap::new();
        for domain in slots
            .iter()
            .filter_map(|&slot| self.system.slots[slot].domain)
        {
            *counts.entry(domain).or_default() += 1;
        }
        counts
    }

    /// Whether there is another domain beside this one.
    fn has_elsewhere(&self, domain: DomainId) -> bool {
        let mut ids = self.system.domains.ids();
        ids.any(|other| !self.lies_in(Some(domain), other) && !self.lies_in(Some(other), domain))
    }

    /// Times that are longer than anybody waits.
    fn impatient(&self) -> Vec<String> {
        let system = &self.system;
        let mut patience = system.workloads.iter().map(|row| row.patience.as_ref());
        let longest = patience.try_fold(SimSpan::ZERO, |longest, patience| {
            patience.map(|patience| longest.max(patience.longest()))
        });
        let Some(longest) = longest.filter(|longest| !longest.is_zero()) else {
            return Vec::new();
        };
        let secs = longest.as_secs_f64();
        let (mut warnings, mut said) = (Vec::new(), BTreeSet::new());
        for balancer in &system.balancers {
            let probes = balancer
                .probes
                .as_ref()
                .filter(|probes| probes.timeout > longest);
            if probes.is_some() {
                let text = format!(
                    "probes of {} wait longer than any user, who leaves after {secs} s at the latest: what \
                     answers too late for everybody still passes",
                    balancer.name
                );
                warnings.push(self.named(text, &balancer.name));
            }
        }
        let awaited = self.awaited();
        for (id, call) in system.calls.pairs() {
            // Nobody waits for what becomes of messages.
            let apart = !system.queues.is_empty() && !awaited.contains(&id);
            if !apart && call.timeout.is_some_and(|timeout| timeout >= longest) {
                let text = format!(
                    "the timeout of a call of {} is no shorter than the patience of users, {secs} s: nobody \
                     ever sees it end",
                    system.operations[call.to].name
                );
                // Calls of journeys are made anew for each workload.
                let text = self.at(text, self.call_places.get(id).copied());
                if said.insert(text.clone()) {
                    warnings.push(text);
                }
            }
        }
        warnings
    }

    /// Calls that users wait for.
    fn awaited(&self) -> BTreeSet<CallId> {
        let mut awaited = BTreeSet::new();
        let journeys = self.system.journeys.iter();
        let mut open: Vec<_> = journeys
            .flat_map(|journey| self.called(&journey.calls))
            .collect();
        while let Some((to, call)) = open.pop() {
            if awaited.insert(call) {
                open.extend(self.called(&self.system.operations[to].calls));
            }
        }
        awaited
    }

    /// Calls whose retries multiply with those of the calls below them.
    fn nested_retries(&self) -> Vec<String> {
        let system = &self.system;
        let mut below = IdVec::filled(None, system.operations.len());
        let (mut warnings, mut said) = (Vec::new(), BTreeSet::new());
        let mut warn = |calls: &[crate::ids::CallId],
                        below: &mut IdVec<OperationId, Option<f64>>| {
            for &id in calls {
                let call = &system.calls[id];
                let own = f64::from(call.retries.max) + 1.0;
                let inner = self.retries_below(call.to, below);
                if own > 1.0 && inner > 1.0 && own * inner > RETRIES {
                    let text = format!(
                        "a call of {} can become {:.0} attempts further down, for its retries multiply with \
                         those of the calls below: what is slow is then overrun",
                        system.operations[call.to].name,
                        own * inner
                    );
                    let text = self.at(text, self.call_places.get(id).copied());
                    if said.insert(text.clone()) {
                        warnings.push(text);
                    }
                }
            }
        };
        for journey in &system.journeys {
            warn(&journey.calls, &mut below);
        }
        for operation in &system.operations {
            warn(&operation.calls, &mut below);
        }
        warnings
    }

    /// Attempts at the lowest operation that one attempt at this one can become by retries.
    fn retries_below(&self, id: OperationId, known: &mut IdVec<OperationId, Option<f64>>) -> f64 {
        if let Some(known) = known[id] {
            return known;
        }
        // No operation calls itself, however indirectly: that is a mistake, and reported.
        let calls = &self.system.operations[id].calls;
        let most = calls.iter().fold(1.0_f64, |most, &call| {
            let row = &self.system.calls[call];
            let own = f64::from(row.retries.max) + 1.0;
            most.max(own * self.retries_below(row.to, known))
        });
        known[id] = Some(most);
        most
    }

    /// Targets that no history can miss, or that need more than one history has.
    fn undecidable(&self) -> Vec<String> {
        let horizon = self.system.run.horizon;
        let names = self.system.targets.iter().filter_map(|target| {
            let limit = match target.metric {
                Metric::DowntimeExceeds(limit) | Metric::StructuralDowntimeExceeds(limit) => limit,
                _ => return None,
            };
            (limit >= horizon).then(|| {
                let text = format!(
                    "`{}`: a history of {} s cannot have so much downtime, so the target says nothing",
                    target.text,
                    horizon.as_secs_f64()
                );
                format!("line {}: {text}", target.line)
            })
        });
        names.collect()
    }
}

/// At most so many of one kind.
fn few(mut warnings: Vec<String>) -> Vec<String> {
    let more = warnings.len().saturating_sub(EACH);
    warnings.truncate(EACH);
    if more > 0 {
        warnings.push(format!("{more} more warnings of this kind"));
    }
    warnings
}
