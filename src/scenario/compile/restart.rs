//! Who starts processes again.

use super::Compiler;
use crate::ids::SlotId;
use crate::model::{Handling, Restart};
use crate::orchestrate::restart::Rule;
use crate::scenario::limits;
use crate::scenario::place::Place;
use crate::scenario::read::{At, Opt};
use crate::scenario::schema::{LikeForm, PausesForm, PolicyForm, RestartForm};
use crate::time::SimSpan;

impl Compiler<'_> {
    /// How these slots are started again.
    pub(super) fn restart(&mut self, stated: &Opt<RestartForm>, slots: &[SlotId]) {
        let Some(at) = stated else { return };
        let Some(form) = at.get() else { return };
        let like = form.like.as_ref().and_then(At::get);
        let preset = match like {
            Some(LikeForm::Kubernetes) => Some(Rule::KUBERNETES),
            Some(LikeForm::Systemd) => Some(Rule::SYSTEMD),
            None => None,
        };
        let never = form.policy.as_ref().and_then(At::get) == Some(&PolicyForm::Never);
        if never {
            let useless = [
                ("backoff", form.backoff.as_ref().map(|at| at.place)),
                ("limit", form.limit.as_ref().map(|at| at.place)),
                ("like", form.like.as_ref().map(|at| at.place)),
            ];
            for (field, place) in useless {
                if let Some(place) = place {
                    self.problem(
                        place,
                        format!("`{field}` where nothing is restarted"),
                        "leave it out, or use `policy: always`",
                    );
                }
            }
        } else if form.like.is_none() && form.backoff.is_none() {
            self.missing(at.place, "backoff", "{first: 10s}");
        }
        let rule = self.pauses(&form.backoff, preset);
        let limit = match &form.limit {
            None => rule.limit.map(|limit| (limit.starts, limit.within)),
            Some(at) => at.get().map(|limit| {
                for (name, missing, like) in [
                    ("starts", limit.starts.is_none(), "5"),
                    ("within", limit.within.is_none(), "10s"),
                ] {
                    if missing {
                        self.missing(at.place, name, like);
                    }
                }
                let starts = self.count(&limit.starts, 5, "starts", 1, limits::STARTS);
                let within = self.positive(&limit.within, "within");
                (starts, within.unwrap_or(SimSpan::from_secs(10)))
            }),
        };
        let person = self.person(form, at.place, never || limit.is_some());
        let starts_fail = form.starts_fail.as_ref().and_then(|at| {
            let share = at.get()?.0;
            if share > limits::STARTS_FAIL {
                self.problem(
                    at.place,
                    format!("`starts_fail` is {}", super::dist::per_cent(share)),
                    "it must be at most 99%: what never starts is not worth simulating",
                );
                return None;
            }
            Some(share)
        });
        self.system.care.restarts.push(Restart {
            slots: slots.to_vec(),
            restarts: !never,
            at_once: rule.at_once,
            first: rule.first,
            factor: rule.factor,
            cap: rule.cap,
            resets_after: rule.resets_after,
            limit: if never { None } else { limit },
            person,
            starts_fail: starts_fail.unwrap_or(0.0),
        });
    }

    /// The pauses, which are those of `preset` where they are not stated.
    fn pauses(&mut self, stated: &Opt<PausesForm>, preset: Option<Rule>) -> Rule {
        let mut rule = preset.unwrap_or(Rule {
            at_once: false,
            ..Rule::KUBERNETES
        });
        let Some((at, form)) = stated.as_ref().and_then(|at| Some((at, at.get()?))) else {
            return rule;
        };
        if let Some(at_once) = form.at_once.as_ref().and_then(At::get) {
            rule.at_once = *at_once;
        }
        match self.span(&form.first, "first") {
            Some(first) if first >= SimSpan::from_millis(limits::TURN_MS) => {
                rule.first = first;
                rule.cap = rule.cap.max(first);
            }
            Some(_) => {
                let place = form.first.as_ref().map_or(at.place, |at| at.place);
                self.problem(
                    place,
                    format!("`first` is shorter than {} ms", limits::TURN_MS),
                    "each failed start is simulated: state a longer pause, or `at_once: true` for the \
                     first restart",
                );
            }
            None if form.first.is_none() && preset.is_none() => {
                self.missing(at.place, "first", "10s");
            }
            None => {}
        }
        if let Some((place, factor)) = form
            .factor
            .as_ref()
            .and_then(|at| Some((at.place, *at.get()?)))
        {
            if (1.0..=100.0).contains(&factor) {
                rule.factor = factor;
            } else {
                self.problem(
                    place,
                    format!("`factor` is {factor}"),
                    "each pause is so many times as long as the one before: it must be from 1 to 100",
                );
            }
        }
        if let Some(resets_after) = self.span(&form.resets_after, "resets_after") {
            rule.resets_after = resets_after;
        }
        match self.span(&form.cap, "cap") {
            Some(cap) if cap < rule.first => {
                let place = form.cap.as_ref().map_or(at.place, |at| at.place);
                self.problem(
                    place,
                    "`cap` is shorter than the first pause",
                    "the longest pause cannot be shorter than `first`",
                );
            }
            Some(cap) => rule.cap = cap,
            None if rule.factor == 1.0 => rule.cap = rule.first,
            None => {}
        }
        rule
    }

    /// How long a person needs, who is `needed` or of no use.
    fn person(&mut self, form: &RestartForm, place: Place, needed: bool) -> Handling {
        match (&form.person, needed) {
            (None, true) => self.missing(place, "person", "{lognormal: {median: 10m, p95: 1h}}"),
            (Some(at), false) => self.problem(
                at.place,
                "`person` where restarts never end",
                "state the `limit` after which nobody tries any more, or leave `person` out",
            ),
            _ => {}
        }
        self.handling(&form.person)
    }
}
