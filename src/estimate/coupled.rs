//! Both clocks as one, where overload acts back on control: traffic tells control of probes that found no free
//! worker, and control tells traffic whom balancers leave out because of that.
//!
//! Around transitions that is done in every window; a window ends only when no probe is late and no result of a
//! late one has still to be made up for. Quiet time in which members are left out again and again, as its sample
//! says, is a window from beginning to end. Where it seldom happens, it happens in the samples of the regime: no
//! fault is in the way there, so balancers count results by themselves. Quiet time in which balancers eject members that
//! are well is a window, too.

use super::group::GroupError;
use super::plan::Plan;
use super::settle::{MOST, Restless, Settling};
use super::windows::{HOUR, advance};
use crate::control::Control;
use crate::model::{LoadRhythm, System};
use crate::path::{Regime, Signal};
use crate::time::SimTime;
use crate::traffic::Traffic;

/// Runs traffic up to `end`, or until it has told control something: then that is when, and `signals` is what
/// has changed. Nothing has, if control does not hear.
pub(super) fn run_together(
    (traffic, control, hears): (&mut Traffic<'_>, &mut Control<'_>, bool),
    signals: &mut Vec<Signal>,
    end: SimTime,
    stop: &dyn Fn() -> bool,
) -> Result<Option<SimTime>, GroupError> {
    advance(traffic, end, stop)?;
    let Some(news) = traffic.take_news() else {
        return Ok(None);
    };
    signals.clear();
    if hears {
        control.hear(news, signals);
    }
    for &signal in &*signals {
        traffic.apply(news.at, signal);
    }
    Ok(Some(news.at))
}

impl Restless {
    /// The error if that does not end.
    pub(super) fn endless(self, since: SimTime) -> GroupError {
        match self {
            Self::Starving => GroupError::Starving(since),
            Self::Ejecting => GroupError::Ejecting(since),
        }
    }
}

/// Probes start when control has it.
pub(super) fn align(traffic: &mut Traffic<'_>, control: &Control<'_>) {
    traffic.align_probes(|instance, member| control.probe_start(instance, member));
}

/// When members that are well first come and go by themselves in a stretch of quiet time, if they do: at its beginning,
/// or as an hour begins.
pub(super) fn first_restless<'a>(
    settling: &mut Settling<'a>,
    (system, plan): (&'a System, &Plan),
    (regime, key): (&Regime, u64),
    (from, to): (SimTime, SimTime),
) -> Result<Option<SimTime>, GroupError> {
    let hours = match system.load_rhythm() {
        LoadRhythm::Steady => 1,
        LoadRhythm::Daily => 25,
        LoadRhythm::Weekly => 169,
        LoadRhythm::Free => u64::MAX,
    };
    let mut at = from;
    for _ in 0..hours {
        if at >= to {
            break;
        }
        if let Some(why) = settling.restless((system, plan), (regime, key), at) {
            let workloads = system.workloads.iter();
            let requests: f64 = workloads.map(|workload| workload.expected(at, to)).sum();
            if hours == 1 && requests > MOST as f64 {
                // It does so until something changes, and that takes too long.
                return Err(why.endless(at));
            }
            return Ok(Some(at));
        }
        let next = at.as_nanos() / HOUR.as_nanos() + 1;
        at = plan.slice_end(SimTime::from_nanos(next * HOUR.as_nanos()));
    }
    Ok(None)
}
