//! Replicas that come back with less than their share.

use super::harness::{compare, system};
use fivenines::balance::slow_start::{WHOLE, parts};
use fivenines::ids::{Id, SlotId};
use fivenines::path::{Regime, Signal, SlotState};
use fivenines::time::{SimSpan, SimTime};
use fivenines::traffic::{Engine, Source, Traffic, TrafficSettings};

/// One replica alone cannot do the work. While the other has less than a fifth of its share, it has to.
const SLOWLY: &str = "
fivenines: 1
run: {horizon: 4h}
services:
  app:
    replicas: 2
    workers: 1
    queue: 15
    faults: {crash: {every: {exponential: {mean: 30m}}, lasts: 10s}}
    operations: {read: {takes: {exponential: {mean: 100ms}}}}
balancers: {edge: {to: app, probes: {interval: 1s, timeout: 500ms, rise: 2, fall: 2}, slow_start: 3min}}
workload: {users: {arrive: {poisson: 12/s}, journeys: {app.read: 100%}, through: edge, patience: 3s}}
";

#[test]
#[ignore = "long: CI runs it"]
fn windows_agree_with_exact_when_replicas_come_back_slowly() {
    let paired = compare(&system(SLOWLY), 64, |plan| {
        plan.windows.sample = SimSpan::from_secs(100);
    });
    paired.agrees_within(0.02);
    assert!(paired.simulated < 0.9, "{}", paired.simulated);
    // Without it, much less of this fails.
    let at_once = compare(
        &system(&SLOWLY.replace(", slow_start: 3min", "")),
        32,
        |_| {},
    );
    assert!(
        paired.share > 1.5 * at_once.share,
        "{} {}",
        paired.share,
        at_once.share
    );
}

/// Who is sent to a replica that is believed up and refuses has failed: so failures are choices of the balancer.
#[test]
fn a_replica_that_is_back_gets_the_share_of_its_weight() {
    let text = SLOWLY.replace("3min", "10s").replace("12/s", "2000/s");
    let system = system(&text.replace("    workers: 1\n    queue: 15\n", ""));
    let settings = TrafficSettings {
        slice: SimSpan::from_secs(1),
        bad_below: 0.95,
        settle: SimSpan::ZERO,
        bounds: Vec::new(),
        bins: None,
    };
    let source = Source::Sample {
        seed: 7,
        regime: 1,
        batch: 0,
    };
    let edge = system.balancers.iter().next().expect("it has one").slots[0];
    let mut regime = Regime::all_up(&system);
    regime.slots[SlotId::from_index(1)] = SlotState::Refusing;
    regime.views[edge][1] = false;
    let at = |secs: u64| SimTime::START + SimSpan::from_secs(secs);
    let back = |traffic: &mut Traffic<'_>, secs: u64| {
        traffic.apply(
            at(secs),
            Signal::View {
                instance: edge,
                member: 1,
                up: true,
            },
        );
    };
    let failed = |traffic: &Traffic<'_>, second: u64| {
        let fates = traffic.fates().iter();
        let here = fates.filter(|fate| at(second) <= fate.since && fate.since < at(second + 1));
        let (mut all, mut failed) = (0, 0);
        for fate in here {
            all += 1;
            failed += i32::from(!fate.answered.0);
        }
        (f64::from(all), f64::from(failed))
    };
    let mut traffic = Traffic::with_engine(&system, settings, Engine::Automatic);
    traffic.begin(&regime, at(0), source);
    // Fates are written down by events.
    traffic.watch_fates(true);
    traffic.run_until(at(3));
    back(&mut traffic, 3);
    traffic.run_until(at(20));
    for second in 3..18 {
        let (all, failed) = failed(&traffic, second);
        let weight = f64::from(parts(second - 3, 10));
        let expected = all * weight / (f64::from(WHOLE) + weight);
        assert!(
            all > 1_800.0 && (failed - expected).abs() <= 2.0,
            "second {second}: {failed} of {all}, {expected} expected"
        );
    }
    // A process that has just started believes all up, and gives all their whole share.
    traffic.begin(&regime, at(0), source);
    traffic.watch_fates(true);
    traffic.run_until(at(2));
    let slot = |state| Signal::Slot { slot: edge, state };
    traffic.apply(at(2), slot(SlotState::Refusing));
    traffic.run_until(at(3));
    traffic.apply(at(3), slot(SlotState::Serving));
    back(&mut traffic, 3);
    traffic.run_until(at(5));
    let (all, failed) = failed(&traffic, 3);
    assert!((failed - 0.5 * all).abs() <= 2.0, "{failed} of {all}");
}
