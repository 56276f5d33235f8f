//! One group of replications: the unit of parallel work. It follows the control path of each, runs
//! traffic over the first of them, samples the regimes it met, and returns a record.
//!
//! A group depends on nothing but the system, the plan and its own index, so any thread may run it.

use super::bracket::{Outline, RegimeHour};
use super::down::{Losses, Lost, Spells, rates};
use super::felt::Felt;
use super::lend::{Looks, stretch as run_stretch};
use super::met::{Cells, Met};
use super::outages::{Bad, OutageRecord, OutageTracker};
use super::periods::{RequestPeriods, request_periods};
use super::plan::{BLOCK, GROUPS, Plan};
use super::rare::Forcer;
use super::recoveries::RecoveryRecord;
use super::settle::Settling;
use super::slice_share::SliceShare;
use super::splitting::{FoundInGroup, Pilots, SplittingRecord};
use super::structure::{History, StructureRecord, StructureTally};
use super::totals::{BlameTime, Scales, Totals};
use super::views::View;
use super::windows::{Piece, Quiet, SLOTS};
use crate::control::{Control, Detail};
use crate::ids::{IdVec, JourneyId};
use crate::model::{Method, System};
use crate::path::{Cause, KeyMaker, Regime, Signal};
use crate::random::{Key, Purpose};
use crate::time::SimTime;
use crate::traffic::{Source, Tally, Traffic};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

/// What one group found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupRecord {
    /// Structural figures of all its replications.
    pub structure: StructureRecord,
    /// Request figures of the ones with traffic; `None` if it has none.
    pub traffic: Option<TrafficRecord>,
    /// Of its replications without, what control says of their downtime, where a target asks.
    pub outlines: Vec<Outline>,
}

/// Request figures of one group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TrafficRecord {
    /// Replications with traffic.
    pub replications: u64,
    /// Replications without traffic that lent their quiet time.
    pub lent: u64,
    /// Failures of load that were found by splitting.
    pub splitting: SplittingRecord,
    /// Requests and calls.
    pub totals: Totals,
    /// Slices.
    pub outages: OutageRecord,
    /// Regimes sampled.
    pub regimes: u64,
    /// Recoveries of stores, as those who call them felt them.
    pub recoveries: RecoveryRecord,
    /// By target; those on periods of requests are filled.
    pub periods: Vec<Option<RequestPeriods>>,
    /// (failed, sampled) requests of the regime that holds most of the time, by view; zero without samples.
    pub calm: Vec<(f64, f64)>,
    /// What the samples of its regimes say about slices, by hour.
    pub shares: Vec<(RegimeHour, SliceShare)>,
    /// What of `totals` is lost while the structure is down, where outages are forced: its mean is then known
    /// from branches. It is already taken away from `outages`.
    pub down: Option<Lost>,
}

/// Why a group could not be simulated.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupError {
    /// More requests were in progress than the limit allows.
    Overflow,
    /// A count did not add up.
    Conservation(String),
    /// Overload outlived what began it, at this instant, for longer than can be followed.
    Unsettled(SimTime),
    /// Probes fail for want of workers, from this instant on, for longer than can be followed.
    Starving(SimTime),
    /// Balancers eject members and let them back, from this instant on, for longer than can be followed.
    Ejecting(SimTime),
    /// The watcher asked to stop.
    Stopped,
}

/// Runs groups one after the other; keeps its buffers.
#[derive(Debug)]
pub struct GroupRunner<'a> {
    pub(super) system: &'a System,
    pub(super) plan: &'a Plan,
    pub(super) control: Control<'a>,
    pub(super) traffic: Option<Traffic<'a>>,
    pub(super) signals: Vec<Signal>,
    tally: StructureTally,
    /// Forces structural outages, with control of its own that follows nothing else.
    forcer: Option<(Forcer<'a>, Control<'a>)>,
    pub(super) keys: KeyMaker,
    pub(super) settling: Settling<'a>,
    pub(super) felt: Felt,
    /// Whether overload acts back on control.
    pub(super) coupled: bool,
    /// Whether any balancer ejects members.
    pub(super) ejects: bool,
    pub(super) looks: Looks,
    /// When the structure was down in the history whose quiet time was followed last.
    pub(super) spells: Spells,
    /// Requests per second by journey.
    pub(super) rates: IdVec<JourneyId, f64>,
    pub(super) pilots: Arc<Pilots>,
    /// For how long windows of this group went on because overload outlived what began it, and in which regime.
    pub(super) beyond: Vec<(Rc<Regime>, SimTime, SimTime)>,
    /// What the targets on periods count.
    pub(super) views: Vec<View>,
    /// When other designs change, by replication, in order: traffic is simulated request by request
    /// around these instants too.
    pub(super) others: BTreeMap<u64, Vec<SimTime>>,
    /// The replications of the last group one by one, for whoever compares them.
    histories: Option<Vec<History>>,
}

impl<'a> GroupRunner<'a> {
    /// The same for groups whose replications are wanted one by one.
    pub(super) fn with_histories(system: &'a System, plan: &'a Plan) -> Self {
        Self {
            histories: Some(Vec::new()),
            ..Self::new(system, plan)
        }
    }

    /// The replications run since the last call, one by one.
    pub(super) fn take_histories(&mut self) -> Vec<History> {
        self.histories
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Everything that groups of this plan need.
    pub fn new(system: &'a System, plan: &'a Plan) -> Self {
        let traffic = (plan.method != Method::None)
            .then(|| Traffic::with_engine(system, plan.traffic.clone(), plan.engine));
        let detail = if traffic.is_some() {
            Detail::Full
        } else {
            Detail::Structure
        };
        Self {
            system,
            plan,
            control: Control::with_lead(system, detail, plan.lead),
            traffic,
            signals: Vec::new(),
            tally: StructureTally::new(system, plan.from, plan.to),
            forcer: plan.forcing.map(|forcing| {
                let control = Control::with_lead(system, Detail::Structure, plan.lead);
                (Forcer::new(system, plan, forcing, &control), control)
            }),
            keys: KeyMaker::default(),
            settling: Settling::new(),
            felt: Felt::new(system),
            coupled: system.is_coupled(),
            ejects: system.ejects(),
            looks: Looks::default(),
            spells: Spells::new(system.journeys.len()),
            rates: rates(system, plan.from, plan.to),
            pilots: Arc::default(),
            beyond: Vec::new(),
            views: View::all(system),
            others: BTreeMap::new(),
            histories: None,
        }
    }

    /// The same, with pilots in common with others of this plan: each is run once, whoever needs it.
    pub fn sharing(system: &'a System, plan: &'a Plan, pilots: &Arc<Pilots>) -> Self {
        Self {
            pilots: Arc::clone(pilots),
            ..Self::new(system, plan)
        }
    }

    /// Runs group `group` of block `block`, of which only replications below `replications` exist.
    ///
    /// # Errors
    /// See [`GroupError`]; `stop` is polled between replications and windows.
    pub fn run(
        &mut self,
        block: u64,
        group: u64,
        replications: u64,
        stop: &dyn Fn() -> bool,
    ) -> Result<GroupRecord, GroupError> {
        let mut structure = StructureRecord::new(self.system);
        let (mut with_traffic, mut outlines) = (Vec::new(), Vec::new());
        for index in (group..BLOCK).step_by(GROUPS as usize) {
            let replication = block * BLOCK + index;
            if replication >= replications {
                break;
            }
            if stop() {
                return Err(GroupError::Stopped);
            }
            if index < self.plan.traffic_per_block {
                with_traffic.push(replication);
            } else if self.plan.brackets {
                outlines.push(self.outline(replication));
            }
            self.structural(replication, &mut structure);
        }
        if let Some((forcer, _)) = &mut self.forcer {
            forcer.finish(&mut structure);
        }
        let traffic = if with_traffic.is_empty() {
            None
        } else {
            let lent = self.lent_to(block, group, replications);
            Some(self.with_traffic(block * GROUPS + group, (&with_traffic, &lent), stop)?)
        };
        Ok(GroupRecord {
            structure,
            traffic,
            outlines,
        })
    }

    /// The replications that lend their quiet time to group `group` of a block: all without traffic are dealt
    /// to the groups that have any.
    fn lent_to(&self, block: u64, group: u64, replications: u64) -> Vec<u64> {
        let plan = self.plan;
        let groups = plan.traffic_per_block.min(GROUPS);
        let dealt = (plan.traffic_per_block + group..BLOCK)
            .step_by(groups as usize)
            .map(|index| block * BLOCK + index);
        dealt
            .take_while(|&replication| replication < replications)
            .take(plan.lenders as usize)
            .collect()
    }

    fn structural(&mut self, replication: u64, record: &mut StructureRecord) {
        if let Some((forcer, control)) = &mut self.forcer {
            return forcer.replication(control, replication, record);
        }
        self.control.restart(self.plan.seed, replication);
        self.step_to(self.plan.from);
        self.tally.begin(&self.control);
        while self.control.next_time() < self.plan.to {
            self.signals.clear();
            let transition = self.control.step(&mut self.signals);
            record.transitions += 1;
            self.tally.observe(transition.at, &self.control, record);
        }
        self.tally.end(&mut self.control, record);
        if let Some(histories) = &mut self.histories {
            histories.push(self.tally.ended());
        }
    }

    /// Carries out all transitions before `at`.
    pub(super) fn step_to(&mut self, at: SimTime) {
        while self.control.next_time() < at {
            self.signals.clear();
            self.control.step(&mut self.signals);
        }
    }

    fn with_traffic(
        &mut self,
        batch: u64,
        (replications, lent): (&[u64], &[u64]),
        stop: &dyn Fn() -> bool,
    ) -> Result<TrafficRecord, GroupError> {
        self.beyond.clear();
        let causes = Cause::planned(self.system);
        let mut totals = Totals::new(self.system, self.plan);
        let mut met: BTreeMap<(u64, u64), Met> = BTreeMap::new();
        let mut paths: Vec<Vec<Piece>> = Vec::with_capacity(replications.len());
        for &replication in replications {
            let mut pieces = Vec::new();
            match self.plan.method {
                Method::Exact => self.exact(replication, &mut totals, &mut pieces, stop)?,
                Method::Windows | Method::None => {
                    self.windows(replication, &mut totals, &mut pieces, stop)?;
                }
            }
            let mut last = None;
            for piece in &mut pieces {
                if let Piece::Quiet(quiet) = piece {
                    quiet.key.0 = self.key_of(&quiet.regime, &mut last);
                    self.meet(&mut met, paths.len(), quiet);
                }
            }
            totals.covered_s += self.plan.horizon_s();
            paths.push(pieces);
        }
        let regimes = met.keys().map(|key| key.0).collect::<BTreeSet<u64>>().len() as u64;
        let quiet_s: f64 = met.values().flat_map(|met| met.blamed_s()).sum();
        // Of quiet time, each second counts as so much.
        let part = replications.len() as f64 / (replications.len() + lent.len()) as f64;
        let mut losses = self.plan.forcing.map(|_| Losses::none(self.system));
        if let Some(losses) = &mut losses {
            for &replication in replications {
                self.lose(replication, losses);
            }
        }
        let mut borrowed = self.borrow(lent, losses.as_mut(), stop)?;
        self.give_back(&mut borrowed, part);
        let mut splitting = SplittingRecord::default();
        let split = self.split(batch, (&met, &borrowed), &mut splitting, stop)?;
        for (&key, met) in &mut met {
            if stop() {
                return Err(GroupError::Stopped);
            }
            let (of, found) = ((batch, paths.len()), split.get(&key.0));
            self.sample(of, key, (met, found), (quiet_s, part), &mut totals, stop)?;
        }
        let mut bad = Bad::none(causes.len());
        if !lent.is_empty() {
            let found = (&mut totals, &mut bad);
            self.sample_borrowed(batch, part, (&borrowed, &split), found, stop)?;
        }
        for (key, met) in met.iter().chain(&borrowed.regimes) {
            if let Some(found) = split.get(&key.0) {
                totals.add_split(self.system, found, (&met.expected, part), &met.blamed);
            }
        }
        // Units of slices are histories, so only one history of a group can borrow.
        let lent_bad =
            (!lent.is_empty() && self.plan.traffic_per_block <= GROUPS).then_some((&bad, part));
        let down = losses.as_ref().map(|losses| losses.counted(part));
        let mut outages = OutageRecord::new(causes.len(), self.system.targets.len());
        for (index, pieces) in paths.iter().enumerate() {
            let own = losses.as_ref().map(|losses| losses.of(index));
            let down = if lent_bad.is_some() {
                &down
            } else {
                &own.cloned()
            };
            let apart = (lent_bad, down.as_ref().map(|lost| &lost.down));
            self.stitch(pieces, &met, (&causes, apart), &mut outages);
        }
        let sampled = met.iter().filter(|(_, met)| met.slices.judged > 0);
        let shares = sampled.map(|(&hour, met)| (hour, met.slices)).collect();
        let mut periods = request_periods(self.system);
        let calm = self.periods(&paths, &met, &causes, &mut outages, &mut periods);
        Ok(TrafficRecord {
            replications: replications.len() as u64,
            lent: lent.len() as u64,
            splitting,
            totals,
            outages,
            regimes,
            recoveries: self.felt.take(self.system),
            periods,
            calm,
            shares,
            down,
        })
    }

    /// The key of `regime`; neighbours often share one.
    fn key_of(&mut self, regime: &Rc<Regime>, last: &mut Option<(Rc<Regime>, u64)>) -> u64 {
        if let Some((known, key)) = last
            && Rc::ptr_eq(known, regime)
        {
            return *key;
        }
        let key = self.keys.key(self.system, regime);
        *last = Some((Rc::clone(regime), key));
        key
    }

    pub(super) fn meet(
        &self,
        met: &mut BTreeMap<(u64, u64), Met>,
        replication: usize,
        quiet: &Quiet,
    ) {
        let entry = met.entry(quiet.key).or_insert_with(|| Met {
            regime: unblamed(&quiet.regime),
            expected: IdVec::filled(0.0, self.system.workloads.len()),
            blamed: BlameTime::new(),
            stretches: Vec::new(),
            slices: SliceShare::default(),
            worst: None,
            sampled: Vec::new(),
        });
        let mut weight = 0.0;
        for (id, workload) in self.system.workloads.pairs() {
            let mut expected = workload.expected(quiet.from, quiet.to);
            if quiet.regime.bursts[id] {
                expected *= workload.burst_factor();
            }
            entry.expected[id] += expected;
            weight += expected;
        }
        entry
            .stretches
            .push((replication, quiet.from, quiet.to, weight));
        let secs = quiet.to.since(quiet.from).as_secs_f64();
        for (journey, &blame) in quiet.regime.blames.pairs() {
            *entry.blamed.entry((journey, blame)).or_default() += secs;
        }
    }

    /// Samples one regime in one kind of hour: stretches that begin at instants drawn from its quiet
    /// time in proportion to the expected requests, each after a warm-up, in number as its share of the
    /// time. Where rates move in steps, see [`Cells`].
    fn sample(
        &mut self,
        (batch, replications): (u64, usize),
        (key, slot): (u64, u64),
        (met, split): (&mut Met, Option<&FoundInGroup>),
        (quiet_s, part): (f64, f64),
        totals: &mut Totals,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), GroupError> {
        /// Stretches of a regime that holds all the time; the others have their share of them.
        const STRETCHES: f64 = 16.0;
        /// Stretches that are looked through for a request of each workload, where hours may have few.
        const MOST: u64 = 1 << 14;
        if met.expected.iter().all(|&expected| expected == 0.0) {
            // Nobody comes in these hours.
            return Ok(());
        }
        let share = met.blamed_s().sum::<f64>() / quiet_s;
        let stretches = (STRETCHES * share).ceil() as u64;
        let mut stream = Key::of_seed(self.plan.seed)
            .with(Purpose::Sample as u64)
            .with(key)
            .with(slot)
            .with(batch)
            .stream();
        let traffic = self
            .traffic
            .as_mut()
            .expect("only plans with traffic sample");
        traffic.clear_tally();
        let slice = self.plan.traffic.slice.as_nanos();
        let (mut pairs, mut starts, mut sampled_s) = (0, 0, 0.0);
        let stepwise = self.system.has_steps();
        let cells = stepwise.then(|| Cells::new(self.plan, met));
        for stretch in 0..if stepwise { MOST } else { stretches } {
            if stop() {
                return Err(GroupError::Stopped);
            }
            if stretch >= stretches && met.is_sampled(self.system, traffic.tally()) {
                break;
            }
            let (judged, unknown, runs) = {
                let slices = &traffic.tally().slices;
                (slices.judged, slices.unknown, slices.runs.len())
            };
            let common = self.plan.common.then(|| {
                // A stream for each stretch, so that designs stay in step whatever they reject.
                let mut stream = Key::of_seed(self.plan.seed)
                    .with(Purpose::Sample as u64)
                    .with(slot)
                    .with(batch)
                    .with(stretch)
                    .stream();
                met.common_instant(self.system, self.plan, replications, cells, &mut stream)
            });
            let instant = common
                .flatten()
                .unwrap_or_else(|| met.instant(self.system, cells, &mut stream));
            let (at, end) = match cells {
                None => {
                    let at = self.plan.slice_start(instant);
                    (at, at + self.plan.windows.sample)
                }
                Some(cells) => cells.of(instant),
            };
            let source = Source::Sample {
                seed: self.plan.seed,
                regime: if self.plan.common { 0 } else { key },
                batch: if stepwise {
                    (batch * MOST + stretch) * SLOTS + slot
                } else {
                    (batch * STRETCHES as u64 + stretch) * 24 + slot
                },
            };
            sampled_s += end.since(at).as_secs_f64();
            run_stretch(
                traffic,
                &met.regime,
                self.plan.windows.warm_up,
                (at, end),
                source,
            )?;
            let slices = &traffic.tally().slices;
            // What comes before the first request of a stretch says nothing about the regime.
            let unknown = slices.unknown - unknown;
            pairs += (slices.judged - judged - unknown).saturating_sub(1);
            let first = at.as_nanos() / slice + unknown;
            starts += slices.runs[runs..]
                .iter()
                .filter(|run| run.first > first)
                .count() as u64;
        }
        let tally = traffic.tally();
        tally.check().map_err(GroupError::Conservation)?;
        met.slices = SliceShare {
            judged: tally.slices.judged - tally.slices.unknown,
            bad: tally.slices.bad,
            pairs,
            starts,
        };
        met.worst = worst(tally);
        met.expect_of_users(self.system, tally, sampled_s);
        let views = self.views.iter();
        met.sampled = views
            .map(|view| view.of_sample(self.system, (tally, split), &met.expected))
            .collect();
        let scales = Scales::expecting(self.system, tally, &met.expected, part);
        totals.add_sampled(self.system, (tally, split), &scales, &met.blamed);
        Ok(())
    }

    fn stitch(
        &self,
        pieces: &[Piece],
        met: &BTreeMap<(u64, u64), Met>,
        (planned, (lent, down)): (&[bool], Apart<'_>),
        record: &mut OutageRecord,
    ) {
        let slice = self.plan.traffic.slice;
        let index = |at| self.plan.slice_index(at);
        let mut tracker =
            OutageTracker::new(slice, index(self.plan.from), index(self.plan.to), planned);
        if let Some((bad, part)) = lent {
            tracker = tracker.lending(bad, part);
        }
        if let Some(down) = down {
            tracker = tracker.without(down);
        }
        for piece in pieces {
            match piece {
                Piece::Window(seen) => tracker.seen(seen, record),
                Piece::Quiet(quiet) => {
                    let met = &met[&quiet.key];
                    let cause = met.cause(quiet);
                    let (from, to) = (index(quiet.from), index(quiet.to));
                    if met.slices.judged == 0 {
                        tracker.empty(from, to, record);
                    } else {
                        tracker.quiet(from, to, met.slices, cause, record);
                    }
                }
            }
        }
        tracker.end(record);
    }
}

/// Of slices: bad time that is lent, with the part of its own that counts; and what is taken away.
type Apart<'a> = (Option<(&'a Bad, f64)>, Option<&'a Bad>);

fn unblamed(regime: &Regime) -> Regime {
    let mut regime = regime.clone();
    for blame in regime.blames.as_mut_slice() {
        *blame = None;
    }
    regime
}

/// The journey with the most failures, and its commonest cause.
pub(super) fn worst(tally: &Tally) -> Option<(JourneyId, usize)> {
    tally
        .journeys
        .pairs()
        .max_by_key(|(id, journey)| (journey.counts.failed, std::cmp::Reverse(*id)))
        .map(|(id, journey)| (id, commonest(&journey.failed_by_cause)))
}

fn commonest(counts: &[u64]) -> usize {
    counts
        .iter()
        .enumerate()
        .max_by_key(|&(index, &count)| (count, std::cmp::Reverse(index)))
        .map_or(0, |(index, _)| index)
}
