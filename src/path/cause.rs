//! Why a request failed or a second was lost: exactly one cause each, as a dense index for counters.

use super::{Blame, Phase};
use crate::ids::{FaultId, Id};
use crate::model::System;

/// The one cause of a failed request or of a second of downtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// No fault: a full queue, a limit, or a deadline missed under load.
    Load,
    /// No fault: the error rate stated for an operation.
    Base,
    /// A fault, in one phase of its handling.
    Fault(Blame),
}

impl Cause {
    /// How many causes there are in a system with `faults` faults.
    pub const fn count(faults: usize) -> usize {
        2 + faults * Phase::ALL.len()
    }

    /// Whether it is planned work.
    pub fn is_planned(self, system: &System) -> bool {
        match self {
            Self::Load | Self::Base => false,
            Self::Fault(blame) => system.faults[blame.fault].kind.is_planned(),
        }
    }

    /// For each row of such a table, whether it is planned work.
    pub fn planned(system: &System) -> Vec<bool> {
        (0..Self::count(system.faults.len()))
            .map(|index| Self::from_index(index).is_planned(system))
            .collect()
    }

    /// The row of this cause in a table of [`Cause::count`] counters.
    pub fn index(self) -> usize {
        match self {
            Self::Load => 0,
            Self::Base => 1,
            Self::Fault(blame) => 2 + blame.fault.index() * Phase::ALL.len() + blame.phase as usize,
        }
    }

    /// The cause of row `index`; the inverse of [`Cause::index`].
    pub fn from_index(index: usize) -> Self {
        match index {
            0 => Self::Load,
            1 => Self::Base,
            _ => {
                let (fault, phase) = (
                    (index - 2) / Phase::ALL.len(),
                    (index - 2) % Phase::ALL.len(),
                );
                Self::Fault(Blame {
                    fault: FaultId::from_index(fault),
                    phase: Phase::ALL[phase],
                })
            }
        }
    }
}

/// Nobody to blame means load.
impl From<Option<Blame>> for Cause {
    fn from(blame: Option<Blame>) -> Self {
        blame.map_or(Self::Load, Self::Fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_its_cause() {
        for index in 0..Cause::count(5) {
            assert_eq!(Cause::from_index(index).index(), index);
        }
    }
}
