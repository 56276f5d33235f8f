//! A regime that a group has met, with the quiet time it stands for, and where to sample it.

use super::plan::Plan;
use super::slice_share::SliceShare;
use super::totals::BlameTime;
use super::views::Sampled;
use super::windows::{HOUR, Quiet};
use crate::ids::{Id, IdVec, JourneyId, WorkloadId};
use crate::model::{LoadRhythm, System};
use crate::path::{Blame, Cause, Regime};
use crate::random::Stream;
use crate::time::{SimSpan, SimTime};
use crate::traffic::Tally;

/// A quiet stretch: replication of the group, start, end, expected requests.
pub(super) type Stretch = (usize, SimTime, SimTime, f64);

/// A regime met by the group in one hour of the day, with all the quiet time it stands for.
pub(super) struct Met {
    pub(super) regime: Regime,
    /// Expected requests of each workload.
    pub(super) expected: IdVec<WorkloadId, f64>,
    pub(super) blamed: BlameTime,
    /// (replication of the group, start, end, expected requests), in order.
    pub(super) stretches: Vec<Stretch>,
    pub(super) slices: SliceShare,
    /// The journey with the most failures in the sample, and its commonest cause there.
    pub(super) worst: Option<(JourneyId, usize)>,
    /// By view.
    pub(super) sampled: Vec<Sampled>,
}

impl Met {
    /// Requests of all workloads that are expected in its quiet time.
    pub(super) fn weight(&self) -> f64 {
        self.expected.iter().sum()
    }

    /// What most failures in a quiet stretch of this regime are due to.
    pub(super) fn cause(&self, quiet: &Quiet) -> usize {
        self.worst.map_or(0, |(journey, commonest)| {
            quiet.regime.blames[journey]
                .map_or(commonest, |blame: Blame| Cause::Fault(blame).index())
        })
    }

    /// Seconds of quiet time by blame of the first journey: together all of it.
    pub(super) fn blamed_s(&self) -> impl Iterator<Item = f64> + '_ {
        let first = JourneyId::from_index(0);
        self.blamed
            .iter()
            .filter(move |((id, _), _)| *id == first)
            .map(|(_, &secs)| secs)
    }

    /// The same law as [`Met::instant`], by proposing instants anywhere in any replication until one
    /// lies in this regime: designs that are in alike regimes most of the time take the same one.
    /// `None` if none of many proposals does.
    pub(super) fn common_instant(
        &self,
        system: &System,
        plan: &Plan,
        replications: usize,
        cells: Option<Cells>,
        stream: &mut Stream,
    ) -> Option<SimTime> {
        /// For each hour of the day, about.
        const PROPOSALS: u64 = 200;
        let proposals = match system.load_rhythm() {
            LoadRhythm::Steady | LoadRhythm::Daily => PROPOSALS,
            LoadRhythm::Weekly | LoadRhythm::Free => 7 * PROPOSALS,
        };
        let rate_max: f64 = system
            .workloads
            .iter()
            .map(|workload| workload.rate_max())
            .sum();
        for _ in 0..proposals {
            let replication = (stream.uniform() * replications as f64) as usize;
            let at = plan.from + plan.to.since(plan.from).mul_f64(stream.uniform());
            let thinned = stream.uniform() * rate_max;
            let after = self
                .stretches
                .partition_point(|stretch| (stretch.0, stretch.1) <= (replication, at));
            let Some(stretch) = after.checked_sub(1).map(|index| self.stretches[index]) else {
                continue;
            };
            let rate: f64 = system
                .workloads
                .iter()
                .map(|workload| workload.rate_at(at))
                .sum();
            let taken = match cells {
                None => thinned <= rate,
                Some(cells) => cells.is_filled(system, at),
            };
            if stretch.0 == replication && at < stretch.2 && taken {
                return Some(at);
            }
        }
        None
    }

    /// An instant of the quiet time, its density in proportion to the rate of requests.
    pub(super) fn instant(
        &self,
        system: &System,
        cells: Option<Cells>,
        stream: &mut Stream,
    ) -> SimTime {
        if let Some(cells) = cells {
            return self.instant_in_cells(system, cells, stream);
        }
        let total: f64 = self.stretches.iter().map(|stretch| stretch.3).sum();
        let mut left = stream.uniform() * total;
        let mut chosen = self.stretches[0];
        for &stretch in &self.stretches {
            chosen = stretch;
            if left < stretch.3 {
                break;
            }
            left -= stretch.3;
        }
        let (_, from, to, _) = chosen;
        let rate_max: f64 = system
            .workloads
            .iter()
            .map(|workload| workload.rate_max())
            .sum();
        loop {
            let at = from + to.since(from).mul_f64(stream.uniform());
            let rate: f64 = system
                .workloads
                .iter()
                .map(|workload| workload.rate_at(at))
                .sum();
            if stream.uniform() * rate_max <= rate {
                return at;
            }
        }
    }

    /// An instant of the quiet time in which anything comes, all alike, in a cell that is not empty.
    fn instant_in_cells(&self, system: &System, cells: Cells, stream: &mut Stream) -> SimTime {
        const PROPOSALS: usize = 1_000;
        let secs = |stretch: &Stretch| match stretch.3 > 0.0 {
            true => stretch.2.since(stretch.1).as_secs_f64(),
            false => 0.0,
        };
        let total: f64 = self.stretches.iter().map(secs).sum();
        let mut last = self.stretches[0].1;
        for _ in 0..PROPOSALS {
            let mut left = stream.uniform() * total;
            for stretch in self.stretches.iter().filter(|stretch| stretch.3 > 0.0) {
                let long = secs(stretch);
                last = stretch.1 + SimSpan::from_secs_f64(left.min(long));
                if left < long {
                    break;
                }
                left -= long;
            }
            if cells.is_filled(system, last) {
                break;
            }
        }
        last
    }

    /// How many requests users in a closed loop make follows from how long they wait: as many in all the
    /// quiet time as in `sampled_s` seconds of the sample.
    pub(super) fn expect_of_users(&mut self, system: &System, tally: &Tally, sampled_s: f64) {
        let quiet_s: f64 = self.blamed_s().sum();
        for (id, workload) in system.workloads.pairs() {
            if workload.users.is_some() {
                let journeys = workload.journeys.iter();
                let counts = journeys.map(|&(journey, _)| tally.journeys[journey].counts.issued);
                self.expected[id] = counts.sum::<u64>() as f64 * quiet_s / sampled_s;
            }
        }
    }

    /// Whether each workload that is expected in this quiet time has come in the sample.
    pub(super) fn is_sampled(&self, system: &System, tally: &Tally) -> bool {
        system.workloads.pairs().all(|(id, workload)| {
            let mut journeys = workload.journeys.iter();
            self.expected[id] == 0.0
                || journeys.any(|&(journey, _)| tally.journeys[journey].counts.issued > 0)
        })
    }
}

/// How an hour is cut into stretches to be sampled, where rates move in steps.
///
/// A sample that ran over into the next hour would bring requests of another load. So each hour is cut
/// into equal cells, and a sample is the cell around an instant drawn from the quiet time, all instants
/// alike: then each request is as likely to be in a sample as any other. Cells in which nobody comes are
/// passed over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cells {
    /// How many there are in an hour.
    count: u64,
    slice: SimSpan,
}

impl Cells {
    /// Cells that expect some hundred requests, or are the whole hour.
    pub(super) fn new(plan: &Plan, met: &Met) -> Self {
        let stretches = met.stretches.iter();
        let secs: f64 = stretches.map(|one| one.2.since(one.1).as_secs_f64()).sum();
        let rate = met.expected.iter().sum::<f64>() / secs;
        let slice = plan.traffic.slice;
        let long = (plan.sample_requests() / rate).max(plan.least_sample().as_secs_f64());
        Self {
            count: ((HOUR.as_secs_f64() / long) as u64).max(1),
            slice,
        }
    }

    /// The cell that contains `at`, whole slices.
    pub(super) fn of(self, at: SimTime) -> (SimTime, SimTime) {
        let hour = HOUR.as_nanos();
        let (start, into) = (at.as_nanos() / hour * hour, at.as_nanos() % hour);
        let cell = u128::from(into) * u128::from(self.count) / u128::from(hour);
        let border = |cell: u64| {
            let nanos =
                start + (u128::from(cell) * u128::from(hour) / u128::from(self.count)) as u64;
            nanos / self.slice.as_nanos() * self.slice.as_nanos()
        };
        let from = border(cell as u64);
        let to = border(cell as u64 + 1).max(from + self.slice.as_nanos());
        (SimTime::from_nanos(from), SimTime::from_nanos(to))
    }

    /// Whether anybody is expected in the cell around `at`.
    fn is_filled(self, system: &System, at: SimTime) -> bool {
        let (from, to) = self.of(at);
        let mut workloads = system.workloads.iter();
        workloads.any(|workload| workload.expected(from, to) > 0.0)
    }
}
