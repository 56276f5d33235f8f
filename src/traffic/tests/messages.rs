//! Messages: a queue in front of workers, deliveries that fail, outages of either end. Seeds are fixed;
//! each check states its standard error.

use super::any_system::{Dice, any_item};
use super::build::{Build, call, constant, exponential, settings};
use crate::analytic::MultiServer;
use crate::ids::{Id, PoolId, QueueId, SlotId};
use crate::model::{Call, Queue};
use crate::path::{Regime, Signal, SlotState};
use crate::random::Dist;
use crate::time::{SimSpan, SimTime};
use crate::traffic::{QueueTally, Source, Traffic};

/// Users who publish at `rate`, and replicas with one worker each that take from the queue.
struct Case {
    system: Build,
    broker: PoolId,
    consumer: PoolId,
}

fn mail() -> QueueId {
    QueueId::from_index(0)
}

fn case(
    replicas: u32,
    (takes, fails): (Dist, f64),
    rate: f64,
    adjust: impl Fn(&mut Queue),
) -> Case {
    let mut system = Build::new();
    let broker = system.pool("mail", 1, None, None);
    let consumer = system.pool("mailer", replicas, Some(1), None);
    let publish = system.operation(broker, constant(0.0));
    let work = system.operation(consumer, takes);
    system.0.operations[work].fails = fails;
    let mut queue = Queue {
        pool: broker,
        capacity: 1_000_000,
        max_deliveries: None,
        redelivers_after: SimSpan::from_secs(1_000),
        durable: true,
        consumer,
        call: crate::ids::CallId::from_index(0),
    };
    adjust(&mut queue);
    queue.call = system.site(Call {
        timeout: Some(queue.redelivers_after),
        ..call(work)
    });
    system.0.queues.push(queue);
    let site = system.site(call(publish));
    system.workload("users", rate, None, vec![site]);
    Case {
        system,
        broker,
        consumer,
    }
}

fn at(secs: u64) -> SimTime {
    SimTime::START + SimSpan::from_secs(secs)
}

fn begin(case: &Case, traffic: &mut Traffic<'_>) {
    let source = Source::Replication {
        seed: 5,
        replication: 0,
    };
    traffic.begin(&Regime::all_up(&case.system.0), SimTime::START, source);
}

/// Runs to `end` with these changes, counting from `from` on.
fn run(case: &Case, (from, end): (u64, u64), changes: &[(u64, SlotId, SlotState)]) -> QueueTally {
    let mut traffic = Traffic::new(&case.system.0, settings());
    begin(case, &mut traffic);
    traffic.count(at(from), at(end));
    for &(secs, slot, state) in changes {
        traffic.run_until(at(secs));
        traffic.apply(at(secs), Signal::Slot { slot, state });
    }
    traffic.run_until(at(end));
    traffic.finish(at(end));
    let tally = traffic.tally();
    tally.check().unwrap();
    tally.queues[mail()].clone()
}

fn slot(case: &Case, pool: PoolId) -> SlotId {
    case.system.0.pools[pool].slots[0]
}

#[track_caller]
fn close(what: &str, got: f64, exact: f64, standard_error: f64) {
    let z = (got - exact) / standard_error;
    assert!(z.abs() < 4.0, "{what}: {got}, exactly {exact}, z = {z:.1}");
}

#[test]
fn messages_wait_as_in_a_queue_with_several_servers() {
    // Three workers at a utilisation of 0.8; the wait by Erlang's formula.
    let case = case(3, (exponential(0.1), 0.0), 24.0, |_| {});
    let found = run(&case, (2_000, 62_000), &[]);
    let exact = MultiServer::new(3, 24.0, 10.0).expect("stable");
    let wait = exact.mean_wait();
    let mean = found.latency.mean().unwrap() * 1e-9;
    // Sojourns are correlated over some ten seconds.
    close("time to done", mean, 0.1 + wait, 0.003);
    let backlog = found.held_ns as f64 * 1e-9 / 60_000.0;
    close("backlog", backlog, 24.0 * (0.1 + wait), 0.08);
    assert_eq!((found.redelivered, found.dead, found.lost), (0, 0, 0));
}

#[test]
fn deliveries_that_fail_are_geometric_and_end_as_dead_letters() {
    let case = case(40, (constant(0.01), 0.3), 20.0, |queue| {
        queue.max_deliveries = Some(3);
        queue.redelivers_after = SimSpan::from_secs(2);
    });
    let found = run(&case, (10, 20_010), &[]);
    let published = found.published as f64;
    let share = |count: u64| count as f64 / published;
    close("dead", share(found.dead), 0.027, (0.027 / published).sqrt());
    close(
        "deliveries",
        share(found.delivered),
        1.0 + 0.3 + 0.09,
        0.002,
    );
    assert_eq!(found.delivered - found.redelivered, found.published);
    // Each failure costs the two seconds; of those done, 0.7, 0.21 and 0.063.
    let again = (2.0 * 0.21 + 4.0 * 0.063) / 0.973;
    close(
        "time",
        found.latency.mean().unwrap() * 1e-9,
        0.01 + again,
        0.01,
    );
}

#[test]
fn a_backlog_is_worked_off_at_the_rate_that_is_left_over() {
    // Two workers of 10/s for 10/s; both are gone for a hundred seconds: a thousand wait, and ten a
    // second more are done than come.
    let case = case(2, (constant(0.1), 0.0), 10.0, |_| {});
    let slots = &case.system.0.pools[case.consumer].slots;
    let mut traffic = Traffic::new(&case.system.0, settings());
    begin(&case, &mut traffic);
    traffic.count(at(0), at(400));
    let waiting = |traffic: &Traffic<'_>| f64::from(traffic.stretch.brokers.waiting(mail()));
    for (secs, state) in [(100, SlotState::Silent), (200, SlotState::Serving)] {
        traffic.run_until(at(secs));
        for &slot in slots {
            traffic.apply(at(secs), Signal::Slot { slot, state });
        }
    }
    // Poisson: the standard deviation is the root of the number that came.
    close("backlog", waiting(&traffic), 1_000.0, 32.0);
    traffic.run_until(at(250));
    close("half of it", waiting(&traffic), 500.0, 39.0);
    traffic.run_until(at(330));
    assert!(waiting(&traffic) < 50.0);
    traffic.finish(at(400));
    let found = &traffic.tally().queues[mail()];
    traffic.tally().check().unwrap();
    close("most", found.most_waiting as f64, 1_000.0, 33.0);
    // What was in work when they went is delivered again after a long time.
    assert!(found.left <= 2 + found.published / 100);
}

#[test]
fn a_consumer_that_dies_keeps_its_message_until_it_is_delivered_again() {
    let case = case(1, (constant(1.0), 0.0), 0.2, |queue| {
        queue.redelivers_after = SimSpan::from_secs(30);
    });
    let consumer = slot(&case, case.consumer);
    let changes = [SlotState::Refusing, SlotState::Serving];
    let all: Vec<_> = (1..400)
        .flat_map(|turn| changes.map(|state| (turn * 50, consumer, state)))
        .collect();
    let found = run(&case, (0, 21_000), &all);
    assert_eq!((found.dead, found.lost), (0, 0));
    // A worker is at work for a fifth of the time, and so when it dies.
    close("again", found.redelivered as f64, 399.0 * 0.2, 8.0);
    assert_eq!(found.done + found.left, found.published);
}

#[test]
fn messages_survive_a_broker_that_stops_if_they_are_durable() {
    for durable in [true, false] {
        let case = case(1, (constant(1.0), 0.0), 2.0, |queue| {
            queue.durable = durable;
            queue.redelivers_after = SimSpan::from_secs(5);
        });
        let broker = slot(&case, case.broker);
        let changes = [
            (50, broker, SlotState::Refusing),
            (60, broker, SlotState::Serving),
        ];
        let found = run(&case, (0, 500), &changes);
        if durable {
            assert_eq!(found.lost, 0);
            // The acknowledgement of what was in work is lost.
            assert!(found.redelivered >= 1 && found.redelivered <= 2);
        } else {
            close("lost", found.lost as f64, 50.0, 10.0);
        }
    }
}

#[test]
fn a_full_queue_refuses_and_a_slow_worker_lets_others_do_it_again() {
    let full = run(
        &case(1, (constant(1.0), 0.0), 2.0, |queue| queue.capacity = 10),
        (100, 2_100),
        &[],
    );
    close("full", full.full as f64 / full.asked as f64, 0.5, 0.02);
    assert!(full.most_waiting == 9);
    // Work of ten seconds, delivered again after four: three workers do the same.
    let slow = run(
        &case(9, (constant(10.0), 0.0), 0.05, |queue| {
            queue.redelivers_after = SimSpan::from_secs(4);
            queue.max_deliveries = Some(3);
        }),
        (0, 10_000),
        &[],
    );
    assert_eq!(slow.done, 0);
    let most = 3 * (slow.dead + slow.left);
    assert!((3 * slow.dead..=most).contains(&slow.delivered), "{slow:?}");
}

/// A queue, and a service that takes from it and may call others; the call that publishes.
pub(super) fn any_queue(system: &mut Build, dice: &mut Dice, later: &[Call]) -> Call {
    let broker = system.pool("broker", 1, None, None);
    let workers = Some(1 + dice.below(3) as u32);
    let consumer = system.pool("consumer", 1 + dice.below(3) as u32, workers, None);
    let publish = system.operation(broker, dice.span());
    let work = system.operation(consumer, dice.span());
    system.0.operations.as_mut_slice()[work.index()].fails = 0.1 * dice.below(4) as f64;
    let calls = any_item(system, dice, later);
    system.0.operations.as_mut_slice()[work.index()]
        .calls
        .extend(calls);
    let redelivers_after = SimSpan::from_millis(50 + dice.below(2_000));
    let call = system.site(Call {
        timeout: Some(redelivers_after),
        ..call(work)
    });
    system.0.queues.push(Queue {
        pool: broker,
        capacity: 1 + dice.below(400) as u32,
        max_deliveries: dice.spare(4).map(|most| most + 1),
        redelivers_after,
        durable: dice.chance(0.5),
        consumer,
        call,
    });
    self::call(publish)
}
