//! What makes a result worth less than it looks.

use super::{Compiler, list};
use crate::ids::Id;
use crate::model::{Balancer, Component, FaultKind, PoolKind};
use crate::scenario::read::{At, Entries, Opt};
use crate::scenario::schema::File;
use std::collections::BTreeSet;

/// Warnings of one kind that are given one by one; the rest is counted.
const EACH: usize = 20;

impl Compiler<'_> {
    /// Collects the warnings of a system without mistakes.
    pub(super) fn warn(&mut self, file: &File) {
        let mut warnings = self.never_fail(file);
        warnings.extend(self.promised());
        warnings.extend(self.unused(file));
        warnings.extend(self.nobody_ejected());
        warnings.extend(self.hazards());
        warnings.extend(self.missing_kinds());
        self.system.warnings = warnings;
    }

    /// Components that neither fail themselves nor stand on or in anything that does.
    fn never_fail(&self, file: &File) -> Vec<String> {
        let system = &self.system;
        // Planned work is no failure.
        let components: Vec<Component> = system
            .clocks
            .iter()
            .filter(|clock| !system.faults[clock.fault].kind.is_planned())
            .map(|clock| clock.component)
            .collect();
        let domains: Vec<_> = components
            .iter()
            .filter_map(|&component| match component {
                Component::Domain(id) => Some(id),
                _ => None,
            })
            .collect();
        let failing_slots: BTreeSet<_> = components
            .iter()
            .flat_map(|component| match component {
                Component::Slot(id) => std::slice::from_ref(id),
                Component::Pool(id) => &system.pools[*id].slots,
                Component::Balancer(id) => &system.balancers[*id].slots,
                Component::Domain(_)
                | Component::Node(_)
                | Component::Link(_)
                | Component::Common(_)
                | Component::Workload(_) => &[],
            })
            .copied()
            .collect();
        let failing_nodes: BTreeSet<_> = components
            .iter()
            .filter_map(|&component| match component {
                Component::Node(id) => Some(id),
                _ => None,
            })
            .collect();
        let in_failing = |domain| domains.iter().any(|&around| self.lies_in(domain, around));
        let mut safe = Vec::new();
        for (name, slots) in system
            .pools
            .iter()
            .map(|pool| (&pool.name, &pool.slots))
            .chain(
                system
                    .balancers
                    .iter()
                    .map(|balancer| (&balancer.name, &balancer.slots)),
            )
        {
            let fails = slots.iter().any(|&id| {
                let slot = &system.slots[id];
                failing_slots.contains(&id)
                    || slot.node.is_some_and(|node| failing_nodes.contains(&node))
                    || in_failing(slot.domain)
            });
            if !fails {
                safe.push(name.clone());
            }
        }
        for (group, name) in names(&file.nodes).enumerate() {
            let fails = self
                .node_ids(group)
                .into_iter()
                .any(|id| failing_nodes.contains(&id) || in_failing(system.nodes[id].domain));
            if !fails {
                safe.push(name.to_owned());
            }
        }
        let mut warnings: Vec<String> = safe
            .iter()
            .take(EACH)
            .map(|name| format!("{name} is assumed never to fail: it has no fault"))
            .collect();
        if safe.len() > EACH {
            warnings.push(format!(
                "{} more components are assumed never to fail",
                safe.len() - EACH
            ));
        }
        warnings
    }

    /// Balancers whose outlier detection may eject nobody, as they have too few replicas for a share of them.
    fn nobody_ejected(&self) -> Vec<String> {
        let balancers = self.system.balancers.iter();
        let warning = |balancer: &Balancer| {
            let rule = balancer.outlier_detection.as_ref()?;
            let replicas = self.system.pools[balancer.to].slots.len();
            let percent = rule.max_ejection_percent;
            let nobody = u64::from(percent) * (replicas as u64) < 100;
            (nobody && !rule.always_eject_one_host).then(|| {
                format!(
                    "{} ejects nobody: {percent} % of {replicas} is less than one; raise `max_ejection_percent` \
                     (default: 10%) or set `always_eject_one_host: true`",
                    balancer.name
                )
            })
        };
        balancers.filter_map(warning).take(EACH).collect()
    }

    /// Third parties whose outages follow from what a contract promises.
    fn promised(&self) -> Option<String> {
        let externals = self.system.pools.iter();
        let names: Vec<&str> = externals
            .filter(|pool| matches!(pool.kind, PoolKind::External))
            .map(|pool| pool.name.as_str())
            .collect();
        let names_of_all = list(names.iter().copied()).replace('`', "");
        (!names.is_empty()).then(|| {
            format!(
                "{names_of_all}: availability assumed as stated; a service level agreement is a \
                 promise, not a measurement"
            )
        })
    }

    /// What is stated and plays no part.
    fn unused(&self, file: &File) -> Vec<String> {
        let system = &self.system;
        let mut warnings = Vec::new();
        let mut say = |names: Vec<&str>, what: &str| {
            if !names.is_empty() {
                warnings.push(format!("{}: {what}", list(names).replace('`', "")));
            }
        };
        say(
            names(&file.nodes)
                .enumerate()
                .filter(|(group, _)| !self.groups_used.contains(group))
                .map(|(_, name)| name)
                .collect(),
            "nothing runs on these machines",
        );
        say(
            system
                .balancers
                .pairs()
                .filter(|(id, _)| !self.balancers_used.contains(id))
                .map(|(_, row)| row.name.as_str())
                .collect(),
            "no call goes through this balancer, so it plays no part",
        );
        say(
            names(&file.journeys)
                .enumerate()
                .filter(|(index, _)| !self.journeys_used.contains(index))
                .map(|(_, name)| name)
                .collect(),
            "no workload makes this journey",
        );
        let repairs = || system.care.repairs.values();
        let crews: BTreeSet<_> = repairs().filter_map(|repair| repair.crew).collect();
        say(
            system
                .care
                .crews
                .pairs()
                .filter(|(id, _)| !crews.contains(id))
                .map(|(_, crew)| crew.name.as_str())
                .collect(),
            "no fault is repaired by this crew",
        );
        say(
            system
                .care
                .people
                .pairs()
                .filter(|(id, _)| !self.people_used.contains(id))
                .map(|(_, people)| people.name.as_str())
                .collect(),
            "nobody calls these people",
        );
        let mut reached = BTreeSet::new();
        for journey in &system.journeys {
            for (operation, _) in self.called(&journey.calls) {
                self.reach(operation, &mut reached);
            }
        }
        say(
            system
                .pools
                .pairs()
                .filter(|(id, _)| !reached.contains(id))
                .map(|(_, pool)| pool.name.as_str())
                .collect(),
            "no journey calls it, so it plays no part",
        );
        let mut inhabited = BTreeSet::new();
        for domain in system.slots.iter().filter_map(|slot| slot.domain) {
            let mut domain = Some(domain);
            while let Some(id) = domain {
                domain = inhabited
                    .insert(id.index())
                    .then(|| system.domains[id].parent)
                    .flatten();
            }
        }
        say(
            system
                .domains
                .pairs()
                .filter(|(id, _)| !inhabited.contains(&id.index()))
                .map(|(_, domain)| domain.name.as_str())
                .collect(),
            "nothing stands in this domain",
        );
        warnings
    }

    /// Says so if nothing in the file goes wrong by the hand of people.
    fn missing_kinds(&self) -> Option<String> {
        let of_people = |kind| {
            matches!(
                kind,
                FaultKind::Release | FaultKind::Configuration | FaultKind::Certificate
            )
        };
        let mut faults = self.system.faults.iter();
        if faults.any(|fault| of_people(fault.kind)) {
            return None;
        }
        let common = self.system.faults.iter().any(|fault| {
            matches!(
                fault.kind,
                FaultKind::Isolated | FaultKind::Power | FaultKind::Common
            )
        });
        let kinds = if common {
            "release, configuration or human error"
        } else {
            "release, configuration, human error or common cause"
        };
        Some(format!(
            "no fault of kind {kinds} is stated: real systems lose most of their time there"
        ))
    }
}

fn names<T>(section: &Opt<Entries<T>>) -> impl Iterator<Item = &str> {
    let entries = section
        .as_ref()
        .and_then(At::get)
        .map_or(&[][..], |entries| &entries.0);
    entries.iter().map(|entry| entry.name.as_str())
}
