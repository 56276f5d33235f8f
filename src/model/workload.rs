//! What users do, and how often.

use super::{Profile, System};
use crate::ids::{CallId, FaultId, JourneyId};
use crate::random::Dist;
use crate::time::{SimSpan, SimTime};

/// A user-facing operation.
#[derive(Clone, Debug)]
pub struct Journey {
    /// Its name with its workload's, e.g. `readers.read`.
    pub name: String,
    /// The calls it makes, one after the other but for those of one fork. The first goes through the entry point.
    pub calls: Vec<CallId>,
    /// An answer later than this is no good; `None`: the workload's patience.
    pub good_within: Option<SimSpan>,
}

/// A stream of requests: such that come whatever happened to the ones before (open loop), or users who
/// wait for their answers (closed loop).
#[derive(Clone, Debug)]
pub struct Workload {
    /// Its name.
    pub name: String,
    /// Requests per second outside bursts, on average over a week or, of a trace, over the trace.
    pub rate: f64,
    /// From one request to the next, where they come at a fixed pace; `None`: a Poisson stream.
    pub every: Option<SimSpan>,
    /// How the rate moves; `None`: it does not, as at a fixed pace.
    pub profile: Option<Profile>,
    /// `Some`: a closed loop. Each user waits for the answer, thinks, and comes again; `rate` is then
    /// what they would send if every answer came at once.
    pub users: Option<Users>,
    /// When many more come.
    pub bursts: Option<Bursts>,
    /// Journeys with their shares, which sum to 1.
    pub journeys: Vec<(JourneyId, f64)>,
    /// How long a user waits before leaving; `None`: for ever.
    pub patience: Option<Patience>,
    /// The line of the file that states the rate, for messages about cost.
    pub line: u32,
}

/// How long users wait before they leave.
#[derive(Clone, Debug)]
pub enum Patience {
    /// All of them so long.
    Fixed(SimSpan),
    /// Each as long as it draws, seconds.
    Drawn(Dist),
}

impl Patience {
    /// The longest that any user waits. Of a distribution without an end, what all but one in 1e9
    /// users stay below: more than that many are seldom simulated.
    pub fn longest(&self) -> SimSpan {
        match self {
            Self::Fixed(span) => *span,
            Self::Drawn(dist) => SimSpan::from_secs_f64(dist.max().min(dist.quantile_of_sf(1e-9))),
        }
    }
}

/// Users in a closed loop.
#[derive(Clone, Debug)]
pub struct Users {
    /// How many there are, at least 1.
    pub count: u32,
    /// From an answer, or from when the user stopped waiting for it, to the next request, seconds.
    pub think: Dist,
}

/// Times in which a workload sends a multiple of its requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bursts {
    /// The fault that they count as, with one clock.
    pub fault: FaultId,
    /// How many times as many requests come, above 1.
    pub factor: f64,
}

impl Workload {
    /// Expected requests per second at `at`, outside bursts.
    pub fn rate_at(&self, at: SimTime) -> f64 {
        match &self.profile {
            None => self.rate,
            Some(profile) => self.rate * profile.level(at),
        }
    }

    /// The highest rate, per second, outside bursts.
    pub fn rate_max(&self) -> f64 {
        self.rate * self.profile.as_ref().map_or(1.0, Profile::highest)
    }

    /// The lowest rate at which anything comes, per second.
    pub fn rate_min(&self) -> f64 {
        self.rate * self.profile.as_ref().map_or(1.0, Profile::lowest)
    }

    /// How many times as many requests come while a burst is active; 1 without bursts.
    pub fn burst_factor(&self) -> f64 {
        self.bursts.map_or(1.0, |bursts| bursts.factor)
    }

    /// Expected requests in `[from, to)` outside bursts: the integral of the rate.
    ///
    /// ```
    /// use fivenines::model::{Profile, Swing, Workload};
    /// use fivenines::time::{SimSpan, SimTime};
    /// let swing = Swing { peak: SimSpan::from_secs(20 * 3_600), ratio: 3.0 };
    /// let workload = Workload {
    ///     name: "readers".into(), rate: 2.0, every: None, journeys: vec![], patience: None, line: 1,
    ///     profile: Some(Profile::Swing(swing)), users: None, bursts: None,
    /// };
    /// let day = workload.expected(SimTime::START, SimTime::START + SimSpan::from_secs(86_400));
    /// assert!((day - 172_800.0).abs() < 1e-6);
    /// ```
    pub fn expected(&self, from: SimTime, to: SimTime) -> f64 {
        match &self.profile {
            None => self.rate * to.since(from).as_secs_f64(),
            Some(profile) => profile.expected(self.rate, from, to),
        }
    }
}

/// How the load of a system repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadRhythm {
    /// It is the same at all times.
    Steady,
    /// Day by day.
    Daily,
    /// Week by week.
    Weekly,
    /// In no such way.
    Free,
}

impl System {
    /// How the load of all workloads together repeats.
    pub fn load_rhythm(&self) -> LoadRhythm {
        let of = |profile: &Profile| match profile {
            Profile::Swing(_) => LoadRhythm::Daily,
            Profile::Steps(steps) => steps.rhythm(),
        };
        let profiles = self.workloads.iter().filter_map(|row| row.profile.as_ref());
        profiles
            .map(of)
            .max_by_key(|&rhythm| rhythm as u8)
            .unwrap_or(LoadRhythm::Steady)
    }

    /// The line of a workload whose rate changes within hours, if there is one: quiet time, which is told
    /// apart by the hour, cannot be sampled then.
    pub fn changes_within_hours(&self) -> Option<u32> {
        let mut workloads = self.workloads.iter();
        let found = workloads.find(|row| match &row.profile {
            Some(Profile::Steps(steps)) => !steps.is_hourly(),
            Some(Profile::Swing(_)) | None => false,
        });
        found.map(|row| row.line)
    }

    /// Whether the rate of any workload moves in steps.
    pub fn has_steps(&self) -> bool {
        let profiles = self.workloads.iter().filter_map(|row| row.profile.as_ref());
        profiles
            .into_iter()
            .any(|profile| matches!(profile, Profile::Steps(_)))
    }
}
