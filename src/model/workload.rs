//! What users do, and how often.

use crate::ids::{CallId, JourneyId};
use crate::time::{NANOS_PER_SEC, SimSpan, SimTime};
use std::f64::consts::TAU;

/// A user-facing operation.
#[derive(Clone, Debug)]
pub struct Journey {
    /// Its name with its workload's, e.g. `readers.read`.
    pub name: String,
    /// The calls it makes, one after the other. The first goes through the entry point.
    pub calls: Vec<CallId>,
    /// An answer later than this is no good; `None`: the workload's patience.
    pub good_within: Option<SimSpan>,
}

/// A stream of requests that come whatever happened to the ones before (open loop).
#[derive(Clone, Debug)]
pub struct Workload {
    /// Its name.
    pub name: String,
    /// Requests per second, on average over a week.
    pub rate: f64,
    /// From one request to the next, where they come at a fixed pace; `None`: a Poisson stream.
    pub every: Option<SimSpan>,
    /// How the rate moves; `None`: it does not, as at a fixed pace.
    pub profile: Option<Profile>,
    /// Journeys with their shares, which sum to 1.
    pub journeys: Vec<(JourneyId, f64)>,
    /// How long a user waits before leaving; `None`: for ever.
    pub patience: Option<SimSpan>,
    /// The line of the file that states the rate, for messages about cost.
    pub line: u32,
}

/// A daily swing of the rate: a cosine with its top at `peak`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profile {
    /// Time of day of the highest rate.
    pub peak: SimSpan,
    /// Highest rate over lowest rate, at least 1.
    pub ratio: f64,
}

const DAY: f64 = 86_400.0;

impl Profile {
    /// Half the swing as a share of the mean: (ratio - 1) / (ratio + 1).
    pub fn amplitude(self) -> f64 {
        (self.ratio - 1.0) / (self.ratio + 1.0)
    }

    /// Angle of the cosine at `at`; reduced modulo a day in integers, so that it keeps its digits.
    fn angle(self, at: SimTime) -> f64 {
        let day = 86_400 * NANOS_PER_SEC;
        let into_day = (at.as_nanos() % day) as f64 / NANOS_PER_SEC as f64;
        TAU * (into_day - self.peak.as_secs_f64()) / DAY
    }
}

impl Workload {
    /// Expected requests per second at `at`.
    pub fn rate_at(&self, at: SimTime) -> f64 {
        match self.profile {
            None => self.rate,
            Some(profile) => self.rate * (1.0 + profile.amplitude() * profile.angle(at).cos()),
        }
    }

    /// The highest rate, per second.
    pub fn rate_max(&self) -> f64 {
        self.rate * (1.0 + self.profile.map_or(0.0, Profile::amplitude))
    }

    /// The lowest rate, per second.
    pub fn rate_min(&self) -> f64 {
        self.rate * (1.0 - self.profile.map_or(0.0, Profile::amplitude))
    }

    /// Expected requests in `[from, to)`: the integral of the rate.
    ///
    /// ```
    /// use fivenines::model::{Profile, Workload};
    /// use fivenines::time::{SimSpan, SimTime};
    /// let workload = Workload {
    ///     name: "readers".into(), rate: 2.0, every: None, journeys: vec![], patience: None, line: 1,
    ///     profile: Some(Profile { peak: SimSpan::from_secs(20 * 3_600), ratio: 3.0 }),
    /// };
    /// let day = workload.expected(SimTime::START, SimTime::START + SimSpan::from_secs(86_400));
    /// assert!((day - 172_800.0).abs() < 1e-6);
    /// ```
    pub fn expected(&self, from: SimTime, to: SimTime) -> f64 {
        let mean = self.rate * to.since(from).as_secs_f64();
        match self.profile {
            None => mean,
            Some(profile) => {
                let swing = profile.angle(to).sin() - profile.angle(from).sin();
                mean + self.rate * profile.amplitude() * swing * DAY / TAU
            }
        }
    }
}
