//! When those who call a store get their first good answer after it has lost its leader.
//!
//! A recovery begins with the fault and, where calls ask the leader, ends with the first attempt that the
//! new one answers well, so that backlog, retries, connections and the views of balancers count, and so
//! does the time until somebody asks. If the leader is lost again before, it is still the same recovery:
//! nobody has felt the one in between. It belongs to the instant at which a member led for the first time,
//! and is followed beyond the end of the horizon, so that long ones are not left out; one horizon later it
//! is taken to end. If nobody asks any more, it ends when a member leads.
//!
//! Windows end when the system has settled, which may be long before somebody asks. What is left of the
//! wait is not drawn from a law: requests come at instants that can be looked up, so the next one that asks
//! is found, and simulated after a warm-up, as in any window. So the wait is the one that `exact` sees, and
//! no request in between has to be simulated. These requests count for nothing else. Where very many ask in
//! a stretch of quiet time and nobody gets an answer, the rest of it is taken to have none; and when a whole
//! history has had too many of them, answers are only seen in its windows. So no scenario takes for ever.

use super::group::{GroupError, GroupRunner};
use super::recoveries::{RecoveryRecord, RecoveryTally};
use super::totals::Totals;
use crate::ids::{IdVec, JourneyId, PoolId};
use crate::model::System;
use crate::path::{Recovery, Regime};
use crate::time::SimTime;
use crate::traffic::{Asking, Source, Traffic};

/// Follows the recoveries of one history after the other.
#[derive(Debug)]
pub(super) struct Felt {
    /// Stores whose leader is asked, with the journeys that do.
    asked: Vec<(PoolId, IdVec<JourneyId, bool>)>,
    /// Those that nobody has felt yet.
    open: Vec<Recovery>,
    tally: RecoveryTally,
    record: RecoveryRecord,
    /// How many more requests may be looked through for answers in this history, and how many may ask.
    looks: u64,
    asks: u64,
}

/// Of one history: a quarter of a second of work.
const LOOKS: u64 = 1 << 24;

/// As many as two of the longest stretches without an answer have.
const ASKS: u64 = 200_000;

impl Felt {
    pub(super) fn new(system: &System) -> Self {
        let stores = system.pools.ids().filter(|&id| system.asks_leader(id));
        let asked: Vec<_> = stores.map(|id| (id, system.askers(id))).collect();
        Self {
            open: Vec::with_capacity(asked.len()),
            asked,
            tally: RecoveryTally::new(system),
            record: RecoveryRecord::new(system),
            looks: LOOKS,
            asks: ASKS,
        }
    }

    /// Whether this history has been searched for as long as it may.
    fn exhausted(&self) -> bool {
        self.looks == 0 || self.asks == 0
    }

    /// What the histories since the last call found.
    pub(super) fn take(&mut self, system: &System) -> RecoveryRecord {
        std::mem::replace(&mut self.record, RecoveryRecord::new(system))
    }

    /// What control has done at `at` is known to traffic.
    #[inline]
    pub(super) fn note(&mut self, at: SimTime, found: &[Recovery], traffic: &mut Traffic<'_>) {
        for &recovery in found {
            // Where only another design has changed, control has not moved since.
            if recovery.led == at {
                self.led(recovery, traffic);
            }
        }
    }

    fn led(&mut self, recovery: Recovery, traffic: &mut Traffic<'_>) {
        let store = recovery.pool;
        if !self.asked.iter().any(|(pool, _)| *pool == store) {
            self.tally.add(&[recovery], &mut self.record);
            return;
        }
        self.collect(traffic);
        match self.open.iter_mut().find(|row| row.pool == store) {
            Some(row) => row.led = recovery.led,
            None => {
                self.open.push(recovery);
                traffic.await_answer(store, recovery.led);
            }
        }
    }

    /// Takes over the answers that have come.
    fn collect(&mut self, traffic: &mut Traffic<'_>) {
        let Self {
            open,
            tally,
            record,
            ..
        } = self;
        open.retain(|row| match traffic.take_answer(row.pool) {
            Some(at) => {
                tally.add(&[until(row, at)], record);
                false
            }
            None => true,
        });
    }

    /// Beyond the horizon only what is open goes on.
    fn led_again(&mut self, at: SimTime, found: &[Recovery]) {
        for row in &mut self.open {
            if found.iter().any(|recovery| recovery.pool == row.pool) {
                row.led = at;
            }
        }
    }

    /// The journeys that ask any of those that are waited for.
    fn wanted(&self) -> Option<IdVec<JourneyId, bool>> {
        let mut all: Option<IdVec<JourneyId, bool>> = None;
        for (pool, journeys) in &self.asked {
            if !self.open.iter().any(|row| row.pool == *pool) {
                continue;
            }
            let all = all.get_or_insert_with(|| IdVec::filled(false, journeys.len()));
            for (mine, &asks) in all.as_mut_slice().iter_mut().zip(journeys) {
                *mine |= asks;
            }
        }
        all
    }

    /// Ends a history. What nobody has felt ends at `at`, or when a member led if that is not known.
    fn end(&mut self, at: Option<SimTime>, traffic: &mut Traffic<'_>) {
        self.collect(traffic);
        for row in self.open.drain(..) {
            let ended = until(&row, at.unwrap_or(row.led));
            self.tally.add(&[ended], &mut self.record);
        }
        traffic.forget_answers();
        self.tally.end(&mut self.record);
        (self.looks, self.asks) = (LOOKS, ASKS);
    }
}

/// A recovery that is over at `at`; what is lost with it is counted elsewhere.
fn until(recovery: &Recovery, at: SimTime) -> Recovery {
    Recovery {
        led: at,
        moved: false,
        ..*recovery
    }
}

impl GroupRunner<'_> {
    /// Looks for awaited answers in `[from, to)`, in which `regime` holds; whether anybody asks in it.
    pub(super) fn seek_answers(
        &mut self,
        source: Source,
        regime: &Regime,
        (from, to): (SimTime, SimTime),
        totals: &mut Totals,
        stop: &dyn Fn() -> bool,
    ) -> Result<bool, GroupError> {
        /// Requests looked through, and events simulated, before it is asked whether to go on.
        const AT_ONCE: u64 = 1 << 12;
        /// Requests that ask without an answer, after which none is expected of a stretch in which nothing
        /// changes: a tenth of a second of work. One in ten thousand that is answered would be found.
        const MOST: u64 = 100_000;
        let windows = self.plan.windows;
        let traffic = self
            .traffic
            .as_mut()
            .expect("only plans with traffic come here");
        if !traffic.awaits_answer() || from >= to || self.felt.exhausted() {
            return Ok(false);
        }
        self.felt.collect(traffic);
        let Some(wanted) = self.felt.wanted() else {
            return Ok(false);
        };
        // Whoever asked a moment ago may still be waiting.
        let first = from.before(windows.look_back);
        traffic.seek_asking((source, first), &regime.bursts, &wanted);
        traffic.no_answer_before(from);
        traffic.clear_tally();
        let (mut asks, mut known_to) = (0, None);
        while traffic.awaits_answer() && asks < MOST && !self.felt.exhausted() {
            if stop() {
                return Err(GroupError::Stopped);
            }
            let asked = match traffic.next_asking(AT_ONCE) {
                Asking::At(asked) if asked < to => asked,
                Asking::NotBefore(at) if at < to => {
                    self.felt.looks = self.felt.looks.saturating_sub(AT_ONCE);
                    continue;
                }
                Asking::At(_) | Asking::NotBefore(_) => break,
            };
            asks += 1;
            self.felt.asks -= 1;
            let begins = asked.before(windows.warm_up);
            if known_to.is_none_or(|known| known < begins) {
                traffic.begin(regime, begins, source);
            }
            // Until the answer is there, or who asked has left.
            let end = (asked + windows.look_back).min(to);
            while traffic.awaits_answer() && traffic.next_time() < end {
                traffic.run_events(end, AT_ONCE);
                if traffic.overflowed() {
                    return Err(GroupError::Overflow);
                }
            }
            known_to = Some(end);
        }
        traffic.finish(traffic.now());
        totals.requests_simulated += traffic.tally().requests_simulated;
        totals.attempts_simulated += traffic.tally().attempts_simulated;
        traffic.clear_tally();
        Ok(asks > 0)
    }

    /// Ends a history whose requests are simulated up to the end of the horizon: recoveries that nobody has
    /// felt are followed further, by regimes, as control goes on.
    pub(super) fn end_recoveries(
        &mut self,
        source: Source,
        totals: &mut Totals,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), GroupError> {
        let plan = self.plan;
        let limit = plan.to + plan.to.since(plan.from);
        let (mut from, mut asks) = (plan.to, false);
        loop {
            let traffic = self
                .traffic
                .as_mut()
                .expect("only plans with traffic come here");
            if !traffic.awaits_answer() || from >= limit {
                let end = (asks && self.felt.looks > 0).then_some(limit);
                self.felt.end(end, traffic);
                return Ok(());
            }
            let next = self.control.next_time().min(limit);
            if next > from {
                let regime = self.control.regime().clone();
                asks |= self.seek_answers(source, &regime, (from, next), totals, stop)?;
                from = next;
            }
            if next < limit {
                self.signals.clear();
                let transition = self.control.step(&mut self.signals);
                self.felt
                    .led_again(transition.at, self.control.recoveries());
            }
        }
    }
}
