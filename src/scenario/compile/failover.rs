//! How stores choose a leader, and what stands by.

use super::Compiler;
use crate::model::{
    Failback, GenericFailover, Handling, Lease, QuorumFailover, Replication, Rescue, Standby,
    StoreFailover,
};
use crate::random::Dist;
use crate::scenario::limits;
use crate::scenario::place::Place;
use crate::scenario::read::{At, Opt};
use crate::scenario::schema::{
    self, FailbackForm, GenericForm, LastForm, LeaseForm, RepairsForm, ReplicationForm, RescueForm,
    RestoresForm, SpanDist, StandbyForm, StandbyKind, VrrpForm,
};
use crate::time::SimSpan;

/// MySQL's `rpl_semi_sync_source_timeout`.
const SEMI_SYNC_TIMEOUT: SimSpan = SimSpan::from_secs(10);

impl Compiler<'_> {
    /// The failover of a store with so many members.
    pub(super) fn store_failover(
        &mut self,
        failover: &Opt<schema::StoreFailover>,
        members: Option<u64>,
    ) -> Option<StoreFailover> {
        let at = failover.as_ref()?;
        Some(match at.get()? {
            schema::StoreFailover::Lease(form) => StoreFailover::Lease(self.lease(form, at.place)),
            schema::StoreFailover::Generic(form) => {
                if members == Some(1) {
                    self.problem(
                        at.place,
                        "failover with one member",
                        "there is nobody to take over: add `members: 2`, or remove `failover`",
                    );
                }
                StoreFailover::Generic(Box::new(self.generic(form, at.place)))
            }
            schema::StoreFailover::Quorum(form) => {
                if members.is_some_and(|members| members < 3) {
                    self.problem(
                        at.place,
                        "a quorum of fewer than three members",
                        "the loss of one would be the loss of the majority: add `members: 3`",
                    );
                }
                let elects_in = self.needed_dist(&form.elects_in, at.place, "elects_in", "2s");
                StoreFailover::Quorum(QuorumFailover {
                    elects_in,
                    switchover: self.switchover(&form.switchover),
                })
            }
        })
    }

    fn lease(&mut self, form: &LeaseForm, place: Place) -> Lease {
        let ttl = self
            .positive(&form.ttl, "ttl")
            .unwrap_or(SimSpan::from_secs(30));
        let loop_wait = self
            .positive(&form.loop_wait, "loop_wait")
            .unwrap_or(SimSpan::from_secs(10));
        if loop_wait > ttl {
            let place = form
                .loop_wait
                .as_ref()
                .or(form.ttl.as_ref())
                .map_or(place, |at| at.place);
            self.problem(
                place,
                "`loop_wait` is longer than `ttl`",
                "the key would expire before the leader renews it",
            );
        }
        let uniform = |from: f64, to: f64| Dist::uniform(from, to).expect("the ends are in order");
        let decides_in = if form.decides_in.is_some() {
            self.dist(&form.decides_in)
        } else {
            uniform(0.03, 0.13)
        };
        let promotes_in = if form.promotes_in.is_some() {
            self.dist(&form.promotes_in)
        } else {
            uniform(1.0, 5.0)
        };
        Lease {
            key_in: self.domain_list(&form.key_in, "key_in"),
            ttl,
            loop_wait,
            decides_in,
            promotes_in,
            switchover: self.switchover(&form.switchover),
        }
    }

    /// How long handing over takes, where it is stated.
    fn switchover(&mut self, stated: &Opt<SpanDist>) -> Option<Dist> {
        stated.is_some().then(|| self.dist(stated))
    }

    fn generic(&mut self, form: &GenericForm, place: Place) -> GenericFailover {
        let detect = self.needed_dist(&form.detect, place, "detect", "20s");
        let decide = self.dist(&form.decide);
        let promote = self.needed_dist(
            &form.promote,
            place,
            "promote",
            "{lognormal: {median: 30s, p95: 2m}}",
        );
        let coverage = form.coverage.as_ref().and_then(At::get);
        let coverage = coverage.map_or(1.0, |coverage| coverage.0);
        let rescue = form.on_failure.as_ref().and_then(|at| self.rescue(at));
        match (&form.coverage, &form.on_failure) {
            (Some(at), None) if coverage < 1.0 => self.problem(
                at.place,
                "`coverage` below 100% without `on_failure`",
                "say what happens when a failover does not work, such as `on_failure: {takes: 90m, restores: all}`",
            ),
            (_, Some(at)) if coverage >= 1.0 => self.problem(
                at.place,
                "`on_failure` of a failover that always works",
                "add a `coverage` below 100%, or leave `on_failure` out",
            ),
            _ => {}
        }
        let last = form.after_all_lost.as_ref().and_then(At::get);
        let repairs = form.repairs.as_ref().and_then(At::get);
        GenericFailover {
            detect,
            decide,
            promote,
            coverage,
            rescue,
            watched_from: self.domain_list(&form.watched_from, "watched_from"),
            promote_the_last: !matches!(last, Some(LastForm::Lead)),
            repairs_wait: matches!(repairs, Some(RepairsForm::AfterFailover)),
            failback: form.failback.as_ref().and_then(|at| self.failback(at)),
            switchover: self.switchover(&form.switchover),
        }
    }

    fn rescue(&mut self, at: &At<RescueForm>) -> Option<Rescue> {
        let form = at.get()?;
        if form.takes.is_none() {
            self.missing(at.place, "takes", "90m");
        }
        let takes: Handling = self.handling(&form.takes);
        let restores = form.restores.as_ref().and_then(At::get);
        Some(Rescue {
            takes,
            restores_all: matches!(restores, Some(RestoresForm::All)),
        })
    }

    fn failback(&mut self, at: &At<FailbackForm>) -> Option<Failback> {
        let form = at.get()?;
        Some(Failback {
            after: self.dist(&form.after),
            takes: self.dist(&form.takes),
        })
    }

    /// When a store with so many members acknowledges a write.
    pub(super) fn replication(
        &mut self,
        form: &schema::Store,
        members: Option<u64>,
        has_failover: bool,
    ) -> Option<Replication> {
        let kind = form.replication.as_ref();
        if let Some(timeout) = &form.semi_sync_timeout
            && !matches!(kind.and_then(At::get), Some(ReplicationForm::SemiSync))
        {
            self.problem(
                timeout.place,
                "`semi_sync_timeout` without `replication: semi_sync`",
                "nobody goes on alone after a time otherwise: write `replication: semi_sync`, or leave it out",
            );
        }
        let Some(at) = kind else {
            if let Some(lag) = &form.lag {
                self.problem(
                    lag.place,
                    "`lag` without `replication`",
                    "add `replication: async`",
                );
            }
            return None;
        };
        let kind = at.get()?;
        if members == Some(1) {
            self.problem(
                at.place,
                "replication with one member",
                "there is nobody to copy to: add `members: 2`, or remove `replication`",
            );
        } else if !has_failover {
            self.problem(
                at.place,
                "`replication` without `failover`",
                "nobody takes over, so it makes no difference: add `failover`, or remove `replication`",
            );
        }
        match (kind, &form.lag) {
            (ReplicationForm::Async, lag) => {
                if lag.is_none() {
                    self.missing(at.place, "lag", "{lognormal: {median: 200ms, p95: 2s}}");
                }
                Some(Replication::Async {
                    lag: self.dist(&form.lag),
                })
            }
            (ReplicationForm::Sync | ReplicationForm::SemiSync, Some(lag)) => {
                self.problem(
                    lag.place,
                    "`lag` of copies that are in step",
                    "a write waits for its copy: leave `lag` out, or write `replication: async`",
                );
                Some(Replication::Sync)
            }
            (ReplicationForm::Sync, None) => Some(Replication::Sync),
            (ReplicationForm::SemiSync, None) => Some(Replication::SemiSync {
                timeout: self
                    .span(&form.semi_sync_timeout, "semi_sync_timeout")
                    .unwrap_or(SEMI_SYNC_TIMEOUT),
            }),
        }
    }

    /// How often a backup takes the address of a balancer, and the person who moves it where it does not.
    pub(super) fn takeover(&mut self, form: &VrrpForm) -> (f64, Option<Handling>) {
        let coverage = form.coverage.as_ref().and_then(At::get);
        let coverage = coverage.map_or(1.0, |coverage| coverage.0);
        match (&form.coverage, &form.on_failure) {
            (Some(at), None) if coverage < 1.0 => self.problem(
                at.place,
                "`coverage` below 100% without `on_failure`",
                "say who moves the address then and when, such as `on_failure: {takes: 20m}`",
            ),
            (stated, Some(at)) if coverage >= 1.0 && is_read(stated) => self.problem(
                at.place,
                "`on_failure` of takeovers that always work",
                "add a `coverage` below 100%, or leave `on_failure` out",
            ),
            _ => {}
        }
        let rescue = form.on_failure.as_ref().and_then(|at| {
            let rescue = at.get()?;
            if rescue.takes.is_none() {
                self.missing(at.place, "takes", "20m");
            }
            Some(self.handling(&rescue.takes))
        });
        (coverage, rescue)
    }

    /// How many stand by.
    pub(super) fn standbys(&self, standby: &Opt<StandbyForm>) -> u64 {
        let Some(form) = standby.as_ref().and_then(At::get) else {
            return 0;
        };
        let count = form.count.as_ref().map_or(Some(1), |at| at.get().copied());
        count.unwrap_or(1).clamp(1, limits::SLOTS as u64)
    }

    /// What stands by for replicas whose number is in the field `replicas`, called `word`.
    pub(super) fn standby(
        &mut self,
        standby: &Opt<StandbyForm>,
        replicas: &Opt<u64>,
        word: &str,
    ) -> Option<Standby> {
        let at = standby.as_ref()?;
        let form = at.get()?;
        let count = self.count(&form.count, 1, "count", 1, limits::SLOTS as u64);
        if replicas.is_none() {
            self.problem(
                at.place,
                format!("`standby` without `{word}`"),
                format!("say how many it stands by for, such as `{word}: 1`; standbys come on top"),
            );
        }
        let kind = form.kind.as_ref().and_then(At::get);
        let rate = form.rate.as_ref().and_then(At::get).map(|rate| rate.0);
        match (kind, &form.rate) {
            (Some(StandbyKind::Warm), None) => self.missing(at.place, "rate", "30%"),
            (Some(StandbyKind::Warm), Some(_)) | (_, None) => {}
            (_, Some(rate)) => self.problem(
                rate.place,
                "`rate` of a standby that is not warm",
                "a cold one does not age and a hot one ages as if it worked: add `kind: warm`, or leave `rate` out",
            ),
        }
        if let (Some(share), Some(at)) = (rate, &form.rate)
            && share <= 0.0
            && kind == Some(&StandbyKind::Warm)
        {
            self.problem(
                at.place,
                "`rate` is 0%",
                "what does not age at all is `kind: cold`",
            );
        }
        let coverage = form.coverage.as_ref().and_then(At::get);
        let coverage = coverage.map_or(1.0, |coverage| coverage.0);
        let rescue = self.by_hand(form, coverage);
        Some(Standby {
            count,
            rate: match kind {
                Some(StandbyKind::Cold) => 0.0,
                Some(StandbyKind::Warm) => rate.unwrap_or(1.0),
                Some(StandbyKind::Hot) | None => 1.0,
            },
            activates_in: self.dist(&form.activates_in),
            coverage,
            rescue,
        })
    }

    /// The person who activates a standby where that does not happen by itself.
    fn by_hand(&mut self, form: &StandbyForm, coverage: f64) -> Option<Handling> {
        match (&form.coverage, &form.on_failure) {
            (Some(at), None) if coverage < 1.0 => self.problem(
                at.place,
                "`coverage` below 100% without `on_failure`",
                "say who activates it then and when, such as `on_failure: {takes: 30m}`",
            ),
            (stated, Some(at)) if coverage >= 1.0 && is_read(stated) => self.problem(
                at.place,
                "`on_failure` of a standby that is always activated",
                "add a `coverage` below 100%, or leave `on_failure` out",
            ),
            _ => {}
        }
        let at = form.on_failure.as_ref()?;
        let rescue = at.get()?;
        if rescue.takes.is_none() {
            self.missing(at.place, "takes", "30m");
        }
        Some(self.handling(&rescue.takes))
    }
}

/// Whether a field was left out or is right as far as it goes.
fn is_read<T>(field: &Opt<T>) -> bool {
    field.as_ref().is_none_or(|at| at.get().is_some())
}
