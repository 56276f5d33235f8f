//! What is demanded of something that works by chance: a failover that fails, a common cause that hits,
//! made likelier in branches.
//!
//! Control decides; it is told before a step whether the answers in it are raised, and says afterwards what
//! was decided with which chances. With probability 1/2 a step of the biased part of a branch is raised: each
//! chance p asked for in it becomes max(p, r). Else everything is decided by its own chance. With R the product
//! over what was decided of its raised probability over its own, the weight is 1/(1/2 + R/2): at most 2,
//! whatever was asked how often (a defensive mixture, as in `tail.rs`; raising alone multiplies its variance with
//! every part that a common cause does not hit). r is 0.9 for a single answer, so that one of small chance
//! comes with probability 0.45. Of a common cause it is what is still needed over what it may hit, where that is
//! less: then about as many parts are hit as an outage takes.
//!
//! Nothing is raised once the system is down, nor where no slot that matters is concerned.
//!
//! **The demand of the first event.** What begins an episode is often itself what makes the demand: the leader
//! crashes, and whether its failover works is decided in the same step. From the state after it nothing could be
//! redrawn. So where the next event of a history that is well may make a demand, the branch starts from the state
//! *before* that event, whose occurrence it shares with the history, and decides the demand with numbers of its
//! own; if all is well after that, it adds nothing. The history goes on by its own numbers, and an episode that
//! it enters by that event has no other branch. Which of the two kinds an event has follows from the state before
//! it alone, so that each episode has, given that state, the expectation of what its branch finds: the sum over
//! both kinds is unbiased by the tower rule, as before.

use super::Forcer;
use super::branch::Course;
use crate::control::{Control, Decision, Demand, Due};
use crate::ids::{CampaignId, ClockId, IdVec, SlotId};
use crate::model::System;
use crate::random::Stream;
use crate::time::SimTime;

/// The share of the biased steps in which answers are raised.
const RAISED: f64 = 0.5;

/// How likely an answer is in those.
const LIKELY: f64 = 0.9;

/// What may make demands.
#[derive(Debug)]
pub(super) struct Demanding {
    /// By the beginnings of their faults.
    clocks: IdVec<ClockId, bool>,
    /// By their own.
    campaigns: IdVec<CampaignId, bool>,
    releases: Vec<CampaignId>,
    any: bool,
}

impl Demanding {
    pub(super) fn new(
        system: &System,
        control: &Control<'_>,
        matters: impl Fn(SlotId) -> bool,
    ) -> Self {
        let clocks: IdVec<ClockId, bool> = system
            .clocks
            .pairs()
            .map(|(id, _)| control.demands(id, &matters))
            .collect();
        let campaigns: IdVec<CampaignId, bool> = system
            .campaigns
            .pairs()
            .map(|(id, _)| control.release_demands(id, &matters))
            .collect();
        Self {
            any: clocks
                .iter()
                .chain(campaigns.iter())
                .any(|&demands| demands),
            releases: campaigns
                .pairs()
                .filter_map(|(id, &demands)| demands.then_some(id))
                .collect(),
            clocks,
            campaigns,
        }
    }

    /// Whether a release rolls out that was decided to be good or bad when it began.
    pub(super) fn is_releasing(&self, control: &Control<'_>) -> bool {
        self.releases.iter().any(|&id| control.is_under_way(id))
    }

    /// The clock whose fault begins next, or `None` for a campaign, if that may make a demand.
    pub(super) fn next(&self, control: &Control<'_>) -> Option<Option<ClockId>> {
        if !self.any {
            return None;
        }
        match control.due_next() {
            Due::Onset(clock) => self.clocks[clock].then_some(Some(clock)),
            Due::Campaign(id) => self.campaigns[id].then_some(None),
            Due::Other => None,
        }
    }
}

/// The weight of a step in which this was decided.
fn weight(decisions: &[Decision]) -> f64 {
    let ratio = |it: &Decision| {
        if it.happened {
            it.raised / it.chance
        } else {
            (1.0 - it.raised) / (1.0 - it.chance)
        }
    };
    let raised: f64 = decisions.iter().map(ratio).product();
    1.0 / (1.0 - RAISED + RAISED * raised)
}

impl<'a> Forcer<'a> {
    /// How likely answers are made in the next step, if they are raised; `None` if none is.
    fn level(&mut self, control: &Control<'a>) -> Option<f64> {
        if !self.demanding.any || !control.structure().system_up() {
            return None;
        }
        match control.due_next() {
            Due::Onset(clock) if self.demanding.clocks[clock] => {
                let needed = self.rows[clock].filter(|_| control.hits_by_chance(clock));
                let share = needed.map(|row| {
                    self.relevance.look(control);
                    self.relevance
                        .share_needed(row as usize, control.structure())
                });
                Some(share.unwrap_or(LIKELY).min(LIKELY))
            }
            Due::Campaign(id) if self.demanding.campaigns[id] => Some(LIKELY),
            // Where something ends or is repaired, a standby may be asked for.
            Due::Other => Some(LIKELY),
            Due::Onset(_) | Due::Campaign(_) => None,
        }
    }

    /// The next event of a biased part of a branch; what it demands may be raised.
    pub(super) fn demanded(
        &mut self,
        control: &mut Control<'a>,
        stream: &mut Stream,
        course: &mut Course,
    ) -> SimTime {
        let Some(level) = self.level(control) else {
            return self.naturally(control, &mut course.steps);
        };
        let is_release = matches!(control.due_next(), Due::Campaign(_));
        let is_raised = stream.uniform() < RAISED;
        control.demand(if is_raised {
            Demand::Raised(level)
        } else {
            Demand::Watched(level)
        });
        let at = self.naturally(control, &mut course.steps);
        if !control.decisions().is_empty() {
            course.weight *= weight(control.decisions());
            course.raised |= is_raised;
            if is_release {
                course.takes_its_course();
            }
        }
        control.demand(Demand::Alone);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: one answer of chance 1 % raised to 90 %, that it comes and that it does not.
    #[test]
    fn weights_are_true_probabilities_over_those_that_were_drawn_from() {
        let decided = |happened| Decision {
            happened,
            chance: 0.01,
            raised: 0.9,
        };
        let yes = weight(&[decided(true)]);
        assert!((yes - 0.01 / (0.5 * 0.01 + 0.5 * 0.9)).abs() < 1e-12);
        let no = weight(&[decided(false)]);
        assert!((no - 0.99 / (0.5 * 0.99 + 0.5 * 0.1)).abs() < 1e-12);
        let both = weight(&[decided(true), decided(false)]);
        let (own, raised) = (0.01 * 0.99, 0.9 * 0.1);
        assert!((both - own / (0.5 * own + 0.5 * raised)).abs() < 1e-12);
        assert!(weight(&[decided(false); 40]) <= 2.0);
    }
}
