//! Users in a closed loop: who is thinking, and until when.
//!
//! When a user comes depends on when the last answer came, so no stretch can be read off a stream of
//! arrivals: each stretch begins with all users thinking, at random places of their thoughts, and forgets
//! that in its warm-up. What a user draws follows from the stretch, the user and the user's number of
//! requests in it.

use super::arrivals::NOBODY;
use super::stretch::Stretch;
use crate::ids::{Id, WorkloadId};
use crate::model::Users;
use crate::random::{Key, Sequence};
use crate::time::{SimSpan, SimTime};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The users of one workload.
#[derive(Clone, Debug)]
pub(super) struct Crowd<'a> {
    users: &'a Users,
    /// Who comes when, the soonest first; ties by number.
    thinking: BinaryHeap<Reverse<(SimTime, u32)>>,
    draws: Vec<Sequence>,
}

impl<'a> Crowd<'a> {
    pub(super) fn new(users: &'a Users) -> Self {
        Self {
            users,
            thinking: BinaryHeap::with_capacity(users.count as usize),
            draws: Vec::with_capacity(users.count as usize),
        }
    }

    /// All users think at `from`, each since some time; `key` names their draws.
    pub(super) fn begin(&mut self, key: Key, from: SimTime) {
        let key = key.with(from.as_nanos());
        self.end();
        for user in 0..self.users.count {
            let mut draws = key.with(u64::from(user)).sequence();
            let (life, place) = (draws.uniform(), draws.uniform());
            let rest = self.users.think.equilibrium(life, place).1;
            self.thinking
                .push(Reverse((from + SimSpan::from_secs_f64(rest), user)));
            self.draws.push(draws);
        }
    }

    /// Nobody comes any more.
    pub(super) fn end(&mut self) {
        self.thinking.clear();
        self.draws.clear();
    }

    /// When the next user comes; [`SimTime::NEVER`] if all wait for answers.
    #[inline]
    pub(super) fn next_time(&self) -> SimTime {
        let next = self.thinking.peek();
        next.map_or(SimTime::NEVER, |&Reverse((at, _))| at)
    }

    /// The next user, with the key of the request. There is one: see [`next_time`](Self::next_time).
    pub(super) fn next(&mut self) -> (SimTime, u64, u32) {
        match self.thinking.pop() {
            Some(Reverse((at, user))) => (at, self.draws[user as usize].bits(), user),
            None => (SimTime::NEVER, 0, 0),
        }
    }

    /// `user` has an answer, or has left, at `now`, and begins to think.
    pub(super) fn think(&mut self, user: u32, now: SimTime) {
        let uniform = self.draws[user as usize].uniform();
        let thinks = self.users.think.quantile_of_sf(uniform);
        self.thinking
            .push(Reverse((now + SimSpan::from_secs_f64(thinks), user)));
    }
}

impl Stretch<'_> {
    /// Request `index` is one of `user`, of a closed loop.
    #[inline(never)]
    pub(super) fn seat(&mut self, index: u32, user: u32) {
        let index = index as usize;
        if index >= self.seats.len() {
            self.seats.resize(index + 1, NOBODY);
        }
        self.seats[index] = user;
    }

    /// The user of `request` has an answer, or has left, and thinks before coming again.
    #[inline(never)]
    pub(super) fn think(&mut self, workload: u32, request: u32) {
        let frame = &self.frames[request];
        let (counted, calm) = (frame.counted, frame.condition == 0);
        let waited = u128::from(self.now.since(frame.since).as_nanos());
        if counted {
            let users = &mut self.tally.users[WorkloadId::from_index(workload as usize)];
            users.ended += 1;
            users.waited_ns += waited;
            users.calm += u64::from(calm);
            users.calm_waited_ns += if calm { waited } else { 0 };
        }
        let user = self.seats[request as usize];
        self.arrivals.think(workload as usize, user, self.now);
    }
}
