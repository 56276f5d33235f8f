//! Call sites, and what a request can cause through them in the worst case.

use super::names::Kind;
use super::{Compiler, list};
use crate::ids::{BalancerId, CallId, Id, IdVec, OperationId};
use crate::model::{Backoff, Call, Jitter, PoolKind, Retries};
use crate::scenario::limits;
use crate::scenario::place::{Place, quoted};
use crate::scenario::problem::Problem;
use crate::scenario::read::{At, List, Opt};
use crate::scenario::schema::{CallForm, JitterForm, RetriesForm};
use crate::scenario::suggest::nearest;
use crate::time::SimSpan;

impl<'a> Compiler<'a> {
    /// Compiles the calls that operations of services make.
    pub(super) fn service_calls(&mut self) {
        for (operation, calls) in std::mem::take(&mut self.waiting) {
            let made = self.calls(calls);
            self.system.operations[operation].calls = made;
        }
    }

    /// Compiles a list of calls.
    pub(super) fn calls(&mut self, calls: &At<List<CallForm>>) -> Vec<CallId> {
        let list = calls.get().map_or(&[][..], Vec::as_slice);
        list.iter().flat_map(|at| self.item(at)).collect()
    }

    /// Compiles a single call.
    pub(super) fn call(&mut self, at: &At<CallForm>) -> Option<CallId> {
        let form = at.get()?;
        let to = match &form.to {
            None => {
                self.missing(at.place, "to", "articles.query");
                None
            }
            Some(to) => to
                .get()
                .and_then(|name| self.find_operation(name, to.place)),
        };
        let through = self.through(&form.through, to);
        let timeout = self.positive(&form.timeout, "timeout");
        if let (Some(to), Some(timeout), Some(field)) = (to, timeout, &form.timeout) {
            let operation = &self.system.operations[to];
            // No uniform that the simulator draws is nearer to zero.
            let least = operation.takes.quantile(f64::EPSILON / 4.0);
            if least >= timeout.as_secs_f64() {
                let message = format!(
                    "{} never answers within this timeout",
                    quoted(&operation.name)
                );
                self.problem(field.place, message, format!("it takes at least {least} s"));
            }
        }
        let passes_deadline = form.passes_deadline.as_ref().and_then(At::get);
        let retries = self.retries(&form.retries);
        let cache = to.is_none_or(|to| {
            matches!(
                self.system.pools[self.system.operations[to].pool].kind,
                PoolKind::Cache
            )
        });
        let hit = match &form.hit {
            None => 1.0,
            Some(hit) => {
                if !cache {
                    self.problem(
                        hit.place,
                        "`hit` on a call that goes to no cache",
                        "only look-ups in a cache can miss; remove it",
                    );
                }
                hit.get().map_or(0.5, |hit| hit.0)
            }
        };
        if let Some(on_miss) = &form.on_miss
            && hit >= 1.0
        {
            self.problem(
                on_miss.place,
                "`on_miss` on a call that never misses",
                "say how often it hits, such as `hit: 85%`",
            );
        }
        let on_miss = form
            .on_miss
            .as_ref()
            .map(|calls| self.calls(calls))
            .unwrap_or_default();
        let on_failure = form
            .on_failure
            .as_ref()
            .map(|calls| self.calls(calls))
            .unwrap_or_default();
        if self.over(
            "calls",
            self.system.calls.len() + 1,
            limits::CALLS,
            at.place,
        ) {
            return None;
        }
        let optional = form
            .optional
            .as_ref()
            .and_then(At::get)
            .copied()
            .unwrap_or(false);
        let call = Call {
            to: to?,
            through,
            timeout,
            passes_deadline: passes_deadline.copied().unwrap_or(false),
            retries,
            hit,
            on_miss,
            on_failure,
            optional,
            chance: self.chance(&form.chance),
            priority: self.priority(&form.priority),
            fork: None,
            channel: None,
        };
        let place = form
            .retries
            .as_ref()
            .map_or(at.place, |retries| retries.place);
        self.call_places.push(place);
        Some(self.system.calls.push(call))
    }

    /// A call of `to` and nothing more, noted at `place`.
    pub(super) fn plain_call(
        &mut self,
        to: OperationId,
        through: Option<BalancerId>,
        place: Place,
    ) -> Option<CallId> {
        if self.over("calls", self.system.calls.len() + 1, limits::CALLS, place) {
            return None;
        }
        self.call_places.push(place);
        Some(self.system.calls.push(Call {
            to,
            through,
            timeout: None,
            passes_deadline: false,
            retries: no_retries(),
            hit: 1.0,
            on_miss: Vec::new(),
            on_failure: Vec::new(),
            optional: false,
            chance: 1.0,
            priority: None,
            fork: None,
            channel: None,
        }))
    }

    pub(super) fn find_operation(&mut self, name: &str, place: Place) -> Option<OperationId> {
        if let Some(&id) = self.operations.get(name) {
            return Some(id);
        }
        let pool = name.split_once('.').map_or(name, |(pool, _)| pool);
        let prefix = format!("{pool}.");
        let mut own = self
            .operations
            .keys()
            .map(String::as_str)
            .filter(|key| key.starts_with(&prefix))
            .peekable();
        let near = nearest(name, self.operations.keys().map(String::as_str));
        let help = match near {
            Some(near) => format!("did you mean {}?", quoted(near)),
            None if own.peek().is_some() => format!("{} has: {}", quoted(pool), list(own)),
            None if self.names.get(Kind::Pool, pool).is_some() => {
                format!("{} states no operations; add `operations`", quoted(pool))
            }
            None => format!(
                "a call names `<service>.<operation>`; there are: {}",
                list(self.operations.keys().map(String::as_str))
            ),
        };
        self.problems
            .push(Problem::at(place, format!("there is no operation {}", quoted(name))).help(help));
        None
    }

    fn through(&mut self, field: &Opt<String>, to: Option<OperationId>) -> Option<BalancerId> {
        let at = field.as_ref()?;
        let name = at.get()?;
        let balancer = match self.names.find(Kind::Balancer, name, at.place) {
            Ok(index) if index < self.system.balancers.len() => BalancerId::from_index(index),
            Ok(_) => return None,
            Err(problem) => {
                self.problems.push(problem);
                return None;
            }
        };
        self.balancers_used.insert(balancer);
        let pool = self.system.operations[to?].pool;
        if let Some(behind) = self.balancer_to[balancer]
            && behind != pool
        {
            let message = format!(
                "{} sends to {}, not to {}",
                quoted(name),
                quoted(&self.system.pools[behind].name),
                quoted(&self.system.pools[pool].name)
            );
            self.problem(
                at.place,
                message,
                "a call goes through a balancer of what it calls",
            );
        }
        Some(balancer)
    }

    fn retries(&mut self, field: &Opt<RetriesForm>) -> Retries {
        let Some(at) = field else { return no_retries() };
        let Some(form) = at.get() else {
            return no_retries();
        };
        if form.max.is_none() {
            self.missing(at.place, "max", "2");
        }
        let max = self.count(&form.max, 1, "max", 1, limits::RETRIES);
        let mut backoff = no_retries().backoff;
        if let Some(backoff_at) = &form.backoff
            && let Some(form) = backoff_at.get()
        {
            if form.base.is_none() {
                self.missing(backoff_at.place, "base", "50ms");
            }
            let base = self.span(&form.base, "base").unwrap_or(SimSpan::ZERO);
            let cap = self.span(&form.cap, "cap");
            if let (Some(cap), Some(at)) = (cap, &form.cap)
                && cap < base
            {
                self.problem(
                    at.place,
                    "`cap` is shorter than `base`",
                    "no pause is longer than the cap",
                );
            }
            let mut factor = 2.0;
            if let Some(at) = &form.factor
                && let Some(&given) = at.get()
            {
                if given < 1.0 {
                    self.problem(
                        at.place,
                        format!("`factor` is {given}"),
                        "it must be at least 1: pauses do not get shorter",
                    );
                } else {
                    factor = given;
                }
            }
            let jitter = match form.jitter.as_ref().and_then(At::get) {
                None | Some(JitterForm::None) => Jitter::None,
                Some(JitterForm::Full) => Jitter::Full,
                Some(JitterForm::Equal) => Jitter::Equal,
            };
            backoff = Backoff {
                base,
                factor,
                cap: cap.unwrap_or(CAP.max(base)),
                jitter,
            };
        }
        Retries { max, backoff }
    }

    /// Refuses chains of calls that are too long, and requests that can explode. `order`: see
    /// [`Self::bottom_up`].
    pub(super) fn check_call_graph(&mut self, order: &[OperationId]) {
        let mut levels = IdVec::<OperationId, u32>::filled(1, self.system.operations.len());
        let mut worst = IdVec::<OperationId, f64>::filled(1.0, self.system.operations.len());
        for &operation in order {
            for &call in &self.system.operations[operation].calls {
                let (deep, attempts) = self.cost(call, &levels, &worst);
                levels[operation] = levels[operation].max(deep + 1);
                worst[operation] += attempts;
            }
        }
        let (mut blamed, mut too_deep) = (std::collections::BTreeSet::new(), false);
        for index in 0..self.system.journeys.len() {
            let journey = &self.system.journeys[Id::from_index(index)];
            let place = self.journey_places.get(index).copied().unwrap_or(self.root);
            let name = journey.name.clone();
            let costs: Vec<_> = journey
                .calls
                .iter()
                .map(|&call| (call, self.cost(call, &levels, &worst)))
                .collect();
            let deep = costs.iter().map(|(_, (deep, _))| *deep).max().unwrap_or(0);
            if deep > limits::CALL_LEVELS && !too_deep {
                too_deep = true;
                self.problem(
                    place,
                    format!("{} makes calls {deep} levels deep", quoted(&name)),
                    format!("at most {} levels are simulated", limits::CALL_LEVELS),
                );
            }
            let attempts: f64 = costs.iter().map(|(_, (_, attempts))| attempts).sum();
            if attempts > limits::ATTEMPTS_PER_REQUEST {
                let call = self.responsible(&journey_calls(&costs), &levels, &worst);
                let place = call.map_or(place, |call| self.call_places[call]);
                if blamed.insert(place) {
                    self.problem(
                        place,
                        format!("one request of {} can cause {} attempts, all retries used", quoted(&name), large(attempts)),
                        format!("retries and fan-outs inside each other multiply; at most {} attempts per request are simulated", limits::ATTEMPTS_PER_REQUEST),
                    );
                }
            }
        }
    }

    /// Levels of calls below and at `call`, and attempts in the worst case.
    fn cost(
        &self,
        call: CallId,
        levels: &IdVec<OperationId, u32>,
        worst: &IdVec<OperationId, f64>,
    ) -> (u32, f64) {
        let row = &self.system.calls[call];
        let mut deep = levels[row.to];
        let mut attempts = (f64::from(row.retries.max) + 1.0) * worst[row.to];
        for &other in row.on_miss.iter().chain(&row.on_failure) {
            let (other_deep, other_attempts) = self.cost(other, levels, worst);
            deep = deep.max(other_deep);
            attempts += other_attempts;
        }
        attempts *= f64::from(self.system.copies(call));
        for &other in self
            .system
            .fork_of_first(call)
            .iter()
            .flat_map(|fork| &fork.on_failure)
        {
            let (other_deep, other_attempts) = self.cost(other, levels, worst);
            deep = deep.max(other_deep);
            attempts += other_attempts;
        }
        (deep, attempts)
    }

    /// The innermost call that alone goes beyond the limit, or else the most expensive of `calls`.
    fn responsible(
        &self,
        calls: &[CallId],
        levels: &IdVec<OperationId, u32>,
        worst: &IdVec<OperationId, f64>,
    ) -> Option<CallId> {
        let attempts = |call: CallId| self.cost(call, levels, worst).1;
        let most = |calls: &[CallId]| {
            calls
                .iter()
                .copied()
                .max_by(|&a, &b| attempts(a).total_cmp(&attempts(b)))
        };
        let mut found = most(calls)?;
        loop {
            let row = &self.system.calls[found];
            let below: Vec<CallId> = self.system.operations[row.to]
                .calls
                .iter()
                .copied()
                .chain(self.system.followers(found))
                .collect();
            match most(&below) {
                Some(next) if attempts(next) > limits::ATTEMPTS_PER_REQUEST => found = next,
                _ => return Some(found),
            }
        }
    }

    /// All operations, those that are called before those that call them; `None` and a problem if
    /// calls go round in circles.
    pub(super) fn bottom_up(&mut self) -> Option<Vec<OperationId>> {
        let operations = &self.system.operations;
        let below: IdVec<OperationId, Vec<(OperationId, CallId)>> = operations
            .iter()
            .map(|operation| self.called(&operation.calls))
            .collect();
        let below = self.with_consumers(below);
        let mut waits: IdVec<OperationId, usize> = below.iter().map(Vec::len).collect();
        let mut callers =
            IdVec::<OperationId, Vec<OperationId>>::filled(Vec::new(), operations.len());
        for (caller, called) in below.pairs() {
            for &(called, _) in called {
                callers[called].push(caller);
            }
        }
        let mut order: Vec<OperationId> = waits
            .pairs()
            .filter(|(_, waits)| **waits == 0)
            .map(|(id, _)| id)
            .collect();
        let mut next = 0;
        while let Some(&done) = order.get(next) {
            next += 1;
            for &caller in &callers[done] {
                waits[caller] -= 1;
                if waits[caller] == 0 {
                    order.push(caller);
                }
            }
        }
        if order.len() == operations.len() {
            return Some(order);
        }
        // Whoever still waits waits for one who waits: following them must come back.
        let mut path: Vec<(OperationId, CallId)> = Vec::new();
        let mut at = waits
            .pairs()
            .find(|(_, waits)| **waits > 0)
            .map(|(id, _)| id)?;
        loop {
            if let Some(from) = path.iter().position(|&(seen, _)| seen == at) {
                let circle = &path[from..];
                let names: Vec<String> = circle
                    .iter()
                    .map(|&(id, _)| id)
                    .chain([at])
                    .map(|id| quoted(&operations[id].name))
                    .collect();
                let place = self.call_places[circle[circle.len() - 1].1];
                self.problem(
                    place,
                    format!("calls go in a circle: {}", names.join(" -> ")),
                    "a request would never end; remove one of these calls",
                );
                return None;
            }
            let &(called, call) = below[at].iter().find(|&&(called, _)| waits[called] > 0)?;
            path.push((at, call));
            at = called;
        }
    }

    /// What `calls` call, those of `on_miss` and `on_failure` included.
    pub(super) fn called(&self, calls: &[CallId]) -> Vec<(OperationId, CallId)> {
        let mut found = Vec::new();
        let mut open = calls.to_vec();
        while let Some(call) = open.pop() {
            let row = &self.system.calls[call];
            found.push((row.to, call));
            open.extend(self.system.followers(call));
        }
        found
    }
}

/// The longest pause between attempts, if the file does not say.
const CAP: SimSpan = SimSpan::from_secs(10);

fn no_retries() -> Retries {
    let backoff = Backoff {
        base: SimSpan::ZERO,
        factor: 2.0,
        cap: CAP,
        jitter: Jitter::None,
    };
    Retries { max: 0, backoff }
}

fn journey_calls(costs: &[(CallId, (u32, f64))]) -> Vec<CallId> {
    costs.iter().map(|&(call, _)| call).collect()
}

/// A large count, short.
fn large(count: f64) -> String {
    if count < 1e15 {
        format!("{count}")
    } else {
        "more than 1e15".into()
    }
}
