//! One history in words, line by line.

use super::clean::line;
use super::numbers::{exact_span, plural};
use crate::estimate::Entry;
use crate::ids::{ClockId, JourneyId, SlotId};
use crate::model::{
    Campaign, CampaignWork, Component, FaultKind, OutageKind, Owner, PoolKind, Step, StoreFailover,
    System,
};
use crate::path::{CampaignStep, Event};

/// Writes entries of one history, in order of time.
#[derive(Clone, Debug)]
pub struct Timeline<'a> {
    system: &'a System,
    was_down: bool,
    /// Faults that come and go, and how often they have come.
    flapping: Vec<(ClockId, u64)>,
    /// Entries that deserved no line since one of them had come too often.
    left_out: u64,
    /// What there is to say about the end of one of them.
    note: String,
}

/// How often a fault that comes and goes is shown to come, each time; the rest is counted.
const TIMES_SHOWN: u64 = 3;

impl<'a> Timeline<'a> {
    /// Before the first entry; everything counts as up.
    pub fn new(system: &'a System) -> Self {
        Self {
            system,
            was_down: false,
            flapping: Vec::new(),
            left_out: 0,
            note: String::new(),
        }
    }

    /// Takes note of the next entry, and says whether it deserves a line: what a fault that comes and
    /// goes entails is left out after its first few turns, until it ends.
    pub fn shows(&mut self, entry: &Entry) -> bool {
        self.note.clear();
        for &event in entry.also.iter().chain([&entry.transition.event]) {
            match event {
                Event::FaultTurns { clock, on } => {
                    let known = self.flapping.iter_mut().find(|known| known.0 == clock);
                    match known {
                        Some((_, times)) => {
                            *times += u64::from(on);
                            if *times == TIMES_SHOWN && on {
                                self.note = ", and so on".to_owned();
                            }
                        }
                        None => self.flapping.push((clock, 1 + u64::from(on))),
                    }
                }
                Event::FaultEnds(clock) => self.end(clock),
                _ => {}
            }
        }
        let hidden = self.is_busy() && is_reaction(entry.transition.event);
        self.left_out += u64::from(hidden);
        !hidden
    }

    /// Whether a fault has come too often to be followed turn by turn.
    fn is_busy(&self) -> bool {
        self.flapping.iter().any(|&(_, times)| times > TIMES_SHOWN)
    }

    fn end(&mut self, clock: ClockId) {
        let Some(row) = self.flapping.iter().position(|known| known.0 == clock) else {
            return;
        };
        let (_, times) = self.flapping.remove(row);
        self.note = format!(", having come {}", plural(times, "time"));
        if !self.is_busy() && self.left_out > 0 {
            let lines = plural(self.left_out, "line");
            self.note += &format!(" ({lines} about it left out)");
            self.left_out = 0;
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
        let what = words(self.system, entry.transition.event) + &self.note;
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

    /// What happened at the same instant because of it, a line each.
    ///
    /// ```text
    /// day 12 08:30:00.250  ops begins to repair articles-1.crash
    /// ```
    pub fn also<'e>(&'e self, entry: &'e Entry) -> impl Iterator<Item = String> + 'e {
        entry.also.iter().map(|&event| {
            let what = words(self.system, event);
            line(&format!("{:<21}  {what}", entry.transition.at.to_string()))
        })
    }

    fn journey(&self, id: JourneyId) -> &str {
        &self.system.journeys[id].name
    }
}

/// Whether it follows from what faults do, and not from people or from other faults.
fn is_reaction(event: Event) -> bool {
    match event {
        Event::FaultTurns { .. }
        | Event::StartsIn { .. }
        | Event::StartFails(_)
        | Event::StartsFailed { .. }
        | Event::Started(_)
        | Event::Verdict { .. }
        | Event::Undecided { .. }
        | Event::Master(_)
        | Event::LeaseExpired(_)
        | Event::Promoting(_)
        | Event::Leads(_)
        | Event::LossDetected(_)
        | Event::PromotionVoid(_)
        | Event::AllLost(_)
        | Event::FailsBack(_)
        | Event::HandsOver(_)
        | Event::WritesLost { .. }
        | Event::GoesOnAlone(_)
        | Event::ElectionBegins(_)
        | Event::MajorityLost(_)
        | Event::Activating(_)
        | Event::Activated(_) => true,
        Event::FaultBegins(_)
        | Event::FaultEnds(_)
        | Event::Noticed(_)
        | Event::PartAwaited(_)
        | Event::RepairWaits(_)
        | Event::RepairStarts(_)
        | Event::RepairInterrupted(_)
        | Event::StepDone { .. }
        | Event::PartArrives(_)
        | Event::RestartsEnd(_)
        | Event::TakeoverFails(_)
        | Event::FailoverFailed(_)
        | Event::ActivationFails(_)
        | Event::PutRight(_)
        | Event::Campaign { .. } => false,
    }
}

/// What happened, in words.
pub fn words(system: &System, event: Event) -> String {
    let slot = |id| system.slots[id].name.as_str();
    match event {
        Event::FaultBegins(clock)
            if matches!(system.clocks[clock].component, Component::Common(_)) =>
        {
            format!("{} strikes", system.clocks[clock].name)
        }
        Event::FaultBegins(clock) => {
            let fault = system.clocks[clock].fault;
            let flaps = system.care.flaps.contains_key(&fault);
            let goes = if flaps { ", to come and go" } else { "" };
            let name = &system.clocks[clock].name;
            format!("{name} begins{}{goes}", how(system, clock))
        }
        Event::FaultEnds(clock) => format!("{} ends", system.clocks[clock].name),
        Event::FaultTurns { clock, on: true } => {
            format!("{} is there again", system.clocks[clock].name)
        }
        Event::FaultTurns { clock, on: false } => {
            format!("{} is gone for now", system.clocks[clock].name)
        }
        Event::Noticed(clock) => format!("{} is noticed", system.clocks[clock].name),
        Event::PartAwaited(clock) => {
            format!("{} waits for a spare part", system.clocks[clock].name)
        }
        Event::RepairWaits(clock) => {
            format!(
                "{} waits for {}",
                system.clocks[clock].name,
                crew(system, clock)
            )
        }
        Event::RepairStarts(clock) => {
            format!(
                "{} begins to repair {}",
                crew(system, clock),
                system.clocks[clock].name
            )
        }
        Event::RepairInterrupted(clock) => {
            format!(
                "{} leaves {}",
                crew(system, clock),
                system.clocks[clock].name
            )
        }
        Event::StepDone { clock, step } => {
            let done = match step {
                Step::Acknowledge => "is acknowledged",
                Step::Diagnose => "is diagnosed",
                Step::Act => "is acted upon",
            };
            format!("{} {done}", system.clocks[clock].name)
        }
        Event::PartArrives(fault) => {
            format!("a spare part for {} arrives", system.faults[fault].name)
        }
        Event::StartsIn { slot: id, after } => format!(
            "{} will have started in {}",
            slot(id),
            exact_span(after.as_secs_f64())
        ),
        Event::StartFails(id) => format!("{} fails to start", slot(id)),
        Event::StartsFailed { slot: id, times } => {
            format!(
                "{} has failed to start {} meanwhile",
                slot(id),
                plural(times.into(), "time")
            )
        }
        Event::RestartsEnd(id) => {
            format!("{} is not restarted any more, somebody is called", slot(id))
        }
        Event::Started(id) => format!("{} serves again", slot(id)),
        Event::Verdict {
            instance,
            member,
            up,
        } => {
            let state = if up { "up" } else { "down" };
            format!("{} believes {} {state}", slot(instance), slot(member))
        }
        Event::Undecided { instance, member } => {
            format!("{} still probes {}", slot(instance), slot(member))
        }
        Event::Master(id) => format!("{} takes the address{}", slot(id), of(system, id)),
        Event::TakeoverFails(id) => format!(
            "{} does not take the address{}, somebody is called",
            slot(id),
            of(system, id)
        ),
        Event::LeaseExpired(pool) => format!("{}: lease expired", system.pools[pool].name),
        Event::Promoting(id) if has_lease(system, id) => format!(
            "{} takes the lease{}, is promoted",
            slot(id),
            of(system, id)
        ),
        Event::Promoting(id) => format!("{} is promoted{}", slot(id), of(system, id)),
        Event::LossDetected(pool) => format!("{}: loss detected", system.pools[pool].name),
        Event::PromotionVoid(id) => format!("promotion of {} is void", slot(id)),
        Event::FailoverFailed(pool) => {
            format!(
                "{}: failover fails, somebody is called",
                system.pools[pool].name
            )
        }
        Event::PutRight(pool) => format!("{} is put right", system.pools[pool].name),
        Event::AllLost(pool) => format!("{}: all members are lost", system.pools[pool].name),
        Event::FailsBack(id) => format!("{} takes the lead back", slot(id)),
        Event::HandsOver(id) => format!("the lead is handed over to {}", slot(id)),
        Event::WritesLost { pool, lag } => format!(
            "{}: what was written in the last {} before the fault is lost",
            system.pools[pool].name,
            exact_span(lag.as_secs_f64())
        ),
        Event::GoesOnAlone(pool) => {
            format!("{} goes on without a copy", system.pools[pool].name)
        }
        Event::ElectionBegins(pool) => format!("{} elects a leader", system.pools[pool].name),
        Event::MajorityLost(pool) => format!("{} has lost its majority", system.pools[pool].name),
        Event::ActivationFails(id) => {
            format!("{} is not activated, somebody is called", slot(id))
        }
        Event::Activating(id) => format!("{} is activated", slot(id)),
        Event::Activated(id) => format!("{} takes over", slot(id)),
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
    let expires = matches!(&campaign.work, CampaignWork::Change(change) if change.is_certificate);
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
        CampaignWork::Maintenance(work) => work
            .clocks
            .iter()
            .map(|&clock| {
                let name = system.clocks[clock].name.as_str();
                name.rsplit_once('.')
                    .map_or(name, |(component, _)| component)
            })
            .collect(),
        CampaignWork::Release(release) => names_of(&system.pools[release.pool].slots),
        CampaignWork::Change(change) => names_of(change.slots(system)),
    };
    let names = &names[first as usize..end as usize];
    let named = names[..names.len().min(NAMED)].join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// What a fault does, where its name does not say it: ` (crash)`, ` (5 times slower)`.
fn how(system: &System, clock: ClockId) -> String {
    let clock = &system.clocks[clock];
    let kind = system.faults[clock.fault].kind;
    let named_so = clock.name.ends_with(&format!(".{}", kind.word()));
    match kind {
        FaultKind::Slow { factor } => format!(" ({} times slower)", plain(factor)),
        FaultKind::Errors { share } => {
            format!(" ({}% of the attempts)", plain(100.0 * share))
        }
        FaultKind::Burst => match clock.component {
            Component::Workload(id) => {
                let factor = system.workloads[id].burst_factor();
                format!(" ({} times as many requests)", plain(factor))
            }
            _ => String::new(),
        },
        FaultKind::Loss { share } => format!(" ({}% is lost)", plain(100.0 * share)),
        FaultKind::Latency { factor, adds } => {
            let times = (factor > 1.0).then(|| format!("{} times slower", plain(factor)));
            let more =
                (!adds.is_zero()).then(|| format!("{} ms more", plain(1e3 * adds.as_secs_f64())));
            let both: Vec<String> = times.into_iter().chain(more).collect();
            format!(" ({})", both.join(" and "))
        }
        FaultKind::Outage(OutageKind::Errors) => " (answered with errors)".to_owned(),
        FaultKind::Outage(OutageKind::Silent) => " (no answer)".to_owned(),
        FaultKind::Outage(OutageKind::Refused) => " (connections refused)".to_owned(),
        FaultKind::Crash
        | FaultKind::Hang
        | FaultKind::Pause
        | FaultKind::Isolated
        | FaultKind::Power
        | FaultKind::Common
        | FaultKind::Partition
            if named_so =>
        {
            String::new()
        }
        FaultKind::Crash
        | FaultKind::Hang
        | FaultKind::Pause
        | FaultKind::Isolated
        | FaultKind::Power
        | FaultKind::Common
        | FaultKind::Partition
        | FaultKind::Maintenance
        | FaultKind::Rollout
        | FaultKind::Release
        | FaultKind::Configuration
        | FaultKind::Certificate => format!(" ({})", kind.word()),
    }
}

/// A number with at most six digits that count.
fn plain(number: f64) -> String {
    let digits = 5 - number.abs().max(1e-300).log10().floor().clamp(-9.0, 5.0) as i32;
    let text = format!("{number:.*}", digits as usize);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Whether the store of a slot chooses its leader by lease.
fn has_lease(system: &System, id: SlotId) -> bool {
    let Owner::Pool(pool) = system.slots[id].owner else {
        return false;
    };
    let PoolKind::Store { failover } = &system.pools[pool].kind else {
        return false;
    };
    !matches!(
        failover,
        Some(StoreFailover::Generic(_) | StoreFailover::Quorum(_))
    )
}

/// The crew that repairs the fault of `clock`.
fn crew(system: &System, clock: ClockId) -> &str {
    let repair = system.care.repairs.get(&system.clocks[clock].fault);
    let crew = repair.and_then(|repair| repair.crew);
    crew.map_or("somebody", |crew| &system.care.crews[crew].name)
}

/// ` of edge`, where the slot's own name does not say whose it is.
fn of(system: &System, id: SlotId) -> String {
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
