//! Message queues, and the services that take from them.

use super::pools::{Common, Work};
use super::{Compiler, list};
use crate::ids::{CallId, Id, IdVec, OperationId, PoolId};
use crate::model::{self, PoolKind, ServedBy};
use crate::random::Dist;
use crate::scenario::limits;
use crate::scenario::place::{Place, quoted};
use crate::scenario::read::{At, Entry};
use crate::scenario::schema::{File, QueueForm, TakesFromForm};
use crate::time::SimSpan;

/// What SQS does, unless told otherwise.
const REDELIVERS_AFTER: SimSpan = SimSpan::from_secs(30);

/// Until the publisher has its answer, seconds.
const TAKES: f64 = 0.001;

impl<'a> Compiler<'a> {
    /// Compiles message queues, after third parties.
    pub(super) fn queues(&mut self, file: &'a File) {
        let Some(entries) = file.queues.as_ref().and_then(At::get) else {
            return;
        };
        for entry in &entries.0 {
            let Some(form) = entry.value.get() else {
                self.broken_pool(&entry.name);
                continue;
            };
            if let Some(at) = &form.across
                && at.get().is_some_and(|names| names.len() > 1)
            {
                self.problem(
                    at.place,
                    "`across` has more than one domain",
                    "a queue has one broker; name the domain that it stands in",
                );
            }
            let common = Common {
                name: &entry.name,
                place: entry.place,
                replicas: &None,
                word: "brokers",
                on: &form.on,
                across: &form.across,
                needs: &None,
                starts_in: &form.starts_in,
                restart: &None,
                price: &form.price,
                faults: &form.faults,
                standby: &None,
            };
            let Some(pool) = self.pool(&common, PoolKind::Queue, &super::pools::NO_WAITING) else {
                return;
            };
            let work = Work {
                inside: entry.value.place.start,
                takes: &form.takes,
                fails: &None,
            };
            let stated = form.takes.is_some().then_some(work);
            let none = stated.is_none();
            let id = self.operation(pool, "publish", entry.place, stated, ServedBy::Any);
            if let (Some(id), true) = (id, none) {
                self.system.operations[id].takes = Dist::constant(TAKES).expect("a constant");
            }
        }
    }

    /// Compiles who takes from which queue, when all operations and calls of services are known.
    pub(super) fn consumers(&mut self, file: &'a File) {
        let queues = file.queues.as_ref().and_then(At::get);
        let queues = queues.map_or(&[][..], |entries| &entries.0);
        let services = file.services.as_ref().and_then(At::get);
        let services = services.map_or(&[][..], |entries| &entries.0);
        let mut taken: Vec<Option<Place>> = vec![None; queues.len()];
        for (index, service) in services.iter().enumerate() {
            let form = service
                .value
                .get()
                .and_then(|form| form.takes_from.as_ref());
            let Some(at) = form.filter(|_| index < self.system.pools.len()) else {
                continue;
            };
            let Some(form) = at.get() else { continue };
            let consumer = PoolId::from_index(index);
            let queue = self.queue_of(form, at.place, queues);
            let operation = self.operation_of(form, at.place, &service.name);
            let Some(row) = queue else { continue };
            let before = taken[row].replace(at.place);
            let Some(operation) = operation else { continue };
            if let Some(before) = before {
                self.problems.push(
                    crate::scenario::problem::Problem::at(
                        at.place,
                        format!("two services take from {}", quoted(&queues[row].name)),
                    )
                    .help("one does: give it more replicas, or publish to a queue for each")
                    .also(before, "the other is here"),
                );
                continue;
            }
            self.check_consumer(consumer, at.place);
            self.consumer(&queues[row], consumer, operation, at.place);
        }
        for (entry, taken) in queues.iter().zip(taken) {
            if taken.is_none() && entry.value.get().is_some() {
                self.problem(
                    entry.place,
                    format!("no service takes from {}", quoted(&entry.name)),
                    format!(
                        "add to a service: `takes_from: {{queue: {}, operation: send}}`",
                        entry.name
                    ),
                );
            }
        }
    }

    /// Whoever takes messages is called by nobody.
    pub(super) fn check_takers(&mut self) {
        let mut direct = Vec::new();
        for queue in &self.system.queues {
            let calls = self.system.calls.pairs();
            let to_it = |to: OperationId| self.system.operations[to].pool == queue.consumer;
            let found = calls.filter(|(id, call)| *id != queue.call && to_it(call.to));
            direct.extend(found.map(|(id, _)| (self.call_places[id], queue)));
        }
        let problems: Vec<_> = direct
            .into_iter()
            .map(|(place, queue)| {
                let (consumer, queue) = (queue.consumer, queue.pool);
                let name = |id: PoolId| quoted(&self.system.pools[id].name);
                (
                    place,
                    format!(
                        "{} takes from {}, and is called as well",
                        name(consumer),
                        name(queue)
                    ),
                    format!(
                        "its workers do nothing else: call `{}.publish`, or another service",
                        self.system.pools[queue].name
                    ),
                )
            })
            .collect();
        for (place, message, help) in problems {
            self.problem(place, message, help);
        }
    }

    /// What an operation causes: publishing, that the message is done.
    pub(super) fn with_consumers(
        &self,
        mut below: IdVec<OperationId, Vec<(OperationId, CallId)>>,
    ) -> IdVec<OperationId, Vec<(OperationId, CallId)>> {
        for queue in &self.system.queues {
            let operations = self.system.operations.pairs();
            let publish = operations
                .filter(|(_, operation)| operation.pool == queue.pool)
                .map(|(id, _)| id);
            for id in publish {
                below[id].push((self.system.calls[queue.call].to, queue.call));
            }
        }
        below
    }

    fn queue_of(
        &mut self,
        form: &TakesFromForm,
        owner: Place,
        queues: &[Entry<QueueForm>],
    ) -> Option<usize> {
        let Some(at) = &form.queue else {
            self.missing(owner, "queue", "mail");
            return None;
        };
        let name = at.get()?;
        let found = queues.iter().position(|entry| entry.name == *name);
        if found.is_none() {
            let names = queues.iter().map(|entry| entry.name.as_str());
            let help = match crate::scenario::suggest::nearest(name, names.clone()) {
                Some(near) => format!("did you mean {}?", quoted(near)),
                None if queues.is_empty() => "the file names no queue".to_owned(),
                None => format!("there are: {}", list(names)),
            };
            let message = format!("there is no queue named {}", quoted(name));
            self.problem(at.place, message, help);
        }
        found
    }

    fn operation_of(
        &mut self,
        form: &TakesFromForm,
        owner: Place,
        service: &str,
    ) -> Option<OperationId> {
        let Some(at) = &form.operation else {
            self.missing(owner, "operation", "send");
            return None;
        };
        let name = at.get()?;
        self.find_operation(&format!("{service}.{name}"), at.place)
    }

    /// Workers that take messages do nothing else.
    fn check_consumer(&mut self, consumer: PoolId, place: Place) {
        let pool = &self.system.pools[consumer];
        let name = quoted(&pool.name);
        let endless = pool.workers.is_none();
        let waits = pool.queue.is_some() || pool.queue_timeout.is_some();
        let other = pool.standby.is_some() || pool.discipline != model::Discipline::Fifo;
        if endless {
            self.problem(
                place,
                format!("{name} takes from a queue without `workers`"),
                "any number of messages would be in work at once; add `workers`",
            );
        }
        if waits {
            self.problem(
                place,
                format!("{name} takes from a queue and has one of its own"),
                "messages wait at the broker; leave `queue` and `queue_timeout` out",
            );
        }
        if other {
            self.problem(
                place,
                format!("{name} takes from a queue, with `standby` or a `discipline`"),
                "a worker that is free takes the next message; leave them out",
            );
        }
    }

    fn consumer(
        &mut self,
        entry: &Entry<QueueForm>,
        consumer: PoolId,
        operation: OperationId,
        place: Place,
    ) {
        let Some(form) = entry.value.get() else {
            return;
        };
        let Some(&publish) = self.operations.get(&format!("{}.publish", entry.name)) else {
            return;
        };
        let most = limits::MESSAGES;
        let capacity = self.count(&form.capacity, most, "capacity", 1, most);
        let max_deliveries = form
            .max_deliveries
            .is_some()
            .then(|| self.count(&form.max_deliveries, 1, "max_deliveries", 1, most));
        let redelivers_after = self
            .positive(&form.redelivers_after, "redelivers_after")
            .unwrap_or(REDELIVERS_AFTER);
        if redelivers_after < SimSpan::from_secs(limits::REDELIVERY_S) {
            let at = form.redelivers_after.as_ref().map_or(place, |at| at.place);
            self.problem(
                at,
                format!(
                    "`redelivers_after` is shorter than {} s",
                    limits::REDELIVERY_S
                ),
                "what fails would be tried again without a pause; no queue in use is that fast",
            );
        }
        let durable = form.durable.as_ref().and_then(At::get);
        let takes = self.system.operations[operation]
            .takes
            .quantile(f64::EPSILON / 4.0);
        if self.system.operations[operation].fails >= 1.0 {
            let help = "every delivery fails; state `fails` below 100%";
            self.problem(place, "no message is ever done", help);
        }
        if takes >= redelivers_after.as_secs_f64() {
            let at = form.redelivers_after.as_ref().map_or(place, |at| at.place);
            self.problem(
                at,
                "no message is ever done before it is delivered again",
                format!("the work takes at least {takes} s; make `redelivers_after` longer"),
            );
        }
        let Some(call) = self.plain_call(operation, None, place) else {
            return;
        };
        self.system.calls[call].timeout = Some(redelivers_after);
        self.system.queues.push(model::Queue {
            pool: self.system.operations[publish].pool,
            capacity,
            max_deliveries,
            redelivers_after,
            durable: durable.copied().unwrap_or(true),
            consumer,
            call,
        });
    }
}
