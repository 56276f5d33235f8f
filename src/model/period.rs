//! Bounds that a period of a history keeps or misses: `availability over 30d`, `downtime over rolling 7d`.

use super::Population;
use crate::time::SimSpan;

/// Of so many periods at least, all but the unluckiest, a target without a probability of its own asks
/// that they keep its bound.
pub const PERIODS_KEPT: f64 = 0.95;

/// A bound, and the periods that keep or miss it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PeriodBound {
    /// What is measured of a period.
    pub measure: Measure,
    /// The periods.
    pub over: Over,
    /// Whether what is due to planned work is left out: of the time or the requests that are bad, and
    /// of all that there are.
    pub excluding_planned: bool,
    /// The least share, or the most seconds.
    pub bound: f64,
}

/// What is measured of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Requests that were answered over those that ended.
    Requests(Counted),
    /// Share of time outside bad slices.
    Time,
    /// Share of time in which every journey could have been served.
    Structure,
    /// Seconds in bad slices.
    Downtime,
    /// Seconds in which some journey could not have been served.
    StructuralDowntime,
}

/// Which requests are counted, and as what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Whose.
    pub of: Population,
    /// Whether only complete answers count, as in `availability.full`.
    pub full: bool,
}

impl Counted {
    /// Good and degraded requests of everybody.
    pub const ALL: Self = Self {
        of: Population::All,
        full: false,
    };
}

/// Which periods are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The whole history.
    History,
    /// One after the other from the start of the history, as far as they are whole.
    Calendar(SimSpan),
    /// Wherever one of this length fits into the history; the history misses the bound if any does.
    Rolling(SimSpan),
}

/// From what a measure is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The structure function.
    Structure,
    /// Slices.
    Slices,
    /// Requests.
    Requests,
}

impl Measure {
    /// From what it is taken.
    pub fn source(self) -> Source {
        match self {
            Self::Requests(_) => Source::Requests,
            Self::Time | Self::Downtime => Source::Slices,
            Self::Structure | Self::StructuralDowntime => Source::Structure,
        }
    }

    /// Whether it is a share of all there is, not seconds.
    pub fn is_share(self) -> bool {
        match self {
            Self::Requests(_) | Self::Time | Self::Structure => true,
            Self::Downtime | Self::StructuralDowntime => false,
        }
    }
}

impl Over {
    /// The length of a period, where it is not the history.
    pub fn length(self) -> Option<SimSpan> {
        match self {
            Self::History => None,
            Self::Calendar(length) | Self::Rolling(length) => Some(length),
        }
    }
}
