//! Connections over links of the network: opened by a round trip, refused after one, kept while it is cut. And
//! what turns any system into one with places and a link.

use super::any_system::Dice;
use super::build::{Build, constant, settings};
use super::channels::{kept, over};
use crate::ids::{ChannelId, DomainId, Id, LinkId, SlotId};
use crate::model::{Call, Channel, Domain, End, Link, LinkState};
use crate::path::{Regime, Signal, SlotState};
use crate::random::Dist;
use crate::time::{SimSpan, SimTime};
use crate::traffic::{ChannelTally, Source, Traffic};

/// Two places with a link between them.
fn places(system: &mut Build, round_trip: Dist, loss: f64) -> [DomainId; 2] {
    let places = ["north", "south"].map(|name| {
        system.0.domains.push(Domain {
            name: name.into(),
            kind: "zone".into(),
            parent: None,
        })
    });
    system.0.links.push(Link {
        name: "wan".into(),
        ends: places.map(End::Domain),
        round_trip,
        loss,
        resends_after: SimSpan::from_millis(50),
    });
    places
}

/// Some systems have places with a link between them.
pub(super) fn any_network(system: &mut Build, dice: &mut Dice) {
    if dice.chance(0.4) {
        return;
    }
    let loss = 0.2 * dice.below(3) as f64;
    let round_trip = dice.span();
    let places = places(system, round_trip, loss);
    for slot in system.0.slots.as_mut_slice() {
        slot.domain = dice.spare(2).map(|place| places[place as usize]);
    }
}

/// The link is well again, cut, slow or lossy.
pub(super) fn any_change(dice: &mut Dice) -> Signal {
    let cut = dice.chance(0.3);
    let slow = dice.chance(0.3);
    Signal::Link {
        link: LinkId::from_index(0),
        state: LinkState {
            cut,
            loss: 0.3 * dice.below(2) as f64,
            factor: if slow { 3.0 } else { 1.0 },
            adds: SimSpan::from_millis(if slow { 30 } else { 0 }),
        },
    }
}

fn channel() -> ChannelId {
    ChannelId::from_index(0)
}

fn at(millis: u64) -> SimTime {
    SimTime::START + SimSpan::from_millis(millis)
}

/// An app in the north that keeps connections to a store in the south, 40 ms away, whose work takes 10 ms.
fn far(rate: f64, adjust: impl Fn(&mut Channel, &mut Call)) -> (Build, SlotId) {
    let mut system = Build::new();
    let (app, db) = (
        system.pool("app", 1, None, None),
        system.pool("db", 1, None, None),
    );
    let [north, south] = places(&mut system, constant(0.04), 0.0);
    for (pool, place) in [(app, north), (db, south)] {
        let slot = system.0.pools[pool].slots[0];
        system.0.slots.as_mut_slice()[slot.index()].domain = Some(place);
    }
    let channel = Channel {
        setup: constant(0.03),
        idle_timeout: SimSpan::from_secs(5),
        ..kept(app, db)
    };
    over(&mut system, (channel, db), constant(0.01), rate, adjust);
    let db = system.0.pools[db].slots[0];
    (system, db)
}

/// What is found of those who come between two instants, when these signals come before; the mean latency of
/// what is answered, seconds.
fn run(
    system: &Build,
    signals: &[(u64, Signal)],
    (from, to): (u64, u64),
) -> (ChannelTally, f64, [u64; 3]) {
    let mut traffic = Traffic::new(&system.0, settings());
    let source = Source::Replication {
        seed: 5,
        replication: 0,
    };
    traffic.begin(&Regime::all_up(&system.0), SimTime::START, source);
    traffic.count(at(from), at(to));
    for &(when, signal) in signals {
        traffic.run_until(at(when));
        traffic.apply(at(when), signal);
    }
    let end = at(to + 10_000);
    traffic.run_until(end);
    traffic.finish(end);
    let tally = traffic.tally();
    tally.check().unwrap();
    let journey = tally.journeys.iter().next().unwrap();
    let latency = journey.latency.mean().unwrap_or(0.0) * 1e-9;
    let counts = &journey.counts;
    let ends = [counts.good, counts.degraded, counts.failed];
    (tally.channels[channel()], latency, ends)
}

fn link(cut: bool) -> Signal {
    Signal::Link {
        link: LinkId::from_index(0),
        state: LinkState {
            cut,
            ..LinkState::NONE
        },
    }
}

#[test]
fn the_mean_latency_is_way_and_work_and_for_those_who_open_one_more_round_trip_and_setup() {
    let (system, _) = far(0.2, |_, _| {});
    let (found, latency, _) = run(&system, &[], (60_000, 500_000_000));
    let opened = found.opened as f64 / found.wanted as f64;
    let expected = opened * (0.04 + 0.03) + 0.04 + 0.01;
    assert!(
        (latency - expected).abs() < 1e-9,
        "{latency}, exactly {expected}"
    );
    // Opened by those who come while the only one is in use, 50 or 120 ms, or after it was idle for 5 s.
    let each = |busy: f64| 1.0 - (-0.2 * busy).exp() + (-0.2 * (busy + 5.0)).exp();
    let (warm, cold) = (each(0.05), each(0.12));
    let exact = warm / (1.0 - cold + warm);
    let error = (exact * (1.0 - exact) / found.wanted as f64).sqrt();
    // That a second one was idle meanwhile is left out: less than 0.2 s in 5.
    assert!(
        (opened - exact).abs() < 4.0 * error + 0.01,
        "{opened}, about {exact}"
    );
}

#[test]
fn who_refuses_a_connection_is_heard_of_after_a_round_trip_without_setup() {
    let (system, db) = far(2.0, |_, row| row.optional = true);
    let state = SlotState::Refusing;
    let signals = [(1_000, Signal::Slot { slot: db, state })];
    let (found, latency, [good, degraded, failed]) = run(&system, &signals, (5_000, 105_000));
    assert_eq!((good, failed), (0, 0));
    assert!((latency - 0.04).abs() < 1e-9, "{latency}");
    assert_eq!((found.opened, found.reused), (degraded, 0));
}

#[test]
fn while_a_link_is_cut_kept_connections_hang_until_the_attempt_times_out_and_are_closed_then() {
    let (system, _) = far(100.0, |channel, row| {
        channel.max = Some(8);
        channel.wait = Some(SimSpan::from_millis(50));
        row.timeout = Some(SimSpan::from_millis(400));
    });
    let calm = run(&system, &[], (20_000, 30_000));
    // Five are in use on average, and one more is opened now and then after five idle seconds.
    assert!(calm.0.opened <= 20, "{:?}", calm.0);
    let signals = [(20_000, link(true)), (30_000, link(false))];
    let (found, _, [good, _, failed]) = run(&system, &signals, (20_000, 29_000));
    assert_eq!(good, 0);
    // Each that was open is used once more, in vain; then eight at a time are opened for the 350 to 400 ms that are left.
    assert!(found.reused <= 8, "{found:?}");
    assert!((176..=210).contains(&found.opened), "{found:?}");
    assert_eq!(found.shed + found.opened + found.reused, failed);
    // All of them are gone, and as many as are needed are opened when it is over.
    let (found, _, [good, ..]) = run(&system, &signals, (30_400, 31_000));
    assert!(good > 0 && found.opened + found.reused >= good);
    let (found, latency, [_, _, failed]) = run(&system, &signals, (32_000, 40_000));
    assert!(failed <= 20 && found.opened <= 20, "{found:?}");
    assert!(latency < 0.06, "{latency}");
}

#[test]
fn an_attempt_that_waits_for_a_connection_keeps_its_deadline_over_a_link() {
    // One connection, 50 ms each time, 60 if it is opened first: some of those who wait run out of their 150.
    let (system, _) = far(18.0, |channel, row| {
        (channel.max, channel.setup) = (Some(1), constant(0.01));
        row.timeout = Some(SimSpan::from_millis(150));
    });
    let (found, latency, [good, _, failed]) = run(&system, &[], (20_000, 1_020_000));
    // Whoever waits has more time left than those before, so all who run out of it have a connection by then.
    assert!(failed > 100 && found.left == 0, "{found:?}");
    assert!(
        good > 1_000 && found.waited > 1_000 && latency <= 0.15,
        "{latency}"
    );
}
