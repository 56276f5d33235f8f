//! What operators do: whose campaigns there are, and those that go wrong (releases, configurations,
//! certificates).
//!
//! They are compiled after everything else: how long a drain takes follows from the patience of users.

use super::Compiler;
use super::maintenance::HALF_MINUTE;
use super::names::Kind;
use crate::ids::{BalancerId, ClockId, Id, PoolId, SlotId};
use crate::model::{
    Campaign, CampaignWork, Change, Component, FaultKind, Owner, Release, Rhythm, Roll,
};
use crate::random::Dist;
use crate::scenario::place::Place;
use crate::scenario::read::{At, Entries, Entry, Opt};
use crate::scenario::schema::{
    self, CertificateForm, ConfigurationForm, EffectForm, File, ReleaseForm,
};
use crate::scenario::units::{Percent, Span};
use crate::time::SimSpan;

/// What a service is called in messages; only these have releases.
const SERVICE: &str = "a service";

/// What a campaign belongs to.
pub(super) struct Subject<'f> {
    pub(super) name: &'f str,
    /// What it is.
    word: &'static str,
    /// Whose slots its components are, if they are slots.
    owner: Option<Owner>,
    /// Its components with their names.
    pub(super) components: Vec<(Component, String)>,
    /// Whether something takes new requests away from them before they stop.
    pub(super) drainable: bool,
}

impl<'a> Compiler<'a> {
    /// Compiles the campaigns of everything.
    pub(super) fn campaigns(&mut self, file: &'a File) {
        self.campaigns_of_places(file);
        macro_rules! rows {
            ($section:ident, $word:expr) => {
                entries(&file.$section).map(|entry| {
                    let faults = entry.value.get().map(|form| &form.faults);
                    (&entry.name, faults, $word)
                })
            };
        }
        let pools = rows!(services, SERVICE)
            .chain(rows!(caches, "a cache"))
            .chain(rows!(stores, "a store"))
            .chain(rows!(queues, "a queue"));
        for (name, faults, word) in pools {
            let index = self.names.get(Kind::Pool, name);
            let id = index.map(PoolId::from_index);
            let slots = id.and_then(|id| self.system.pools.get(id));
            let slots = slots.map_or(&[][..], |pool| &pool.slots);
            let subject = Subject {
                name,
                word,
                owner: id.map(Owner::Pool),
                components: self.components_of(slots),
                drainable: true,
            };
            self.campaigns_of_slots(&subject, faults);
        }
        for (index, entry) in entries(&file.balancers).enumerate() {
            let balancer = self.system.balancers.get(BalancerId::from_index(index));
            let (slots, drainable) = balancer.map_or((&[][..], true), |balancer| {
                (&balancer.slots, balancer.failover.is_some())
            });
            let subject = Subject {
                name: &entry.name,
                word: "a balancer",
                owner: Some(Owner::Balancer(BalancerId::from_index(index))),
                components: self.components_of(slots),
                drainable,
            };
            self.campaigns_of_slots(&subject, entry.value.get().map(|form| &form.faults));
        }
    }

    fn campaigns_of_places(&mut self, file: &'a File) {
        for (index, entry) in entries(&file.domains).enumerate() {
            let Some(id) = self.domain_ids.get(index).copied().flatten() else {
                continue;
            };
            let faults = entry.value.get().and_then(|form| form.faults.as_ref());
            let subject = Subject {
                name: &entry.name,
                word: "a domain",
                owner: None,
                components: vec![(Component::Domain(id), entry.name.clone())],
                drainable: true,
            };
            if let Some(schema::DomainFaults(faults)) = faults.and_then(At::get) {
                self.maintenance(&faults.maintenance, &subject);
                let help = "state it for a service or a balancer; planned work on all in a domain is `maintenance`";
                self.misplaced(&faults.release, "release", &subject, help);
                self.misplaced(&faults.configuration, "configuration", &subject, help);
                self.misplaced(&faults.certificate, "certificate", &subject, help);
            }
        }
        for (group, entry) in entries(&file.nodes).enumerate() {
            let nodes = self.node_ids(group).into_iter();
            let subject = Subject {
                name: &entry.name,
                word: "machines, which have no replicas",
                owner: None,
                components: nodes
                    .map(|id| (Component::Node(id), self.system.nodes[id].name.clone()))
                    .collect(),
                drainable: true,
            };
            self.campaigns_of_slots(&subject, entry.value.get().map(|form| &form.faults));
        }
    }

    fn campaigns_of_slots(&mut self, subject: &Subject<'_>, faults: Option<&Opt<schema::Faults>>) {
        let Some(faults) = faults.and_then(Option::as_ref).and_then(At::get) else {
            return;
        };
        self.maintenance(&faults.maintenance, subject);
        let pool = match subject.owner {
            Some(Owner::Pool(pool)) if subject.word == SERVICE => Some(pool),
            _ => None,
        };
        let service = "of a service: state it there; planned work here is `maintenance`";
        // A service beyond the limits has no row; that has been said.
        let known = |pool: &PoolId| self.system.pools.get(*pool).is_some();
        match pool {
            Some(pool) if known(&pool) => {
                self.release(&faults.release, subject, pool);
                self.configuration(&faults.configuration, subject, pool);
            }
            Some(_) => {}
            None => {
                let help = format!("a release rolls over the replicas {service}");
                self.misplaced(&faults.release, "release", subject, &help);
                let help = format!("a configuration reaches the replicas {service}");
                self.misplaced(&faults.configuration, "configuration", subject, &help);
            }
        }
        match subject.owner {
            Some(owner) if pool.is_some() || matches!(owner, Owner::Balancer(_)) => {
                self.certificate(&faults.certificate, subject, owner);
            }
            _ => {
                let help = "a certificate belongs to a service or a balancer";
                self.misplaced(&faults.certificate, "certificate", subject, help);
            }
        }
    }

    /// A fault that this kind of component cannot have.
    fn misplaced<T>(&mut self, field: &Opt<T>, name: &str, subject: &Subject<'_>, help: &str) {
        if let Some(at) = field {
            self.problem(at.place, format!("`{name}` on {}", subject.word), help);
        }
    }

    fn components_of(&self, slots: &[SlotId]) -> Vec<(Component, String)> {
        slots
            .iter()
            .map(|&id| (Component::Slot(id), self.system.slots[id].name.clone()))
            .collect()
    }

    fn release(&mut self, form: &Opt<ReleaseForm>, subject: &Subject<'_>, pool: PoolId) {
        let Some(at) = form else { return };
        let Some(form) = at.get() else { return };
        let (rhythm, every) = self.rhythm(&form.every, &form.at, at.place, "7d");
        let bad = self.share(&form.bad, at.place, "bad", "1%");
        let noticed_in = self.noticed_in(&form.noticed_in, at.place);
        let effect = form.effect.as_ref().and_then(At::get).copied();
        let EffectForm::Crash = effect.unwrap_or(EffectForm::Crash);
        let rolls = form.rolls.as_ref().and_then(At::get);
        let roll = Roll {
            at_once: 1,
            pause: HALF_MINUTE,
        };
        let roll = rolls.map_or(roll, |form| {
            self.roll(&form.at_once, &form.pause, subject, roll)
        });
        let back = form.rolls_back.as_ref().and_then(At::get);
        let rolls_back = back.map_or(roll, |form| {
            self.roll(&form.at_once, &form.pause, subject, roll)
        });
        let drain = match rolls {
            Some(form) => self.drain(&form.drained, &form.drains_in, true),
            None => self.drain(&None, &None, true),
        };
        let count = subject.components.len() as f64;
        let starts = self.system.pools[pool].starts_in.mean();
        let each = starts + drain.unwrap_or(SimSpan::ZERO).as_secs_f64();
        let waves = (count / f64::from(roll.at_once)).ceil();
        let lasts = waves * each + (waves - 1.0).max(0.0) * roll.pause.as_secs_f64();
        if lasts > every {
            let place = form.every.as_ref().map_or(at.place, |at| at.place);
            self.problem(
                place,
                "a release rolls for longer than from one to the next",
                "`rolls` over all replicas must take less time than `every`: more `at_once`, a shorter `pause`, or fewer releases",
            );
        }
        let all = [(Component::Pool(pool), subject.name.to_owned())];
        let rollout = self.one_clock(FaultKind::Rollout, &all, at.place, &rhythm, lasts);
        let mean = noticed_in.mean() + lasts;
        let release = self.one_clock(FaultKind::Release, &all, at.place, &rhythm, mean);
        let (Some(rollout), Some(release)) = (rollout, release) else {
            return;
        };
        self.system.campaigns.push(Campaign {
            name: format!("{}.release", subject.name),
            rhythm,
            work: CampaignWork::Release(Release {
                pool,
                rollout,
                release,
                bad,
                noticed_in,
                rolls: roll,
                rolls_back,
                drain,
            }),
        });
    }

    /// How something rolls over the replicas of `subject`; what is not stated is as in `default`.
    fn roll(
        &mut self,
        at_once: &Opt<u64>,
        pause: &Opt<Span>,
        subject: &Subject<'_>,
        default: Roll,
    ) -> Roll {
        let replicas = subject.components.len().max(1) as u64;
        let least = u64::from(default.at_once);
        Roll {
            at_once: self.count(at_once, least, "at_once", 1, replicas),
            pause: self.span(pause, "pause").unwrap_or(default.pause),
        }
    }

    fn configuration(
        &mut self,
        form: &Opt<ConfigurationForm>,
        subject: &Subject<'_>,
        pool: PoolId,
    ) {
        let Some(at) = form else { return };
        let Some(form) = at.get() else { return };
        let (rhythm, _) = self.rhythm(&form.every, &form.at, at.place, "1d");
        let bad = self.share(&form.bad, at.place, "bad", "0.2%");
        let effect = form.effect.as_ref().and_then(At::get).copied();
        let EffectForm::Crash = effect.unwrap_or(EffectForm::Crash);
        let noticed_in = self.noticed_in(&form.noticed_in, at.place);
        let spreads_in = self.dist(&form.spreads_in);
        let reverted_in = match form.reverted_in {
            Some(_) => self.dist(&form.reverted_in),
            None => spreads_in.clone(),
        };
        let all = [(Component::Pool(pool), subject.name.to_owned())];
        let kind = FaultKind::Configuration;
        let lasts = noticed_in.mean() + reverted_in.mean();
        if let Some(clock) = self.one_clock(kind, &all, at.place, &rhythm, lasts) {
            self.system.campaigns.push(Campaign {
                name: format!("{}.{}", subject.name, kind.word()),
                rhythm,
                work: CampaignWork::Change(Change {
                    owner: Owner::Pool(pool),
                    clock,
                    bad,
                    noticed_in,
                    spreads_in,
                    reverted_in,
                    is_certificate: false,
                }),
            });
        }
    }

    fn certificate(&mut self, form: &Opt<CertificateForm>, subject: &Subject<'_>, owner: Owner) {
        let Some(at) = form else { return };
        let Some(form) = at.get() else { return };
        if form.valid_for.is_none() {
            self.missing(at.place, "valid_for", "90d");
        }
        let valid_for = self.positive(&form.valid_for, "valid_for");
        let rhythm = Rhythm::Clock {
            every: valid_for.unwrap_or(SimSpan::from_secs(1)),
            at: None,
        };
        let bad = self.share(&form.renewal_fails, at.place, "renewal_fails", "1%");
        let noticed_in = self.noticed_in(&form.noticed_in, at.place);
        let reverted_in = self.needed_dist(&form.renewed_in, at.place, "renewed_in", "30m");
        let component = match owner {
            Owner::Pool(pool) => Component::Pool(pool),
            Owner::Balancer(balancer) => Component::Balancer(balancer),
        };
        let all = [(component, subject.name.to_owned())];
        let kind = FaultKind::Certificate;
        let lasts = noticed_in.mean() + reverted_in.mean();
        if let Some(clock) = self.one_clock(kind, &all, at.place, &rhythm, lasts) {
            self.system.campaigns.push(Campaign {
                name: format!("{}.{}", subject.name, kind.word()),
                rhythm,
                work: CampaignWork::Change(Change {
                    owner,
                    clock,
                    bad,
                    noticed_in,
                    spreads_in: super::no_time(),
                    reverted_in,
                    is_certificate: true,
                }),
            });
        }
    }

    fn noticed_in(&mut self, field: &Opt<schema::SpanDist>, owner: Place) -> Dist {
        let like = "{lognormal: {median: 8m, p95: 40m}}";
        self.needed_dist(field, owner, "noticed_in", like)
    }

    /// A probability that must be there.
    fn share(&mut self, field: &Opt<Percent>, owner: Place, name: &str, like: &str) -> f64 {
        match field {
            None => {
                self.missing(owner, name, like);
                0.0
            }
            Some(at) => at.get().map_or(0.0, |share| share.0),
        }
    }

    /// A fault that hits all slots together.
    fn one_clock(
        &mut self,
        kind: FaultKind,
        all: &[(Component, String)],
        place: Place,
        rhythm: &Rhythm,
        lasts: f64,
    ) -> Option<ClockId> {
        let clocks = self.campaign_clocks(kind, &all[0].1, all, place, rhythm, lasts)?;
        clocks.first().copied()
    }
}

fn entries<T>(section: &Opt<Entries<T>>) -> impl Iterator<Item = &Entry<T>> {
    let entries = section
        .as_ref()
        .and_then(At::get)
        .map_or(&[][..], |entries| &entries.0);
    entries.iter()
}
