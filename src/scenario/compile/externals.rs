//! Third parties: one place without a machine, whose outages follow from what its contract promises.

use super::Compiler;
use super::dist::per_cent;
use super::pools::Work;
use crate::ids::{Id, PoolId};
use crate::model::{
    ClockRuns, Component, Discipline, FaultKind, OutageKind, Owner, Pool, PoolKind, ServedBy, Slot,
};
use crate::random::Dist;
use crate::scenario::limits;
use crate::scenario::place::{Place, quoted};
use crate::scenario::read::{At, Entry};
use crate::scenario::schema::{DuringOutage, ExternalForm, File};

impl<'a> Compiler<'a> {
    /// Compiles third parties, after all other pools.
    pub(super) fn externals(&mut self, file: &'a File) {
        let Some(entries) = file.externals.as_ref().and_then(At::get) else {
            return;
        };
        for entry in &entries.0 {
            let Some(form) = entry.value.get() else {
                self.broken_pool(&entry.name);
                continue;
            };
            let id = PoolId::from_index(self.system.pools.len());
            if self.too_many_pools(id.index() + 1, entry.place) {
                return;
            }
            self.external(entry, form, id);
        }
    }

    fn external(&mut self, entry: &'a Entry<ExternalForm>, form: &'a ExternalForm, id: PoolId) {
        let total = self.system.slots.len() + 1;
        let mut slots = Vec::new();
        if !self.over(super::pools::SLOTS, total, limits::SLOTS, entry.place) {
            slots.push(self.system.slots.push(Slot {
                name: entry.name.clone(),
                owner: Owner::Pool(id),
                index: 0,
                domain: None,
                node: None,
            }));
        }
        let workers = form
            .concurrency
            .is_some()
            .then(|| self.count(&form.concurrency, 1, "concurrency", 1, limits::WORKERS));
        self.price(&form.price, &entry.name, 1, false);
        self.system.pools.push(Pool {
            name: entry.name.clone(),
            kind: PoolKind::External,
            slots: slots.clone(),
            needs: 1,
            workers,
            queue: workers.map(|_| 0),
            discipline: Discipline::Fifo,
            queue_timeout: None,
            starts_in: super::no_time(),
            standby: None,
            replication: None,
            refills_in: crate::time::SimSpan::ZERO,
        });
        if let (Some((every, lasts)), Some(&slot)) = (self.outages(entry, form), slots.first()) {
            let kind = match form.during_outage.as_ref().and_then(At::get) {
                Some(DuringOutage::Errors) | None => OutageKind::Errors,
                Some(DuringOutage::Silent) => OutageKind::Silent,
                Some(DuringOutage::Refused) => OutageKind::Refused,
            };
            let what = (FaultKind::Outage(kind), ClockRuns::Calendar);
            let components = [(Component::Slot(slot), entry.name.clone())];
            let clocks = self.system.clocks.len() + 1;
            if !self.over(super::faults::CLOCKS, clocks, limits::CLOCKS, entry.place) {
                self.clocks("outage", &entry.name, what, (every, lasts), &components);
            }
        }
        let operations = form.operations.as_ref();
        if operations.is_none_or(|at| at.get().is_some_and(|list| list.0.is_empty())) {
            let inside = entry.value.place.start;
            self.missing_inside(
                inside,
                entry.place,
                "operations",
                "{charge: {takes: 120ms}}",
            );
        }
        for operation in operations.and_then(At::get).iter().flat_map(|list| &list.0) {
            let work = operation.value.get().map(|form| Work {
                inside: operation.value.place.start,
                takes: &form.takes,
                fails: &form.fails,
            });
            self.operation(id, &operation.name, operation.place, work, ServedBy::Any);
        }
    }

    /// The time between outages and how long one lasts; `None` if there are none.
    fn outages(
        &mut self,
        entry: &'a Entry<ExternalForm>,
        form: &'a ExternalForm,
    ) -> Option<(Dist, Dist)> {
        let inside = entry.value.place.start;
        let Some(stated) = &form.availability else {
            self.missing_inside(inside, entry.place, "availability", "99.9%");
            return None;
        };
        let lasts = form.outages.as_ref().and_then(|at| {
            let form = at.get()?;
            if form.lasts.is_none() {
                self.missing(at.place, "lasts", "{lognormal: {median: 20m, p95: 3h}}");
            }
            let lasts = form.lasts.as_ref()?;
            let before = self.problems.len();
            let dist = self.dist(&form.lasts);
            let fine = self.problems.len() == before && lasts.get().is_some();
            fine.then_some((dist, lasts.place))
        });
        let availability = stated.get()?.0;
        if availability <= 0.0 {
            self.problem(
                stated.place,
                "`availability` is 0%",
                "what never answers need not be called; it must be above 0%",
            );
            return None;
        }
        if availability >= 1.0 {
            return None;
        }
        if form.outages.is_none() {
            let like = "{lasts: {lognormal: {median: 20m, p95: 3h}}}";
            self.missing_inside(inside, entry.place, "outages", like);
        }
        let (lasts, place) = lasts?;
        let mean = lasts.mean();
        if mean <= 0.0 {
            self.problem(
                place,
                "these outages last no time at all",
                format!(
                    "an availability of {} needs outages that last; or state 100%",
                    per_cent(availability)
                ),
            );
            return None;
        }
        if mean > super::faults::CENTURIES {
            let message = format!("these outages last longer than {} years", limits::YEARS);
            self.problem(place, message, "no history is that long");
            return None;
        }
        let between = mean * availability / (1.0 - availability);
        match Dist::exponential(between) {
            Ok(every) => Some((every, lasts)),
            Err(error) => {
                let help = "no clock of a simulation can follow so few or so many outages";
                self.problem(stated.place, error.to_string(), help);
                None
            }
        }
    }

    /// A third party has no replicas to choose from, nor has a queue.
    pub(super) fn check_balanced(&mut self, to: Option<PoolId>, place: Place) {
        let Some(pool) = to.map(|id| &self.system.pools[id]) else {
            return;
        };
        let (what, help) = match pool.kind {
            PoolKind::External => (
                "a third party",
                "nobody knows its replicas, so nothing can balance over them; call it directly",
            ),
            PoolKind::Queue => (
                "a message queue",
                "it has one broker, so there is nothing to balance over; call it directly",
            ),
            PoolKind::Service | PoolKind::Cache | PoolKind::Store { .. } => return,
        };
        let message = format!("{} is {what}", quoted(&pool.name));
        self.problem(place, message, help);
    }
}
