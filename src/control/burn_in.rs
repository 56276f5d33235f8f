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
//! No campaign is in progress at the first instant, so the burn-in also has room for the longest one:
//! whatever is in progress when the horizon begins has begun in the burn-in.
//!
//! Without anything derived there is no burn-in: the first instant is already in equilibrium.

use super::Detail;
use super::plan::follows_lease;
use crate::model::{Campaign, PoolKind, Roll, System, Work};
use crate::random::Dist;
use crate::time::SimSpan;

/// Ten minutes: a few events at most, and longer than any usual detection.
const SHORTEST: SimSpan = SimSpan::from_secs(600);
/// Thirty days: the clock has 364 before the horizon.
const LONGEST: SimSpan = SimSpan::from_secs(30 * 86_400);

/// A span that is hardly ever exceeded, seconds.
fn long(dist: &Dist) -> f64 {
    dist.quantile(0.999).max(5.0 * dist.mean())
}

/// How long one occurrence of `campaign` can last, if every start takes `start`.
fn campaign_lasts(system: &System, campaign: &Campaign, start: f64) -> f64 {
    match &campaign.work {
        Work::Maintenance(work) => {
            let each = campaign.lead().as_secs_f64() + long(&work.lasts) + start;
            match work.one_by_one {
                Some(pause) => work.clocks.len() as f64 * (each + pause.as_secs_f64()),
                None => each,
            }
        }
        Work::Release(work) => {
            let slots = system.pools[work.pool].slots.len() as f64;
            let waves = |roll: Roll| {
                let each = start + roll.pause.as_secs_f64();
                (slots / f64::from(roll.at_once)).ceil() * each
            };
            let drains = slots * work.drain.unwrap_or(SimSpan::ZERO).as_secs_f64();
            waves(work.rolls) + drains + long(&work.noticed_in) + waves(work.rolls_back)
        }
        Work::Change(work) => {
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
    for (id, pool) in system.pools.pairs() {
        if let PoolKind::Store {
            failover: Some(lease),
        } = &pool.kind
            && follows_lease(system, detail, id)
        {
            let changes = long(&lease.decides_in) + long(&lease.promotes_in);
            lead = lead.max(lease.ttl.as_secs_f64() + changes);
        }
    }
    let campaigns = system.campaigns.iter();
    let campaign = campaigns
        .map(|campaign| campaign_lasts(system, campaign, start))
        .fold(0.0, f64::max);
    let sum = start + probe + takeover + lead + campaign;
    if sum == 0.0 {
        return SimSpan::ZERO;
    }
    SimSpan::from_secs_f64(sum).clamp(SHORTEST, LONGEST)
}
