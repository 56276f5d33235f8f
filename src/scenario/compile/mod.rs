//! From what a file says to what it means, collecting every mistake on the way.
//!
//! Each section is compiled as far as it can be: a value that is wrong is reported and replaced by
//! something harmless, so that what depends on it is still looked at. With any problem the system
//! is thrown away.

mod arrivals;
mod balancers;
mod calls;
mod campaign;
mod connections;
mod dist;
mod externals;
mod failover;
mod faults;
mod forks;
mod hazards;
mod journeys;
mod maintenance;
mod names;
mod needs;
mod network;
mod outlier;
mod passive;
mod pools;
mod prices;
mod queues;
mod repair;
mod restart;
mod run;
mod slow_start;
mod topology;
mod traces;
mod waits;
mod warnings;

use super::place::{Place, is_unsafe, quoted};
use super::problem::{Problem, line};
use super::read::{At, Opt};
use super::schema::{File, SpanDist};
use super::{Files, limits, target, units::Span};
use crate::ids::{BalancerId, CallId, DomainId, IdVec, NodeId, OperationId, PeopleId, PoolId};
use crate::model::{Journey, System};
use crate::random::Dist;
use crate::time::SimSpan;
use names::Names;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Compiles `file`, read from `source`; `root` is the place of the whole document.
pub(super) fn compile(
    file: &File,
    root: Place,
    (source, stem): (&str, &str),
    files: &Files<'_>,
    problems: Vec<Problem>,
) -> Result<System, Vec<Problem>> {
    // Something that is missing from the file as a whole is missing at its first line.
    let root = Place::new(root.start as usize, root.start as usize + 1);
    let mut compiler = Compiler::new(source, root, files, problems);
    compiler.names = names::collect(file, &mut compiler.problems);
    compiler.run(file, stem);
    compiler.crews(file);
    compiler.people(file);
    compiler.domains(file);
    compiler.nodes(file);
    compiler.pools(file);
    compiler.externals(file);
    compiler.queues(file);
    compiler.balancers(file);
    compiler.network(file);
    compiler.common_causes(file);
    compiler.currency(file);
    compiler.service_calls();
    compiler.connections(file);
    compiler.consumers(file);
    let order = compiler.bottom_up();
    compiler.workloads(file);
    compiler.check_takers();
    compiler.campaigns(file);
    if let Some(order) = order {
        compiler.check_call_graph(&order);
    }
    compiler.check_priorities();
    compiler.targets(file);
    if compiler.problems.is_empty() {
        compiler.needs_at_peak();
    }
    if !compiler.problems.is_empty() {
        return Err(compiler.problems);
    }
    compiler.warn(file);
    Ok(compiler.system)
}

struct Compiler<'a> {
    source: &'a str,
    root: Place,
    /// Where other files come from, and how many were asked for.
    files: &'a Files<'a>,
    files_read: usize,
    problems: Vec<Problem>,
    names: Names,
    system: System,
    /// The domain of each entry of the file, in file order; `None` if its parents make a circle.
    domain_ids: Vec<Option<DomainId>>,
    /// The machines of each group, in file order.
    node_groups: Vec<Range<usize>>,
    groups_used: BTreeSet<usize>,
    /// The pool that each balancer sends to.
    balancer_to: IdVec<BalancerId, Option<PoolId>>,
    balancers_used: BTreeSet<BalancerId>,
    journeys_used: BTreeSet<usize>,
    people_used: BTreeSet<PeopleId>,
    /// Operations by `<pool>.<operation>`.
    operations: BTreeMap<String, OperationId>,
    /// Calls of services, which wait until all operations are known.
    waiting: Vec<(OperationId, &'a At<Vec<At<super::schema::CallForm>>>)>,
    call_places: IdVec<CallId, Place>,
    journey_places: Vec<Place>,
    /// `needs: at_peak`, which waits until the load is known.
    at_peak: Vec<needs::Waiting>,
    /// Where the first priority is stated.
    priorities: Option<Place>,
    /// Limits that have been reported, each once.
    limits_hit: BTreeSet<&'static str>,
    /// Fields that are there but misspelt, with where their mapping begins: they are not missing.
    misspelt: BTreeSet<(u32, String)>,
}

impl<'a> Compiler<'a> {
    fn new(source: &'a str, root: Place, files: &'a Files<'a>, problems: Vec<Problem>) -> Self {
        let misspelt = problems
            .iter()
            .filter_map(|problem| Some((problem.within?, problem.meant.clone()?.into_string())))
            .collect();
        Self {
            source,
            root,
            files,
            files_read: 0,
            problems,
            misspelt,
            names: Names::default(),
            system: System {
                name: String::new(),
                run: run::defaults(),
                domains: IdVec::new(),
                links: IdVec::new(),
                nodes: IdVec::new(),
                slots: IdVec::new(),
                pools: IdVec::new(),
                balancers: IdVec::new(),
                operations: IdVec::new(),
                calls: IdVec::new(),
                forks: IdVec::new(),
                channels: IdVec::new(),
                queues: IdVec::new(),
                journeys: IdVec::<_, Journey>::new(),
                workloads: IdVec::new(),
                faults: IdVec::new(),
                clocks: IdVec::new(),
                campaigns: IdVec::new(),
                care: crate::model::Care::default(),
                targets: Vec::new(),
                prices: crate::model::Prices::default(),
                needs_at_peak: Vec::new(),
                warnings: Vec::new(),
            },
            domain_ids: Vec::new(),
            node_groups: Vec::new(),
            groups_used: BTreeSet::new(),
            balancer_to: IdVec::new(),
            balancers_used: BTreeSet::new(),
            journeys_used: BTreeSet::new(),
            people_used: BTreeSet::new(),
            operations: BTreeMap::new(),
            waiting: Vec::new(),
            call_places: IdVec::new(),
            journey_places: Vec::new(),
            at_peak: Vec::new(),
            priorities: None,
            limits_hit: BTreeSet::new(),
        }
    }

    fn problem(&mut self, place: Place, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::at(place, message).help(help));
    }

    /// Reports that `field` is missing from the mapping at `place`.
    fn missing(&mut self, place: Place, field: &str, like: &str) {
        self.missing_inside(place.start, place, field, like);
    }

    /// Reports at `place` that `field` is missing from the mapping that begins at byte `inside`,
    /// unless it is there and misspelt: that is reported already.
    fn missing_inside(&mut self, inside: u32, place: Place, field: &str, like: &str) {
        if self.misspelt.contains(&(inside, field.to_owned())) {
            return;
        }
        // The first line of the place is enough, and no line of what is inside it is to blame.
        self.problem(
            place,
            format!("`{field}` is missing"),
            format!("such as `{field}: {like}`"),
        );
    }

    /// Reports once that there is more than `limit` of `what`; returns whether `count` is too many.
    fn over(&mut self, what: &'static str, count: usize, limit: usize, place: Place) -> bool {
        if count > limit && self.limits_hit.insert(what) {
            let message = format!("the file asks for more than {limit} {what}");
            self.problem(
                place,
                message,
                "simulate a part of the design, or fewer of them",
            );
        }
        count > limit
    }

    /// Refuses text for people that could do something to the terminal it is printed on.
    fn check_text(&mut self, field: &Opt<String>, what: &str) {
        let Some(at) = field else { return };
        let Some(text) = at.get() else { return };
        if text.chars().any(is_unsafe) {
            self.problem(
                at.place,
                format!("the {what} {} has characters that cannot be shown", quoted(text)),
                "leave out control characters, line breaks and marks that turn the direction of writing",
            );
        } else if text.trim().is_empty() || text.chars().count() > limits::TEXT_CHARS {
            self.problem(
                at.place,
                format!("the {what} {} is empty or too long", quoted(text)),
                format!("it must have from 1 to {} characters", limits::TEXT_CHARS),
            );
        }
    }

    /// A whole number between `least` and `most`.
    fn count(&mut self, field: &Opt<u64>, default: u64, name: &str, least: u64, most: u64) -> u32 {
        let Some(at) = field else {
            return default as u32;
        };
        let Some(&value) = at.get() else {
            return default.max(least) as u32;
        };
        if (least..=most).contains(&value) {
            return u32::try_from(value).unwrap_or(u32::MAX);
        }
        self.problem(
            at.place,
            format!("`{name}` is {value}"),
            format!("it must be from {least} to {most}"),
        );
        default.max(least) as u32
    }

    /// A fixed span; `None` if it was left out or is wrong.
    fn span(&mut self, field: &Opt<Span>, name: &str) -> Option<SimSpan> {
        let at = field.as_ref()?;
        let span = at.get()?.fixed();
        if span.is_none() {
            let message = format!("`{name}` is longer than {} years", limits::YEARS);
            self.problem(at.place, message, "no clock of a simulation runs so long");
        }
        span
    }

    /// A fixed span that must not be zero.
    fn positive(&mut self, field: &Opt<Span>, name: &str) -> Option<SimSpan> {
        let span = self.span(field, name)?;
        if !span.is_zero() {
            return Some(span);
        }
        let place = field.as_ref().map_or(self.root, |at| at.place);
        self.problem(
            place,
            format!("`{name}` is no time at all"),
            "it must be longer than 0s",
        );
        None
    }

    /// A distribution, or no time at all if it is wrong or was left out.
    fn dist(&mut self, field: &Opt<SpanDist>) -> Dist {
        let made = field.as_ref().and_then(|at| Some((at.place, at.get()?)));
        let made = made.and_then(|(place, form)| dist::make(form, place, &mut self.problems));
        made.unwrap_or_else(no_time)
    }

    /// A distribution that must be there.
    fn needed_dist(&mut self, field: &Opt<SpanDist>, owner: Place, name: &str, like: &str) -> Dist {
        if field.is_none() {
            self.missing(owner, name, like);
        }
        self.dist(field)
    }

    fn targets(&mut self, file: &File) {
        let Some(list) = file.targets.as_ref().and_then(At::get) else {
            return;
        };
        let known = target::Known {
            workloads: self
                .system
                .workloads
                .pairs()
                .map(|(id, row)| (row.name.clone(), id))
                .collect(),
            journeys: self
                .system
                .journeys
                .pairs()
                .map(|(id, row)| (row.name.clone(), id))
                .collect(),
            method: self.system.run.method,
            horizon: self.system.run.horizon,
            slice: self.system.run.slice,
            queues: self
                .system
                .queues
                .pairs()
                .map(|(id, row)| (self.system.pools[row.pool].name.clone(), id))
                .collect(),
            stores: self
                .system
                .pools
                .pairs()
                .filter(|(id, row)| {
                    let leads = |operation: &crate::model::Operation| {
                        operation.pool == *id
                            && operation.served_by == crate::model::ServedBy::Leader
                    };
                    row.chooses_leader() && self.system.operations.iter().any(leads)
                })
                .map(|(id, row)| target::Store {
                    name: row.name.clone(),
                    id,
                    replicates: row.replication.is_some(),
                })
                .collect(),
        };
        for (index, item) in list.iter().enumerate() {
            if self.over("targets", index + 1, limits::TARGETS, item.place) {
                break;
            }
            let Some(text) = item.get() else { continue };
            match target::parse(&text.0, &known) {
                Ok(parsed) => self.system.targets.push(crate::model::Target {
                    text: text.0.split_whitespace().collect::<Vec<_>>().join(" "),
                    line: line(self.source, item.place),
                    metric: parsed.metric,
                    excluding_planned: parsed.excluding_planned,
                    relation: parsed.relation,
                    bound: parsed.bound,
                }),
                Err(wrong) => {
                    let range = item.place.start as usize..item.place.end as usize;
                    let verbatim = self.source.get(range) == Some(text.0.as_str());
                    let place = match wrong.part {
                        Some(part) if verbatim => item.place.part(part.start, part.end),
                        _ => item.place,
                    };
                    self.problem(place, wrong.message, wrong.help);
                }
            }
        }
    }

    /// Deals `count` components over `over` in turn: the index in `over` of each.
    fn dealt(count: usize, over: usize) -> impl Iterator<Item = Option<usize>> {
        (0..count).map(move |index| (over > 0).then(|| index % over))
    }

    fn node_ids(&self, group: usize) -> Vec<NodeId> {
        use crate::ids::Id;
        self.node_groups
            .get(group)
            .cloned()
            .unwrap_or(0..0)
            .map(NodeId::from_index)
            .collect()
    }
}

fn no_time() -> Dist {
    Dist::constant(0.0).expect("zero seconds is a constant")
}

/// A few of `names` for a help line.
fn list<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    const SHOWN: usize = 12;
    let mut names = names.into_iter();
    let mut shown: Vec<String> = names.by_ref().take(SHOWN).map(quoted).collect();
    let more = names.count();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join(", ")
}
