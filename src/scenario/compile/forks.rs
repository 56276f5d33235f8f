//! Calls made at the same time, and calls that are not always made.

use super::Compiler;
use crate::ids::CallId;
use crate::model::Fork;
use crate::scenario::limits;
use crate::scenario::place::Place;
use crate::scenario::read::{At, List, Opt};
use crate::scenario::schema::CallForm;
use crate::scenario::units::Percent;

impl Compiler<'_> {
    /// One item of a list of calls: a call, copies of it, or several.
    pub(super) fn item(&mut self, at: &At<CallForm>) -> Vec<CallId> {
        let Some(form) = at.get() else {
            return Vec::new();
        };
        if let Some(parallel) = &form.parallel {
            return self.parallel(form, parallel);
        }
        let deadline = self.deadline(form);
        let (mut copies, mut wait_for) = (1, 1);
        if form.fan_out.is_some() {
            copies = self.count(&form.fan_out, 2, "fan_out", 2, limits::FAN_OUT);
            wait_for = self.wait_for(form, copies);
        } else {
            self.no_wait_for(form);
        }
        let Some(call) = self.call(at) else {
            return Vec::new();
        };
        if let Some(fan_out) = &form.fan_out {
            // The worst case is this many times the call itself.
            self.call_places[call] = fan_out.place;
        } else if deadline.is_none() {
            return vec![call];
        }
        let row = &mut self.system.calls[call];
        let fork = Fork {
            calls: vec![call],
            copies,
            wait_for,
            deadline,
            chance: std::mem::replace(&mut row.chance, 1.0),
            on_failure: std::mem::take(&mut row.on_failure),
            optional: std::mem::take(&mut row.optional),
        };
        self.fork(fork)
    }

    fn parallel(&mut self, form: &CallForm, parallel: &At<List<CallForm>>) -> Vec<CallId> {
        let own = [
            ("to", place_of(&form.to)),
            ("through", place_of(&form.through)),
            ("fan_out", place_of(&form.fan_out)),
            ("timeout", place_of(&form.timeout)),
            ("passes_deadline", place_of(&form.passes_deadline)),
            ("retries", place_of(&form.retries)),
            ("hit", place_of(&form.hit)),
            ("on_miss", place_of(&form.on_miss)),
            ("priority", place_of(&form.priority)),
        ];
        for (name, place) in own {
            if let Some(place) = place {
                self.problem(
                    place,
                    format!("`{name}` beside `parallel`"),
                    "say it in the calls made at the same time, or call without `parallel`",
                );
            }
        }
        let list = parallel.get().map_or(&[][..], Vec::as_slice);
        if parallel.get().is_some() && list.len() < 2 {
            self.problem(
                parallel.place,
                "`parallel` with fewer than two calls",
                "one call is made without `parallel`, copies of one with `fan_out: 3`",
            );
        }
        let wait_for = self.wait_for(form, list.len() as u32);
        let mut calls = Vec::with_capacity(list.len());
        for at in list {
            let Some(branch) = at.get() else { continue };
            for (name, inside) in [
                ("parallel", place_of(&branch.parallel)),
                ("fan_out", place_of(&branch.fan_out)),
                ("deadline", place_of(&branch.deadline)),
            ] {
                if let Some(inside) = inside {
                    let help = if name == "deadline" {
                        "one attempt has a `timeout`; say the deadline of all calls beside `parallel`"
                    } else {
                        "put the calls side by side, or call an operation that makes them"
                    };
                    self.problem(inside, format!("`{name}` inside `parallel`"), help);
                }
            }
            if branch.parallel.is_some() {
                continue;
            }
            if branch.fan_out.is_none() {
                self.no_wait_for(branch);
            }
            if (wait_for as usize) < list.len() {
                for (name, inside) in [
                    ("optional", place_of(&branch.optional)),
                    ("chance", place_of(&branch.chance)),
                ] {
                    if let Some(inside) = inside {
                        self.problem(
                            inside,
                            format!("`{name}` in a call of which not all are waited for"),
                            "`wait_for` says already how many can be done without",
                        );
                    }
                }
            }
            calls.extend(self.call(at));
        }
        let on_failure = form.on_failure.as_ref();
        let on_failure = on_failure
            .map(|calls| self.calls(calls))
            .unwrap_or_default();
        let optional = form.optional.as_ref().and_then(At::get);
        let fork = Fork {
            copies: 1,
            wait_for: wait_for.min(calls.len() as u32),
            calls,
            deadline: self.deadline(form),
            chance: self.chance(&form.chance),
            on_failure,
            optional: optional.copied().unwrap_or(false),
        };
        self.fork(fork)
    }

    /// Adds a fork, whose calls do not know of it yet.
    fn fork(&mut self, fork: Fork) -> Vec<CallId> {
        let calls = fork.calls.clone();
        if calls.is_empty() {
            return calls;
        }
        let id = self.system.forks.push(fork);
        for &call in &calls {
            self.system.calls[call].fork = Some(id);
        }
        calls
    }

    fn wait_for(&mut self, form: &CallForm, of: u32) -> u32 {
        let Some(at) = &form.wait_for else { return of };
        let Some(&given) = at.get() else { return of };
        if (1..=u64::from(of)).contains(&given) {
            return given as u32;
        }
        self.problem(
            at.place,
            format!("`wait_for` is {given}, of {of} calls"),
            "at least one call is waited for, and at most all",
        );
        of
    }

    fn no_wait_for(&mut self, form: &CallForm) {
        if let Some(place) = place_of(&form.wait_for) {
            self.problem(
                place,
                "`wait_for` on a call that is made once",
                "it needs `fan_out` or `parallel` beside it",
            );
        }
    }

    /// How often a call is made at all.
    pub(super) fn chance(&mut self, field: &Opt<Percent>) -> f64 {
        let Some(at) = field else { return 1.0 };
        let Some(chance) = at.get() else { return 1.0 };
        if chance.0 <= 0.0 {
            self.problem(
                at.place,
                "a call with a chance of 0%",
                "it is never made; leave it out",
            );
            return 1.0;
        }
        chance.0
    }
}

fn place_of<T>(field: &Opt<T>) -> Option<Place> {
    field.as_ref().map(|at| at.place)
}
