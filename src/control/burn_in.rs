//! How long a steady history runs before its horizon.
//!
//! The fault clocks begin in equilibrium and stay in it; what is derived from them (slots that are
//! starting, verdicts of probes, the holder of an address, the leader of a store) begins as if every
//! fault in progress were already noticed by nobody and every slot without one had long been running.
//! It is right as soon as everything that was under way at the first instant has ended: a start, then
//! the probes that see it, a takeover that may have to wait for the start. The burn-in is the sum of
//! these stages, each at its longest over all components and long enough that one start or decision in
//! a thousand is longer (and at least five means, for heavy tails), and at least ten minutes. Only a
//! component that was in such a stage at the first instant can be late at all, so the error is below a
//! thousandth of the share of time spent starting. Thirty days are the most: what starts for longer
//! than that is out of scope.
//!
//! Two more stages where the file has them: faults that answer some attempts with errors are noticed by
//! probes after a number of them, five times the mean at most, or not before they are over; and clocks
//! that run only while their component does are in equilibrium when the longest fault has ended. One
//! that comes and goes has forgotten after ten turns, or with its end, in which one it began.
//!
//! Handling (`care.rs`) ties clocks to each other, and there is no equilibrium law to begin with: each
//! clock begins as if it had a crew, parts and attention of its own, and nothing were common. What is
//! wrong with that fades as queues of repairs forget their past. A crew at utilisation rho, with repairs
//! of mean m, forgets in about m / (1 - sqrt(rho))^2 (Blanc and van Doorn 1984, as for queues of
//! requests), and no slower than the components that ask for it fail; ten of these times leave 5e-5.
//! One notice, repair and part at its longest come on top. Three hundred days are the most: a crew
//! that is behind for years begins with too few waiting. What stands by does not grow old, or slower:
//! its age is that of a component that never stood by, which is right only if failures come without
//! memory, and is forgotten only in a lifetime; no burn-in is long enough for that.
//!
//! No campaign is in progress at the first instant, so the burn-in also has room for the longest one:
//! whatever is in progress when the horizon begins has begun in the burn-in.
//!
//! Without anything derived there is no burn-in: the first instant is already in equilibrium.

use super::Detail;
use super::plan::follows_lease;
use crate::ids::{Id, PeopleId};
use crate::model::{
    Campaign, CampaignWork, ClockRuns, Component, Fault, FaultClock, FaultKind, Handling, Link,
    PoolKind, Roll, StoreFailover, System, Work,
};
use crate::random::Dist;
use crate::time::SimSpan;

/// Ten minutes: a few events at most, and longer than any usual detection.
const SHORTEST: SimSpan = SimSpan::from_secs(600);
/// Thirty days: the clock has 364 before the horizon.
const LONGEST: SimSpan = SimSpan::from_secs(30 * 86_400);

/// The same for queues of repairs.
const LONGEST_HANDLING: SimSpan = SimSpan::from_secs(300 * 86_400);

/// A span that is hardly ever exceeded, seconds.
fn long(dist: &Dist) -> f64 {
    dist.quantile(0.999).max(5.0 * dist.mean())
}

/// Until probes have seen a fault that they see by chance, seconds.
fn by_chance(system: &System, detail: Detail) -> f64 {
    let mut longest = 0.0_f64;
    for probes in system
        .balancers
        .iter()
        .filter_map(|one| one.probes.as_ref())
    {
        // Probes until so many in a row end alike, each with probability q.
        let row = |q: f64, n: u32| (q.powi(-(n as i32)) - 1.0) / (1.0 - q).max(1e-9);
        let interval = probes.interval.as_secs_f64();
        // What is always lost on a link takes members down now and then: as long as they need to return.
        let always = |link: &&Link| detail == Detail::Full && link.loss > 0.0;
        for link in system.links.iter().filter(always) {
            let passes = (1.0 - link.loss).powi(2);
            longest = longest.max(5.0 * row(passes, probes.rise) * interval);
        }
        for fault in system.faults.iter().filter(|_| detail == Detail::Full) {
            let share = match fault.kind {
                FaultKind::Errors { share } => share,
                // There or back.
                FaultKind::Loss { share } => 1.0 - (1.0 - share).powi(2),
                _ => continue,
            };
            let probed = row(share, probes.fall).max(row(1.0 - share, probes.rise));
            let mean = probed * interval;
            longest = longest.max((5.0 * mean).min(long(&fault.lasts)));
        }
    }
    longest
}

/// Until clocks that run only while their component does are in equilibrium, seconds.
fn operating(system: &System) -> f64 {
    let operating = |fault: &Fault| fault.runs == ClockRuns::Operating;
    if !system.faults.iter().any(operating) {
        return 0.0;
    }
    let faults = system.faults.iter();
    faults.map(|fault| long(&fault.lasts)).fold(0.0, f64::max)
}

/// Until it is forgotten that no process was waiting to be restarted, seconds.
fn restarting(system: &System) -> f64 {
    let mut longest = 0.0_f64;
    for restart in &system.care.restarts {
        let own = |clock: &&FaultClock| match clock.component {
            Component::Slot(slot) => restart.slots.first() == Some(&slot),
            _ => false,
        };
        let faults = system.clocks.iter().filter(own);
        let every = faults
            .map(|clock| system.faults[clock.fault].every.mean())
            .fold(f64::INFINITY, f64::min);
        let (first, cap) = (restart.first.as_secs_f64(), restart.cap.as_secs_f64());
        let person = match &restart.person {
            Handling::Drawn(dist) => long(dist),
            Handling::People(people) => long_steps(system, *people),
        };
        // Until a start works in a thousand rows of starts but one.
        let rows = if restart.starts_fail > 0.0 {
            1e-3_f64.ln() / restart.starts_fail.ln()
        } else {
            1.0
        };
        longest = longest.max(rows * cap + person);
        // The pause remembers ends that follow each other soon, up to the longest pause.
        let soon = 1.0 - (-restart.resets_after.as_secs_f64() / every).exp();
        if soon > 1e-3 && every.is_finite() {
            let steps = 1.0 + (cap / first).ln() / restart.factor.max(1.01).ln();
            longest = longest.max(5.0 * steps.min(1.0 / (1.0 - soon).max(1e-9)) * (every + cap));
        }
    }
    longest
}

/// What people need for all their steps, hardly ever exceeded, seconds.
fn long_steps(system: &System, people: PeopleId) -> f64 {
    let steps = system.care.people[people].steps.iter();
    steps
        .map(|[by_day, by_night]| long(by_day).max(long(by_night)))
        .sum()
}

/// Until a fault in progress that comes and goes has forgotten how the history began, seconds.
fn flapping(system: &System) -> f64 {
    let flaps = system.care.flaps.iter().map(|(&fault, flaps)| {
        let turns = 10.0 * (long(&flaps.down) + long(&flaps.up));
        turns.min(long(&system.faults[fault].lasts))
    });
    flaps.fold(0.0, f64::max)
}

/// How long one occurrence of `campaign` can last, if every start takes `start`.
fn campaign_lasts(system: &System, campaign: &Campaign, start: f64) -> f64 {
    match &campaign.work {
        CampaignWork::Maintenance(work) => {
            let each = campaign.lead().as_secs_f64() + long(&work.lasts) + start;
            match work.one_by_one {
                Some(pause) => work.clocks.len() as f64 * (each + pause.as_secs_f64()),
                None => each,
            }
        }
        CampaignWork::Release(work) => {
            let slots = system.pools[work.pool].slots.len() as f64;
            let waves = |roll: Roll| {
                let each = start + roll.pause.as_secs_f64();
                (slots / f64::from(roll.at_once)).ceil() * each
            };
            let drains = slots * work.drain.unwrap_or(SimSpan::ZERO).as_secs_f64();
            waves(work.rolls) + drains + long(&work.noticed_in) + waves(work.rolls_back)
        }
        CampaignWork::Change(work) => {
            long(&work.spreads_in) + long(&work.noticed_in) + long(&work.reverted_in)
        }
    }
}

/// The length of the burn-in of `system`.
pub(super) fn burn_in(system: &System, detail: Detail) -> SimSpan {
    let pools = system.pools.iter().map(|pool| &pool.starts_in);
    let starts = pools.chain(system.balancers.iter().map(|balancer| &balancer.starts_in));
    let start = starts.map(long).fold(0.0, f64::max);
    let (mut probe, mut takeover, mut lead) = (0.0_f64, 0.0_f64, 0.0_f64);
    if detail == Detail::Full {
        for balancer in &system.balancers {
            if let Some(probes) = &balancer.probes {
                let results = f64::from(probes.rise.max(probes.fall)) + 2.0;
                probe = probe.max(results * probes.interval.as_secs_f64());
            }
            if let Some(vrrp) = &balancer.failover {
                // Master-down time, and one interval for two masters to become one.
                takeover = takeover.max(5.0 * vrrp.advert_int.as_secs_f64());
            }
        }
    }
    let mut activation = 0.0_f64;
    for (id, pool) in system.pools.pairs() {
        if let Some(standby) = &pool.standby {
            activation = activation.max(long(&standby.activates_in));
            activation = activation.max(match &standby.rescue {
                Some(Handling::Drawn(dist)) => long(dist),
                Some(Handling::People(people)) => long_steps(system, *people),
                None => 0.0,
            });
        }
        if let PoolKind::Store {
            failover: Some(failover),
        } = &pool.kind
            && follows_lease(system, detail, id)
        {
            lead = lead.max(match failover {
                StoreFailover::Lease(lease) => {
                    let changes = long(&lease.decides_in)
                        + long(&lease.promotes_in)
                        + lease.switchover.as_ref().map_or(0.0, long);
                    lease.ttl.as_secs_f64() + changes
                }
                StoreFailover::Generic(generic) => {
                    let detected = long(&generic.detect) + long(&generic.decide);
                    let back = generic.failback.as_ref();
                    let back = back.map_or(0.0, |back| long(&back.after) + long(&back.takes));
                    detected + long(&generic.promote) + back
                }
                StoreFailover::Quorum(quorum) => {
                    long(&quorum.elects_in).max(quorum.switchover.as_ref().map_or(0.0, long))
                }
            });
        }
    }
    let campaigns = system.campaigns.iter();
    let campaign = campaigns
        .map(|campaign| campaign_lasts(system, campaign, start))
        .fold(0.0, f64::max);
    let sum = start
        + probe
        + by_chance(system, detail)
        + takeover
        + lead
        + activation
        + operating(system)
        + flapping(system)
        + restarting(system)
        + campaign;
    let handling = SimSpan::from_secs_f64(handling(system).min(1e9)).min(LONGEST_HANDLING);
    if sum == 0.0 && handling.is_zero() {
        return SimSpan::ZERO;
    }
    let derived = SimSpan::from_secs_f64(sum).clamp(SHORTEST, LONGEST);
    handling.saturating_add(derived)
}

/// How long queues of repairs need to forget how they began, seconds; 0 without any.
fn handling(system: &System) -> f64 {
    let care = &system.care;
    let mut longest = 0.0_f64;
    // By crew: utilisation, mean repair weighted by it, mean time to failure of the one that lives longest.
    let mut load = vec![(0.0_f64, 0.0_f64, 0.0_f64); care.crews.len()];
    let of_people = |people: PeopleId| long_steps(system, people);
    for clock in &system.clocks {
        let fault = &system.faults[clock.fault];
        let Some(repair) = care.repairs.get(&clock.fault) else {
            continue;
        };
        let work = match repair.work {
            Work::Lasts => long(&fault.lasts),
            Work::People(people) => of_people(people),
        };
        let notice = match &repair.noticed_in {
            Handling::Drawn(dist) => long(dist),
            Handling::People(people) => of_people(*people),
        };
        let parts = repair.spares.as_ref().map_or(0.0, |spares| {
            f64::from(spares.count) * long(&spares.replaced_in)
        });
        longest = longest.max(work + notice + parts);
        if let Some(crew) = repair.crew {
            let (every, lasts) = (fault.every.mean(), fault.lasts.mean());
            let share = lasts / (every + lasts) / f64::from(care.crews[crew].count);
            let (rho, mean, life) = &mut load[crew.index()];
            *rho += share;
            *mean += share * lasts;
            *life = life.max(every);
        }
    }
    for common in &care.commons {
        for &hit in &common.hits {
            longest = longest.max(long(&system.faults[system.clocks[hit].fault].lasts));
        }
    }
    let takeovers = system.balancers.iter();
    for rescue in takeovers.filter_map(|balancer| balancer.failover.as_ref()?.rescue.as_ref()) {
        longest = longest.max(match rescue {
            Handling::Drawn(dist) => long(dist),
            Handling::People(people) => of_people(*people),
        });
    }
    for pool in &system.pools {
        if let PoolKind::Store {
            failover: Some(StoreFailover::Generic(generic)),
        } = &pool.kind
            && let Some(rescue) = &generic.rescue
        {
            longest = longest.max(match &rescue.takes {
                Handling::Drawn(dist) => long(dist),
                Handling::People(people) => of_people(*people),
            });
        }
        // Who stands by when the history begins follows from who is being repaired.
        let own = |clock: &&FaultClock| match clock.component {
            Component::Slot(slot) => pool.standby.is_some() && pool.slots.contains(&slot),
            _ => false,
        };
        for clock in system.clocks.iter().filter(own) {
            longest = longest.max(long(&system.faults[clock.fault].lasts));
        }
    }
    let forget = load.iter().map(|&(rho, weighted, life)| {
        let mean = if rho > 0.0 { weighted / rho } else { 0.0 };
        let relaxation = mean / (1.0 - rho.sqrt()).powi(2).max(1e-12);
        10.0 * if rho < 1.0 {
            relaxation.min(life)
        } else {
            life
        }
    });
    longest + forget.fold(0.0, f64::max)
}
