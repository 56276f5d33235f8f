//! How near requests are to failing of load: the importance by which trajectories are split.
//!
//! For each way to fail, the chance of it is guessed from the state, as its negative logarithm:
//!
//! * A queue with `m` places, workers included, of which `n` are taken, is full after `m - n` more arrivals than
//!   departures: `(m - n) ln(1/rho)` at utilisation `rho`.
//! * A request that has been in progress for `e`, and has `r` departures before it at a slot from which one leaves
//!   every `s` when all workers are busy, is later than `d` if these take more than `d - e`. With `x = (d - e)/s`
//!   it is Cramer's rate of exponential times, `x - r + r ln(r/x)`; 0 where `r >= x`.
//! * One that is yet to come may find a longer queue: the queue grows by one at the cost of `ln(1/rho)`, which is
//!   worth it up to `rho x` of them, and together `x (1 - rho) - n ln(1/rho)`.
//!
//! The least of these, over the least of an empty system, is how far away a failure is; one minus it the importance.
//! It says where to split, and nothing else: whatever is wrong with it makes figures less precise, not wrong.

use super::Traffic;
use super::frames::{Kind, NONE, State};
use super::stretch::{Station, Stretch};
use crate::ids::{Id, IdVec, JourneyId, SlotId};
use crate::model::{Load, System};
use crate::path::{Regime, SlotState};
use crate::time::{SimSpan, SimTime};

/// The least and the most utilisation that is believed: beyond, importance would not grow with the queue.
const UTILISATION: (f64, f64) = (0.02, 0.95);

/// A slot at which requests wait.
#[derive(Clone, Debug)]
struct Place {
    slot: SlotId,
    workers: f64,
    /// Workers and queue together; infinite without a limit.
    places: f64,
    /// ln(1/rho).
    growth: f64,
    rho: f64,
    /// Departures a nanosecond while all workers are busy.
    pace: f64,
    /// How long the shortest of its requests may take, nanoseconds; infinite if all may take any time.
    deadline: f64,
}

/// Where requests of a system can fail of load, in one regime.
#[derive(Clone, Debug)]
pub struct Importance {
    places: Vec<Place>,
    /// The row of `places` by slot; [`NONE`] for others.
    rows: IdVec<SlotId, u32>,
    /// How long a request of each journey may take, nanoseconds.
    journeys: IdVec<JourneyId, f64>,
    /// How long a call at each position of the plan may take, all attempts together, nanoseconds.
    sites: Vec<f64>,
    /// Whether any place has a deadline that matters.
    deadlines: bool,
    /// Of an empty system.
    whole: f64,
}

/// The negative logarithm of the chance that `r` exponential times of mean 1 take more than `x`, about.
#[inline]
fn late(x: f64, r: f64) -> f64 {
    if r >= x {
        0.0
    } else {
        x - r + r * (r / x).ln()
    }
}

impl Place {
    /// That somebody fails who is yet to come, with `n` in front.
    #[inline]
    fn of_others(&self, n: f64) -> f64 {
        let full = (self.places - n).max(0.0) * self.growth;
        full.min(self.grown(n))
    }

    /// That somebody is late who is yet to come.
    #[inline]
    fn grown(&self, n: f64) -> f64 {
        if self.deadline == f64::INFINITY {
            return f64::INFINITY;
        }
        let x = self.deadline * self.pace;
        let r = (n + 1.0 - self.workers).max(0.0) + self.workers;
        let grown = if r <= self.rho * x {
            x * (1.0 - self.rho) - r * self.growth
        } else {
            late(x, r)
        };
        grown.max(0.0)
    }
}

impl Importance {
    /// Of `system` in `regime`; `None` if no request can fail of load there.
    pub fn new(traffic: &Traffic<'_>, system: &System, regime: &Regime) -> Option<Self> {
        let plan = &traffic.plan;
        let load = Load::of(system);
        let span = |span: SimSpan| match span {
            SimSpan::MAX => f64::INFINITY,
            span => span.as_nanos() as f64,
        };
        let journeys: IdVec<JourneyId, f64> = plan
            .journeys
            .iter()
            .map(|journey| span(journey.good_within))
            .collect();
        let mut sites = Vec::with_capacity(plan.calls.len());
        let mut of_pools = IdVec::filled(f64::INFINITY, system.pools.len());
        let shortest = journeys.iter().copied().fold(f64::INFINITY, f64::min);
        for (call, &id) in plan.calls.iter().zip(&plan.sequence) {
            let timeout = system.calls[id].timeout.map_or(f64::INFINITY, span);
            let most = timeout * (f64::from(call.retries) + 1.0);
            sites.push(most);
            let own: &mut f64 = &mut of_pools[call.pool];
            *own = own.min(most).min(shortest);
        }
        for (id, pool) in system.pools.pairs() {
            if let Some(wait) = &pool.queue_timeout {
                of_pools[id] = of_pools[id].min(wait.mean() * 1e9);
            }
        }
        let mut places = Vec::new();
        let mut rows = IdVec::filled(NONE, system.slots.len());
        for (id, pool) in system.pools.pairs() {
            let (Some(workers), row) = (pool.workers, &load.pools[id]) else {
                continue;
            };
            let serves = |&&slot: &&SlotId| regime.slots[slot] == SlotState::Serving;
            let serving = pool.slots.iter().filter(serves).count().max(1) as f64;
            let busy = row.rate_max * row.hold_mean / (serving * f64::from(workers));
            let rho = busy.clamp(UTILISATION.0, UTILISATION.1);
            if busy.is_nan() || busy <= 0.0 {
                continue;
            }
            for &slot in pool.slots.iter().filter(serves) {
                rows[slot] = places.len() as u32;
                places.push(Place {
                    slot,
                    workers: f64::from(workers),
                    places: pool
                        .queue
                        .map_or(f64::INFINITY, |queue| f64::from(queue) + f64::from(workers)),
                    growth: -rho.ln(),
                    rho,
                    pace: f64::from(workers) / (row.hold_mean * 1e9),
                    deadline: of_pools[id],
                });
            }
        }
        let empty = places.iter().map(|place| place.of_others(0.0));
        let whole = empty.fold(f64::INFINITY, f64::min);
        // What is twice as far away as the nearest way to fail says nothing.
        for place in &mut places {
            if place.grown(0.0) > 2.0 * whole {
                place.deadline = f64::INFINITY;
            }
        }
        let deadlines = places.iter().any(|place| place.deadline < f64::INFINITY);
        // Also where a pool without a limit of time or place is all there is.
        (whole.is_finite() && whole > 0.0).then_some(Self {
            places,
            rows,
            journeys,
            sites,
            deadlines,
            whole,
        })
    }
}

impl Importance {
    /// What a change takes with a look at the state after it, by one of a small system.
    pub fn cost(&self) -> f64 {
        1.0 + self.places.len() as f64 / 16.0
    }
}

impl Traffic<'_> {
    /// How near the requests in progress are to failing of load: from 0, of an empty system, to 1. By events
    /// only.
    pub fn importance(&self, by: &Importance) -> f64 {
        let stretch = &self.stretch;
        let mut least = by.whole;
        for place in &by.places {
            let station = &stretch.stations[place.slot];
            least = least.min(place.of_others(stretch.present(station)));
            if place.deadline == f64::INFINITY {
                continue;
            }
            let (mut next, mut before) = (station.first, 1.0 + place.workers);
            while next != NONE {
                stretch.look_at(by, place, (next, before), &mut least);
                next = stretch.frames[next].after;
                before += 1.0;
            }
        }
        if !by.deadlines {
            return 1.0 - least / by.whole;
        }
        // Those in work, who are late though nothing is in front of them.
        let stations = by.places.iter().map(|place| &stretch.stations[place.slot]);
        let mut working: u32 = stations.map(|station| station.busy).sum();
        for (index, frame) in (0..).zip(stretch.frames.cells()) {
            if working == 0 {
                break;
            }
            if frame.kind != Kind::Attempt || frame.state != State::Working {
                continue;
            }
            let row = by.rows[SlotId::from_index(frame.slot as usize)];
            if let Some(place) = by.places.get(row as usize) {
                stretch.look_at(by, place, (index, place.workers), &mut least);
                working -= 1;
            }
        }
        1.0 - least / by.whole
    }
}

impl Stretch<'_> {
    /// Requests at a slot.
    fn present(&self, station: &Station) -> f64 {
        match self.shared.get(station.more as usize) {
            Some(shared) if station.workers == 0 => shared.in_work() as f64,
            _ => f64::from(station.busy + station.waiting),
        }
    }

    /// How far an attempt with so many departures in front of its end is from being late, for whoever waits
    /// for it, if that is less than `least`.
    fn look_at(
        &self,
        by: &Importance,
        place: &Place,
        (attempt, before): (u32, f64),
        least: &mut f64,
    ) {
        let mut look = |allowed: f64, since: SimTime| {
            let x = (allowed - self.now.since(since).as_nanos() as f64) * place.pace;
            // It is more than (x - r)^2 / 2x: a logarithm less for most.
            let beyond = x - before;
            if beyond <= 0.0 {
                *least = 0.0;
            } else if beyond * beyond < 2.0 * x * *least {
                *least = least.min(late(x, before));
            }
        };
        let mut caller = self.frames[attempt].parent;
        while caller != NONE {
            let frame = &self.frames[caller];
            if frame.kind == Kind::Request {
                let journey = JourneyId::from_index(frame.what as usize);
                look(by.journeys[journey], frame.since);
            }
            if let Some(&allowed) = by.sites.get(frame.position as usize)
                && allowed < f64::INFINITY
            {
                look(allowed, frame.call_from);
            }
            caller = frame.parent;
        }
    }
}
