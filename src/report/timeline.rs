//! One history in words, line by line.

use super::clean::line;
use crate::estimate::Entry;
use crate::ids::JourneyId;
use crate::model::{Owner, System};
use crate::path::Event;

/// Writes entries of one history, in order of time.
#[derive(Clone, Debug)]
pub struct Timeline<'a> {
    system: &'a System,
    was_down: bool,
}

impl<'a> Timeline<'a> {
    /// Before the first entry; everything counts as up.
    pub fn new(system: &'a System) -> Self {
        Self {
            system,
            was_down: false,
        }
    }

    /// One line without a newline: when, what, and what cannot be served after it.
    ///
    /// ```text
    /// day 12 08:30:00.250  articles-1.crash begins          [journeys down: readers.publish]
    /// day 12 08:30:25.100  articles: lease expired          [journeys down: readers.publish]
    /// day 12 08:30:31.000  articles-2 leads articles        [all journeys up]
    /// ```
    pub fn line(&mut self, entry: &Entry) -> String {
        let what = words(self.system, entry.transition.event);
        let state = if !entry.up {
            let names: Vec<_> = entry
                .journeys_down
                .iter()
                .map(|&id| self.journey(id))
                .collect();
            format!("[journeys down: {}]", names.join(", "))
        } else if self.was_down {
            "[all journeys up]".to_owned()
        } else {
            String::new()
        };
        self.was_down = !entry.up;
        let text = format!(
            "{:<21}  {what:<34} {state}",
            entry.transition.at.to_string()
        );
        line(text.trim_end())
    }

    fn journey(&self, id: JourneyId) -> &str {
        &self.system.journeys[id].name
    }
}

/// What happened, in words.
pub fn words(system: &System, event: Event) -> String {
    let slot = |id| system.slots[id].name.as_str();
    match event {
        Event::FaultBegins(clock) => format!("{} begins", system.clocks[clock].name),
        Event::FaultEnds(clock) => format!("{} ends", system.clocks[clock].name),
        Event::Started(id) => format!("{} serves again", slot(id)),
        Event::Verdict {
            instance,
            member,
            up,
        } => {
            let state = if up { "up" } else { "down" };
            format!("{} believes {} {state}", slot(instance), slot(member))
        }
        Event::Master(id) => format!("{} takes the address{}", slot(id), of(system, id)),
        Event::LeaseExpired(pool) => format!("{}: lease expired", system.pools[pool].name),
        Event::Promoting(id) => format!(
            "{} takes the lease{}, is promoted",
            slot(id),
            of(system, id)
        ),
        Event::Leads(id) => format!("{} leads{}", slot(id), of(system, id)),
    }
}

/// ` of edge`, where the slot's own name does not say whose it is.
fn of(system: &System, id: crate::ids::SlotId) -> String {
    let slot = &system.slots[id];
    let owner = match slot.owner {
        Owner::Pool(pool) => &system.pools[pool].name,
        Owner::Balancer(balancer) => &system.balancers[balancer].name,
    };
    if slot.name.starts_with(owner.as_str()) {
        String::new()
    } else {
        format!(" of {owner}")
    }
}

#[cfg(test)]
mod tests;
