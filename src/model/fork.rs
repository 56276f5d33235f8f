//! Calls that are made at the same time, and how many of them are waited for.

use super::System;
use crate::ids::CallId;
use crate::time::SimSpan;

/// What is said of several calls made at the same time, together; or of a single one with a deadline.
///
/// In a list of calls they stand side by side and name the same fork ([`Call::fork`](super::Call)).
#[derive(Clone, Debug)]
pub struct Fork {
    /// Its calls, in order, at least one.
    pub calls: Vec<CallId>,
    /// How often its call is made at the same time; 1 if the fork has several calls.
    pub copies: u32,
    /// How many must succeed, at least 1 and at most all: then the fork has succeeded, and what is
    /// still in progress is let go. It fails as soon as that is impossible.
    pub wait_for: u32,
    /// From its beginning: then what is still in progress is let go, and it has failed.
    pub deadline: Option<SimSpan>,
    /// The probability that it is made at all.
    pub chance: f64,
    /// Calls to make instead, when it has failed. If it is not empty, it succeeds if they do.
    pub on_failure: Vec<CallId>,
    /// Whether the caller goes on when it has failed; its own answer is then degraded.
    pub optional: bool,
}

impl System {
    /// The items of a list of calls, in the order in which they are made: single calls, and the
    /// calls of one fork together.
    pub fn items<'c>(&'c self, calls: &'c [CallId]) -> impl Iterator<Item = &'c [CallId]> {
        calls.chunk_by(|&one, &next| {
            let fork = self.calls[one].fork;
            fork.is_some() && fork == self.calls[next].fork
        })
    }

    /// Calls that may follow `call` because of how it ends, and after the first call of a fork those
    /// that may follow the fork.
    pub fn followers(&self, call: CallId) -> impl Iterator<Item = CallId> {
        let row = &self.calls[call];
        let own = row.on_miss.iter().chain(&row.on_failure);
        own.chain(
            self.fork_of_first(call)
                .map_or(&[][..], |fork| &fork.on_failure),
        )
        .copied()
    }

    /// The fork whose first call this is.
    pub fn fork_of_first(&self, call: CallId) -> Option<&Fork> {
        let fork = &self.forks[self.calls[call].fork?];
        (fork.calls[0] == call).then_some(fork)
    }

    /// How often `call` is made at the same time.
    pub fn copies(&self, call: CallId) -> u32 {
        self.calls[call].fork.map_or(1, |id| self.forks[id].copies)
    }
}
