//! Links between places.

use super::Compiler;
use super::faults::Bearer;
use super::names::Kind;
use crate::ids::Id;
use crate::model::{Component, End, Link};
use crate::scenario::limits;
use crate::scenario::place::{Place, quoted};
use crate::scenario::problem::Problem;
use crate::scenario::read::{At, Entry};
use crate::scenario::schema::{File, LinkForm};
use crate::time::SimSpan;

/// The word for the users among the ends of links.
const USERS: &str = "users";

/// Linux resends after this at least (`TCP_RTO_MIN`).
const RESENDS_AFTER: SimSpan = SimSpan::from_millis(200);

impl<'a> Compiler<'a> {
    /// Compiles the links.
    pub(super) fn network(&mut self, file: &'a File) {
        let Some(entries) = file.network.as_ref().and_then(At::get) else {
            return;
        };
        let entries = &entries.0;
        let mut places: Vec<End> = Vec::new();
        let mut joined: Vec<([End; 2], Place)> = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            if self.over("links", index + 1, limits::LINKS, entry.place) {
                return;
            }
            let Some(form) = entry.value.get() else {
                continue;
            };
            let ends = self.ends(entry, form);
            if let Some((ends, place)) = ends {
                for end in ends {
                    if !places.contains(&end) {
                        places.push(end);
                    }
                }
                if self.over(
                    "places that links join",
                    places.len(),
                    limits::PLACES,
                    place,
                ) {
                    return;
                }
                self.joined_twice(&joined, ends, place);
                joined.push((ends, place));
            }
            // One that is wrong joins nothing, but what else is said of it is looked at.
            let ends = ends.map_or([End::Users; 2], |(ends, _)| ends);
            self.link(entry, form, ends);
        }
    }

    fn link(&mut self, entry: &Entry<LinkForm>, form: &LinkForm, ends: [End; 2]) {
        let round_trip = self.dist(&form.round_trip);
        if let Some(at) = &form.round_trip {
            self.check_round_trip("round_trip", round_trip.mean(), at.place);
        }
        let loss = form
            .loss
            .as_ref()
            .and_then(|at| Some((at.place, at.get()?)));
        let loss = loss.map_or(0.0, |(place, share)| {
            if share.0 >= 1.0 {
                self.problem(
                    place,
                    "`loss` is 100%",
                    "over a link that loses everything nobody reaches anybody; leave it and what needs it out",
                );
            }
            share.0
        });
        if let Some(at) = form.resends_after.as_ref().filter(|_| !loses(form)) {
            self.problem(
                at.place,
                "`resends_after` of a link that loses nothing",
                "state a `loss` or a fault of kind `loss`, or leave it out",
            );
        }
        let resends_after = self.positive(&form.resends_after, "resends_after");
        let id = self.system.links.push(Link {
            name: entry.name.clone(),
            ends,
            round_trip,
            loss,
            resends_after: resends_after.unwrap_or(RESENDS_AFTER),
        });
        let Some(faults) = form.faults.as_ref().and_then(At::get) else {
            return;
        };
        let faults = &faults.0;
        for (word, place) in [
            (
                "maintenance",
                faults.maintenance.as_ref().map(|at| at.place),
            ),
            ("release", faults.release.as_ref().map(|at| at.place)),
            (
                "configuration",
                faults.configuration.as_ref().map(|at| at.place),
            ),
            (
                "certificate",
                faults.certificate.as_ref().map(|at| at.place),
            ),
        ] {
            if let Some(place) = place {
                self.problem(
                    place,
                    format!("a link cannot have `{word}`"),
                    "it can have: `partition`, `loss`, `latency`",
                );
            }
        }
        let component = [(Component::Link(id), entry.name.clone())];
        self.faults(&faults.named, &entry.name, Bearer::Link, &component);
    }

    /// Refuses round trips in which nobody believes.
    pub(super) fn check_round_trip(&mut self, name: &str, secs: f64, place: Place) {
        if secs > limits::ROUND_TRIP {
            self.problem(
                place,
                format!(
                    "`{name}` is longer than {} minutes",
                    limits::ROUND_TRIP / 60.0
                ),
                "no user is waiting any more; what takes so long is a fault of kind `partition`",
            );
        }
    }

    /// The two ends of a link, and where they are stated.
    fn ends(&mut self, entry: &Entry<LinkForm>, form: &LinkForm) -> Option<([End; 2], Place)> {
        let Some(at) = &form.between else {
            self.missing(entry.value.place, "between", "[north, south]");
            return None;
        };
        let list = at.get()?;
        let [one, other] = &list[..] else {
            self.problem(
                at.place,
                format!("`between` names {} places", list.len()),
                "a link joins two: domains, or `users` and a domain",
            );
            return None;
        };
        let ends = [self.end(one), self.end(other)];
        let (Some(a), Some(b)) = (ends[0], ends[1]) else {
            return None;
        };
        let wrong = match (a, b) {
            _ if a == b => Some("this link joins a place with itself"),
            (End::Domain(a), End::Domain(b))
                if self.lies_in(Some(a), b) || self.lies_in(Some(b), a) =>
            {
                Some("one of these domains lies in the other")
            }
            _ => None,
        };
        if let Some(message) = wrong {
            self.problem(
                at.place,
                message,
                "a link joins two places that have nothing in common",
            );
            return None;
        }
        Some(([a, b], at.place))
    }

    fn end(&mut self, at: &At<String>) -> Option<End> {
        let name = at.get()?;
        let domain = self.names.get(Kind::Domain, name);
        if name == USERS {
            if domain.is_some() {
                self.problem(
                    at.place,
                    format!("{} may be the users or a domain", quoted(USERS)),
                    "the file has a domain of that name; rename it",
                );
                return None;
            }
            return Some(End::Users);
        }
        match self.names.find(Kind::Domain, name, at.place) {
            Ok(index) => {
                let id = self.domain_ids.get(index).copied().flatten()?;
                debug_assert!(id.index() < self.system.domains.len());
                Some(End::Domain(id))
            }
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    fn joined_twice(&mut self, joined: &[([End; 2], Place)], [a, b]: [End; 2], place: Place) {
        let same = |ends: [End; 2]| ends == [a, b] || ends == [b, a];
        if let Some((_, before)) = joined.iter().find(|(ends, _)| same(*ends)) {
            self.problems.push(
                Problem::at(place, "two links join the same places")
                    .help("traffic would cross both; state lines that stand in for each other as one link, with the faults of all of them together")
                    .also(*before, "the other is here"),
            );
        }
    }
}

/// Whether anything is ever lost on it.
fn loses(form: &LinkForm) -> bool {
    let faults = form.faults.as_ref().and_then(At::get);
    let by_fault = faults.is_some_and(|faults| {
        faults.0.named.iter().any(|entry| {
            let kind = entry.value.get().and_then(|fault| fault.kind.as_ref());
            let kind = kind
                .and_then(At::get)
                .map_or(entry.name.as_str(), String::as_str);
            kind == "loss"
        })
    });
    by_fault || form.loss.is_some()
}
