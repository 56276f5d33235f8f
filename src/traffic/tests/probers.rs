//! Probes that workers answer: what control is told of them.

use super::build::{Build, call, constant, settings};
use crate::ids::Id;
use crate::model::{Algorithm, Probes};
use crate::path::{ProbeState, Regime, Signal, SlotState};
use crate::time::{SimSpan, SimTime};
use crate::traffic::{Source, Traffic};

/// One worker that is busy for 10 s with the first request, and a probe every second that may take half of one.
fn told(signal: impl Fn(&Build) -> Option<Signal>) -> Vec<(u64, ProbeState)> {
    let mut system = Build::new();
    let app = system.pool("app", 1, Some(1), None);
    let edge = system.balancer(app, 1, Algorithm::RoundRobin, false);
    system.0.balancers[edge].probes = Some(Probes {
        interval: SimSpan::from_secs(1),
        timeout: SimSpan::from_millis(500),
        takes: SimSpan::from_millis(1),
        rise: 1,
        fall: 1,
        work: Some(constant(0.001)),
    });
    let work = system.operation(app, constant(10.0));
    let site = system.site(call(work));
    system.workload("users", 100.0, None, vec![site]);
    let mut traffic = Traffic::new(&system.0, settings());
    let source = Source::Replication {
        seed: 3,
        replication: 0,
    };
    let at = |millis: u64| SimTime::START + SimSpan::from_millis(millis);
    traffic.begin(&Regime::all_up(&system.0), at(0), source);
    traffic.align_probes(|_, _| Some(at(1_000)));
    traffic.follow_probes(true);
    let mut found = Vec::new();
    for (end, signal) in [(1_200, signal(&system)), (2_100, None)] {
        loop {
            traffic.run_until(at(end));
            let Some(news) = traffic.take_news() else {
                break;
            };
            assert!(news.member == 0 && news.instance.index() == 1);
            found.push((news.at.since(at(0)).as_nanos() / 1_000_000, news.probe));
        }
        if let Some(signal) = signal {
            traffic.apply(at(end), signal);
        }
    }
    found
}

#[test]
fn a_probe_without_a_worker_waits_and_is_late() {
    use ProbeState::{Failed, Waits};
    let expected = [(1_000, Waits), (1_500, Failed), (2_000, Waits)];
    assert_eq!(told(|_| None), expected);
}

/// Its frame goes with everything at the slot; control takes a spare that stands by for one that answers, and
/// would wait for ever.
#[test]
fn a_probe_at_a_spare_that_is_not_needed_any_more_is_no_riddle() {
    use ProbeState::{Failed, Waits};
    let stands_by = |system: &Build| {
        let slot = system.0.pools.as_slice()[0].slots[0];
        let state = SlotState::Standby;
        Some(Signal::Slot { slot, state })
    };
    assert_eq!(told(stands_by), [(1_000, Waits), (1_200, Failed)]);
}
