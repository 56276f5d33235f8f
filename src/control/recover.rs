//! How long stores are without a leader after the loss of one, and what the next one does not have.
//!
//! A recovery goes from the fault that takes the leader away to a member that leads and is available.
//! A leader that is back before anybody has noticed is none, and neither is a planned switchover. What
//! was acknowledged by the old leader and had not reached the new one is lost: as much as was written
//! in the lag of replication, which is drawn for each recovery. Copies that are up to date before a
//! write is acknowledged lose nothing; then nobody can write while no other member is available.
//!
//! With semi-synchronous replication the leader goes on alone after a time without another member, and is in
//! step again as soon as one is available. What it acknowledged alone is lost with it, unless it leads again
//! itself. Source: MySQL 8.0, `rpl_semi_sync_source_timeout`. Left out: how long a member that is back takes
//! to catch up.

use super::plan::{Delay, Plan, Timer};
use super::state::{State, is_available};
use crate::ids::{ClockId, PoolId, SlotId};
use crate::model::{Replication, System};
use crate::path::{Event, Recovery, Signal};
use crate::random::{Key, Part, Purpose, Sequence, name_hash};
use crate::time::{SimSpan, SimTime};

/// One store that chooses its leader.
#[derive(Clone, Debug)]
pub(super) struct RecoveryPlan {
    pool: PoolId,
    name: Part,
    /// How far its copies lag behind; `None` if they do not.
    lag: Option<Delay>,
    /// Whether a write needs another member.
    in_step: bool,
    /// How long it does so while there is none, and the timer for that; `None`: for ever.
    falls_back: Option<(SimSpan, u32)>,
}

/// What is known of it in one history.
#[derive(Clone, Debug)]
pub(super) struct RecoveryNow {
    leader: Option<SlotId>,
    loss: Option<Loss>,
    lags: Sequence,
    /// Since when its leader has had no other member to copy to.
    alone: Option<SimTime>,
}

/// The loss of a leader.
#[derive(Clone, Copy, Debug)]
struct Loss {
    at: SimTime,
    of: SlotId,
    /// Whether anybody has noticed.
    noticed: bool,
    /// For how long it had acknowledged writes that nobody else has.
    alone: SimSpan,
}

/// The stores of `pools`, which choose their leaders.
pub(super) fn recoveries(
    system: &System,
    pools: impl Iterator<Item = PoolId>,
    timers: &mut Vec<Timer>,
) -> Vec<RecoveryPlan> {
    let plans = pools.enumerate().map(|(index, pool)| {
        let row = &system.pools[pool];
        let (mut lag, mut in_step, mut falls_back) = (None, false, None);
        match &row.replication {
            Some(Replication::Async { lag: behind }) => lag = Some(Delay::of(behind)),
            Some(Replication::Sync) => in_step = true,
            Some(Replication::SemiSync { timeout }) => {
                in_step = true;
                falls_back = Some((*timeout, timers.len() as u32));
                timers.push(Timer::FallBack(index as u32));
            }
            None => {}
        }
        RecoveryPlan {
            pool,
            name: Part::new(name_hash(&row.name)),
            lag,
            in_step,
            falls_back,
        }
    });
    plans.collect()
}

impl RecoveryPlan {
    /// For how long writes were acknowledged until `at` that only the leader has, who has been alone
    /// since then.
    fn acknowledged_alone(&self, since: Option<SimTime>, at: SimTime) -> SimSpan {
        let alone = self.falls_back.zip(since);
        alone.map_or(SimSpan::ZERO, |((timeout, _), since)| {
            at.since(since).saturating_sub(timeout)
        })
    }
}

impl RecoveryNow {
    pub(super) fn new() -> Self {
        Self {
            leader: None,
            loss: None,
            lags: Key::of_seed(0).sequence(),
            alone: None,
        }
    }

    /// Begins a history.
    pub(super) fn begin(&mut self, known: &RecoveryPlan, base: Key) {
        (self.leader, self.loss, self.alone) = (None, None, None);
        let key = base.with_part(known.name).with(Purpose::Lag as u64);
        self.lags = key.sequence();
    }
}

impl State {
    /// The store `index` has this leader now, as callers believe; `switches` while the lead is handed
    /// over by plan.
    pub(super) fn note_leader(
        &mut self,
        plan: &Plan,
        index: usize,
        leader: Option<SlotId>,
        switches: bool,
    ) {
        if switches {
            return;
        }
        let (known, now) = (&plan.recoveries[index], &mut self.recovering[index]);
        let leads = leader.filter(|&slot| is_available(&self.regime, slot));
        let Some(leads) = leads else {
            match &mut now.loss {
                Some(loss) => loss.noticed |= leader != Some(loss.of),
                None => {
                    now.loss = now.leader.map(|of| Loss {
                        at: self.now,
                        of,
                        noticed: leader != Some(of),
                        alone: known.acknowledged_alone(now.alone, self.now),
                    });
                }
            }
            return;
        };
        now.leader = Some(leads);
        let Some(loss) = now.loss.take() else {
            return;
        };
        let moved = leads != loss.of;
        if !loss.noticed && !moved {
            return;
        }
        let lag = match &known.lag {
            Some(lag) if moved => lag.draw(&mut now.lags),
            None if moved => loss.alone,
            _ => SimSpan::ZERO,
        };
        self.recoveries.push(Recovery {
            pool: known.pool,
            lost: loss.at,
            led: self.now,
            moved,
            lag,
        });
        if !lag.is_zero() {
            let pool = known.pool;
            self.remark(plan, Event::WritesLost { pool, lag });
        }
    }

    /// The leader that takes writes: none where they need another member and there is none.
    pub(super) fn writable(
        &mut self,
        plan: &Plan,
        index: usize,
        leader: Option<SlotId>,
        members: &[SlotId],
    ) -> Option<SlotId> {
        let known = &plan.recoveries[index];
        if !known.in_step {
            return leader;
        }
        let copies = leader.is_none_or(|leader| {
            let mut others = members.iter().filter(|&&slot| slot != leader);
            others.any(|&slot| is_available(&self.regime, slot))
        });
        let Some((timeout, timer)) = known.falls_back else {
            return leader.filter(|_| copies);
        };
        let alone = &mut self.recovering[index].alone;
        if copies {
            *alone = None;
            self.agenda.set(timer, SimTime::NEVER);
            return leader;
        }
        let due = *alone.get_or_insert(self.now) + timeout;
        let waits = self.now < due;
        self.agenda
            .set(timer, if waits { due } else { SimTime::NEVER });
        leader.filter(|_| !waits)
    }

    /// The leader of a store has waited long enough for another member, and goes on alone.
    pub(super) fn fall_back(
        &mut self,
        plan: &Plan,
        index: usize,
        signals: &mut Vec<Signal>,
    ) -> (Event, Option<ClockId>) {
        match index.checked_sub(plan.leases.len()) {
            None => self.follow_lease(plan, index, signals),
            Some(lead) => self.follow_lead(plan, lead, signals),
        }
        (Event::GoesOnAlone(plan.recoveries[index].pool), None)
    }
}
