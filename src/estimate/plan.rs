//! What will be simulated, decided from the scenario and the seed alone, before anything runs.

use super::coalesce::Coalescence;
use super::periods::bounds_of;
use super::rare::Forcing;
use super::views::views;
use crate::ids::PoolId;
use crate::model::{
    ChannelTo, Component, Fault, FaultKind, Load, Method, Metric, OutlierDetection, Passive,
    QueueMeasure, Source, Start, System,
};
use crate::path::Cause;
use crate::time::{SimSpan, SimTime};
use crate::traffic::{BinSettings, Engine, TrafficSettings};

/// Replications in a block: the unit of folding, of looks and of shards.
pub const BLOCK: u64 = 1_024;

/// Groups in a block. Replication `i` of a block belongs to group `i % GROUPS`. A group is the unit
/// of parallel work and, for request figures, the independent unit whose scatter gives intervals.
pub const GROUPS: u64 = 32;

/// Slices of one sampled stretch of a regime, at least.
const SAMPLE_SLICES: u64 = 8;

/// Requests of each regime sampled by a block, at least.
const SAMPLE_REQUESTS: f64 = 10_000.0;

/// How traffic is simulated around transitions and between them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Windows {
    /// Requests that arrived this long before a transition can be touched by it: the longest a user
    /// waits.
    pub look_back: SimSpan,
    /// How long queues need to forget that they began empty, and balancers what they have learnt from
    /// their attempts.
    pub warm_up: SimSpan,
    /// How long after a transition requests still feel it.
    pub after: SimSpan,
    /// Whether a window goes on where overload outlives what began it.
    pub settles: bool,
    /// Whether control hears of probes that workers answer too late; without, overload does not act on it.
    pub hears: bool,
    /// Whether failures of load that samples see none of are looked for by splitting.
    pub splits: bool,
    /// Length of one sampled stretch of a regime, whole slices.
    pub sample: SimSpan,
}

/// What will be simulated.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// From which everything random follows.
    pub seed: u64,
    /// How requests are simulated.
    pub method: Method,
    /// First instant of the horizon.
    pub from: SimTime,
    /// The end of the horizon.
    pub to: SimTime,
    /// Whether histories begin in equilibrium; if not, nothing warms up before the horizon.
    pub steady: bool,
    /// How long before the horizon steady histories begin at least. Zero: as long as the system
    /// itself needs.
    pub lead: SimSpan,
    /// Whether regimes are sampled with random numbers that do not depend on the regime, at instants
    /// that designs have in common: for designs that are to be compared.
    pub common: bool,
    /// Whether histories without traffic are followed for the bounds of their downtime, see
    /// [`Brackets`](super::Brackets).
    pub brackets: bool,
    /// How many histories without traffic lend their quiet time to each group, at most; see
    /// [`lends`](super::lends).
    pub lenders: u64,
    /// How traffic is simulated by `windows`; for `exact` only `warm_up` is used.
    pub windows: Windows,
    /// What traffic needs to know.
    pub traffic: TrafficSettings,
    /// Which engine simulates requests; records do not depend on it.
    pub engine: Engine,
    /// In each block, the first so many replications have traffic.
    pub traffic_per_block: u64,
    /// How structural outages are forced; `None`: they come as often as they do.
    pub forcing: Option<Forcing>,
    /// What was measured of the warm-up; `None`: nothing.
    pub coalescence: Option<Coalescence>,
}

impl Plan {
    /// The plan for `system` with `method` and all spans worked out; `traffic_per_block` is the
    /// whole block, to be lowered by whoever knows the cost.
    ///
    /// For `windows`, every workload must have a patience; for the others a missing one counts as
    /// one hour where a span is needed.
    pub fn new(system: &System, load: &Load, seed: u64, method: Method) -> Self {
        let look_back = look_back(system).unwrap_or(SimSpan::from_secs(3_600));
        let slice = system
            .run
            .slice
            .unwrap_or_else(|| default_slice(load.rate_min));
        let warm_up = warm_up(system, load, true);
        let requests = (SAMPLE_REQUESTS / GROUPS as f64 / load.rate_min.max(1e-9)).ceil();
        // A sample stands for an hour where the load moves from hour to hour.
        let most = if system.has_steps() {
            3_600.0
        } else {
            f64::INFINITY
        };
        let sample_slices = (requests.min(most) / slice.as_secs_f64()).ceil() as u64;
        let mut bounds: Vec<SimSpan> = system
            .targets
            .iter()
            .filter_map(|target| match target.metric {
                Metric::Latency { .. }
                | Metric::Queue {
                    measure: QueueMeasure::Time { .. },
                    ..
                } => Some(SimSpan::from_secs_f64(target.bound)),
                Metric::Availability(_)
                | Metric::FullAvailability
                | Metric::TimeAvailability
                | Metric::StructuralAvailability
                | Metric::Downtime
                | Metric::StructuralDowntime
                | Metric::Outages
                | Metric::StructuralOutages
                | Metric::DowntimeExceeds(_)
                | Metric::StructuralDowntimeExceeds(_)
                | Metric::Periods(_)
                | Metric::Recovery { .. }
                | Metric::Queue { .. } => None,
            })
            .collect();
        bounds.sort_unstable();
        bounds.dedup();
        let bins = (method != Method::None)
            .then(|| bins(system, slice))
            .flatten();
        let windows = Windows {
            look_back,
            warm_up,
            after: look_back.saturating_add(warm_up),
            settles: true,
            hears: true,
            splits: true,
            sample: slice.saturating_mul(sample_slices.max(SAMPLE_SLICES)),
        };
        Self {
            seed,
            method,
            from: SimTime::START,
            to: SimTime::START + system.run.horizon,
            steady: system.run.start == Start::Steady,
            lead: SimSpan::ZERO,
            common: false,
            brackets: false,
            lenders: 0,
            windows,
            engine: Engine::Automatic,
            traffic: TrafficSettings {
                slice,
                bad_below: system.run.bad_below,
                settle: windows.after,
                bounds,
                bins,
            },
            traffic_per_block: if method == Method::None { 0 } else { BLOCK },
            forcing: None,
            coalescence: None,
        }
    }

    /// Warms up for as long as was `measured`, where that is longer than was worked out.
    pub fn heed(&mut self, measured: Coalescence) {
        let windows = &mut self.windows;
        windows.warm_up = windows.warm_up.max(measured.asks());
        windows.after = windows.look_back.saturating_add(windows.warm_up);
        self.traffic.settle = windows.after;
        self.coalescence = Some(measured);
    }

    /// The horizon in seconds.
    pub fn horizon_s(&self) -> f64 {
        self.to.since(self.from).as_secs_f64()
    }

    /// Requests of each regime that one group samples, at least.
    pub(super) fn sample_requests(&self) -> f64 {
        SAMPLE_REQUESTS / GROUPS as f64
    }

    /// The shortest sample.
    pub(super) fn least_sample(&self) -> SimSpan {
        self.traffic.slice.saturating_mul(SAMPLE_SLICES)
    }

    /// When traffic of an exact replication begins: `warm_up` before the horizon, or with it.
    pub fn traffic_from(&self) -> SimTime {
        if self.steady {
            self.from.before(self.windows.warm_up)
        } else {
            self.from
        }
    }

    /// Index of the slice that contains `at`.
    pub fn slice_index(&self, at: SimTime) -> u64 {
        at.as_nanos() / self.traffic.slice.as_nanos()
    }

    /// The start of the slice that contains `at`.
    pub fn slice_start(&self, at: SimTime) -> SimTime {
        let slice = self.traffic.slice.as_nanos();
        SimTime::from_nanos(at.as_nanos() / slice * slice)
    }

    /// The first slice border at or after `at`.
    pub fn slice_end(&self, at: SimTime) -> SimTime {
        let slice = self.traffic.slice.as_nanos();
        SimTime::from_nanos(at.as_nanos().div_ceil(slice).saturating_mul(slice))
    }
}

/// How requests are counted by time for targets on periods of requests; `None` without such a target.
/// A border of a period is never inside a bin, and a rolling period moves in steps of a thousandth of
/// the shortest one, or of a slice.
fn bins(system: &System, slice: SimSpan) -> Option<BinSettings> {
    const STEPS: u64 = 1_000;
    let lengths = bounds_of(system)
        .filter(|(_, bound)| bound.measure.source() == Source::Requests)
        .map(|(_, bound)| bound.over.length().unwrap_or(system.run.horizon))
        .map(|length| (length.as_nanos() / slice.as_nanos()).max(1));
    let block = lengths.reduce(common_divisor)?;
    let most = (block / STEPS).max(1);
    let bin = (1..=most).rev().find(|bin| block.is_multiple_of(*bin));
    Some(BinSettings {
        origin: SimTime::START.as_nanos() / slice.as_nanos(),
        bin: bin.unwrap_or(1),
        block,
        planned: Cause::planned(system),
        views: views(system).map(|view| view.mask(system)).collect(),
    })
}

/// Euclid.
fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The longest a request can be in progress: the longest patience; `None` if a workload has none.
pub fn look_back(system: &System) -> Option<SimSpan> {
    system
        .workloads
        .iter()
        .map(|workload| workload.patience.as_ref())
        .try_fold(SimSpan::ZERO, |longest, patience| {
            patience.map(|patience| longest.max(patience.longest()))
        })
}

/// The shortest of 1 s, 10 s and 1 min that expects at least 100 requests at `rate_min` per second.
fn default_slice(rate_min: f64) -> SimSpan {
    let enough = |secs: &u64| rate_min * *secs as f64 >= 100.0;
    SimSpan::from_secs([1, 10].into_iter().find(enough).unwrap_or(60))
}

/// The largest factor by which one fault slows a slot of `pool` down; 1 if there is none.
fn slowest(system: &System, pool: PoolId) -> f64 {
    let touches = |component: Component| {
        system.pools[pool]
            .slots
            .iter()
            .any(|&slot| match component {
                Component::Slot(id) => id == slot,
                Component::Node(id) => system.slots[slot].node == Some(id),
                // These are not slowed down themselves.
                Component::Domain(_)
                | Component::Pool(_)
                | Component::Balancer(_)
                | Component::Link(_)
                | Component::Common(_)
                | Component::Workload(_) => false,
            })
    };
    let mut slowest = 1.0_f64;
    for clock in &system.clocks {
        if let FaultKind::Slow { factor } = system.faults[clock.fault].kind
            && touches(clock.component)
        {
            slowest = slowest.max(factor);
        }
    }
    slowest
}

/// How long queues need to forget an empty start.
///
/// For a pool of c workers of rate mu at utilisation rho the relaxation time of M/M/c is about
/// 1 / (mu c (1 - sqrt(rho))^2) (Blanc and van Doorn 1984 for c = 1), below and above saturation.
/// Ten of them leave 5e-5 of the difference. It is taken at the busiest time, with all slots and, if
/// `one_missing`, with one less, and at the pace of the slowest fault. Near saturation it grows without bound, but a
/// queue that impatient users leave, that refuses after a time, or that is bounded, moves only between
/// empty and full: K places of it relax as a diffusion in about K^2 / (pi^2 mu c), after it has been
/// filled once. What waits at a slot that hangs or is paused is as much as ever when the first user has
/// left. Connections that wait in a line are queued for in the same way; how many are open depends on
/// what happened within the last `idle_timeout`, which comes on top; so do two turns of members that are
/// left alone after failures.
pub fn warm_up(system: &System, load: &Load, one_missing: bool) -> SimSpan {
    /// The share of waits that `queue_timeout` ends that are taken to end there.
    const LONGEST_WAIT: f64 = 0.999;
    let patience = look_back(system).map_or(f64::INFINITY, SimSpan::as_secs_f64);
    let mut longest: f64 = 1.0;
    let stuck = |fault: &Fault| matches!(fault.kind, FaultKind::Hang | FaultKind::Pause);
    if patience.is_finite() && system.faults.iter().any(stuck) {
        longest = longest.max(patience);
    }
    let mut users = 0.0;
    for workload in &system.workloads {
        let Some(closed) = &workload.users else {
            users = f64::INFINITY;
            continue;
        };
        users += f64::from(closed.count);
        // A window begins with everybody thinking. Who waits and who thinks is forgotten as fast as
        // users go round, and a long thought in progress is forgotten when it ends.
        let think = closed.think.mean();
        let round = think + if patience.is_finite() { patience } else { 0.0 };
        longest = longest.max(10.0 * round).max(closed.think.quantile(0.999));
    }
    for (id, pool) in system.pools.pairs() {
        let loaded = &load.pools[id];
        let slowest = slowest(system, id);
        longest = longest.max(10.0 * loaded.hold_mean * slowest);
        let (Some(workers), Some(rho)) = (pool.workers, loaded.utilisation_max) else {
            continue;
        };
        let longest_wait = pool
            .queue_timeout
            .as_ref()
            .map_or(f64::INFINITY, |wait| wait.quantile(LONGEST_WAIT));
        // Messages wait for as long as it takes.
        let patience = if system.queues.iter().any(|queue| queue.consumer == id) {
            f64::INFINITY
        } else {
            patience
        };
        let station = Station {
            slots: pool.active() as f64,
            each: loaded.hold_mean / f64::from(workers),
            rho,
            places: pool.queue.map_or(f64::INFINITY, f64::from),
            longest_wait: patience.min(longest_wait),
            slowest,
            users,
            burst: loaded.burst_factor,
            one_missing,
        };
        longest = longest.max(station.forgets_in());
    }
    let mut idle = SimSpan::ZERO;
    let openings = system.openings();
    for (id, channel) in system.channels.pairs() {
        let loaded = load.channels[id];
        idle = idle.max(channel.idle_timeout);
        longest = longest.max(10.0 * (openings[id] + channel.setup.mean()));
        let Some(max) = channel.max.map(f64::from) else {
            continue;
        };
        let callers = system.pools[channel.from].active() as f64;
        let addresses = channel.addresses_in_use(system) as f64;
        let slowest = match channel.to {
            ChannelTo::Pool(pool) => slowest(system, pool),
            ChannelTo::Balancer(balancer) => slowest(system, system.balancers[balancer].to),
        };
        let longest_wait = channel.wait.map_or(f64::INFINITY, SimSpan::as_secs_f64);
        let station = Station {
            slots: callers,
            each: loaded.hold_mean / max,
            rho: loaded.rate_max * loaded.hold_mean / (callers * addresses * max),
            places: channel.queue.map_or(f64::INFINITY, f64::from),
            longest_wait: patience.min(longest_wait),
            slowest,
            users,
            burst: load.pools[channel.from].burst_factor,
            one_missing,
        };
        longest = longest.max(station.forgets_in());
    }
    // From the failure that counts to the end of a test, twice.
    let tests = passive_turn(system).saturating_mul(2).max(ejection(system));
    SimSpan::from_secs_f64(longest.ceil())
        .saturating_add(idle)
        .saturating_add(tests)
}

/// How long a member is away that is ejected once, at the longest; zero where none is.
fn ejection(system: &System) -> SimSpan {
    let rules = system.balancers.iter();
    let rules = rules.filter_map(|one| one.outlier_detection.as_ref());
    let away = |rule: &OutlierDetection| rule.base_ejection_time.saturating_add(rule.interval);
    rules.map(away).max().unwrap_or(SimSpan::ZERO)
}

/// From one test of a member that its balancer leaves alone to the next, at the longest; zero where none
/// does.
fn passive_turn(system: &System) -> SimSpan {
    let rules = system.balancers.iter().filter_map(|one| one.passive);
    let turn = |rule: Passive| rule.fail_timeout.saturating_add(SimSpan::from_secs(1));
    rules.map(turn).max().unwrap_or(SimSpan::ZERO)
}

/// One of several alike places where requests wait.
struct Station {
    slots: f64,
    /// Seconds between two departures while all workers are busy.
    each: f64,
    rho: f64,
    /// Of its queue.
    places: f64,
    /// Seconds.
    longest_wait: f64,
    /// How many times as long its work takes in the slowest fault.
    slowest: f64,
    /// Who may be there at most.
    users: f64,
    /// How many times as much comes in a burst.
    burst: f64,
    /// Whether one of the places may be lost.
    one_missing: bool,
}

impl Station {
    /// For queues that nothing bounds, close to saturation: a day.
    const LONGEST: f64 = 86_400.0;

    /// Seconds until it has forgotten that it began empty.
    fn forgets_in(&self) -> f64 {
        let Self {
            slots,
            each,
            rho,
            slowest,
            burst,
            ..
        } = *self;
        let places = self
            .places
            .min(self.longest_wait / each.max(1e-12))
            .min(self.users);
        let diffusion = 10.0 * places * places * each / std::f64::consts::PI.powi(2);
        let bound = (diffusion + 2.0 * places * each).min(Self::LONGEST);
        let missing = if self.one_missing && slots > 1.0 {
            rho * slots / (slots - 1.0)
        } else {
            rho
        };
        let mut longest = 0.0_f64;
        if burst > 1.0 && rho < 1.0 {
            // What a burst has piled up has to be worked off.
            let backlog = places.min(1e9) * each / (1.0 - rho);
            longest = longest.max(backlog.min(bound));
        }
        let cases = [
            (rho, 1.0),
            (missing, 1.0),
            (rho * slowest, slowest),
            (rho * burst, 1.0),
        ];
        for (rho, pace) in cases {
            let relaxation = each * pace / (1.0 - rho.sqrt()).powi(2).max(1e-12);
            longest = longest.max((10.0 * relaxation).min(bound * pace));
        }
        longest
    }
}
