//! Domains and machines.

use super::Compiler;
use super::faults::Bearer;
use super::names::Kind;
use crate::ids::{DomainId, Id, NodeId};
use crate::model::{Component, Domain, Node};
use crate::scenario::limits;
use crate::scenario::place::{Place, quoted};
use crate::scenario::problem::Problem;
use crate::scenario::read::{At, List, Opt};
use crate::scenario::schema::File;

impl<'a> Compiler<'a> {
    /// Compiles the domains; a parent comes before its children, else they keep their order.
    pub(super) fn domains(&mut self, file: &'a File) {
        let Some(entries) = file.domains.as_ref().and_then(At::get) else {
            return;
        };
        let entries = &entries.0;
        self.domain_ids = vec![None; entries.len()];
        if let Some(entry) = entries.get(limits::DOMAINS) {
            self.over("domains", entries.len(), limits::DOMAINS, entry.place);
            return;
        }
        let mut parents = vec![None; entries.len()];
        for (index, entry) in entries.iter().enumerate() {
            let within = entry.value.get().and_then(|form| form.within.as_ref());
            if let Some(within) = within
                && let Some(name) = within.get()
            {
                match self.names.find(Kind::Domain, name, within.place) {
                    Ok(parent) => parents[index] = Some((parent, within.place)),
                    Err(problem) => self.problems.push(problem),
                }
            }
        }
        let mut circles = vec![false; entries.len()];
        for index in 0..entries.len() {
            let mut chain = vec![index];
            while let Some(&(parent, place)) = parents[chain[chain.len() - 1]].as_ref() {
                if let Some(from) = chain.iter().position(|&seen| seen == parent) {
                    let circle = &chain[from..];
                    if !circles[parent] {
                        let names: Vec<String> = circle
                            .iter()
                            .chain([&parent])
                            .map(|&at| quoted(&entries[at].name))
                            .collect();
                        self.problem(
                            place,
                            format!("domains lie in each other: {}", names.join(" in ")),
                            "a domain lies in a larger one",
                        );
                    }
                    for &at in circle {
                        circles[at] = true;
                    }
                    break;
                }
                chain.push(parent);
            }
            if circles[chain[chain.len() - 1]] {
                continue;
            }
            for &at in chain.iter().rev() {
                if self.domain_ids[at].is_none() {
                    self.domain(file, at, parents[at].map(|(parent, _)| parent));
                }
            }
        }
    }

    fn domain(&mut self, file: &'a File, index: usize, parent: Option<usize>) {
        let Some(entries) = file.domains.as_ref().and_then(At::get) else {
            return;
        };
        let entry = &entries.0[index];
        let form = entry.value.get();
        let kind = form.and_then(|form| form.kind.as_ref());
        if let Some(form) = form {
            self.check_text(&form.kind, "kind");
        }
        let id = self.system.domains.push(Domain {
            name: entry.name.clone(),
            kind: kind
                .and_then(At::get)
                .cloned()
                .unwrap_or_else(|| "domain".into()),
            parent: parent.and_then(|parent| self.domain_ids[parent]),
        });
        self.domain_ids[index] = Some(id);
        if let Some(faults) = form.and_then(|form| form.faults.as_ref()).and_then(At::get) {
            let component = [(Component::Domain(id), entry.name.clone())];
            self.faults(&faults.0.named, &entry.name, Bearer::Domain, &component);
        }
    }

    /// The domains that `across` names.
    pub(super) fn across(&mut self, across: &Opt<List<String>>) -> Vec<DomainId> {
        self.domain_list(across, "across")
    }

    /// The domains that the field `word` names.
    pub(super) fn domain_list(&mut self, field: &Opt<List<String>>, word: &str) -> Vec<DomainId> {
        let Some(at) = field else { return Vec::new() };
        let Some(list) = at.get() else {
            return Vec::new();
        };
        if list.is_empty() {
            self.problem(
                at.place,
                format!("`{word}` names no domain"),
                "name at least one, or leave it out",
            );
        }
        let mut domains = Vec::new();
        for item in list {
            let Some(name) = item.get() else { continue };
            match self.names.find(Kind::Domain, name, item.place) {
                Ok(index) => domains.extend(self.domain_ids.get(index).copied().flatten()),
                Err(problem) => self.problems.push(problem),
            }
        }
        domains
    }

    /// Compiles the machines.
    pub(super) fn nodes(&mut self, file: &'a File) {
        let Some(entries) = file.nodes.as_ref().and_then(At::get) else {
            return;
        };
        for entry in &entries.0 {
            let start = self.system.nodes.len();
            if let Some(form) = entry.value.get() {
                let most = limits::SLOTS as u64;
                let count = self.count(&form.count, 1, "count", 1, most) as usize;
                self.price(&form.price, &entry.name, count as u32, false);
                let place = form.count.as_ref().map_or(entry.place, |at| at.place);
                let domains = self.across(&form.across);
                if !self.over("machines", start + count, limits::SLOTS, place) {
                    let mut components = Vec::with_capacity(count);
                    for (index, domain) in Self::dealt(count, domains.len()).enumerate() {
                        let name = self.made_name(&entry.name, index, entry.place);
                        let domain = domain.map(|domain| domains[domain]);
                        let id = self.system.nodes.push(Node {
                            name: name.clone(),
                            domain,
                        });
                        components.push((Component::Node(id), name));
                    }
                    if let Some(faults) = form.faults.as_ref().and_then(At::get) {
                        self.faults(&faults.named, &entry.name, Bearer::Nodes, &components);
                    }
                }
            }
            self.node_groups.push(start..self.system.nodes.len());
        }
    }

    /// The name of part `index` of `group`.
    pub(super) fn made_name(&mut self, group: &str, index: usize, place: Place) -> String {
        let name = format!("{group}-{}", index + 1);
        self.problems.extend(self.names.make(&name, group, place));
        name
    }

    /// Where each of `count` components stands.
    pub(super) fn placed(
        &mut self,
        count: usize,
        on: &Opt<String>,
        across: &Opt<List<String>>,
    ) -> Vec<(Option<DomainId>, Option<NodeId>)> {
        if let (Some(on), Some(across)) = (on, across) {
            self.problems.push(
                Problem::at(across.place, "`across` beside `on`")
                    .help("say one: `on` a group of machines (their domains are known), or `across` domains")
                    .also(on.place, "`on` is here"),
            );
        }
        let domains = self.across(across);
        let mut nodes = Vec::new();
        if let Some(at) = on
            && let Some(name) = at.get()
        {
            match self.names.find(Kind::Nodes, name, at.place) {
                Ok(group) => {
                    self.groups_used.insert(group);
                    nodes = self.node_ids(group);
                }
                Err(problem) => self.problems.push(problem),
            }
        }
        if nodes.is_empty() {
            Self::dealt(count, domains.len())
                .map(|at| (at.map(|at| domains[at]), None))
                .collect()
        } else {
            Self::dealt(count, nodes.len())
                .map(|at| {
                    let node = nodes[at.unwrap_or_default()];
                    (self.system.nodes[node].domain, Some(node))
                })
                .collect()
        }
    }

    /// Whether `domain`, or one around it, is `around`.
    pub(super) fn lies_in(&self, domain: Option<DomainId>, around: DomainId) -> bool {
        let mut domain = domain;
        while let Some(id) = domain {
            if id == around {
                return true;
            }
            debug_assert!(
                self.system.domains[id]
                    .parent
                    .is_none_or(|parent| parent.index() < id.index())
            );
            domain = self.system.domains[id].parent;
        }
        false
    }
}
