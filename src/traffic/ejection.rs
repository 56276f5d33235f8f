//! Outlier detection of a balancer's instance: who is ejected, when it comes back, and the panic in which that is ignored.
//!
//! Ejections are state of traffic, and slow: a member that fails is away for longer each time, and one that has
//! recovered is let back only when its time is over. Windows go on until both are settled ([`Stretch::is_ejecting`]).

use super::arrivals::Source;
use super::frames::uniform;
use super::plan::Plan;
use super::relay::lost_with;
use super::stretch::Stretch;
use crate::balance::AnyBalancer;
use crate::ids::{Id, SlotId};
use crate::model;
use crate::path::{Regime, SlotState};
use crate::random::Key;
use crate::resilience::outlier::{Outcome, OutlierDetection, Rate, Settings};
use crate::time::{SimSpan, SimTime};

/// By how much more than all of them the healthy members of Envoy's only priority level count, percent.
const OVERPROVISIONING: u32 = 140;

/// One instance's.
#[derive(Clone, Debug)]
pub(super) struct Ejection {
    detection: OutlierDetection,
    /// Members that may get attempts for all that others say.
    up: Vec<bool>,
    /// Healthy members, percent, below which all get attempts.
    panic_threshold: u32,
    panics: bool,
    interval: SimSpan,
    /// What it draws: sweeps, jitter.
    key: Key,
    drawn: u64,
    checks: Option<Checks>,
}

/// Probes that bring back whom they find well.
#[derive(Clone, Debug)]
struct Checks {
    interval: SimSpan,
    /// Of each member, when its next one that is looked at has passed: never, unless it is ejected.
    due: Vec<SimTime>,
    next: SimTime,
}

impl Ejection {
    pub(super) fn new(balancer: &model::Balancer, members: usize) -> Option<Self> {
        let rule = balancer.outlier_detection.as_ref()?;
        // Those that workers answer are simulated, and say themselves that they pass.
        let probes = balancer.probes.as_ref();
        let listener = probes.filter(|probes| probes.work.is_none() && rule.passed_probe_unejects);
        Some(Self {
            detection: OutlierDetection::new(settings(rule), members, SimTime::NEVER),
            up: vec![true; members],
            panic_threshold: rule.healthy_panic_threshold,
            panics: false,
            interval: rule.interval,
            key: Key::of_seed(0),
            drawn: 0,
            checks: listener.map(|probes| Checks {
                interval: probes.interval,
                due: vec![SimTime::NEVER; members],
                next: SimTime::NEVER,
            }),
        })
    }

    /// A stretch begins at `now`, in the midst of the time between two sweeps; its draws are those of `key`.
    pub(super) fn begin(&mut self, key: Key, now: SimTime) {
        (self.key, self.drawn) = (key, 0);
        let phase = self.interval.mul_f64(key.stream().uniform());
        self.detection.restart(now + phase);
        self.forget_checks();
    }

    /// Its process starts at `now`.
    pub(super) fn starts(&mut self, now: SimTime, balancer: &mut AnyBalancer) {
        self.detection.restart(now + self.interval);
        self.forget_checks();
        self.settle_all(balancer);
    }

    /// Whether a check meets none of the errors that such a share of answers is.
    fn escapes(&mut self, errors: f64) -> bool {
        errors <= 0.0 || uniform(bits(self.key, &mut self.drawn)) >= errors
    }

    fn forget_checks(&mut self) {
        if let Some(checks) = &mut self.checks {
            checks.due.fill(SimTime::NEVER);
            checks.next = SimTime::NEVER;
        }
    }

    /// From now on `member` may get attempts, for all that others say, or not.
    pub(super) fn let_in(&mut self, member: u32, up: bool, balancer: &mut AnyBalancer) {
        self.up[member as usize] = up;
        self.settle(member, balancer);
    }

    /// Probes have found that `member` is well.
    pub(super) fn pass(&mut self, member: u32, now: SimTime, balancer: &mut AnyBalancer) {
        if self.detection.pass(member, now) {
            self.settle(member, balancer);
        }
    }

    /// What is due by `now`, apart from checks.
    #[inline]
    pub(super) fn attend(&mut self, now: SimTime, balancer: &mut AnyBalancer) {
        if self.detection.is_due(now) {
            self.sweep(now, balancer);
        }
    }

    #[inline(never)]
    fn sweep(&mut self, now: SimTime, balancer: &mut AnyBalancer) {
        let (key, drawn, checks) = (self.key, &mut self.drawn, &mut self.checks);
        let mut any = false;
        self.detection.sweep(
            now,
            || bits(key, drawn),
            |member, ejected| {
                any = true;
                if let Some(checks) = checks {
                    checks.look(member, now, ejected, key);
                }
            },
        );
        if any {
            self.settle_all(balancer);
        }
    }

    /// An attempt at `member` has come to this; whether it is ejected for it.
    pub(super) fn report(
        &mut self,
        (member, outcome): (u32, Outcome),
        now: SimTime,
        balancer: &mut AnyBalancer,
    ) -> bool {
        self.attend(now, balancer);
        // Drawn for each, so that one ejection more moves no draw of another.
        let bits = match outcome {
            Outcome::Success => 0,
            Outcome::Error | Outcome::GatewayFailure => bits(self.key, &mut self.drawn),
        };
        let ejected = self.detection.report(member, outcome, now, bits);
        if ejected {
            if let Some(checks) = &mut self.checks {
                checks.look(member, now, true, self.key);
            }
            self.settle(member, balancer);
        }
        ejected
    }

    /// Its own attempts have told it long ago that `member` fails; `draw`, uniform on (0, 1), says how far its
    /// ejection is.
    fn knows(&mut self, member: u32, draw: f64, balancer: &mut AnyBalancer) {
        if self.detection.assume(member, draw) {
            self.settle(member, balancer);
        }
    }

    /// Tells the balancer whether `member` gets attempts, and all others if a panic begins or ends.
    fn settle(&mut self, member: u32, balancer: &mut AnyBalancer) {
        let panics = self.panics;
        self.look_at_health();
        if panics == self.panics {
            balancer.set(member, self.gets(member));
        } else {
            self.settle_all(balancer);
        }
    }

    fn settle_all(&mut self, balancer: &mut AnyBalancer) {
        self.look_at_health();
        for member in 0..self.up.len() as u32 {
            balancer.set(member, self.gets(member));
        }
    }

    fn is_healthy(&self, member: u32) -> bool {
        self.up[member as usize] && !self.detection.is_ejected(member)
    }

    fn gets(&self, member: u32) -> bool {
        self.panics || self.is_healthy(member)
    }

    /// Envoy, `source/extensions/load_balancing_policies/common/load_balancer_impl.cc`: there is panic where too few
    /// are healthy, and those, counted as 1.4 times as many, are not all that is needed.
    fn look_at_health(&mut self) {
        let all = self.up.len() as u32;
        let healthy = (0..all).filter(|&member| self.is_healthy(member)).count() as u32;
        let few = 100 * healthy < self.panic_threshold * all;
        self.panics = few && OVERPROVISIONING * healthy / all.max(1) < 100;
    }
}

impl Checks {
    /// A check of `member` was due by `now`: whether it has passed, where it is `well`. If not, the next one is looked at.
    fn passes(&mut self, member: u32, now: SimTime, well: bool) -> bool {
        let due = &mut self.due[member as usize];
        let late = now.since(*due).as_nanos() / self.interval.as_nanos();
        *due = if well {
            SimTime::NEVER
        } else {
            *due + self.interval.saturating_mul(late + 1)
        };
        self.next = self.due.iter().copied().min().unwrap_or(SimTime::NEVER);
        well
    }

    /// `member` is ejected from `now` on, or back.
    fn look(&mut self, member: u32, now: SimTime, ejected: bool, key: Key) {
        self.due[member as usize] = if ejected {
            // Of each member at the same times, a whole number of intervals apart.
            let interval = self.interval.as_nanos();
            let phase = (key.with(1).with(u64::from(member)).stream().uniform() * interval as f64)
                as u64
                % interval;
            let late = (now.as_nanos() + interval - phase) % interval;
            now + SimSpan::from_nanos(interval - late)
        } else {
            SimTime::NEVER
        };
        self.next = self.due.iter().copied().min().unwrap_or(SimTime::NEVER);
    }
}

/// The next 64 random bits.
fn bits(key: Key, drawn: &mut u64) -> u64 {
    *drawn += 1;
    key.with(2).with(*drawn).stream().bits()
}

fn settings(rule: &model::OutlierDetection) -> Settings {
    let rate = |rate: model::OutlierRate| Rate {
        minimum_hosts: rate.minimum_hosts,
        request_volume: u64::from(rate.request_volume),
        enforcing: rate.enforcing,
    };
    Settings {
        consecutive_5xx: rule.consecutive_5xx,
        enforcing_consecutive_5xx: rule.enforcing_consecutive_5xx,
        consecutive_gateway_failure: rule.consecutive_gateway_failure,
        enforcing_consecutive_gateway_failure: rule.enforcing_consecutive_gateway_failure,
        interval: rule.interval,
        base_ejection_time: rule.base_ejection_time,
        max_ejection_time: rule.max_ejection_time,
        max_ejection_time_jitter: rule.max_ejection_time_jitter,
        max_ejection_percent: rule.max_ejection_percent,
        always_eject_one_host: rule.always_eject_one_host,
        success_rate: rate(rule.success_rate),
        success_rate_stdev_factor: rule.success_rate_stdev_factor,
        failure_percentage: rate(rule.failure_percentage),
        failure_percentage_threshold: rule.failure_percentage_threshold,
    }
}

/// Whether `slot` answers attempts that an instance sends it.
fn answers(regime: &Regime, instance: SlotId, slot: SlotId) -> bool {
    regime.slots[slot] == SlotState::Serving && regime.reaches(Some(instance), slot)
}

impl<'a> Stretch<'a> {
    /// What instances with outlier detection know at the beginning of a stretch: who does not answer now has not for
    /// long, has been tried again and again, and is ejected for the longest time. What stopped together comes back together.
    pub(super) fn know_outliers(&mut self, plan: &Plan<'_>, source: Source) {
        let (lost, now) = (source.known(self.now), self.now);
        for (relay, &(balancer, instance)) in self.relays.iter_mut().zip(&plan.relays) {
            let Some((ejection, tables)) = relay.ejection() else {
                continue;
            };
            ejection.begin(lost.with(4).with(instance.index() as u64), now);
            ejection.settle_all(tables);
            let members = &plan.system.pools[plan.system.balancers[balancer].to].slots;
            for (member, &slot) in (0..).zip(members) {
                let stands_by = self.regime.slots[slot] == SlotState::Standby;
                let believed = self.regime.views[instance][member as usize];
                if believed && !stands_by && !answers(&self.regime, instance, slot) {
                    let draw = lost_with(plan, &self.regime, slot, lost);
                    ejection.knows(member, draw, tables);
                }
            }
        }
    }

    /// Probes that have passed by now bring back whom an instance has ejected.
    #[inline(never)]
    pub(super) fn check_ejected(&mut self, plan: &Plan<'_>, relay: u32) {
        let now = self.now;
        let row = relay as usize;
        let (balancer, instance) = plan.relays[row];
        let members = &plan.system.pools[plan.system.balancers[balancer].to].slots;
        let Some((ejection, tables)) = self.relays[row].ejection() else {
            return;
        };
        ejection.attend(now, tables);
        let next = ejection.checks.as_ref().map(|checks| checks.next);
        if next.is_none_or(|next| next > now) {
            return;
        }
        for (member, &slot) in (0..).zip(members) {
            let due = |checks: &Checks| checks.due[member as usize] <= now;
            if !ejection.checks.as_ref().is_some_and(due) {
                continue;
            }
            let believed = self.regime.views[instance][member as usize];
            let errors = self.regime.impairments[slot].errors;
            let well =
                believed && answers(&self.regime, instance, slot) && ejection.escapes(errors);
            let checks = ejection.checks.as_mut();
            if checks.is_some_and(|checks| checks.passes(member, now, well)) {
                ejection.pass(member, now, tables);
            }
        }
    }

    /// A member has answered an attempt, with an error or not.
    #[inline(always)]
    pub(super) fn tell_answer(&mut self, plan: &Plan<'_>, index: u32, succeeded: bool) {
        let outcome = if succeeded {
            Outcome::Success
        } else {
            Outcome::Error
        };
        self.tell_outcome(plan, index, outcome);
    }

    /// What came of an attempt at a member is told to its instance, if that listens.
    #[inline(always)]
    pub(super) fn tell_outcome(&mut self, plan: &Plan<'_>, index: u32, outcome: Outcome) {
        let frame = &self.frames[index];
        if frame.connected && self.relays[frame.relay as usize].ejects() {
            let (relay, member) = (frame.relay, frame.member);
            self.report_outcome(plan, relay, (member, outcome));
        }
    }

    /// The same, for one that listens.
    #[inline(never)]
    pub(super) fn report_outcome(
        &mut self,
        plan: &Plan<'_>,
        relay: u32,
        (member, outcome): (u32, Outcome),
    ) {
        let now = self.now;
        let Some((ejection, tables)) = self.relays[relay as usize].ejection() else {
            return;
        };
        if ejection.report((member, outcome), now, tables) {
            let instance = plan.relays[relay as usize].1;
            let slot = plan.member(relay, member);
            let answers = answers(&self.regime, instance, slot);
            self.tally.ejections += u64::from(answers);
        }
    }

    /// Whether any instance has not settled yet: it has ejected a member that answers, or remembers that it had; or
    /// it has not yet ejected one that does not for the longest time.
    pub(super) fn is_ejecting(&self, plan: &Plan<'_>) -> bool {
        let mut views = self.ejection_views(plan);
        views.any(|(detection, member, answers)| {
            if answers {
                detection.remembers(member)
            } else {
                detection.climbs(member)
            }
        })
    }

    /// From one ejection of a member that does not answer to the next, the longest there is.
    pub(super) fn ejection_turn(&self, plan: &Plan<'_>) -> Option<SimSpan> {
        let views = self.ejection_views(plan);
        let failing =
            views.filter(|(detection, member, answers)| !answers && detection.remembers(*member));
        failing.map(|(detection, ..)| detection.turn()).max()
    }

    /// What each instance thinks of each member that it believes up, and whether that answers.
    fn ejection_views(
        &self,
        plan: &Plan<'_>,
    ) -> impl Iterator<Item = (&OutlierDetection, u32, bool)> {
        let rows = self.relays.iter().zip(&plan.relays);
        let listening =
            rows.filter_map(|(relay, &row)| Some((&relay.ejection_of()?.detection, row)));
        listening.flat_map(move |(detection, (balancer, instance))| {
            let members = &plan.system.pools[plan.system.balancers[balancer].to].slots;
            (0..).zip(members).filter_map(move |(member, &slot)| {
                let stands_by = self.regime.slots[slot] == SlotState::Standby;
                let believed = self.regime.views[instance][member as usize] && !stands_by;
                believed.then(|| (detection, member, answers(&self.regime, instance, slot)))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::balance::{Kind, Tried};
    use crate::resilience::outlier::recorded::{Line, cases};

    /// Where the program tells its workers at once whom it has ejected, requests go only where they may: to the
    /// healthy, to all in a panic, and to nobody where there is none. In turn, as both choose.
    #[test]
    fn requests_go_where_those_of_envoy_went() {
        let mut seen = [0; 3];
        for case in cases() {
            if !case.name.ends_with("_unmerged") {
                continue;
            }
            let at = |ms: u64| SimTime::START + SimSpan::from_millis(ms);
            let first = case.lines.iter().find_map(|&(ms, line)| match line {
                Line::Uneject(_) => Some(ms % 1_000),
                _ => None,
            });
            let first = at(first.expect("somebody comes back"));
            let hosts = case.hosts as usize;
            let mut tables = AnyBalancer::new(Kind::RoundRobin, &vec![1; hosts]);
            let mut ejection = Ejection {
                detection: OutlierDetection::new(case.settings, hosts, first),
                up: vec![true; hosts],
                panic_threshold: case.panic_threshold,
                panics: false,
                interval: case.settings.interval,
                key: Key::of_seed(1),
                drawn: 0,
                checks: None,
            };
            for &(ms, line) in &case.lines {
                ejection.attend(at(ms), &mut tables);
                match line {
                    Line::Report(host, outcome) => {
                        assert!(ejection.gets(host), "{}: {ms} {host}", case.name);
                        assert!(tables.pick(0, Tried(&[])).is_some());
                        seen[usize::from(ejection.panics)] += 1;
                        ejection.report((host, outcome), at(ms), &mut tables);
                    }
                    Line::NoHost => {
                        assert!(tables.pick(0, Tried(&[])).is_none(), "{}: {ms}", case.name);
                        seen[2] += 1;
                    }
                    Line::Eject(_) | Line::Uneject(_) | Line::Check(_) => {}
                }
            }
        }
        assert!(seen.iter().all(|&count| count > 200), "{seen:?}");
    }
}
