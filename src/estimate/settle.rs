//! Whether traffic has settled when a window should end. Overload can outlive what began it: retries and
//! backlog feed themselves, and a sample from an empty start says nothing of that. Such a window goes on,
//! request by request, until no more is in progress than in the regime itself
//! (metastable failures: Bronson et al., HotOS 2021).
//!
//! The same sample says whether balancers leave out members of a regime that have no worker free for
//! their probes, or eject some for what came of attempts: then it is no quiet one, and is simulated request by request,
//! on one clock with control (`coupled`).
//!
//! What is looked at is the work in progress. Only where it is far more than before the windows of the
//! same history is the regime sampled for how much is usual in it, so that nothing is paid for by others.

use super::by_regime::ByRegime;
use super::lend::busiest;
use super::plan::Plan;
use super::windows::{HOUR, hour_slot};
use crate::model::{LoadRhythm, System};
use crate::path::{KeyMaker, Regime};
use crate::time::{SimSpan, SimTime};
use crate::traffic::{Source, Traffic};

/// Work in progress is far more than before from so many times on, and above so much.
const FAR: u32 = 4;
const LEAST: u32 = 50;

/// It is as in the regime up to so many times the most of its sample, and some that come at once.
const USUAL: u32 = 2;
const SOME: u32 = 20;

/// Slices of that sample, and probes of each instance and member in it.
const SLICES: u64 = 8;
const PROBES: u64 = 30;

/// So many times as long as without probes it is at most, however seldom they come.
const MOST_SAMPLES: u64 = 16;

/// Attempts of one window, after which it is given up: minutes of work.
pub(super) const MOST: u64 = 100_000_000;

/// Why members that are well come and go in a regime without any change of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Restless {
    /// They are left out as their workers have no time for probes.
    Starving,
    /// Balancers eject them for what came of attempts.
    Ejecting,
}

/// What a sample of a regime says.
#[derive(Clone, Copy, Debug)]
struct Level {
    /// The most work in progress.
    most: u32,
    /// Why members come and go in it without any change.
    restless: Option<Restless>,
}

/// Follows the windows of one history after the other.
#[derive(Debug)]
pub(super) struct Settling<'a> {
    /// Samples regimes; made when it is needed.
    probe: Option<Box<Traffic<'a>>>,
    /// By regime and kind of hour: the same for all histories.
    levels: ByRegime<Level>,
    /// The least work in progress before a window of this history.
    calm: Option<u32>,
}

impl<'a> Settling<'a> {
    pub(super) fn new() -> Self {
        Self {
            probe: None,
            levels: ByRegime::default(),
            calm: None,
        }
    }

    /// A history begins.
    pub(super) fn begin(&mut self) {
        self.calm = None;
    }

    /// A window has come to its first transition with so much in progress.
    pub(super) fn before(&mut self, in_progress: u32) {
        let calm = self.calm.get_or_insert(in_progress);
        *calm = (*calm).min(in_progress);
    }

    /// Whether that is so much that the regime must be asked.
    pub(super) fn suspects(&self, in_progress: u32) -> bool {
        in_progress > LEAST + FAR * self.calm.unwrap_or(0)
    }

    /// Whether so much in progress at `at` is usual in `regime`, whose key is `key`.
    pub(super) fn is_usual(
        &mut self,
        of: (&'a System, &Plan),
        regime: (&Regime, u64),
        at: SimTime,
        in_progress: u32,
    ) -> bool {
        in_progress <= USUAL * self.level(of, regime, at).most + SOME
    }

    /// Whether members that are well come and go in `regime`, whose key is `key`, at such a time, and why.
    pub(super) fn restless(
        &mut self,
        of: (&'a System, &Plan),
        regime: (&Regime, u64),
        at: SimTime,
    ) -> Option<Restless> {
        self.level(of, regime, at).restless
    }

    fn level(
        &mut self,
        (system, plan): (&'a System, &Plan),
        (regime, key): (&Regime, u64),
        at: SimTime,
    ) -> Level {
        // One instant for all hours of a kind, so that the answer depends on nothing else.
        let (slot, from) = match system.load_rhythm() {
            LoadRhythm::Free => {
                let hour = at.as_nanos() / HOUR.as_nanos();
                (hour, SimTime::from_nanos(hour * HOUR.as_nanos()))
            }
            LoadRhythm::Steady | LoadRhythm::Daily | LoadRhythm::Weekly => {
                let slot = hour_slot(system, at);
                (slot, SimTime::START + HOUR.saturating_mul(slot))
            }
        };
        if let Some(&known) = self.levels.get((key, slot), regime) {
            return known;
        }
        let traffic = self.probe.get_or_insert_with(|| {
            let settings = plan.traffic.clone();
            Box::new(Traffic::with_engine(system, settings, plan.engine))
        });
        let source = Source::Sample {
            seed: plan.seed,
            regime: key,
            batch: u64::MAX - slot,
        };
        traffic.clear_tally();
        traffic.begin(regime, from.before(plan.windows.warm_up), source);
        let mut most = 0;
        let slice = plan.traffic.slice;
        let slices = plan.windows.sample.as_nanos() / slice.as_nanos();
        let probes = slowest(system).saturating_mul(PROBES).max(sweeps(system));
        let probed = probes.as_nanos().div_ceil(slice.as_nanos());
        let least = slices.max(SLICES);
        for slice in 1..=probed.clamp(least, MOST_SAMPLES * least) {
            traffic.run_until(from + plan.traffic.slice.saturating_mul(slice));
            most = most.max(traffic.frames_in_use());
        }
        let tally = traffic.tally();
        let restless = if plan.windows.hears && tally.probes.left_out > 0 {
            Some(Restless::Starving)
        } else {
            (tally.ejections > 0).then_some(Restless::Ejecting)
        };
        let level = Level { most, restless };
        self.levels.insert((key, slot), regime, level);
        level
    }
}

/// Attempts of a look at the regime in which all is well, at most.
const LOOK: f64 = 5e6;

/// Whether members come and go even while all is well, at the busiest time, so that there is no quiet time and every
/// request is simulated; `rate` is that of attempts per second. Where looking would take long, it is not said.
pub fn is_never_quiet(system: &System, plan: &Plan, rate: f64) -> bool {
    let looks_s = plan.windows.warm_up.as_secs_f64() + 4.0 * sweeps(system).as_secs_f64();
    if !(system.ejects() || system.is_coupled()) || rate * looks_s > LOOK {
        return false;
    }
    let regime = Regime::all_up(system);
    let key = KeyMaker::default().key(system, &regime);
    let at = busiest(system, &regime);
    let mut settling = Settling::new();
    settling
        .restless((system, plan), (&regime, key), at)
        .is_some()
}

/// Four intervals between sweeps of outlier detection; zero without any.
fn sweeps(system: &System) -> SimSpan {
    let rules = system.balancers.iter();
    let intervals = rules.filter_map(|row| Some(row.outlier_detection.as_ref()?.interval));
    intervals.max().unwrap_or(SimSpan::ZERO).saturating_mul(4)
}

/// The longest interval of probes that workers answer; zero without any.
fn slowest(system: &System) -> SimSpan {
    let probes = system
        .balancers
        .iter()
        .filter_map(|row| row.probes.as_ref());
    let by_workers = probes.filter(|probes| probes.work.is_some());
    let intervals = by_workers.map(|probes| probes.interval);
    intervals.max().unwrap_or(SimSpan::ZERO)
}
