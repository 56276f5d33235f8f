//! The one namespace of a file: who is called what, and the nearest name to a mistyped one.

use super::list;
use crate::scenario::limits;
use crate::scenario::place::{Place, quoted};
use crate::scenario::problem::Problem;
use crate::scenario::read::{Entries, Opt};
use crate::scenario::schema::File;
use crate::scenario::suggest::nearest;
use std::collections::BTreeMap;

/// What a name is the name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Domain,
    Link,
    Nodes,
    Pool,
    Balancer,
    Crew,
    People,
    CommonCause,
    Journey,
    Workload,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Link => "link",
            Self::Nodes => "group of nodes",
            Self::Pool => "service, cache or store",
            Self::Balancer => "balancer",
            Self::Crew => "crew",
            Self::People => "group of people",
            Self::CommonCause => "common cause",
            Self::Journey => "journey",
            Self::Workload => "workload",
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Named {
    kind: Kind,
    /// Row among its kind, in the order of the file (pools: services, then caches, stores and third parties).
    index: usize,
    place: Place,
}

/// All names of a file.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: BTreeMap<String, Named>,
    /// Names that the file makes by counting, such as `app-3`, with what they count.
    made: BTreeMap<String, String>,
}

/// What is wrong with a name, if anything: it enters messages, reports, file names and the keys of
/// random streams.
pub(super) fn check(name: &str, place: Place) -> Option<Problem> {
    let starts_well = name
        .chars()
        .next()
        .is_some_and(|ch| ch.is_ascii_alphanumeric());
    let letters = name
        .chars()
        .all(|ch| ch.is_ascii_alphanumeric() || ch == '_' || ch == '-');
    if starts_well && letters && name.len() <= limits::NAME_BYTES {
        return None;
    }
    Some(Problem::at(place, format!("{} cannot be a name", quoted(name))).help(format!(
        "names have letters (a-z, A-Z), digits, `_` and `-`, begin with a letter or digit, and have at most {} characters",
        limits::NAME_BYTES
    )))
}

/// Collects the names of all sections.
pub(super) fn collect(file: &File, problems: &mut Vec<Problem>) -> Names {
    let mut names = Names::default();
    names.section(&file.domains, Kind::Domain, 0, problems);
    names.section(&file.network, Kind::Link, 0, problems);
    names.section(&file.nodes, Kind::Nodes, 0, problems);
    let services = names.section(&file.services, Kind::Pool, 0, problems);
    let caches = names.section(&file.caches, Kind::Pool, services, problems);
    let stores = names.section(&file.stores, Kind::Pool, services + caches, problems);
    let before = services + caches + stores;
    let externals = names.section(&file.externals, Kind::Pool, before, problems);
    names.section(&file.queues, Kind::Pool, before + externals, problems);
    names.section(&file.balancers, Kind::Balancer, 0, problems);
    names.section(&file.crews, Kind::Crew, 0, problems);
    names.section(&file.people, Kind::People, 0, problems);
    names.section(&file.common_causes, Kind::CommonCause, 0, problems);
    names.section(&file.journeys, Kind::Journey, 0, problems);
    names.section(&file.workload, Kind::Workload, 0, problems);
    names
}

impl Names {
    fn section<T>(
        &mut self,
        section: &Opt<Entries<T>>,
        kind: Kind,
        first: usize,
        problems: &mut Vec<Problem>,
    ) -> usize {
        let Some(entries) = section.as_ref().and_then(|at| at.get()) else {
            return 0;
        };
        for (index, entry) in entries.0.iter().enumerate() {
            problems.extend(check(&entry.name, entry.place));
            let named = Named {
                kind,
                index: first + index,
                place: entry.place,
            };
            if let Some(before) = self.names.get(&entry.name) {
                problems.push(
                    Problem::at(
                        entry.place,
                        format!("the name {} is used twice", quoted(&entry.name)),
                    )
                    .help("every name of a file is the name of one thing; rename one of them")
                    .also(
                        before.place,
                        format!("it is the name of this {}", before.kind.word()),
                    ),
                );
            } else {
                self.names.insert(entry.name.clone(), named);
            }
        }
        entries.0.len()
    }

    /// Notes that the file makes `name` by counting `of`; says so if it is taken.
    pub(super) fn make(&mut self, name: &str, of: &str, place: Place) -> Option<Problem> {
        if let Some(named) = self.names.get(name) {
            return Some(
                Problem::at(
                    named.place,
                    format!("the name {} is used twice", quoted(name)),
                )
                .help("rename one of them: names are the keys of the random numbers")
                .also(
                    place,
                    format!("one of the parts of {} has this name", quoted(of)),
                ),
            );
        }
        match self.made.insert(name.to_owned(), of.to_owned()) {
            Some(other) if other != of => Some(
                Problem::at(
                    place,
                    format!(
                        "a part of {} and one of {} would both be named {}",
                        quoted(of),
                        quoted(&other),
                        quoted(name)
                    ),
                )
                .help("rename one of the two"),
            ),
            _ => None,
        }
    }

    /// The row of `kind` named `name`, or what is wrong.
    pub(super) fn find(&self, kind: Kind, name: &str, place: Place) -> Result<usize, Problem> {
        if let Some(named) = self.names.get(name) {
            if named.kind == kind {
                return Ok(named.index);
            }
            return Err(Problem::at(
                place,
                format!("{} is a {}", quoted(name), named.kind.word()),
            )
            .help(format!("a {} is needed here", kind.word())));
        }
        let same: Vec<&str> = self.of(kind).collect();
        let help = match nearest(name, same.iter().copied()) {
            Some(near) => format!("did you mean {}?", quoted(near)),
            None if same.is_empty() => format!("the file names no {}", kind.word()),
            None => format!("there are: {}", list(same)),
        };
        Err(Problem::at(
            place,
            format!("there is no {} named {}", kind.word(), quoted(name)),
        )
        .help(help))
    }

    /// Where something with this name stands.
    pub(super) fn place(&self, name: &str) -> Option<Place> {
        self.names.get(name).map(|named| named.place)
    }

    /// The row of `kind` named `name`, if there is one.
    pub(super) fn get(&self, kind: Kind, name: &str) -> Option<usize> {
        self.names
            .get(name)
            .filter(|named| named.kind == kind)
            .map(|named| named.index)
    }

    /// The names of `kind`, in order of the alphabet.
    pub(super) fn of(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.names
            .iter()
            .filter(move |(_, named)| named.kind == kind)
            .map(|(name, _)| name.as_str())
    }
}
