//! What must hold for any system and any signals: nothing panics, everything is accounted for, the
//! tables of the event loop agree with each other, and the same stretch gives the same counts.

use super::build::{Build, call, constant, exponential, retries, settings};
use super::messages::any_queue;
use super::network::{any_change, any_network};
use crate::ids::{DomainId, FaultId, Id, JourneyId, SlotId};
use crate::model::{
    Algorithm, Call, Channel, ChannelTo, ClockRuns, Discipline, Fault, FaultKind, Fork, Impairment,
    Jitter, Owner, Patience, PoolKind, Probes, ServedBy, Standby,
};
use crate::path::{Blame, Phase, Regime, Signal, SlotState};
use crate::random::{Dist, Key, Stream};
use crate::time::{SimSpan, SimTime};
use crate::traffic::frames::{Frame, Kind, NONE, State, Wait};
use crate::traffic::stretch::Stretch;
use crate::traffic::{Source, Tally, Traffic};
use proptest::prelude::*;

/// Choices drawn from a stream: proptest chooses (and shrinks) the seed only.
pub(super) struct Dice(pub(super) Stream);

impl Dice {
    pub(super) fn below(&mut self, count: u64) -> u64 {
        self.0.bits() % count
    }

    pub(super) fn chance(&mut self, share: f64) -> bool {
        self.0.uniform() < share
    }

    pub(super) fn span(&mut self) -> Dist {
        match self.below(3) {
            0 => constant(0.0),
            1 => constant(0.01 * self.below(5) as f64),
            _ => exponential(0.03),
        }
    }

    pub(super) fn spare(&mut self, most: u64) -> Option<u32> {
        self.chance(0.7).then(|| self.below(most) as u32)
    }
}

/// Up to four pools; operations call those of later pools.
fn any_system(dice: &mut Dice) -> Build {
    let mut system = Build::new();
    let mut later = Vec::new();
    for index in 0..1 + dice.below(4) {
        let replicas = 1 + dice.below(if index == 1 { 70 } else { 4 }) as u32;
        let (workers, queue) = (dice.spare(4).map(|workers| workers + 1), dice.spare(6));
        let pool = system.pool(&format!("pool-{index}"), replicas, workers, queue);
        if dice.chance(0.3) {
            let most = Some(dice.span());
            system.0.pools.as_mut_slice()[pool.index()].queue_timeout = most;
        }
        let served_by = [ServedBy::Any, ServedBy::Leader, ServedBy::Quorum][dice.below(3) as usize];
        if served_by == ServedBy::Any && replicas > 1 && dice.chance(0.3) {
            system.0.pools.as_mut_slice()[pool.index()].standby = Some(Standby {
                count: 1,
                rate: 0.0,
                activates_in: constant(0.0),
                coverage: 1.0,
                rescue: None,
            });
        }
        if served_by == ServedBy::Leader {
            system.0.pools.as_mut_slice()[pool.index()].kind = PoolKind::Store { failover: None };
        }
        let disciplines = [
            Discipline::Fifo,
            Discipline::Lifo,
            Discipline::Priority,
            Discipline::ProcessorSharing,
        ];
        if workers.is_some() && dice.chance(0.6) {
            system.0.pools.as_mut_slice()[pool.index()].discipline =
                disciplines[dice.below(4) as usize];
        }
        let operation = system.served_by(pool, dice.span(), served_by);
        if dice.chance(0.3) {
            system.0.operations.as_mut_slice()[operation.index()].fails =
                dice.below(11) as f64 / 10.0;
        }
        for _ in 0..dice.below(3).min(later.len() as u64) {
            let item = any_item(&mut system, dice, &later);
            system.0.operations.as_mut_slice()[operation.index()]
                .calls
                .extend(item);
        }
        let algorithms = [
            Algorithm::RoundRobin,
            Algorithm::LeastConnections,
            Algorithm::TwoChoices,
            Algorithm::Random,
        ];
        let algorithm = algorithms[dice.below(4) as usize];
        let balancer = dice
            .chance(0.7)
            .then(|| system.balancer(pool, 1 + dice.below(3) as u32, algorithm, dice.chance(0.5)));
        // Workers answer the probes of every other one.
        if let Some(id) = balancer.filter(|id| id.index() % 2 == 0) {
            system.0.balancers[id].probes = Some(Probes {
                interval: SimSpan::from_millis(100),
                timeout: SimSpan::from_millis(30),
                takes: SimSpan::from_millis(2),
                rise: 2,
                fall: 2,
                work: Some(constant(0.002)),
            });
        }
        later.push(Call {
            through: balancer,
            ..call(operation)
        });
    }
    if dice.chance(0.4) {
        later.push(any_queue(&mut system, dice, &later));
    }
    for name in ["readers", "writers"] {
        let sites = (0..1 + dice.below(2))
            .flat_map(|_| any_item(&mut system, dice, &later))
            .collect();
        let patience = dice
            .chance(0.7)
            .then(|| SimSpan::from_millis(20 + dice.below(500)));
        system.workload(name, 5.0 + dice.below(60) as f64, patience, sites);
        if dice.chance(0.3) {
            let last = system.0.workloads.as_mut_slice().last_mut().unwrap();
            last.patience = Some(Patience::Drawn(exponential(0.2)));
        }
    }
    any_links(&mut system, dice);
    any_network(&mut system, dice);
    let span = constant(1.0);
    let (name, kind) = ("fault".to_owned(), FaultKind::Crash);
    system.0.faults.push(Fault {
        name,
        kind,
        runs: ClockRuns::Calendar,
        every: span.clone(),
        lasts: span,
    });
    system
}

/// Some pools keep connections to some of what they call.
fn any_links(system: &mut Build, dice: &mut Dice) {
    for from in system.0.pools.ids() {
        let operations = system.0.operations.iter();
        let own = operations.filter(|operation| operation.pool == from);
        let mut open: Vec<_> = own.flat_map(|operation| operation.calls.clone()).collect();
        let mut channels = Vec::new();
        while let Some(id) = open.pop() {
            open.extend(system.0.followers(id));
            let row = &system.0.calls[id];
            let to = match row.through {
                Some(balancer) => ChannelTo::Balancer(balancer),
                None => ChannelTo::Pool(system.0.operations[row.to].pool),
            };
            let known = channels.iter().find(|(other, _)| *other == to);
            let channel = match known {
                Some(&(_, channel)) => channel,
                None => {
                    let max = dice.spare(4).map(|max| max + 1);
                    let channel = dice.chance(0.5).then(|| {
                        system.0.channels.push(Channel {
                            from,
                            to,
                            max,
                            setup: dice.span(),
                            idle_timeout: SimSpan::from_millis(1 + dice.below(2_000)),
                            wait: dice
                                .chance(0.5)
                                .then(|| SimSpan::from_millis(20 * dice.below(5))),
                            queue: dice.spare(4),
                        })
                    });
                    channels.push((to, channel));
                    channel
                }
            };
            system.0.calls.as_mut_slice()[id.index()].channel = channel;
        }
    }
}

/// A call, or several at the same time.
pub(super) fn any_item(
    system: &mut Build,
    dice: &mut Dice,
    targets: &[Call],
) -> Vec<crate::ids::CallId> {
    if dice.chance(0.8) {
        return vec![any_call(system, dice, targets)];
    }
    let copies = if dice.chance(0.5) {
        1
    } else {
        2 + dice.below(4) as u32
    };
    let count = if copies > 1 {
        1
    } else {
        1 + dice.below(3) as u32
    };
    let calls = (0..count)
        .map(|_| any_call(system, dice, targets))
        .collect();
    let on_failure = if dice.chance(0.2) {
        any_item(system, dice, targets)
    } else {
        Vec::new()
    };
    let fork = Fork {
        calls,
        copies,
        wait_for: 1 + dice.below(u64::from(count * copies)) as u32,
        deadline: dice
            .chance(0.3)
            .then(|| SimSpan::from_millis(10 + dice.below(200))),
        chance: if dice.chance(0.3) { 0.7 } else { 1.0 },
        on_failure,
        optional: dice.chance(0.2),
    };
    system.fork(fork)
}

/// A call of one of `targets`, with any deadline, retries, misses and fallbacks.
fn any_call(system: &mut Build, dice: &mut Dice, targets: &[Call]) -> crate::ids::CallId {
    let mut site = targets[dice.below(targets.len() as u64) as usize].clone();
    site.timeout = dice
        .chance(0.6)
        .then(|| SimSpan::from_millis(10 * dice.below(12)));
    site.retries = retries(dice.below(4) as u32, 10 * dice.below(3));
    site.retries.backoff.jitter =
        [Jitter::None, Jitter::Full, Jitter::Equal][dice.below(3) as usize];
    site.optional = dice.chance(0.2);
    site.passes_deadline = dice.chance(0.4);
    site.priority = dice.chance(0.3).then(|| dice.below(5) as i16 - 2);
    site.chance = if dice.chance(0.1) { 0.5 } else { 1.0 };
    if dice.chance(0.2) {
        site.hit = 0.5;
        site.on_miss = any_item(system, dice, targets);
    }
    if dice.chance(0.2) {
        site.on_failure = any_item(system, dice, targets);
    }
    system.site(site)
}

fn any_signal(system: &Build, dice: &mut Dice) -> Signal {
    if !system.0.links.is_empty() && dice.chance(0.2) {
        return any_change(dice);
    }
    let slot = SlotId::from_index(dice.below(system.0.slots.len() as u64) as usize);
    let states = [
        SlotState::Serving,
        SlotState::Serving,
        SlotState::Refusing,
        SlotState::Silent,
        SlotState::Hung,
        SlotState::Paused,
        SlotState::Standby,
    ];
    let stands_by = match system.0.slots[slot].owner {
        Owner::Pool(pool) => system.0.pools[pool].standby.is_some(),
        Owner::Balancer(_) => false,
    };
    let states = &states[..if stands_by { 7 } else { 6 }];
    let balancers = system.0.balancers.len() as u64;
    match dice.below(if balancers > 0 { 7 } else { 5 }) {
        0 => Signal::Slot {
            slot,
            state: states[dice.below(states.len() as u64) as usize],
        },
        4 => {
            let balances = matches!(system.0.slots[slot].owner, Owner::Balancer(_));
            let factor = if balances { 0 } else { dice.below(3) };
            let impairment = Impairment {
                factor: 1.0 + factor as f64,
                errors: 0.4 * dice.below(3) as f64,
            };
            Signal::Impaired { slot, impairment }
        }
        1 => Signal::Island {
            slot,
            island: dice.chance(0.5).then(|| DomainId::from_index(0)),
        },
        2 => {
            let fault = FaultId::from_index(0);
            let phase = Phase::ALL[dice.below(6) as usize];
            let blame = dice.chance(0.6).then_some(Blame { fault, phase });
            Signal::Blame {
                journey: JourneyId::from_index(dice.below(2) as usize),
                blame,
            }
        }
        3 => {
            let pools: Vec<_> = system.0.pools.pairs().collect();
            let (pool, settings) = pools[dice.below(pools.len() as u64) as usize];
            let member = dice.below(settings.slots.len() as u64) as usize;
            Signal::Leader {
                pool,
                leader: dice.chance(0.8).then_some(settings.slots[member]),
            }
        }
        kind => {
            let all: Vec<_> = system.0.balancers.pairs().collect();
            let (balancer, settings) = all[dice.below(balancers) as usize];
            let instance = settings.slots[dice.below(settings.slots.len() as u64) as usize];
            if kind == 5 {
                let holder = (settings.failover.is_some() && dice.chance(0.8)).then_some(instance);
                return Signal::Holder { balancer, holder };
            }
            let members = system.0.pools[settings.to].slots.len() as u64;
            Signal::View {
                instance,
                member: dice.below(members) as u32,
                up: dice.chance(0.6),
            }
        }
    }
}

/// Thirty seconds, ten of them counted, with about forty changes.
fn run(system: &Build, traffic: &mut Traffic<'_>, dice: &mut Dice) -> Tally {
    let at = |millis: u64| SimTime::START + SimSpan::from_millis(millis);
    traffic.clear_tally();
    let source = Source::Replication {
        seed: dice.below(1_000),
        replication: 0,
    };
    traffic.begin(&Regime::all_up(&system.0), SimTime::START, source);
    traffic.count(at(5_000), at(10_000));
    traffic.count(at(15_000), at(20_000));
    let mut millis = 0;
    while millis < 25_000 {
        millis += dice.below(1_200);
        traffic.run_until(at(millis));
        for _ in 0..1 + dice.below(3) {
            traffic.apply(at(millis), any_signal(system, dice));
            audit(&traffic.stretch);
        }
    }
    traffic.run_until(at(30_000));
    audit(&traffic.stretch);
    traffic.finish(at(30_000));
    let tally = traffic.tally();
    tally.check().unwrap();
    assert_eq!((tally.slices.judged, traffic.counted_in_flight()), (10, 0));
    assert!(!traffic.overflowed());
    tally.clone()
}

/// Whether the tables of the event loop agree with each other.
fn audit(stretch: &Stretch<'_>) {
    let frames = stretch.frames.cells();
    let at = |slot: SlotId, states: &[State]| {
        let there =
            |frame: &&Frame| frame.slot == slot.index() as u32 && frame.kind == Kind::Attempt;
        frames
            .iter()
            .filter(there)
            .filter(|frame| states.contains(&frame.state))
            .count() as u32
    };
    for (slot, station) in stretch.stations.pairs() {
        assert_eq!(station.busy, at(slot, &[State::Working, State::Calling]));
        assert_eq!(station.waiting, at(slot, &[State::Queued]));
        if station.discipline == Discipline::ProcessorSharing {
            let shared = &stretch.shared[station.more as usize];
            assert!(station.busy <= shared.most && station.waiting == 0);
            assert_eq!(shared.in_work() as u32, at(slot, &[State::Working]));
            continue;
        }
        assert!(station.busy <= station.workers);
        if stretch.regime.slots[slot] == SlotState::Paused {
            let room = station.workers.saturating_add(station.queue);
            assert!(station.busy + station.waiting <= room);
        } else {
            assert!(station.waiting <= station.queue);
            assert!(station.waiting == 0 || station.busy == station.workers);
        }
        let (mut next, mut line) = (station.first, Vec::new());
        while next != NONE {
            let frame = &frames[next as usize];
            line.push((frame.rank, next));
            next = frame.after;
        }
        assert_eq!(line.len() as u32, station.waiting);
        assert_eq!(line.last().map_or(NONE, |last| last.1), station.last);
        if station.discipline == Discipline::Priority {
            assert!(line.is_sorted_by_key(|&(rank, _)| rank));
            let lasts = stretch.ranks[station.more as usize..].iter();
            let lasts: Vec<u32> = lasts.copied().filter(|&last| last != NONE).collect();
            for group in line.chunk_by(|one, next| one.0 == next.0) {
                assert!(lasts.contains(&group[group.len() - 1].1));
            }
        }
    }
    stretch.audit_links();
    stretch.audit_messages();
    for (frame, index) in frames
        .iter()
        .zip(0_u32..)
        .filter(|(frame, _)| frame.kind != Kind::Free)
    {
        if frame.kind == Kind::Leg && frame.before != NONE {
            assert_eq!(frames[frame.before as usize].after, index);
            assert_eq!(frames[frame.before as usize].parent, frame.parent);
        } else if frame.parent != NONE {
            assert_eq!(frames[frame.parent as usize].child, index);
        }
        let legs = frames
            .iter()
            .filter(|leg| leg.kind == Kind::Leg && leg.parent == index);
        // When the last that is needed ends, or one too many, none is left.
        assert!(frame.needed == 0 || legs.count() as u32 == frame.needed + frame.spare);
        if frame.child != NONE {
            assert_eq!(frames[frame.child as usize].parent, index);
        }
        let waits = frame.child != NONE || frame.due != 0;
        let state = |slot: u32| match slot {
            NONE => SlotState::Serving,
            slot => stretch.regime.slots[SlotId::from_index(slot as usize)],
        };
        let stands = match frame.state {
            State::Queued | State::Lost => true,
            State::Away => frame.due != 0,
            State::Hung => state(frame.slot) == SlotState::Hung,
            State::Held => {
                state(stretch.relays[frame.relay as usize].slot.index() as u32) == SlotState::Paused
            }
            State::Linking if frame.held => {
                state(frames[frame.parent as usize].slot) == SlotState::Paused
            }
            State::Linking => frame.wait == Wait::Channel,
            State::Working => frame.wait.is_share() || state(frame.slot) == SlotState::Paused,
            State::Outside if frame.kind == Kind::Message && !frame.held => true,
            State::Calling | State::Outside => frame.held && state(frame.slot) == SlotState::Paused,
        };
        assert!(waits || stands, "{frame:?} is stuck");
        assert!(!frame.held || stands, "{frame:?} is held");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_system_is_accounted_for_and_repeats_itself(seed in any::<u64>()) {
        let dice = |part| Dice(Key::of_seed(seed).with(part).stream());
        let system = any_system(&mut dice(0));
        let mut traffic = Traffic::new(&system.0, settings());
        let first = run(&system, &mut traffic, &mut dice(1));
        let second = run(&system, &mut traffic, &mut dice(1));
        prop_assert_eq!(format!("{first:?}"), format!("{second:?}"));
    }
}

/// Work that does not disturb other work: whoever sees a request sees the same one.
fn undisturbed() -> Build {
    let mut system = Build::new();
    let pool = system.pool("app", 3, None, None);
    let balancer = system.balancer(pool, 2, Algorithm::Random, false);
    let serve = system.operation(pool, exponential(0.08));
    let site = system.site(Call {
        through: Some(balancer),
        timeout: Some(SimSpan::from_millis(200)),
        retries: retries(2, 50),
        ..call(serve)
    });
    system.workload("users", 40.0, None, vec![site]);
    system
}

fn counted(system: &Build, from: u64, regime: &Regime) -> Tally {
    let at = |secs: u64| SimTime::START + SimSpan::from_secs(secs);
    let mut traffic = Traffic::new(&system.0, settings());
    traffic.begin(
        regime,
        at(from),
        Source::Replication {
            seed: 9,
            replication: 4,
        },
    );
    traffic.count(at(100), at(200));
    traffic.run_until(at(210));
    traffic.finish(at(210));
    traffic.tally().clone()
}

#[test]
fn every_stretch_that_covers_a_request_sees_the_same_one() {
    let system = undisturbed();
    let regime = Regime::all_up(&system.0);
    let [whole, window] = [0, 99].map(|from| counted(&system, from, &regime));
    assert!(whole.journeys[JourneyId::from_index(0)].counts.issued > 3_500);
    assert_eq!(
        format!("{:?}", whole.journeys),
        format!("{:?}", window.journeys)
    );
    assert_eq!(format!("{:?}", whole.pools), format!("{:?}", window.pools));
}

#[test]
fn another_workload_and_another_member_in_view_move_no_draw() {
    let system = undisturbed();
    let regime = Regime::all_up(&system.0);
    let alone = counted(&system, 0, &regime);
    let mut more = undisturbed();
    let site = more.0.journeys.as_slice()[0].calls.clone();
    more.workload("robots", 90.0, None, site);
    let beside = counted(&more, 0, &Regime::all_up(&more.0));
    let mut narrow = regime.clone();
    for instance in system.0.balancers.as_slice()[0].slots.clone() {
        narrow.apply(Signal::View {
            instance,
            member: 1,
            up: false,
        });
    }
    let narrow = counted(&system, 0, &narrow);
    let users = |tally: &Tally| format!("{:?}", tally.journeys[JourneyId::from_index(0)]);
    assert_eq!(users(&alone), users(&beside));
    assert_eq!(users(&alone), users(&narrow));
}

#[test]
fn another_seed_replication_or_batch_is_another_stream() {
    let system = undisturbed();
    let mut traffic = Traffic::new(&system.0, settings());
    let sources = [
        Source::Replication {
            seed: 1,
            replication: 0,
        },
        Source::Replication {
            seed: 2,
            replication: 0,
        },
        Source::Replication {
            seed: 1,
            replication: 1,
        },
        Source::Sample {
            seed: 1,
            regime: 0,
            batch: 0,
        },
        Source::Sample {
            seed: 1,
            regime: 1,
            batch: 0,
        },
        Source::Sample {
            seed: 1,
            regime: 0,
            batch: 1,
        },
    ];
    let mut firsts: Vec<SimTime> = sources
        .map(|source| {
            traffic.begin(&Regime::all_up(&system.0), SimTime::START, source);
            traffic.next_time()
        })
        .to_vec();
    firsts.sort();
    firsts.dedup();
    assert_eq!(firsts.len(), 6);
}

#[test]
fn a_backlog_beyond_the_limit_ends_the_stretch_and_adds_up() {
    let mut system = Build::new();
    let pool = system.pool("app", 1, Some(1), None);
    let serve = system.operation(pool, constant(1.0));
    let site = system.site(call(serve));
    system.workload("users", 1_000.0, None, vec![site]);
    let mut traffic = Traffic::new(&system.0, settings());
    traffic.set_frame_limit(5_000);
    let end = SimTime::START + SimSpan::from_secs(100);
    traffic.begin(
        &Regime::all_up(&system.0),
        SimTime::START,
        Source::Replication {
            seed: 1,
            replication: 0,
        },
    );
    traffic.count(SimTime::START, end);
    traffic.run_until(end);
    assert!(traffic.overflowed() && traffic.next_time() == SimTime::NEVER);
    assert!(traffic.frames_in_use() <= 5_000);
    traffic.finish(end);
    traffic.tally().check().unwrap();
}
