//! Trajectories that spring from one another: a stretch takes over the state of another, and goes on with
//! draws of its own.
//!
//! What is in progress stays as it is, with deadlines and pauses. What is not drawn yet is drawn anew: who comes, as
//! a Poisson stream has no memory, and what each frame will draw, since numbers of a sequence that nobody has looked
//! at are independent of all others. So is what nobody has noticed: of work that has begun only its age is known,
//! and how long it still takes is drawn anew given that, at the few slots at work in a small system. So the other
//! trajectory goes on by the same law, and given the state of the split independently.

use super::Traffic;
use super::attempt::nanos;
use super::frames::{Kind, State, Wait};
use super::plan::Plan;
use super::slices::Slices;
use super::stretch::{Halt, Stretch, WORK, wanted};
use super::tally::SliceTally;
use crate::ids::{JourneyId, PoolId};
use crate::model::{Profile, System};
use crate::path::Cause;
use crate::random::Key;
use crate::time::SimTime;

/// Work in progress of more requests is left as it is.
const MOST: u32 = 32;

/// Something counted that failed of load: neither because of a fault nor of an operation's own error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// A request.
    Request(JourneyId),
    /// A call to a pool, before any `on_failure`.
    Call(PoolId),
}

/// Failures in order, if anybody wants them one by one.
#[derive(Clone, Debug, Default)]
pub(super) struct Failures {
    wanted: bool,
    rows: Vec<Failed>,
}

impl Failures {
    #[inline]
    pub(super) fn of_request(&mut self, journey: JourneyId, cause: usize) {
        if self.wanted && cause == Cause::Load.index() {
            self.rows.push(Failed::Request(journey));
        }
    }

    #[inline]
    pub(super) fn of_call(&mut self, pool: PoolId) {
        if self.wanted {
            self.rows.push(Failed::Call(pool));
        }
    }
}

/// Whether stretches of `system` can be split: if everybody comes by chance and without a memory, and nothing
/// but requests is in queues.
pub fn splits(system: &System) -> bool {
    let mut workloads = system.workloads.iter();
    system.queues.is_empty()
        && !system.is_coupled()
        && workloads.all(|row| {
            let steps = matches!(row.profile, Some(Profile::Steps(_)));
            row.every.is_none() && row.users.is_none() && row.bursts.is_none() && !steps
        })
}

impl Slices {
    /// The slices of `of`, which has the same settings.
    fn copy_from(&mut self, of: &Self) {
        self.ranges.clone_from(&of.ranges);
        self.cells.clone_from(&of.cells);
        self.viewed.clone_from(&of.viewed);
        (self.next, self.starts) = (of.next, of.starts);
        (self.first_serial, self.open) = (of.first_serial, of.open);
        (self.last, self.known, self.run) = (of.last, of.known, of.run);
    }
}

impl SliceTally {
    /// Forgets what grows with time; the sums stay.
    fn forget(&mut self) {
        self.runs.clear();
        self.runs_by_cause.clear();
        self.bins.clear();
        for view in &mut self.views {
            view.clear();
        }
    }
}

impl Stretch<'_> {
    /// See [`Traffic::branch_from`].
    fn branch_from(&mut self, plan: &Plan<'_>, of: &Self, key: u64) {
        self.now = of.now;
        self.arrivals
            .branch_from(&of.arrivals, Key::of_seed(key), of.now);
        self.agenda.copy_from(&of.agenda);
        self.frames.branch_from(&of.frames, key);
        let frames = &self.frames;
        self.rings
            .copy_from(&of.rings, |timer| wanted(frames, timer));
        self.stations
            .as_mut_slice()
            .clone_from_slice(of.stations.as_slice());
        self.ranks.copy_from_slice(&of.ranks);
        self.shared.clone_from(&of.shared);
        self.relays.clone_from(&of.relays);
        self.channels.copy_from(&of.channels);
        self.turns
            .as_mut_slice()
            .copy_from_slice(of.turns.as_slice());
        self.slices.copy_from(&of.slices);
        self.tally.slices.forget();
        self.tried.clone_from(&of.tried);
        self.tried_free.clone_from(&of.tried_free);
        self.pending.clone_from(&of.pending);
        self.islands_moved = of.islands_moved;
        self.counted_in_flight = of.counted_in_flight;
        self.failures.rows.clear();
        self.halt = of.halt;
        if !self.impaired {
            self.renew_work(plan);
        }
    }

    /// Draws anew how long work in progress still takes, given how long it has taken. Where workers are shared it is
    /// left as it is, and where much is in work, of which one more or less decides little.
    fn renew_work(&mut self, plan: &Plan<'_>) {
        let busy = self.stations.iter().map(|station| station.busy.min(MOST));
        let mut left: u32 = busy.sum();
        if left > MOST {
            return;
        }
        let mut index = 0;
        while left > 0 && (index as usize) < self.frames.cells().len() {
            let frame = &mut self.frames[index];
            let works = frame.kind == Kind::Attempt && frame.state == State::Working;
            if works && matches!(frame.wait, Wait::Work | Wait::Error) {
                left -= 1;
                let takes = plan.operation(frame.what).takes;
                if takes.has_density() {
                    let age = self.now.since(frame.since).as_secs_f64();
                    let residual = takes.residual(age, frame.draws.uniform());
                    // The entry that there was is ignored when it comes up.
                    frame.due = self.agenda.push(self.now + nanos(residual), WORK, index);
                }
            }
            index += 1;
        }
    }
}

impl Traffic<'_> {
    /// Takes over the state of `of`, which runs in the same regime by events, and goes on from there with
    /// draws by `key`: see the module. What is tallied is of no use any more but for [`take_failed`](Self::take_failed).
    pub fn branch_from(&mut self, of: &Self, key: u64) {
        self.stretch.branch_from(&self.plan, &of.stretch, key);
    }

    /// Whether failures of load are kept one by one, for [`take_failed`](Self::take_failed).
    pub fn want_failed(&mut self, wanted: bool) {
        self.stretch.failures.wanted = wanted;
        self.stretch.failures.rows.clear();
    }

    /// The failures since they were taken the last time, in order.
    #[inline]
    pub fn take_failed(&mut self) -> impl Iterator<Item = Failed> + '_ {
        self.stretch.failures.rows.drain(..)
    }

    /// Carries out one event, by events, unless the stretch is over: nothing comes before `end`, and no counted
    /// request is in progress. Returns whether it did.
    pub fn step_before(&mut self, end: SimTime) -> bool {
        let stretch = &mut self.stretch;
        if stretch.halt != Halt::No {
            return false;
        }
        let next = stretch.next_of_requests();
        if next == SimTime::NEVER || (next >= end && stretch.counted_in_flight == 0) {
            return false;
        }
        stretch.run_requests(&self.plan, SimTime::NEVER, 1);
        true
    }
}
