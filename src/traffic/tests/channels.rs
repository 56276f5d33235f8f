//! Connections: as servers with a queue in front of them, as something that costs time to open, and as
//! something that is lost when either end stops. Seeds are fixed; each check states its standard error.

use super::build::{Build, call, constant, exponential, settings};
use crate::ids::{ChannelId, Id, PoolId, SlotId};
use crate::model::{Call, Channel, ChannelTo};
use crate::path::{Regime, Signal, SlotState};
use crate::random::Dist;
use crate::time::{SimSpan, SimTime};
use crate::traffic::{ChannelTally, Source, Traffic};

fn channel() -> ChannelId {
    ChannelId::from_index(0)
}

/// Connections without a limit that cost nothing and are kept for a minute.
pub(super) fn kept(from: PoolId, to: PoolId) -> Channel {
    Channel {
        from,
        to: ChannelTo::Pool(to),
        max: None,
        setup: constant(0.0),
        idle_timeout: SimSpan::from_secs(60),
        wait: None,
        queue: None,
    }
}

/// Users of `from` who come at `rate`, whose only work is a call of `takes` over the only channel there is.
pub(super) fn over(
    system: &mut Build,
    (mut kept, to): (Channel, PoolId),
    takes: Dist,
    rate: f64,
    adjust: impl Fn(&mut Channel, &mut Call),
) {
    let read = system.operation(kept.from, constant(0.0));
    let query = system.operation(to, takes);
    let mut row = Call {
        channel: Some(channel()),
        ..call(query)
    };
    adjust(&mut kept, &mut row);
    system.0.channels.push(kept);
    system.calls(read, row);
    let site = system.site(call(read));
    system.workload("users", rate, None, vec![site]);
}

/// An app without limits whose only work is a call of `takes` over connections, for users who come at `rate`.
struct Case {
    system: Build,
    app: PoolId,
    db: PoolId,
}

fn case(replicas: u32, takes: Dist, rate: f64, adjust: impl Fn(&mut Channel, &mut Call)) -> Case {
    let mut system = Build::new();
    let (app, db) = (
        system.pool("app", replicas, None, None),
        system.pool("db", 1, None, None),
    );
    over(&mut system, (kept(app, db), db), takes, rate, adjust);
    Case { system, app, db }
}

fn begin(case: &Case, traffic: &mut Traffic<'_>) {
    let source = Source::Replication {
        seed: 5,
        replication: 0,
    };
    traffic.begin(&Regime::all_up(&case.system.0), SimTime::START, source);
}

fn at(secs: u64) -> SimTime {
    SimTime::START + SimSpan::from_secs(secs)
}

/// Runs `secs` seconds after a tenth of that; the tallies of the connections and of the mean latency.
fn run(case: &Case, secs: u64) -> (ChannelTally, f64) {
    let mut traffic = Traffic::new(&case.system.0, settings());
    begin(case, &mut traffic);
    traffic.count(at(secs / 10), at(secs / 10 + secs));
    traffic.run_until(at(secs / 10 + secs));
    while traffic.counted_in_flight() > 0 {
        traffic.step();
    }
    traffic.finish(traffic.next_time());
    let tally = traffic.tally();
    tally.check().unwrap();
    let latency = tally.journeys.iter().next().unwrap().latency.mean();
    (tally.channels[channel()], latency.unwrap() * 1e-9)
}

#[track_caller]
fn close(what: &str, got: f64, exact: f64, standard_error: f64) {
    let z = (got - exact) / standard_error;
    assert!(z.abs() < 4.0, "{what}: {got}, exactly {exact}, z = {z:.1}");
}

/// Probabilities of an M/M/3 queue with two places to wait, `a` offered.
fn three_and_two(a: f64) -> [f64; 6] {
    let mut p = [1.0; 6];
    for n in 1..6 {
        p[n] = p[n - 1] * a / (n.min(3) as f64);
    }
    let sum: f64 = p.iter().sum();
    p.map(|one| one / sum)
}

#[test]
fn connections_that_are_the_bottleneck_are_the_servers_of_a_queue() {
    let case = case(1, exponential(0.1), 30.0, |channel, _| {
        (channel.max, channel.queue) = (Some(3), Some(2));
    });
    let (found, latency) = run(&case, 40_000);
    let p = three_and_two(3.0);
    let wanted = found.wanted as f64;
    // States of the queue are correlated over some 0.2 s: about one in six requests counts.
    let share = |count: u64| count as f64 / wanted;
    close(
        "none in time",
        share(found.shed),
        p[5],
        (p[5] / wanted * 6.0).sqrt(),
    );
    let waiting = p[4] + 2.0 * p[5];
    let wait = found.wait_ns as f64 * 1e-9 / wanted;
    close("wait", wait, waiting / 30.0, 0.000_1);
    let waits = p[3] + p[4];
    close(
        "have to wait",
        share(found.waited),
        waits,
        (waits / wanted * 6.0).sqrt(),
    );
    let got = 1.0 - p[5];
    close("latency", latency, 0.1 + waiting / 30.0 / got, 0.000_4);
    assert_eq!((found.left, found.waiting), (0, 0));
}

#[test]
fn a_limit_of_the_wait_is_kept() {
    // Two connections that are always busy with constant work: who waits, waits 0.1 s at most.
    let case = case(1, constant(1.0), 20.0, |channel, _| {
        (channel.max, channel.wait) = (Some(2), Some(SimSpan::from_millis(100)));
    });
    let (found, latency) = run(&case, 2_000);
    assert!(found.shed > 0 && latency < 1.1 && found.left == 0);
    let most = 0.1 * found.waited as f64;
    assert!(found.wait_ns as f64 * 1e-9 <= most * 1.000_001);
}

#[test]
fn opening_costs_time_when_the_last_use_is_too_long_ago() {
    // Work of no time: one connection, used again if the next request comes within five seconds. A
    // second one is opened for what comes within the millisecond of opening the first: 2e-4 of all.
    let case = case(1, constant(0.0), 0.2, |channel, _| {
        (channel.setup, channel.idle_timeout) = (constant(0.001), SimSpan::from_secs(5));
    });
    let (found, latency) = run(&case, 2_000_000);
    let cold = (-1.0_f64).exp();
    let error = (cold * (1.0 - cold) / found.wanted as f64).sqrt();
    let opened = found.opened as f64 / found.wanted as f64;
    close("opened", opened, cold, error + 0.000_1);
    close("latency", latency, 0.001 * cold, 0.001 * (error + 0.000_1));
}

#[test]
fn a_pool_that_never_gets_cold_opens_nothing() {
    let case = case(3, exponential(0.05), 60.0, |channel, _| {
        (channel.setup, channel.max) = (constant(0.05), Some(4));
    });
    let (found, _) = run(&case, 20_000);
    assert_eq!(found.wanted, found.reused + found.opened);
    assert!(found.opened < 20, "{found:?}");
}

/// How many connections are opened in the seconds from 20 to 21 when `slot` stops at 20 and is back at once.
fn storm(case: &Case, slot: SlotId, state: SlotState) -> u64 {
    let mut traffic = Traffic::new(&case.system.0, settings());
    begin(case, &mut traffic);
    traffic.count(at(20), at(21));
    traffic.run_until(at(20));
    for state in [state, SlotState::Serving] {
        traffic.apply(at(20), Signal::Slot { slot, state });
    }
    traffic.run_until(at(40));
    traffic.finish(at(40));
    let tally = traffic.tally();
    tally.check().unwrap();
    tally.channels[channel()].opened
}

#[test]
fn connections_are_gone_with_either_end_and_are_opened_again_all_at_once() {
    let case = case(4, constant(0.01), 100.0, |channel, _| {
        (channel.setup, channel.max) = (constant(0.02), Some(8));
    });
    let slots = |pool: PoolId| &case.system.0.pools[pool].slots;
    let (db, app) = (slots(case.db)[0], slots(case.app)[0]);
    assert_eq!(storm(&case, db, SlotState::Serving), 0);
    assert_eq!(storm(&case, db, SlotState::Paused), 0);
    // Each of the four opens one at least, and some more while the first is being opened.
    for state in [SlotState::Refusing, SlotState::Silent, SlotState::Hung] {
        let opened = storm(&case, db, state);
        assert!((4..=16).contains(&opened), "{opened} after {state:?}");
    }
    let opened = storm(&case, app, SlotState::Refusing);
    assert!((1..=4).contains(&opened), "{opened}");
}

#[test]
fn who_is_silent_keeps_the_connections_of_all_that_wait_for_it() {
    let case = case(1, constant(0.01), 50.0, |channel, row| {
        (channel.max, channel.wait) = (Some(5), Some(SimSpan::from_millis(100)));
        row.timeout = Some(SimSpan::from_secs(1));
    });
    let mut traffic = Traffic::new(&case.system.0, settings());
    begin(&case, &mut traffic);
    traffic.count(at(20), at(30));
    traffic.run_until(at(10));
    let slot = case.system.0.pools[case.db].slots[0];
    let state = SlotState::Silent;
    traffic.apply(at(10), Signal::Slot { slot, state });
    traffic.run_until(at(40));
    traffic.finish(at(40));
    traffic.tally().check().unwrap();
    let found = traffic.tally().channels[channel()];
    // 500 come in ten seconds, with a standard deviation of 22.4.
    assert!(found.wanted.abs_diff(500) <= 67, "{found:?}");
    // Five at a time, each for the second that its timeout leaves after a wait of up to 0.1 s.
    let connected = found.opened + found.reused;
    assert!((45..=60).contains(&connected), "{found:?}");
    // Everybody else waits in vain.
    assert_eq!(found.shed, found.wanted - connected, "{found:?}");
}

#[test]
fn a_caller_that_stops_waiting_closes_its_connection() {
    let case = case(1, constant(0.5), 1.0, |channel, row| {
        channel.setup = constant(0.01);
        row.timeout = Some(SimSpan::from_millis(100));
    });
    let mut traffic = Traffic::new(&case.system.0, settings());
    begin(&case, &mut traffic);
    traffic.count(at(0), at(100));
    traffic.run_until(at(200));
    traffic.finish(at(200));
    traffic.tally().check().unwrap();
    let found = traffic.tally().channels[channel()];
    assert_eq!((found.reused, found.opened), (0, found.wanted));
}
