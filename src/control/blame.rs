//! Whom failures are attributed to: one fault and one phase for each journey at each instant.
//!
//! A fault is *live* for an audience (see [`Audiences`]) while it is active or anything it caused there
//! is not over. What it caused is a set of open conditions, each with the fault clock at its root: an
//! observer that has not noticed, a decision or promotion under way, a slot that is starting, a verdict
//! that has not caught up. They are only counted, by audience, clock and phase; so a change costs as
//! much as the audiences it concerns.
//!
//! - A journey that cannot be served blames the fault whose onset completed the cut, until that fault is
//!   no longer live; then the latest one that is active. Faults that only slow down, or answer some
//!   attempts with errors, cut nothing and come last.
//! - A journey that can be served blames the latest live fault, if there is one.
//!
//! Latest is by onset; of faults with one onset the first by name.

use super::audience::Audiences;
use crate::ids::{ClockId, Id, IdVec, JourneyId};
use crate::path::{Blame, Phase};
use crate::time::SimTime;

/// What a fault has caused and is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// Somebody who matters has not noticed.
    Unnoticed,
    /// Who takes over is being decided.
    Undecided,
    /// The chosen one is being promoted.
    Unpromoted,
    /// Something starts, or is not yet believed up.
    Unready,
}

/// Faults of an audience that are not worth looking through.
const FEW: usize = 8;

/// A condition that is open, with the fault at its root, or none.
pub(super) type Condition = Option<(ClockId, After)>;

#[derive(Clone, Copy, Debug)]
struct Incident {
    active: bool,
    onset: SimTime,
}

/// Live faults, open conditions, and who completed which cut.
#[derive(Clone, Debug)]
pub(super) struct Blames {
    incidents: IdVec<ClockId, Incident>,
    /// Live faults of each audience, the latest last. Dead ones are dropped when it is next judged; as
    /// long as there are only a [`FEW`], down to the latest live one, the only one that is asked for
    /// while journeys can be served.
    live: Vec<Vec<ClockId>>,
    /// `open[clock * rows + row][after]`: conditions that are open.
    open: Vec<[u32; 4]>,
    /// Audiences to be judged again.
    dirty: Vec<u32>,
    is_dirty: Vec<bool>,
    cuts: IdVec<JourneyId, Option<ClockId>>,
    system_cut: Option<ClockId>,
}

impl Blames {
    pub(super) fn new(audiences: &Audiences) -> Self {
        let clocks = audiences.faults.len();
        let calm = Incident {
            active: false,
            onset: SimTime::EPOCH,
        };
        Self {
            incidents: IdVec::filled(calm, clocks),
            live: (0..audiences.count)
                .map(|_| Vec::with_capacity(clocks.min(64)))
                .collect(),
            open: vec![[0; 4]; clocks * audiences.rows],
            dirty: Vec::with_capacity(audiences.count),
            is_dirty: vec![false; audiences.count],
            cuts: IdVec::filled(None, audiences.of_journey.len()),
            system_cut: None,
        }
    }

    pub(super) fn reset(&mut self) {
        let calm = Incident {
            active: false,
            onset: SimTime::EPOCH,
        };
        self.incidents.as_mut_slice().fill(calm);
        for live in &mut self.live {
            live.clear();
        }
        self.open.fill([0; 4]);
        self.dirty.clear();
        self.is_dirty.fill(false);
        self.cuts.as_mut_slice().fill(None);
        self.system_cut = None;
    }

    /// The fault of `clock` begins at `now`, or ends; what it caused may go on.
    #[inline(always)]
    pub(super) fn turn(
        &mut self,
        audiences: &Audiences,
        clock: ClockId,
        begins: bool,
        now: SimTime,
    ) {
        if audiences.count > 0 {
            if begins {
                self.begin(audiences, clock, now);
            } else {
                self.end(audiences, clock);
            }
            return;
        }
        let incident = &mut self.incidents[clock];
        incident.active = begins;
        incident.onset = if begins { now } else { incident.onset };
    }

    /// The fault of `clock` begins, or is found to have begun, at `onset`.
    pub(super) fn begin(&mut self, audiences: &Audiences, clock: ClockId, onset: SimTime) {
        self.incidents[clock] = Incident {
            active: true,
            onset,
        };
        for &audience in audiences.of_clock.of(clock.index()) {
            let live = &mut self.live[audience as usize];
            if let Some(place) = live.iter().position(|&other| other == clock) {
                live.remove(place);
            }
            self.enlist(audiences, audience, clock);
        }
    }

    fn end(&mut self, audiences: &Audiences, clock: ClockId) {
        self.incidents[clock].active = false;
        for &audience in audiences.of_clock.of(clock.index()) {
            self.soil(audience);
        }
    }

    /// Closes what is open in `condition`, which belongs to `unit`, and opens `next` instead.
    #[inline]
    pub(super) fn change(
        &mut self,
        audiences: &Audiences,
        unit: u32,
        condition: &mut Condition,
        next: Condition,
    ) {
        if *condition != next {
            let before = std::mem::replace(condition, next);
            let rows = audiences.of_unit.of(unit as usize);
            self.count(audiences, rows, before, next);
        }
    }

    /// The same where what is open concerns whom the fault of `clock` can hurt.
    pub(super) fn change_handling(
        &mut self,
        audiences: &Audiences,
        clock: ClockId,
        condition: &mut Condition,
        next: Condition,
    ) {
        if *condition != next {
            let before = std::mem::replace(condition, next);
            let rows = audiences.rows_of_clock.of(clock.index());
            self.count(audiences, rows, before, next);
        }
    }

    /// Counts what closes and what opens. Blame asks only whether anything is open: an audience is
    /// judged again when the last one closes or the first one opens.
    #[inline(always)]
    fn count(&mut self, audiences: &Audiences, rows: &[u32], before: Condition, next: Condition) {
        for &row in rows {
            let open = |clock: ClockId| clock.index() * audiences.rows + row as usize;
            let mut turned = false;
            if let Some((clock, after)) = before {
                let count = &mut self.open[open(clock)][after as usize];
                *count -= 1;
                turned = *count == 0;
            }
            let mut first = None;
            if let Some((clock, after)) = next {
                let count = &mut self.open[open(clock)][after as usize];
                *count += 1;
                first = (*count == 1).then_some(clock);
            }
            if !turned && first.is_none() {
                continue;
            }
            if let Some(live) = self.live.get(row as usize) {
                if let Some(clock) = first
                    && !live.contains(&clock)
                {
                    self.enlist(audiences, row, clock);
                }
                self.soil(row);
            }
        }
    }

    /// Puts `clock` among the live faults of `audience`, in order.
    #[inline]
    fn enlist(&mut self, audiences: &Audiences, audience: u32, clock: ClockId) {
        let mut place = self.live[audience as usize].len();
        while place > 0
            && self.order(audiences, self.live[audience as usize][place - 1])
                > self.order(audiences, clock)
        {
            place -= 1;
        }
        self.live[audience as usize].insert(place, clock);
        self.soil(audience);
    }

    /// The later onset is larger, and of equal ones the earlier name.
    fn order(&self, audiences: &Audiences, clock: ClockId) -> (SimTime, u32) {
        (
            self.incidents[clock].onset,
            u32::MAX - audiences.ranks[clock],
        )
    }

    /// Whether the fault of `clock`, or anything it caused there, is not over.
    #[inline]
    fn is_live(&self, audiences: &Audiences, row: u32, clock: ClockId) -> bool {
        self.incidents[clock].active
            || self.open[clock.index() * audiences.rows + row as usize] != [0; 4]
    }

    /// Whether no audience is to be judged again.
    #[inline]
    pub(super) fn all_judged(&self) -> bool {
        self.dirty.is_empty()
    }

    #[inline]
    fn soil(&mut self, audience: u32) {
        if !std::mem::replace(&mut self.is_dirty[audience as usize], true) {
            self.dirty.push(audience);
        }
    }

    /// `journey` cannot be served any more, because of `cause`, or can again.
    pub(super) fn cut(
        &mut self,
        audiences: &Audiences,
        journey: JourneyId,
        up: bool,
        cause: Option<ClockId>,
    ) {
        let cut = &mut self.cuts[journey];
        *cut = if up { None } else { cut.or(cause) };
        if audiences.count > 0 {
            self.soil(audiences.of_journey[journey]);
        }
    }

    /// The same for the system as a whole.
    pub(super) fn cut_system(&mut self, up: bool, cause: Option<ClockId>) {
        self.system_cut = if up { None } else { self.system_cut.or(cause) };
    }

    /// An audience whose journeys may have to blame another, and whom those that can be served blame.
    #[inline]
    pub(super) fn next_dirty(&mut self, audiences: &Audiences) -> Option<(u32, Option<Blame>)> {
        let audience = self.dirty.pop()?;
        self.is_dirty[audience as usize] = false;
        let incidents = &self.incidents;
        let open = |clock: ClockId| &self.open[clock.index() * audiences.rows + audience as usize];
        let live = &mut self.live[audience as usize];
        let mut latest = None;
        let few = live.len() <= FEW;
        for place in (0..live.len()).rev() {
            let clock = live[place];
            let (active, open) = (incidents[clock].active, open(clock));
            if !active && *open == [0; 4] {
                live.remove(place);
                continue;
            }
            if latest.is_none() {
                latest = Some(Blame {
                    fault: audiences.faults[clock],
                    phase: phase(active, open),
                });
            }
            if few {
                break;
            }
        }
        Some((audience, latest))
    }

    /// Whom `journey`, which cannot be served, of a clean audience blames.
    pub(super) fn of_journey(
        &mut self,
        audiences: &Audiences,
        audience: u32,
        journey: JourneyId,
    ) -> Option<Blame> {
        let live = self.live[audience as usize].iter().copied();
        let blamed = self.of_cut(audiences, audience, self.cuts[journey], live)?;
        // A cut whose fault is over is nobody's any more, even if that fault comes again.
        self.cuts[journey] = self.cuts[journey].filter(|&clock| clock == blamed);
        Some(self.blame(audiences, audience, blamed))
    }

    /// Whom the system blames for its outage.
    pub(super) fn of_system(&mut self, audiences: &Audiences) -> Option<Blame> {
        let clocks = audiences.clocks.iter().copied();
        let blamed = self.of_cut(audiences, audiences.system, self.system_cut, clocks)?;
        self.system_cut = self.system_cut.filter(|&clock| clock == blamed);
        Some(self.blame(audiences, audiences.system, blamed))
    }

    /// The fault that completed the cut, if it is live; or else the latest live one among `clocks`,
    /// an active one if there is one.
    fn of_cut(
        &self,
        audiences: &Audiences,
        row: u32,
        cut: Option<ClockId>,
        clocks: impl Iterator<Item = ClockId>,
    ) -> Option<ClockId> {
        cut.filter(|&clock| self.is_live(audiences, row, clock))
            .or_else(|| {
                clocks
                    .filter(|&clock| self.is_live(audiences, row, clock))
                    .max_by_key(|&clock| {
                        let (stops, active) =
                            (audiences.stops[clock], self.incidents[clock].active);
                        (stops, active, self.order(audiences, clock))
                    })
            })
    }

    fn blame(&self, audiences: &Audiences, row: u32, clock: ClockId) -> Blame {
        let open = &self.open[clock.index() * audiences.rows + row as usize];
        Blame {
            fault: audiences.faults[clock],
            phase: phase(self.incidents[clock].active, open),
        }
    }
}

/// What is being done about a fault, from the conditions that are open.
#[inline]
fn phase(active: bool, open: &[u32; 4]) -> Phase {
    if open[After::Unnoticed as usize] > 0 {
        Phase::Detect
    } else if open[After::Undecided as usize] > 0 {
        Phase::Decide
    } else if open[After::Unpromoted as usize] > 0 {
        Phase::Promote
    } else if active {
        Phase::Repair
    } else {
        Phase::WarmUp
    }
}
