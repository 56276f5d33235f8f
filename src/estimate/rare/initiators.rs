//! Faults that are outages or take many slots, and are so rare that few histories have any: they are injected.
//!
//! A branch can only follow what begins an episode. Where that is the loss of a region, once in a thousand years,
//! thousands of histories have no branch that tells anything of it. So in every history an instant u of its
//! horizon is drawn at random, and one such clock i with a probability q_i; if all is well at u and the clock
//! waits for its fault, the fault begins there in a branch. With h_i the hazard of the clock at its age at u and T
//! the length of the horizon, the branch counts with the weight T h_i / q_i, beside that of what is forced in it.
//!
//! Why that is right: the beginnings of i come with the intensity h_i of its age whatever else has happened, so that
//! the expected sum of anything over those that meet a system that is well is the integral over the horizon of the
//! expectation of h_i times what would follow if i began then (Mecke's formula, for intensities). One instant at
//! random times T stands for the integral, one clock over q_i for the sum over clocks. Episodes that such a fault
//! begins by itself in a history have therefore no branch: these are in its stead. What it does in the midst of
//! another episode, or in a branch, is as with any other fault.
//!
//! **Which.** Clocks that can be forced, with a hazard that has a bound (with none, weights have no variance); whose
//! fault takes several slots of a group or as many as its loss needs; and of which a block of histories expects less
//! than [`FEW`]. If all of them together are expected more than once in a history, the rarest are taken. All of that,
//! and the q_i, follow from the file: half as often as they come, half evenly, for what is rarest may last longest.

use super::Forced;
use super::relevance::Relevance;
use crate::estimate::BLOCK;
use crate::model::System;
use crate::random::Stream;

/// Beginnings in a block of histories from which on they need not be injected.
const FEW: f64 = 64.0;

/// How many faults are active in the mean from which on an injected one often meets others.
const BUSY: f64 = 0.5;

/// A clock whose fault is injected.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Class {
    row: u32,
    chance: f64,
    /// The probability of this one or one before it.
    up_to: f64,
}

/// The clocks whose faults are injected.
#[derive(Clone, Debug)]
pub(super) struct Initiators {
    classes: Vec<Class>,
    /// Whether the clock of a row is one of them.
    is_one: Vec<bool>,
    /// Whether a system is seldom well.
    is_busy: bool,
}

impl Initiators {
    /// Of `clocks`, for histories of `span_s` seconds.
    pub(super) fn new(
        system: &System,
        clocks: &[Forced],
        relevance: &Relevance,
        span_s: f64,
    ) -> Self {
        let mut rare: Vec<(f64, u32)> = Vec::new();
        let mut active = 0.0;
        for (row, one) in clocks.iter().enumerate() {
            let fault = &system.faults[system.clocks[one.clock].fault];
            let turn = one.every.mean() + fault.lasts.mean();
            active += fault.lasts.mean() / turn;
            let begins = span_s / turn;
            let is_rare = begins * (BLOCK as f64) < FEW;
            if is_rare && one.every.hazard(0.0).is_some() && relevance.takes_much(row) {
                rare.push((begins, row as u32));
            }
        }
        rare.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut all = 0.0;
        let too_often = rare.iter().find(|(begins, _)| {
            all += begins;
            all > 1.0
        });
        // Those that come equally often are taken together, or not at all.
        if let Some(&(limit, _)) = too_often {
            rare.retain(|&(begins, _)| begins < limit);
        }
        let all: f64 = rare.iter().map(|(begins, _)| begins).sum();
        let mut is_one = vec![false; clocks.len()];
        let mut up_to = 0.0;
        let classes = rare
            .iter()
            .map(|&(begins, row)| {
                is_one[row as usize] = true;
                let chance = 0.5 * begins / all + 0.5 / rare.len() as f64;
                up_to += chance;
                Class { row, chance, up_to }
            })
            .collect();
        Self {
            classes,
            is_one,
            is_busy: active >= BUSY,
        }
    }

    /// Whether the fault of `row` is injected, and hardly ever begins while something else is down: then nothing
    /// is gained by forcing it in a branch.
    pub(super) fn seldom_meets_others(&self, row: usize) -> bool {
        self.is_one[row] && !self.is_busy
    }

    /// Whether the faults of `row` are injected.
    pub(super) fn has(&self, row: Option<u32>) -> bool {
        row.is_some_and(|row| self.is_one[row as usize])
    }

    /// One of them, and how likely that is; `None` if there are none.
    pub(super) fn choose(&self, stream: &mut Stream) -> Option<(u32, f64)> {
        let last = self.classes.last()?;
        let place = stream.uniform();
        let chosen = self.classes.partition_point(|class| class.up_to <= place);
        let class = self.classes.get(chosen).unwrap_or(last);
        Some((class.row, class.chance))
    }
}
