//! What users do: workloads, journeys, and what stands for them in a file without users.

use super::dist::per_cent;
use super::names::Kind;
use super::{Compiler, list};
use crate::ids::{BalancerId, CallId, Id, JourneyId, OperationId, PoolId};
use crate::model::{Journey, Operation, Patience, ServedBy, Workload};
use crate::scenario::place::{Place, quoted};
use crate::scenario::problem::line;
use crate::scenario::read::{At, Entry};
use crate::scenario::schema::{File, JourneyForm, WorkloadForm};
use crate::scenario::suggest::nearest;
use crate::time::SimSpan;
use std::collections::BTreeSet;

impl<'a> Compiler<'a> {
    /// Compiles workloads with their journeys, or what stands for them.
    pub(super) fn workloads(&mut self, file: &'a File) {
        let workloads = file
            .workload
            .as_ref()
            .and_then(At::get)
            .map_or(&[][..], |list| &list.0);
        let journeys = file
            .journeys
            .as_ref()
            .and_then(At::get)
            .map_or(&[][..], |list| &list.0);
        if let Some(at) = &file.workload
            && at.get().is_some_and(|list| list.0.is_empty())
        {
            self.problem(
                at.place,
                "`workload` states no stream of requests",
                "state one, or leave it out",
            );
        }
        if !workloads.is_empty() {
            for entry in workloads {
                if let Some(form) = entry.value.get() {
                    self.workload(entry, form, journeys);
                }
            }
            self.check_unused_journeys(journeys);
        } else if !journeys.is_empty() {
            for (index, entry) in journeys.iter().enumerate() {
                self.journeys_used.insert(index);
                let Some((calls, good_within)) = self.journey(entry) else {
                    continue;
                };
                self.journey_places.push(entry.place);
                self.system.journeys.push(Journey {
                    name: entry.name.clone(),
                    calls,
                    good_within,
                });
            }
        } else {
            self.implied_journeys();
        }
        if self.system.journeys.is_empty() && self.problems.is_empty() {
            self.problem(self.root, "there is nothing to simulate", "state at least one service, cache or store, such as `services: {app: {replicas: 2}}`");
        }
    }

    /// A journey that no workload uses is still looked at, for mistakes.
    fn check_unused_journeys(&mut self, journeys: &'a [Entry<JourneyForm>]) {
        for (index, entry) in journeys.iter().enumerate() {
            if !self.journeys_used.contains(&index) {
                let (calls, used) = (self.system.calls.len(), self.balancers_used.clone());
                let forks = self.system.forks.clone();
                self.journey(entry);
                // None of it is part of the system.
                let kept: Vec<_> = self.system.calls.as_slice()[..calls].to_vec();
                self.system.calls = kept.into_iter().collect();
                self.system.forks = forks;
                self.call_places = self.call_places.as_slice()[..calls]
                    .iter()
                    .copied()
                    .collect();
                self.balancers_used = used;
            }
        }
    }

    fn journey(&mut self, entry: &Entry<JourneyForm>) -> Option<(Vec<CallId>, Option<SimSpan>)> {
        let form = entry.value.get()?;
        let good_within = self.positive(&form.good_within, "good_within");
        let Some(calls) = &form.calls else {
            self.missing_inside(
                entry.value.place.start,
                entry.place,
                "calls",
                "[{to: app.read}]",
            );
            return None;
        };
        if calls.get().is_some_and(Vec::is_empty) {
            self.problem(
                calls.place,
                "this journey calls nothing",
                "name at least one call, such as {to: app.read}",
            );
        }
        let priority = self.priority(&form.priority);
        let calls = self.calls(calls);
        if let Some(priority) = priority {
            self.make_urgent(&calls, priority);
        }
        Some((calls, good_within))
    }

    fn workload(
        &mut self,
        entry: &'a Entry<WorkloadForm>,
        form: &'a WorkloadForm,
        journeys: &'a [Entry<JourneyForm>],
    ) {
        let mut through = None;
        if let Some(at) = &form.through
            && let Some(name) = at.get()
        {
            match self.names.find(Kind::Balancer, name, at.place) {
                Ok(index) => {
                    through = (index < self.system.balancers.len())
                        .then(|| BalancerId::from_index(index));
                }
                Err(problem) => self.problems.push(problem),
            }
        }
        self.balancers_used.extend(through);
        let stated = self.patience(&form.patience);
        let patience = match &stated {
            Some(Patience::Fixed(span)) => Some(*span),
            Some(Patience::Drawn(dist)) if dist.max().is_finite() => {
                Some(SimSpan::from_secs_f64(dist.max()))
            }
            Some(Patience::Drawn(_)) | None => None,
        };
        let good_within = self.positive(&form.good_within, "good_within");
        if let (Some(patience), Some(good), Some(at)) = (patience, good_within, &form.good_within)
            && good > patience
        {
            self.problem(
                at.place,
                "`good_within` is longer than the patience",
                "the user has left by then",
            );
        }
        let arrivals = self.arrivals(entry, form);
        let mut shares = Vec::new();
        match &form.journeys {
            None => self.missing_inside(
                entry.value.place.start,
                entry.place,
                "journeys",
                "{read: 100%}",
            ),
            Some(at) => {
                let keys = at.get().map_or(&[][..], |list| &list.0);
                let mut sum = 0.0;
                let mut whole = true;
                for key in keys {
                    let made = self.workload_journey(
                        entry,
                        key,
                        journeys,
                        through,
                        form.through.is_some(),
                    );
                    if let (Some(own), Some(patience), Some(source)) = (
                        made.as_ref().and_then(|made| made.1),
                        patience,
                        made.as_ref().and_then(|made| made.2),
                    ) && own > patience
                    {
                        self.problem(
                            source,
                            "`good_within` is longer than the patience",
                            format!("users of {} have left by then", quoted(&entry.name)),
                        );
                    }
                    let share = key.value.get().map(|share| share.0);
                    if share == Some(0.0) {
                        self.problem(
                            key.value.place,
                            format!("{} has a share of 0%", quoted(&key.name)),
                            "leave it out",
                        );
                    }
                    whole &= share.is_some();
                    sum += share.unwrap_or(0.0);
                    if let Some((calls, own, _)) = made {
                        self.journey_places.push(key.place);
                        let name = format!("{}.{}", entry.name, key.name);
                        let good_within = own.or(good_within);
                        let id = self.system.journeys.push(Journey {
                            name,
                            calls,
                            good_within,
                        });
                        shares.push((id, share.unwrap_or(0.0)));
                    }
                }
                if at.get().is_some() && keys.is_empty() {
                    self.problem(
                        at.place,
                        "this workload does nothing",
                        "name at least one journey, such as {read: 100%}",
                    );
                } else if whole && at.get().is_some() && (sum - 1.0).abs() > 1e-9 {
                    self.problem(
                        at.place,
                        format!("the shares of these journeys sum to {}", per_cent(sum)),
                        "they must sum to 100%",
                    );
                }
            }
        }
        self.system.workloads.push(Workload {
            name: entry.name.clone(),
            rate: arrivals.rate,
            every: arrivals.every,
            profile: arrivals.profile,
            users: arrivals.users,
            bursts: None,
            journeys: shares,
            patience: stated,
            line: line(self.source, arrivals.place),
        });
        self.bursts(form, arrivals.place);
    }

    /// The calls of one key under `journeys` of a workload; its own `good_within`, and where that stands.
    fn workload_journey(
        &mut self,
        workload: &Entry<WorkloadForm>,
        key: &'a Entry<crate::scenario::units::Percent>,
        journeys: &'a [Entry<JourneyForm>],
        through: Option<BalancerId>,
        through_given: bool,
    ) -> Option<(Vec<CallId>, Option<SimSpan>, Option<Place>)> {
        if let Some(index) = self.names.get(Kind::Journey, &key.name) {
            self.journeys_used.insert(index);
            let entry = &journeys[index];
            let (calls, good_within) = self.journey(entry)?;
            let first = self.system.items(&calls).next();
            let first = first.map_or_else(Vec::new, <[CallId]>::to_vec);
            for call in first {
                if let Some(balancer) = through {
                    self.enter(call, balancer, key, &workload.name);
                }
            }
            let source = entry
                .value
                .get()
                .and_then(|form| form.good_within.as_ref())
                .map(|at| at.place);
            return Some((calls, good_within, source));
        }
        let behind = through.and_then(|balancer| self.balancer_to[balancer]);
        let mut candidates = vec![key.name.clone()];
        candidates
            .extend(behind.map(|pool| format!("{}.{}", self.system.pools[pool].name, key.name)));
        let found = candidates
            .iter()
            .find_map(|name| self.operations.get(name).copied());
        if let Some(operation) = found {
            let call = self.plain_call(operation, None, key.place)?;
            if let Some(balancer) = through {
                self.enter(call, balancer, key, &workload.name);
            }
            return Some((vec![call], None, None));
        }
        if through_given && behind.is_none() {
            // The balancer is wrong, which has been said; what is behind it cannot be known.
            return None;
        }
        let known: Vec<String> = self.entries(behind);
        let help = match nearest(&key.name, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean {}?", quoted(near)),
            None if known.is_empty() => {
                "state `journeys`, or name an operation as `<service>.<operation>`".into()
            }
            None => format!("there are: {}", list(known.iter().map(String::as_str))),
        };
        self.problem(
            key.place,
            format!("there is no journey or operation {}", quoted(&key.name)),
            help,
        );
        None
    }

    /// What a key under `journeys` of a workload may be.
    fn entries(&self, behind: Option<PoolId>) -> Vec<String> {
        let mut known: Vec<String> = self.names.of(Kind::Journey).map(str::to_owned).collect();
        let prefix = behind.map(|pool| format!("{}.", self.system.pools[pool].name));
        for name in self.operations.keys() {
            match prefix
                .as_ref()
                .map(|prefix| name.strip_prefix(prefix.as_str()))
            {
                Some(Some(short)) => known.push(short.to_owned()),
                Some(None) => {}
                None => known.push(name.clone()),
            }
        }
        known
    }

    /// Sends the first call of a journey through the workload's balancer.
    fn enter(
        &mut self,
        call: CallId,
        balancer: BalancerId,
        key: &Entry<crate::scenario::units::Percent>,
        workload: &str,
    ) {
        let pool = self.system.operations[self.system.calls[call].to].pool;
        let row = &self.system.balancers[balancer];
        let fits = self.balancer_to[balancer].is_none_or(|behind| behind == pool);
        let other = self.system.calls[call]
            .through
            .filter(|&other| other != balancer);
        if let Some(other) = other {
            let message = format!(
                "{} enters through {}, but {} states {}",
                quoted(workload),
                quoted(&row.name),
                quoted(&key.name),
                quoted(&self.system.balancers[other].name)
            );
            self.problem(
                key.place,
                message,
                "say it once: remove one of the two `through`",
            );
        } else if !fits {
            let message = format!(
                "{} enters through {}, but {} begins with a call to {}",
                quoted(workload),
                quoted(&row.name),
                quoted(&key.name),
                quoted(&self.system.pools[pool].name)
            );
            let behind = row.to;
            self.problem(
                key.place,
                message,
                format!(
                    "behind that balancer is {}",
                    quoted(&self.system.pools[behind].name)
                ),
            );
        }
        self.system.calls[call].through = Some(balancer);
    }

    /// Without users and journeys: one journey for each operation of every pool that no other pool
    /// calls, so that every pool is part of some journey.
    fn implied_journeys(&mut self) {
        if !self.problems.is_empty() {
            return;
        }
        for pool in self.system.pools.ids() {
            if self
                .system
                .operations
                .iter()
                .all(|operation| operation.pool != pool)
            {
                let name = format!("{}.up", self.system.pools[pool].name);
                let operation = Operation {
                    name: name.clone(),
                    pool,
                    served_by: ServedBy::Any,
                    takes: super::no_time(),
                    fails: 0.0,
                    calls: Vec::new(),
                };
                let id = self.system.operations.push(operation);
                self.operations.insert(name, id);
            }
        }
        let mut called_by_others = BTreeSet::new();
        let mut called = BTreeSet::new();
        for operation in &self.system.operations {
            for (to, _) in self.called(&operation.calls) {
                called.insert(to);
                if self.system.operations[to].pool != operation.pool {
                    called_by_others.insert(self.system.operations[to].pool);
                }
            }
        }
        let mut reached = BTreeSet::new();
        for round in [true, false] {
            for id in self.system.operations.ids() {
                let pool = self.system.operations[id].pool;
                // Pools that call each other in different operations are nobody's first choice;
                // the second round takes what is left of them.
                let entry = if round {
                    !called_by_others.contains(&pool)
                } else {
                    !called.contains(&id) && !reached.contains(&pool)
                };
                if entry {
                    self.implied_journey(id);
                    if round {
                        self.reach(id, &mut reached);
                    }
                }
            }
        }
    }

    fn implied_journey(&mut self, operation: OperationId) {
        let row = &self.system.operations[operation];
        let (name, pool) = (row.name.clone(), row.pool);
        let behind = self
            .system
            .balancers
            .pairs()
            .filter(|(_, balancer)| balancer.to == pool);
        let behind: Vec<BalancerId> = behind.map(|(id, _)| id).collect();
        let through = if let [only] = behind[..] {
            Some(only)
        } else {
            None
        };
        self.balancers_used.extend(through);
        let Some(call) = self.plain_call(operation, through, self.root) else {
            return;
        };
        self.journey_places.push(self.root);
        let _: JourneyId = self.system.journeys.push(Journey {
            name,
            calls: vec![call],
            good_within: None,
        });
    }

    /// Adds the pools that `operation` needs to `reached`.
    pub(super) fn reach(&self, operation: OperationId, reached: &mut BTreeSet<PoolId>) {
        let mut seen = BTreeSet::new();
        let mut open = vec![operation];
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                let pool = self.system.operations[id].pool;
                reached.insert(pool);
                let takers = self.system.queues.iter().filter(|queue| queue.pool == pool);
                open.extend(takers.map(|queue| self.system.calls[queue.call].to));
                open.extend(
                    self.called(&self.system.operations[id].calls)
                        .into_iter()
                        .map(|(to, _)| to),
                );
            }
        }
    }
}
