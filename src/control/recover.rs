//! How long stores are without a leader after the loss of one, and what the next one does not have.
//!
//! A recovery goes from the fault that takes the leader away to a member that leads and is available.
//! A leader that is back before anybody has noticed is none, and neither is a planned switchover. What
//! was acknowledged by the old leader and had not reached the new one is lost: as much as was written
//! in the lag of replication, which is drawn for each recovery. Copies that are up to date before a
//! write is acknowledged lose nothing; then nobody can write while no other member is available.

use super::plan::{Delay, Plan};
use super::state::{State, is_available};
use crate::ids::{PoolId, SlotId};
use crate::model::{Replication, System};
use crate::path::{Event, Recovery};
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
    pub(super) in_step: bool,
}

/// What is known of it in one history.
#[derive(Clone, Debug)]
pub(super) struct RecoveryNow {
    leader: Option<SlotId>,
    loss: Option<Loss>,
    lags: Sequence,
}

/// The loss of a leader.
#[derive(Clone, Copy, Debug)]
struct Loss {
    at: SimTime,
    of: SlotId,
    /// Whether anybody has noticed.
    noticed: bool,
}

impl RecoveryPlan {
    pub(super) fn new(system: &System, pool: PoolId) -> Self {
        let row = &system.pools[pool];
        let lag = match &row.replication {
            Some(Replication::Async { lag }) => Some(Delay::of(lag)),
            Some(Replication::Sync) | None => None,
        };
        Self {
            pool,
            name: Part::new(name_hash(&row.name)),
            lag,
            in_step: matches!(row.replication, Some(Replication::Sync)),
        }
    }
}

impl RecoveryNow {
    pub(super) fn new() -> Self {
        Self {
            leader: None,
            loss: None,
            lags: Key::of_seed(0).sequence(),
        }
    }

    /// Begins a history.
    pub(super) fn begin(&mut self, known: &RecoveryPlan, base: Key) {
        (self.leader, self.loss) = (None, None);
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
        &self,
        plan: &Plan,
        index: usize,
        leader: Option<SlotId>,
        members: &[SlotId],
    ) -> Option<SlotId> {
        let leader = leader?;
        let mut others = members.iter().filter(|&&slot| slot != leader);
        let mut copies = || others.any(|&slot| is_available(&self.regime, slot));
        (!plan.recoveries[index].in_step || copies()).then_some(leader)
    }
}
