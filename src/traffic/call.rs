//! Calls: attempts one after the other with pauses in between, and what follows an answer or a failure.
//!
//! Every step ends by naming the next one ([`Next`]), and [`Stretch::drive`] goes on until there is
//! none. So an answer that makes a whole chain of callers go on, or a failure that makes them all
//! fail, needs no recursion, however deep the calls of a scenario go.

use super::frames::{Kind, NONE, Wait, uniform};
use super::plan::{Plan, Span};
use super::stretch::{Halt, PAUSE, Stretch};

/// What happens next, to the frame named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing before the next event.
    Idle,
    /// It makes its next call, or is complete.
    Proceed(u32),
    /// It makes an attempt of its current call.
    Try(u32),
    /// The attempt of its current call has failed.
    TryFailed(u32),
    /// The attempt of its current call was answered, completely or not.
    Answered { caller: u32, degraded: bool },
    /// Its current call is over, and has succeeded or not.
    Over(u32, bool),
}

/// Why a caller does not wait any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gone {
    /// The user has left.
    Left,
    /// The caller's slot has stopped.
    Stopped,
    /// The caller needs no answer any more: others have decided.
    Decided,
    /// A deadline has passed that nobody notices, as the caller's slot is paused.
    Unseen,
}

impl<'a> Stretch<'a> {
    #[inline(always)]
    pub(super) fn drive(&mut self, plan: &Plan<'a>, next: Next) {
        // What arrives nearly always has to wait, and most answers are to calls that end a request.
        let next = match next {
            Next::Answered { caller, degraded } => self.call_answered(plan, caller, degraded),
            other => other,
        };
        if next != Next::Idle {
            self.drive_on(plan, next);
        }
    }

    #[inline(never)]
    fn drive_on(&mut self, plan: &Plan<'a>, mut next: Next) {
        loop {
            next = match next {
                Next::Idle => match self.next_leg() {
                    Some(leg) => Next::Proceed(leg),
                    None => return,
                },
                Next::Proceed(caller) => self.proceed(plan, caller),
                Next::Try(caller) => self.attempt(plan, caller),
                Next::TryFailed(caller) => self.attempt_failed(plan, caller),
                Next::Answered { caller, degraded } => self.call_answered(plan, caller, degraded),
                Next::Over(caller, succeeded) => self.call_over(plan, caller, succeeded),
            };
        }
    }

    #[inline(always)]
    pub(super) fn proceed(&mut self, plan: &Plan<'a>, caller: u32) -> Next {
        let now = self.now;
        let frame = &mut self.frames[caller];
        if frame.position == frame.end {
            return self.end(plan, caller, true);
        }
        frame.call_from = now;
        frame.attempts = 0;
        frame.latest = NONE;
        if plan.call(frame.position).special {
            return self.begin_special(plan, caller);
        }
        self.attempt(plan, caller)
    }

    /// All calls of a frame have succeeded, or one that it needs has failed.
    #[inline(never)]
    fn end(&mut self, plan: &Plan<'a>, index: u32, succeeded: bool) -> Next {
        let kind = self.frames[index].kind;
        if kind == Kind::Request {
            self.end_request(plan, index, succeeded);
            return Next::Idle;
        }
        if kind == Kind::Attempt {
            return self.end_attempt(plan, index, succeeded);
        }
        if kind == Kind::Message {
            return self.end_delivery(plan, index, succeeded);
        }
        if kind == Kind::Leg {
            return self.end_leg(plan, index, succeeded);
        }
        self.end_branch(index, succeeded)
    }

    fn end_branch(&mut self, index: u32, succeeded: bool) -> Next {
        let (caller, degraded) = (self.frames[index].parent, self.frames[index].degraded);
        let base = self.frames[index].base;
        debug_assert!(matches!(self.frames[index].kind, Kind::Miss | Kind::Rescue));
        self.frames.release(index);
        let frame = &mut self.frames[caller];
        frame.child = NONE;
        frame.degraded |= succeeded && degraded;
        frame.base = base;
        Next::Over(caller, succeeded)
    }

    fn attempt_failed(&mut self, plan: &Plan<'a>, caller: u32) -> Next {
        let frame = &mut self.frames[caller];
        debug_assert!(frame.child == NONE && frame.due == 0);
        frame.cold = false;
        let call = plan.call(frame.position);
        if frame.attempts <= call.retries {
            let pause = call.backoff.pause(frame.attempts, uniform(frame.roll()));
            if pause.is_zero() {
                return Next::Try(caller);
            }
            frame.wait = Wait::Pause;
            frame.due = self.agenda.push(self.now + pause, PAUSE, caller);
            return Next::Idle;
        }
        let (counted, base) = (frame.counted, frame.base);
        self.forget_tried(plan, caller);
        self.count(call.pool, counted, |tally| {
            tally.calls += 1;
            tally.calls_failed += 1;
            tally.calls_failed_of_load += u64::from(!base);
        });
        if counted && !base {
            self.failures.of_call(call.pool);
        }
        if call.on_failure.is_empty() {
            return Next::Over(caller, false);
        }
        self.branch(caller, Kind::Rescue, call.on_failure)
    }

    #[inline(always)]
    fn call_answered(&mut self, plan: &Plan<'a>, caller: u32, degraded: bool) -> Next {
        let now = self.now;
        let frame = &mut self.frames[caller];
        frame.child = NONE;
        frame.degraded |= degraded;
        let call = plan.call(frame.position);
        let cold = std::mem::take(&mut frame.cold);
        let missed = cold || call.hit < 1.0 && uniform(frame.roll()) >= call.hit;
        if frame.counted {
            let tally = &mut self.tally.pools[call.pool];
            tally.calls += 1;
            tally.latency.record(now.since(frame.call_from).as_nanos());
        }
        if missed || frame.tried != 0 {
            self.forget_tried(plan, caller);
            if missed && !call.on_miss.is_empty() {
                return self.branch(caller, Kind::Miss, call.on_miss);
            }
            return Next::Over(caller, true);
        }
        frame.position += 1;
        if frame.position == frame.end && frame.kind == Kind::Request {
            self.end_request(plan, caller, true);
            return Next::Idle;
        }
        Next::Proceed(caller)
    }

    /// Makes the calls that follow a miss or a failure of the current call.
    pub(super) fn branch(&mut self, caller: u32, kind: Kind, calls: Span) -> Next {
        if self.frames.full() {
            self.halt = Halt::Overflow;
            return Next::Idle;
        }
        let parent = &mut self.frames[caller];
        let (key, slot, counted) = (parent.roll(), parent.slot, parent.counted);
        let rank = parent.rank;
        let (index, frame) = self.frames.take(kind, key);
        (frame.parent, frame.slot, frame.counted) = (caller, slot, counted);
        (frame.position, frame.end, frame.rank) = (calls.from, calls.end, rank);
        self.frames[caller].child = index;
        Next::Proceed(index)
    }

    #[inline]
    fn call_over(&mut self, plan: &Plan<'a>, caller: u32, succeeded: bool) -> Next {
        let frame = &mut self.frames[caller];
        if !succeeded {
            if !plan.call(frame.position).optional {
                return self.end(plan, caller, false);
            }
            frame.degraded = true;
        }
        frame.position += 1;
        Next::Proceed(caller)
    }

    /// The caller of a call in progress has gone: what it waited for is let go, down through the
    /// branches to the attempt or pause at the end of them.
    pub(super) fn give_up_call(&mut self, plan: &Plan<'a>, caller: u32, why: Gone) {
        let mut index = caller;
        loop {
            self.forget_tried(plan, index);
            let frame = &mut self.frames[index];
            let (child, counted, kind) = (frame.child, frame.counted, frame.kind);
            let pool = plan.call(frame.position).pool;
            let forked = std::mem::take(&mut frame.needed) > 0;
            frame.child = NONE;
            frame.due = 0;
            if index != caller {
                debug_assert!(matches!(kind, Kind::Miss | Kind::Rescue));
                self.frames.release(index);
            }
            if forked {
                return self.let_legs_go(plan, child, why);
            }
            if child != NONE && self.frames[child].kind != Kind::Attempt {
                index = child;
                continue;
            }
            if matches!(why, Gone::Left | Gone::Unseen) {
                self.count(pool, counted, |tally| {
                    tally.calls += 1;
                    tally.calls_failed += 1;
                    tally.calls_failed_of_load += 1;
                });
                if counted {
                    self.failures.of_call(pool);
                }
            }
            if child != NONE {
                match why {
                    Gone::Left => self.time_out(plan, child),
                    Gone::Stopped => self.abandon(plan, child),
                    Gone::Decided => self.let_go(plan, child),
                    Gone::Unseen => self.time_out_unseen(plan, child),
                }
            }
            return;
        }
    }
}
