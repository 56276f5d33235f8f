//! Drives the two clocks: plans units of work, runs one, folds records. Owns no thread.

mod bracket;
mod by_period;
mod by_regime;
mod coalesce;
mod coupled;
mod down;
mod felt;
mod fold;
mod group;
mod lend;
mod losses;
mod met;
mod meter;
mod outages;
mod paired;
mod periods;
mod plan;
mod rare;
mod recoveries;
mod settle;
mod slice_share;
mod splitting;
mod structure;
mod sums;
mod totals;
mod views;
mod walk;
mod windows;

pub use bracket::{Brackets, Outline, RegimeHour};
pub use coalesce::{Coalesced, Coalescence, PAIRS, Pair, Runs, Took};
pub use down::{Lost, rates};
pub use fold::{ChannelFold, LatencyFold, PoolFold, QueueFold, Record, TrafficFold, UnplannedFold};
pub use group::{GroupError, GroupRecord, GroupRunner, TrafficRecord};
pub use lend::{INSTANTS, lenders, lends};
pub use losses::{AtPeak, Left, LostPart, PeakStretch, SingleLoss};
pub use meter::{Judged, Meter, Stretch};
pub use outages::{Bad, OutageRecord, OutageTracker};
pub use paired::{PairRecord, Pairing, TogetherRecord, TogetherRunner, TrafficPairs, cause_key};
pub use periods::{
    Periods, RequestCount, RequestPeriods, missed_share, missed_share_of_requests, period_bound,
};
pub use plan::{BLOCK, GROUPS, Plan, Windows, look_back, warm_up};
pub use rare::{Diagnosis, ForcedRecord, Forcer, Forcing, LostRecord, Trial, Weights};
pub use recoveries::{RecoveryRecord, RecoveryTally, StoreRecoveries};
pub use settle::is_never_quiet;
pub use slice_share::SliceShare;
pub use splitting::{Pilots, SplittingRecord};
pub use structure::{History, StructureRecord, StructureTally};
pub use sums::Sums;
pub use totals::{
    BlameTime, ChannelTotals, JourneyTotals, PoolTotals, ProbeTotals, QueueTotals, Scales, Totals,
    UserTotals, condition,
};
pub use windows::{Piece, Quiet};

use crate::control::{Control, Detail};
use crate::ids::JourneyId;
use crate::model::{Method, System};
use crate::path::{Event, Transition};
use crate::time::{SimSpan, SimTime};

/// One entry of a history.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What happened, and when.
    pub transition: Transition,
    /// What happened at the same instant because of it: who waits for a crew, whose repair begins.
    pub also: Vec<Event>,
    /// Whether every journey can be served after it, whatever the balancers know.
    pub up: bool,
    /// The journeys that cannot.
    pub journeys_down: Vec<JourneyId>,
}

/// How long before the horizon a history begins, as far as anything happens in that time.
pub fn lead_in(system: &System, seed: u64) -> SimSpan {
    let mut control = Control::new(system, Detail::Full);
    control.restart(seed, 0);
    SimTime::START.since(control.next_time().min(SimTime::START))
}

/// How long before the horizon a steady history of `system` begins when it is simulated by `method`.
pub fn burn_in(system: &System, method: Method) -> SimSpan {
    let detail = if method == Method::None {
        Detail::Structure
    } else {
        Detail::Full
    };
    SimTime::START.since(Control::new(system, detail).begins())
}

/// Replays the control state of one replication over the horizon, in order of time, until `visit`
/// returns `false`.
pub fn history(
    system: &System,
    seed: u64,
    replication: u64,
    visit: &mut dyn FnMut(&Entry) -> bool,
) {
    let mut control = Control::new(system, Detail::Full);
    control.restart(seed, replication);
    let end = SimTime::START + system.run.horizon;
    let mut signals = Vec::new();
    while control.next_time() < end {
        signals.clear();
        let transition = control.step(&mut signals);
        // Nobody learns anything from probes that change no mind.
        if transition.at < SimTime::START || matches!(transition.event, Event::Undecided { .. }) {
            continue;
        }
        let structure = control.structure();
        let entry = Entry {
            transition,
            also: control.remarks().to_vec(),
            up: structure.system_up(),
            journeys_down: system
                .journeys
                .ids()
                .filter(|&id| !structure.journey_up(id))
                .collect(),
        };
        if !visit(&entry) {
            return;
        }
    }
}
