//! Services, caches and stores: their slots and operations.

use super::Compiler;
use super::faults::Bearer;
use super::names;
use crate::ids::{Id, PoolId, SlotId};
use crate::model::{
    Component, Discipline, Operation, Owner, Pool, PoolKind, ServedBy, Slot, StoreFailover,
};
use crate::random::Dist;
use crate::scenario::limits;
use crate::scenario::place::Place;
use crate::scenario::read::{At, List, Opt};
use crate::scenario::schema::{self, DisciplineForm, File, FromForm, SpanDist};
use crate::scenario::units::Percent;
use crate::time::SimSpan;

/// What is counted against `limits::SLOTS`.
pub(super) const SLOTS: &str = "replicas, members and instances";

/// What all pools and balancers have in common.
pub(super) struct Common<'f> {
    pub(super) name: &'f str,
    pub(super) place: Place,
    pub(super) replicas: &'f Opt<u64>,
    pub(super) word: &'static str,
    pub(super) on: &'f Opt<String>,
    pub(super) across: &'f Opt<List<String>>,
    pub(super) needs: &'f Opt<schema::Needs>,
    pub(super) starts_in: &'f Opt<SpanDist>,
    pub(super) restart: &'f Opt<schema::RestartForm>,
    pub(super) price: &'f Opt<schema::PriceForm>,
    pub(super) faults: &'f Opt<schema::Faults>,
    pub(super) standby: &'f Opt<schema::StandbyForm>,
}

macro_rules! common {
    ($entry:ident, $form:ident, $count:ident) => {
        common!($entry, $form, $count, &None)
    };
    ($entry:ident, $form:ident, $count:ident, $standby:expr) => {
        Common {
            name: &$entry.name,
            place: $entry.place,
            replicas: &$form.$count,
            word: stringify!($count),
            on: &$form.on,
            across: &$form.across,
            needs: &$form.needs,
            starts_in: &$form.starts_in,
            restart: &$form.restart,
            price: &$form.price,
            faults: &$form.faults,
            standby: $standby,
        }
    };
}
pub(super) use common;

/// Nothing is said about it.
pub(super) const NO_WAITING: Waiting<'static> = Waiting {
    workers: &None,
    queue: &None,
    queue_timeout: &None,
    discipline: &None,
};

/// How requests wait at a pool.
pub(super) struct Waiting<'f> {
    workers: &'f Opt<u64>,
    queue: &'f Opt<u64>,
    queue_timeout: &'f Opt<SpanDist>,
    discipline: &'f Opt<DisciplineForm>,
}

macro_rules! waiting {
    ($form:ident) => {
        Waiting {
            workers: &$form.workers,
            queue: &$form.queue,
            queue_timeout: &$form.queue_timeout,
            discipline: &$form.discipline,
        }
    };
}

/// What all operations have in common.
pub(super) struct Work<'f> {
    /// Where the mapping begins.
    pub(super) inside: u32,
    pub(super) takes: &'f Opt<SpanDist>,
    pub(super) fails: &'f Opt<Percent>,
}

macro_rules! work {
    ($entry:ident, $form:ident) => {
        Work {
            inside: $entry.value.place.start,
            takes: &$form.takes,
            fails: &$form.fails,
        }
    };
}

impl<'a> Compiler<'a> {
    /// Compiles services, caches and stores, in this order, without the calls of services.
    pub(super) fn pools(&mut self, file: &'a File) {
        if let Some(entries) = file.services.as_ref().and_then(At::get) {
            for entry in &entries.0 {
                let Some(form) = entry.value.get() else {
                    self.broken_pool(&entry.name);
                    continue;
                };
                let common = common!(entry, form, replicas, &form.standby);
                let Some(pool) = self.pool(&common, PoolKind::Service, &waiting!(form)) else {
                    return;
                };
                for operation in form
                    .operations
                    .iter()
                    .filter_map(At::get)
                    .flat_map(|list| &list.0)
                {
                    let form = operation.value.get();
                    let work = form.map(|form| work!(operation, form));
                    let id =
                        self.operation(pool, &operation.name, operation.place, work, ServedBy::Any);
                    if let (Some(id), Some(calls)) = (id, form.and_then(|form| form.calls.as_ref()))
                    {
                        self.waiting.push((id, calls));
                    }
                }
            }
        }
        if let Some(entries) = file.caches.as_ref().and_then(At::get) {
            for entry in &entries.0 {
                let Some(form) = entry.value.get() else {
                    self.broken_pool(&entry.name);
                    continue;
                };
                let common = common!(entry, form, replicas);
                let Some(pool) = self.pool(&common, PoolKind::Cache, &waiting!(form)) else {
                    return;
                };
                if let Some(span) = self.span(&form.refills_in, "refills_in") {
                    self.system.pools[pool].refills_in = span;
                }
                for operation in form
                    .operations
                    .iter()
                    .filter_map(At::get)
                    .flat_map(|list| &list.0)
                {
                    let form = operation.value.get();
                    let work = form.map(|form| work!(operation, form));
                    self.operation(pool, &operation.name, operation.place, work, ServedBy::Any);
                }
            }
        }
        if let Some(entries) = file.stores.as_ref().and_then(At::get) {
            for entry in &entries.0 {
                let Some(form) = entry.value.get() else {
                    self.broken_pool(&entry.name);
                    continue;
                };
                if form.members.is_none() {
                    self.missing_inside(entry.value.place.start, entry.place, "members", "3");
                }
                let members = form.members.as_ref().and_then(At::get);
                let failover = self.store_failover(&form.failover, members.copied());
                if let (Some(StoreFailover::Quorum(_)), Some(standby)) = (&failover, &form.standby)
                {
                    self.problem(
                        standby.place,
                        "`standby` in a group that elects its leader",
                        "each member counts for the majority: add to `members` instead",
                    );
                }
                let replication = self.replication(form, members.copied(), failover.is_some());
                let common = common!(entry, form, members, &form.standby);
                let kind = PoolKind::Store { failover };
                let Some(pool) = self.pool(&common, kind, &waiting!(form)) else {
                    return;
                };
                self.system.pools[pool].replication = replication;
                for operation in form
                    .operations
                    .iter()
                    .filter_map(At::get)
                    .flat_map(|list| &list.0)
                {
                    let form = operation.value.get();
                    let from = form.and_then(|form| form.from.as_ref()).and_then(At::get);
                    let served_by = match from {
                        Some(FromForm::Leader) => ServedBy::Leader,
                        Some(FromForm::Quorum) => ServedBy::Quorum,
                        Some(FromForm::Any) | None => ServedBy::Any,
                    };
                    let work = form.map(|form| work!(operation, form));
                    self.operation(pool, &operation.name, operation.place, work, served_by);
                }
            }
        }
    }

    /// A pool that could not be read keeps its row, so that rows go on matching names.
    pub(super) fn broken_pool(&mut self, name: &str) {
        self.system.pools.push(Pool {
            name: name.to_owned(),
            kind: PoolKind::Service,
            slots: Vec::new(),
            needs: 1,
            workers: None,
            queue: None,
            discipline: Discipline::Fifo,
            queue_timeout: None,
            starts_in: super::no_time(),
            standby: None,
            replication: None,
            refills_in: SimSpan::ZERO,
        });
    }

    /// `None` if there are more pools than allowed.
    pub(super) fn pool(
        &mut self,
        common: &Common<'_>,
        kind: PoolKind,
        waiting: &Waiting<'_>,
    ) -> Option<PoolId> {
        let id = PoolId::from_index(self.system.pools.len());
        if self.too_many_pools(id.index() + self.system.balancers.len() + 1, common.place) {
            return None;
        }
        let Waiting {
            workers,
            queue,
            queue_timeout,
            discipline: stated,
        } = waiting;
        let places = [
            ("queue", queue.as_ref().map(|at| at.place)),
            ("queue_timeout", queue_timeout.as_ref().map(|at| at.place)),
        ];
        for (field, place) in places {
            if let (Some(place), None) = (place, workers) {
                self.problem(
                    place,
                    format!("`{field}` without `workers`"),
                    "requests wait only if the number of workers is limited; add `workers`",
                );
            }
        }
        let discipline = self.discipline(stated, workers, queue_timeout);
        let optional = |compiler: &mut Self, field: &Opt<u64>, name: &str, least: u64| {
            field
                .is_some()
                .then(|| compiler.count(field, 1, name, least, limits::WORKERS))
        };
        let workers = optional(self, workers, "workers", 1);
        let queue = optional(self, queue, "queue", 0);
        let queue_timeout = queue_timeout.as_ref().map(|at| {
            let dist = self.dist(waiting.queue_timeout);
            let at_once = matches!(at.get(), Some(SpanDist::Constant(span)) if span.is_zero());
            if at_once || queue == Some(0) {
                self.problem(
                    at.place,
                    "`queue_timeout` where nobody waits",
                    "a queue of 0 refuses at once: state `queue: 0`, or a time and a place to wait",
                );
            }
            dist
        });
        let (slots, needs, starts_in) = self.slots(common, Owner::Pool(id));
        let standby = self.standby(common.standby, common.replicas, common.word);
        let name = common.name.to_owned();
        Some(self.system.pools.push(Pool {
            name,
            kind,
            slots,
            needs,
            workers,
            queue,
            discipline,
            queue_timeout,
            starts_in,
            standby,
            replication: None,
            refills_in: SimSpan::ZERO,
        }))
    }

    pub(super) fn too_many_pools(&mut self, count: usize, place: Place) -> bool {
        self.over(
            "services, caches, stores, externals and balancers",
            count,
            limits::POOLS,
            place,
        )
    }

    pub(super) fn slots(&mut self, common: &Common<'_>, owner: Owner) -> (Vec<SlotId>, u32, Dist) {
        let count = self.count(common.replicas, 1, common.word, 1, limits::SLOTS as u64);
        let place = common.replicas.as_ref().map_or(common.place, |at| at.place);
        let starts_in = self.dist(common.starts_in);
        let standbys = self.standbys(common.standby);
        let placed = count + u32::try_from(standbys).unwrap_or(u32::MAX);
        self.price(common.price, common.name, placed, common.on.is_some());
        let total = self.system.slots.len() + count as usize + standbys as usize;
        if self.over(SLOTS, total, limits::SLOTS, place) {
            return (Vec::new(), 1, starts_in);
        }
        let needs = self.needs(common.needs, owner, count, common.word);
        let places = self.placed(total - self.system.slots.len(), common.on, common.across);
        let mut slots = Vec::with_capacity(places.len());
        let mut components = Vec::with_capacity(places.len());
        for (index, (domain, node)) in places.into_iter().enumerate() {
            let name = self.made_name(common.name, index, common.place);
            let slot = Slot {
                name: name.clone(),
                owner,
                index: index as u32,
                domain,
                node,
            };
            let id = self.system.slots.push(slot);
            slots.push(id);
            components.push((Component::Slot(id), name));
        }
        self.restart(common.restart, &slots);
        if let Some(faults) = common.faults.as_ref().and_then(At::get) {
            let bearer = match owner {
                Owner::Pool(_) => Bearer::Pool(common.restart.is_some()),
                Owner::Balancer(_) => Bearer::Balancer(common.restart.is_some()),
            };
            self.faults(&faults.named, common.name, bearer, &components);
        }
        (slots, needs, starts_in)
    }

    pub(super) fn operation(
        &mut self,
        pool: PoolId,
        name: &str,
        place: Place,
        work: Option<Work<'_>>,
        served_by: ServedBy,
    ) -> Option<crate::ids::OperationId> {
        self.problems.extend(names::check(name, place));
        if self.over(
            "operations",
            self.system.operations.len() + 1,
            limits::OPERATIONS,
            place,
        ) {
            return None;
        }
        let (mut takes, mut fails) = (super::no_time(), 0.0);
        if let Some(work) = work {
            if work.takes.is_none() {
                let like = "{lognormal: {median: 18ms, p95: 80ms}}";
                self.missing_inside(work.inside, place, "takes", like);
            }
            takes = self.dist(work.takes);
            let share = work.fails.as_ref().and_then(At::get);
            fails = share.map_or(0.0, |share| share.0);
        }
        let name = format!("{}.{name}", self.system.pools[pool].name);
        let operation = Operation {
            name: name.clone(),
            pool,
            served_by,
            takes,
            fails,
            calls: Vec::new(),
        };
        let id = self.system.operations.push(operation);
        self.operations.insert(name, id);
        Some(id)
    }
}
