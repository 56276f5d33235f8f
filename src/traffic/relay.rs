//! An instance of a balancer: its algorithm's tables, and what it has learnt from its own attempts.
//!
//! A member gets attempts if its probes say that it is up, it does not stand by, passive accounting does
//! not leave it alone, and outlier detection has not ejected it.

use super::arrivals::Source;
use super::ejection::Ejection;
use super::frames::NONE;
use super::plan::Plan;
use super::stretch::Stretch;
use crate::balance::{AnyBalancer, SlowStart, Tried, slow_start};
use crate::ids::{Id, SlotId};
use crate::model::{self, System};
use crate::path::{Regime, SlotState};
use crate::random::Key;
use crate::resilience::Passive;
use crate::resilience::outlier::Outcome;
use crate::time::SimTime;

#[derive(Clone, Debug)]
pub(super) struct Relay {
    pub slot: SlotId,
    balancer: AnyBalancer,
    passive: Option<Box<Accounting>>,
    ejection: Option<Box<Ejection>>,
    /// Members that have come back; `None`: they have their whole weight at once.
    slow_start: Option<Box<SlowStart>>,
    /// When its process started, if it did in this stretch: what it believes then it has not noticed.
    started: SimTime,
    /// Whether it has anything of these, to be looked after at each choice.
    attends: bool,
}

#[derive(Clone, Debug)]
struct Accounting {
    passive: Passive,
    /// Members that may get attempts for all that others say.
    up: Vec<bool>,
}

impl Relay {
    pub(super) fn new(system: &System, balancer: &model::Balancer, slot: SlotId) -> Self {
        let members = system.pools[balancer.to].slots.len();
        let accounting = balancer.passive.map(|rule| {
            Box::new(Accounting {
                passive: Passive::new(rule.max_fails, rule.fail_timeout, members),
                up: vec![true; members],
            })
        });
        let ejection = Ejection::new(balancer, members).map(Box::new);
        let seconds = balancer.slow_start.as_nanos().div_ceil(1_000_000_000);
        let slow_start = (seconds > 0).then(|| Box::new(SlowStart::new(members, seconds)));
        let weight = slow_start.as_ref().map_or(1, |_| slow_start::WHOLE);
        let kind = super::plan::kind_of(balancer.algorithm);
        Self {
            slot,
            balancer: AnyBalancer::new(kind, &vec![weight; members]),
            attends: accounting.is_some() || slow_start.is_some() || ejection.is_some(),
            passive: accounting,
            ejection,
            slow_start,
            started: SimTime::NEVER,
        }
    }

    /// A process that has just started: it believes of its members what it did.
    pub(super) fn restart(&mut self) {
        self.started = SimTime::NEVER;
        let balancer = &mut self.balancer;
        if let Some(slow) = &mut self.slow_start {
            slow.restart(|member, weight| balancer.weigh(member, weight));
        }
        self.balancer.restart();
        if let Some(accounting) = &mut self.passive {
            accounting.passive.restart();
            for (member, &up) in (0..).zip(&accounting.up) {
                self.balancer.set(member, up);
            }
        }
    }

    /// Its process starts at `now`: it gives every member that it believes up its whole share.
    pub(super) fn starts(&mut self, now: SimTime) {
        self.started = now;
        let balancer = &mut self.balancer;
        if let Some(slow) = &mut self.slow_start {
            slow.restart(|member, weight| balancer.weigh(member, weight));
        }
        if let Some(ejection) = &mut self.ejection {
            ejection.starts(now, balancer);
        }
    }

    /// From now on `member` may get attempts, as far as probes and standbys are concerned, or not. If it may, it has its
    /// whole weight.
    pub(super) fn set(&mut self, member: u32, up: bool) {
        if let Some(slow) = &mut self.slow_start {
            slow.set(member, up);
            self.balancer.weigh(member, slow_start::WHOLE);
        }
        self.let_in(member, up);
    }

    /// The same for what the instance notices at `now`: a member that has come back begins slowly.
    pub(super) fn notice(&mut self, member: u32, up: bool, now: SimTime) {
        if self.started == now {
            return self.set(member, up);
        }
        if let Some(slow) = &mut self.slow_start {
            let weight = slow.notice(member, up, now);
            self.balancer.weigh(member, weight);
        }
        self.let_in(member, up);
        if up {
            self.passed(member, now);
        }
    }

    /// A probe of its own has found `member` well at `now`.
    pub(super) fn passed(&mut self, member: u32, now: SimTime) {
        if let Some(ejection) = &mut self.ejection {
            ejection.pass(member, now, &mut self.balancer);
        }
    }

    fn let_in(&mut self, member: u32, up: bool) {
        if let Some(ejection) = &mut self.ejection {
            return ejection.let_in(member, up, &mut self.balancer);
        }
        let mut gets = up;
        if let Some(accounting) = &mut self.passive {
            accounting.up[member as usize] = up;
            gets &= !accounting.passive.rests(member);
        }
        self.balancer.set(member, gets);
    }

    /// Its own attempts have told it long ago that `member` fails; `draw`, uniform on (0, 1), says how
    /// far the turn of tests is at `now`.
    fn knows(&mut self, member: u32, now: SimTime, draw: f64) {
        let Some(accounting) = &mut self.passive else {
            return;
        };
        let ago = (draw * (accounting.passive.fail_timeout() + 1) as f64) as u64;
        if accounting.passive.assume(member, now, ago) {
            self.balancer.set(member, false);
        }
    }

    /// Whether what comes of its attempts is told it.
    #[inline(always)]
    pub(super) fn ejects(&self) -> bool {
        self.ejection.is_some()
    }

    /// Its outlier detection, and the tables of the algorithm that follow it.
    pub(super) fn ejection(&mut self) -> Option<(&mut Ejection, &mut AnyBalancer)> {
        let ejection = self.ejection.as_deref_mut()?;
        Some((ejection, &mut self.balancer))
    }

    /// Its outlier detection, to look at.
    pub(super) fn ejection_of(&self) -> Option<&Ejection> {
        self.ejection.as_deref()
    }

    /// Chooses a member at `now`. With outlier detection, checks that are due by then have been looked at.
    #[inline(always)]
    pub(super) fn pick(&mut self, bits: u64, tried: Tried<'_>, now: SimTime) -> Option<u32> {
        if self.attends {
            return self.attend(bits, tried, now);
        }
        self.balancer.pick(bits, tried)
    }

    /// See [`AnyBalancer::pair`].
    #[inline(always)]
    pub(super) fn pair(&self, bits: u64) -> Option<Option<(u32, u32)>> {
        self.balancer.pair(bits)
    }

    /// Chooses a member for a call that has tried nobody, where `in_progress` knows how many attempts each has
    /// and none was begun here. Without passive accounting.
    #[inline(always)]
    pub(super) fn pick_by(
        &mut self,
        bits: u64,
        in_progress: impl FnMut(u32) -> u32,
    ) -> Option<u32> {
        debug_assert!(self.passive.is_none());
        self.balancer.pick_by(bits, in_progress)
    }

    #[inline(never)]
    fn attend(&mut self, bits: u64, tried: Tried<'_>, now: SimTime) -> Option<u32> {
        let balancer = &mut self.balancer;
        if let Some(slow) = self.slow_start.as_mut().filter(|slow| slow.is_due(now)) {
            slow.grow(now, |member, weight| balancer.weigh(member, weight));
        }
        if let Some(ejection) = &mut self.ejection {
            ejection.attend(now, balancer);
        }
        if self.passive.is_some() {
            return self.pick_passively(bits, tried, now);
        }
        self.balancer.pick(bits, tried)
    }

    #[inline(never)]
    fn pick_passively(&mut self, bits: u64, tried: Tried<'_>, now: SimTime) -> Option<u32> {
        let Self {
            balancer, passive, ..
        } = self;
        let accounting = passive.as_mut()?;
        let up = &accounting.up;
        accounting
            .passive
            .wake(now, |member| balancer.set(member, up[member as usize]));
        let picked = balancer.pick(bits, tried)?;
        if accounting.passive.chosen(picked, now) {
            balancer.set(picked, false);
        }
        Some(picked)
    }

    /// An attempt at `member` begins.
    #[inline(always)]
    pub(super) fn begin(&mut self, member: u32) {
        self.balancer.begin(member);
    }

    /// An attempt at `member` that had begun since the last restart has ended, without failing on the
    /// member's account.
    #[inline(always)]
    pub(super) fn end(&mut self, member: u32) {
        self.balancer.end(member);
        if let Some(accounting) = &mut self.passive
            && accounting.passive.ended(member)
        {
            let up = accounting.up[member as usize];
            self.balancer.set(member, up);
        }
    }

    /// The same for one that the member has refused, reset or not answered in time.
    #[inline(always)]
    pub(super) fn end_failed(&mut self, member: u32, now: SimTime) {
        self.balancer.end(member);
        self.refused(member, now);
    }

    /// An attempt at `member` has failed before it began.
    #[inline(always)]
    pub(super) fn refused(&mut self, member: u32, now: SimTime) {
        if let Some(accounting) = &mut self.passive {
            let cut = accounting.passive.failed(member, now);
            self.balancer.fail(member, accounting.passive.max_fails());
            if cut {
                self.balancer.set(member, false);
            }
        }
    }
}

/// A number on (0, 1) of `key` that is the same for all slots that stopped together with `slot`, at one instant.
pub(super) fn lost_with(plan: &Plan<'_>, regime: &Regime, slot: SlotId, key: Key) -> f64 {
    let alone = key.with(3).with(slot.index() as u64);
    let together = match (regime.slots[slot], regime.islands[slot]) {
        (_, Some(island)) => key.with(1).with(island.index() as u64),
        (SlotState::Silent, None) => match plan.system.slots[slot].domain {
            Some(domain) => key.with(2).with(domain.index() as u64),
            None => alone,
        },
        _ => alone,
    };
    together.stream().uniform()
}

impl Stretch<'_> {
    /// What balancers with passive accounting know at the beginning of a stretch: who does not answer now
    /// has not for long, and is tested now and then. What stopped together is tested together, whatever
    /// the instance.
    pub(super) fn know_failures(&mut self, plan: &Plan<'_>, source: Source) {
        let (key, now) = (source.known(self.now), self.now);
        for (relay, &(balancer, instance)) in self.relays.iter_mut().zip(&plan.relays) {
            if relay.passive.is_none() {
                continue;
            }
            let members = &plan.system.pools[plan.system.balancers[balancer].to].slots;
            for (member, &slot) in (0..).zip(members) {
                let state = self.regime.slots[slot];
                let answers =
                    state == SlotState::Serving && self.regime.reaches(Some(instance), slot);
                if !answers && state != SlotState::Standby {
                    let draw = lost_with(plan, &self.regime, slot, key);
                    relay.knows(member, now, draw);
                }
            }
        }
    }

    /// The balancer's connection, if it has one, is closed.
    #[inline(always)]
    pub(super) fn disconnect(&mut self, index: u32) {
        let frame = &mut self.frames[index];
        if frame.connected {
            frame.connected = false;
            self.relays[frame.relay as usize].end(frame.member);
        }
    }

    /// The same where the member is to blame: it refused, reset or did not answer in time.
    #[inline(always)]
    pub(super) fn end_failed(&mut self, plan: &Plan<'_>, index: u32) {
        self.tell_outcome(plan, index, Outcome::GatewayFailure);
        let frame = &mut self.frames[index];
        if frame.connected {
            frame.connected = false;
            self.relays[frame.relay as usize].end_failed(frame.member, self.now);
        }
    }

    /// A member has turned away an attempt that had not begun there.
    #[inline(always)]
    pub(super) fn turned_away(&mut self, plan: &Plan<'_>, relay: u32, member: u32) {
        if member != NONE && relay != NONE {
            self.relays[relay as usize].refused(member, self.now);
            if self.relays[relay as usize].ejects() {
                self.report_outcome(plan, relay, (member, Outcome::GatewayFailure));
            }
        }
    }

    /// Frees an attempt that is at no slot any more.
    #[inline(always)]
    pub(super) fn drop_attempt(&mut self, index: u32) {
        let frame = self.frames.release(index);
        if frame.connected {
            self.relays[frame.relay as usize].end(frame.member);
        }
    }
}
