//! Balancers: their instances, whom they send to, probes and failover.

use super::Compiler;
use super::names::Kind;
use super::pools::{Common, common};
use crate::ids::{BalancerId, Id, PoolId};
use crate::model::{self, Discipline, Owner, Probes, Vrrp};
use crate::random::Dist;
use crate::scenario::place::quoted;
use crate::scenario::read::{At, Opt};
use crate::scenario::schema::{Algorithm, Answerer, BalancerFailover, File, ProbesForm};
use crate::time::SimSpan;

impl<'a> Compiler<'a> {
    /// Compiles the balancers.
    pub(super) fn balancers(&mut self, file: &'a File) {
        let Some(entries) = file.balancers.as_ref().and_then(At::get) else {
            return;
        };
        for entry in &entries.0 {
            let id = BalancerId::from_index(self.system.balancers.len());
            if self.too_many_pools(self.system.pools.len() + id.index() + 1, entry.place) {
                return;
            }
            let Some(form) = entry.value.get() else {
                self.balancer_to.push(None);
                self.system.balancers.push(no_balancer(&entry.name));
                continue;
            };
            let mut to = None;
            match &form.to {
                None => self.missing_inside(entry.value.place.start, entry.place, "to", "app"),
                Some(at) => {
                    if let Some(name) = at.get() {
                        match self.names.find(Kind::Pool, name, at.place) {
                            Ok(index) => {
                                to = (index < self.system.pools.len())
                                    .then(|| PoolId::from_index(index));
                                self.check_balanced(to, at.place);
                            }
                            Err(problem) => self.problems.push(problem),
                        }
                    }
                }
            }
            let common = common!(entry, form, replicas);
            let (slots, needs, starts_in) = self.slots(&common, Owner::Balancer(id));
            let probes = form.probes.as_ref().map(|at| self.probes(at, to));
            let passive = self.passive(form);
            let outlier_detection = self.outlier_detection(form);
            let failover = self.vrrp(&form.failover, slots.len());
            let algorithm = match form.algorithm.as_ref().and_then(At::get) {
                Some(Algorithm::RoundRobin) | None => model::Algorithm::RoundRobin,
                Some(Algorithm::LeastConn) => model::Algorithm::LeastConnections,
                Some(Algorithm::TwoChoices) => model::Algorithm::TwoChoices,
                Some(Algorithm::Random) => model::Algorithm::Random,
            };
            let slow_start = self.slow_start(form, algorithm);
            self.balancer_to.push(to);
            self.system.balancers.push(model::Balancer {
                name: entry.name.clone(),
                to: to.unwrap_or(PoolId::from_index(0)),
                slots,
                needs,
                algorithm,
                probes,
                passive,
                outlier_detection,
                slow_start,
                failover,
                starts_in,
            });
        }
    }

    fn probes(&mut self, at: &At<ProbesForm>, to: Option<PoolId>) -> Probes {
        const INTERVAL: SimSpan = SimSpan::from_secs(2);
        const TAKES: SimSpan = SimSpan::from_millis(1);
        let Some(form) = at.get() else {
            return Probes {
                interval: INTERVAL,
                timeout: INTERVAL,
                takes: TAKES,
                rise: 2,
                fall: 3,
                work: None,
            };
        };
        let interval = self
            .positive(&form.interval, "interval")
            .unwrap_or(INTERVAL);
        let timeout = self
            .positive(&form.timeout, "timeout")
            .unwrap_or(SimSpan::from_secs(1).min(interval));
        let takes = self.span(&form.takes, "takes").unwrap_or(TAKES);
        if timeout > interval {
            let place = form
                .timeout
                .as_ref()
                .or(form.interval.as_ref())
                .map_or(at.place, |at| at.place);
            self.problem(
                place,
                "`timeout` is longer than `interval`",
                "a probe ends before the next one starts",
            );
        }
        if takes >= timeout {
            let place = form
                .takes
                .as_ref()
                .or(form.timeout.as_ref())
                .map_or(at.place, |at| at.place);
            self.problem(
                place,
                "`takes` is not shorter than `timeout`",
                "no probe could ever pass",
            );
        }
        let mut times = |field: &Opt<u32>, name: &str, default: u32| match field
            .as_ref()
            .and_then(|at| Some((at.place, *at.get()?)))
        {
            None => default,
            Some((place, 0)) => {
                self.problem(
                    place,
                    format!("`{name}` is 0"),
                    "it must be at least 1: one probe decides",
                );
                default
            }
            Some((_, times)) => times,
        };
        let (rise, fall) = (times(&form.rise, "rise", 2), times(&form.fall, "fall", 3));
        /// Probes that workers answer are simulated one by one.
        const LEAST: SimSpan = SimSpan::from_millis(10);
        let by_workers = form
            .answered_by
            .as_ref()
            .filter(|at| matches!(at.get(), Some(Answerer::Workers)));
        if let Some((at, pool)) = by_workers.zip(to.map(|id| &self.system.pools[id])) {
            let (what, help) = match (pool.workers, pool.discipline) {
                (None, _) => (
                    "no `workers`",
                    "state how many requests it serves at once, or leave out `answered_by`",
                ),
                (_, Discipline::ProcessorSharing) => (
                    "`discipline: processor_sharing`",
                    "only what waits in a queue can be late; use another `discipline`, or leave out `answered_by`",
                ),
                (Some(_), Discipline::Fifo | Discipline::Lifo | Discipline::Priority) => ("", ""),
            };
            if !what.is_empty() {
                let message = format!(
                    "workers answer probes of {}, which has {what}",
                    quoted(&pool.name)
                );
                self.problem(at.place, message, help);
            }
        }
        if by_workers.is_some() && interval < LEAST {
            let place = form.interval.as_ref().map_or(at.place, |at| at.place);
            self.problem(
                place,
                "workers answer probes, and `interval` is below 10ms",
                "such probes are requests that are simulated one by one: use 10ms or more",
            );
        }
        Probes {
            interval,
            timeout,
            takes,
            rise,
            fall,
            work: by_workers.and_then(|_| Dist::constant(takes.as_secs_f64()).ok()),
        }
    }

    fn vrrp(&mut self, failover: &Opt<BalancerFailover>, instances: usize) -> Option<Vrrp> {
        let at = failover.as_ref()?;
        let BalancerFailover::Vrrp(form) = at.get()?;
        if instances == 1 {
            self.problem(
                at.place,
                "failover with one instance",
                "there is nobody to take over: add `replicas: 2`, or remove `failover`",
            );
        }
        let advert_int = self
            .positive(&form.advert_int, "advert_int")
            .unwrap_or(SimSpan::from_secs(1));
        let mut priorities: Vec<u8> = Vec::new();
        match &form.priorities {
            None => self.missing(at.place, "priorities", "[150, 100]"),
            Some(list) => {
                let items = list.get().map_or(&[][..], Vec::as_slice);
                for item in items {
                    let Some(&priority) = item.get() else {
                        continue;
                    };
                    match u8::try_from(priority) {
                        Ok(priority @ 1..=254) if priorities.contains(&priority) => {
                            self.problem(
                                item.place,
                                format!("the priority {priority} is here twice"),
                                "instances with equal priorities could both become master",
                            );
                        }
                        Ok(priority @ 1..=254) => priorities.push(priority),
                        _ => self.problem(
                            item.place,
                            format!("the priority {priority} is out of range"),
                            "it must be from 1 to 254",
                        ),
                    }
                }
                if list.get().is_some() && items.len() != instances {
                    self.problem(
                        list.place,
                        format!("{} priorities for {instances} instances", items.len()),
                        "give one for each instance, in order",
                    );
                }
            }
        }
        let preempt = form
            .preempt
            .as_ref()
            .and_then(At::get)
            .copied()
            .unwrap_or(true);
        let (coverage, rescue) = self.takeover(form);
        Some(Vrrp {
            advert_int,
            priorities,
            preempt,
            coverage,
            rescue,
        })
    }
}

/// What stands for a balancer that could not be read.
fn no_balancer(name: &str) -> model::Balancer {
    model::Balancer {
        name: name.to_owned(),
        to: PoolId::from_index(0),
        slots: Vec::new(),
        needs: 1,
        algorithm: model::Algorithm::RoundRobin,
        probes: None,
        passive: None,
        outlier_detection: None,
        slow_start: SimSpan::ZERO,
        failover: None,
        starts_in: super::no_time(),
    }
}
