//! A small system made by hand, and what is said about it.

use super::*;
use crate::ids::{BalancerId, ClockId, FaultId, Id, IdVec, PoolId, SlotId};
use crate::model::{
    Algorithm, Balancer, ClockRuns, Component, Fault, FaultClock, Journey, Pool, PoolKind,
    RunSettings, Slot, Start,
};
use crate::path::Transition;
use crate::random::Dist;
use crate::time::{SimSpan, SimTime};

fn slot(name: &str, owner: Owner) -> Slot {
    Slot {
        name: name.to_owned(),
        owner,
        index: 0,
        domain: None,
        node: None,
    }
}

fn fault((name, kind): (&str, FaultKind)) -> Fault {
    Fault {
        name: name.to_owned(),
        kind,
        runs: ClockRuns::Calendar,
        every: Dist::constant(1.0).unwrap(),
        lasts: Dist::constant(1.0).unwrap(),
    }
}

/// A store `articles` of two members and a balancer `edge` of one instance.
fn system() -> System {
    let (store, edge) = (
        Owner::Pool(PoolId::from_index(0)),
        Owner::Balancer(BalancerId::from_index(0)),
    );
    let slots = [
        ("articles-1", store),
        ("articles-2", store),
        ("edge-1", edge),
        ("gw", edge),
    ];
    let journey = |name: &str| Journey {
        name: name.to_owned(),
        calls: Vec::new(),
        good_within: None,
    };
    System {
        name: "test".to_owned(),
        links: Default::default(),
        run: RunSettings {
            horizon: SimSpan::from_secs(86_400),
            seed: 1,
            start: Start::New,
            method: None,
            replications: None,
            slice: None,
            bad_below: 0.95,
        },
        domains: IdVec::new(),
        nodes: IdVec::new(),
        slots: slots
            .map(|(name, owner)| slot(name, owner))
            .into_iter()
            .collect(),
        pools: IdVec::from_rows(vec![Pool {
            name: "articles".to_owned(),
            kind: PoolKind::Store { failover: None },
            slots: vec![SlotId::from_index(0), SlotId::from_index(1)],
            needs: 1,
            workers: None,
            queue: None,
            discipline: crate::model::Discipline::Fifo,
            queue_timeout: None,
            starts_in: Dist::constant(1.0).unwrap(),
            standby: None,
            replication: None,
            refills_in: SimSpan::ZERO,
        }]),
        balancers: IdVec::from_rows(vec![Balancer {
            name: "edge".to_owned(),
            to: PoolId::from_index(0),
            slots: vec![SlotId::from_index(2), SlotId::from_index(3)],
            needs: 1,
            algorithm: Algorithm::RoundRobin,
            probes: None,
            passive: None,
            outlier_detection: None,
            slow_start: SimSpan::ZERO,
            failover: None,
            starts_in: Dist::constant(1.0).unwrap(),
        }]),
        operations: IdVec::new(),
        calls: IdVec::new(),
        forks: IdVec::new(),
        channels: IdVec::new(),
        queues: IdVec::new(),
        journeys: IdVec::from_rows(vec![
            journey("readers.read"),
            journey("readers.\x1b[31mpublish"),
        ]),
        workloads: IdVec::new(),
        faults: [
            ("articles.crash", FaultKind::Crash),
            ("articles.disk", FaultKind::Hang),
            ("articles.slow", FaultKind::Slow { factor: 2.5 }),
            ("articles.errors", FaultKind::Errors { share: 0.3 }),
        ]
        .map(fault)
        .into_iter()
        .collect(),
        clocks: ["crash", "disk", "slow", "errors"]
            .into_iter()
            .enumerate()
            .map(|(index, name)| FaultClock {
                fault: FaultId::from_index(index),
                component: Component::Slot(SlotId::from_index(0)),
                name: format!("articles-1.{name}"),
            })
            .collect(),
        campaigns: IdVec::new(),
        care: crate::model::Care::default(),
        targets: Vec::new(),
        prices: Default::default(),
        needs_at_peak: Vec::new(),
        warnings: Vec::new(),
    }
}

fn entry(millis: u64, event: Event, down: &[usize]) -> Entry {
    Entry {
        transition: Transition {
            at: SimTime::START + SimSpan::from_millis(millis),
            event,
        },
        also: Vec::new(),
        up: down.is_empty(),
        journeys_down: down.iter().map(|&i| JourneyId::from_index(i)).collect(),
    }
}

#[test]
fn every_event_has_its_words() {
    let system = system();
    let s = SlotId::from_index;
    let clock = ClockId::from_index(0);
    for (event, text) in [
        (Event::FaultBegins(clock), "articles-1.crash begins"),
        (Event::FaultEnds(clock), "articles-1.crash ends"),
        (
            Event::FaultBegins(ClockId::from_index(1)),
            "articles-1.disk begins (hang)",
        ),
        (
            Event::FaultBegins(ClockId::from_index(2)),
            "articles-1.slow begins (2.5 times slower)",
        ),
        (
            Event::FaultBegins(ClockId::from_index(3)),
            "articles-1.errors begins (30% of the attempts)",
        ),
        (
            Event::Undecided {
                instance: s(2),
                member: s(0),
            },
            "edge-1 still probes articles-1",
        ),
        (Event::Started(s(1)), "articles-2 serves again"),
        (
            Event::Verdict {
                instance: s(2),
                member: s(0),
                up: false,
            },
            "edge-1 believes articles-1 down",
        ),
        (
            Event::Verdict {
                instance: s(2),
                member: s(0),
                up: true,
            },
            "edge-1 believes articles-1 up",
        ),
        (Event::Master(s(2)), "edge-1 takes the address"),
        (Event::Master(s(3)), "gw takes the address of edge"),
        (
            Event::LeaseExpired(PoolId::from_index(0)),
            "articles: lease expired",
        ),
        (
            Event::Promoting(s(1)),
            "articles-2 takes the lease, is promoted",
        ),
        (Event::Leads(s(1)), "articles-2 leads"),
    ] {
        assert_eq!(words(&system, event), text);
    }
}

#[test]
fn what_is_down_stands_at_every_line_and_its_return_once() {
    let system = system();
    let mut timeline = Timeline::new(&system);
    let crash = Event::FaultBegins(ClockId::from_index(0));
    let leads = Event::Leads(SlotId::from_index(1));
    assert_eq!(
        timeline.line(&entry(30_250, crash, &[0, 1])),
        "day 0 00:00:30.250     articles-1.crash begins            \
         [journeys down: readers.read, readers.\\u{1b}[31mpublish]"
    );
    let back = timeline.line(&entry(61_000, leads, &[]));
    assert!(
        back.ends_with("articles-2 leads                   [all journeys up]"),
        "{back}"
    );
    let later = timeline.line(&entry(62_000, leads, &[]));
    assert_eq!(later, "day 0 00:01:02.000     articles-2 leads");
}
