//! One history in words, line by line.

use super::clean::line;
use crate::estimate::Entry;
use crate::ids::{JourneyId, SlotId};
use crate::model::{Campaign, Owner, System, Work};
use crate::path::{CampaignStep, Event};

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
        Event::Campaign {
            campaign,
            step,
            parts,
        } => {
            let campaign = &system.campaigns[campaign];
            campaign_words(
                campaign,
                step,
                parts.0 == 0,
                &parts_of(system, campaign, parts),
            )
        }
    }
}

/// What a campaign does to some of its parts, in words; `first` says whether its first is among them.
fn campaign_words(campaign: &Campaign, step: CampaignStep, first: bool, parts: &str) -> String {
    let name = &campaign.name;
    let expires = matches!(&campaign.work, Work::Change(change) if change.is_certificate);
    match step {
        CampaignStep::Drains => format!("{name}: no new requests for {parts}"),
        CampaignStep::Stops => format!("{name} stops {parts}"),
        CampaignStep::Ends => format!("{name} of {parts} is done"),
        CampaignStep::Returns => format!("{name}: requests again for {parts}"),
        CampaignStep::Restarts => format!("{name} restarts {parts} with a new version"),
        CampaignStep::Breaks => format!("{name}: the new version of {parts} is broken"),
        CampaignStep::Begins => format!("{name}: a bad change begins to spread"),
        CampaignStep::Reaches if expires => format!("{name} of {parts} expires"),
        CampaignStep::Reaches => format!("{name}: a bad change reaches {parts}"),
        CampaignStep::Noticed => format!("{name} is noticed, on {parts}"),
        CampaignStep::RollsBack if first => {
            format!("{name} is noticed, and rolled back on {parts}")
        }
        CampaignStep::RollsBack => format!("{name} is rolled back on {parts}"),
        CampaignStep::Reverts if expires => format!("{name} of {parts} is renewed"),
        CampaignStep::Reverts => format!("{name} is taken back on {parts}"),
    }
}

/// The names of some parts of a campaign: `app-2`, or `app-1, app-2, app-3 and 4 more`.
fn parts_of(system: &System, campaign: &Campaign, (first, end): (u32, u32)) -> String {
    const NAMED: usize = 3;
    let names_of = |slots: &[SlotId]| {
        let names = slots.iter().map(|&slot| system.slots[slot].name.as_str());
        names.collect()
    };
    let names: Vec<&str> = match &campaign.work {
        Work::Maintenance(work) => work
            .clocks
            .iter()
            .map(|&clock| {
                let name = system.clocks[clock].name.as_str();
                name.rsplit_once('.')
                    .map_or(name, |(component, _)| component)
            })
            .collect(),
        Work::Release(release) => names_of(&system.pools[release.pool].slots),
        Work::Change(change) => names_of(change.slots(system)),
    };
    let names = &names[first as usize..end as usize];
    let named = names[..names.len().min(NAMED)].join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
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
