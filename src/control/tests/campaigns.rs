//! What operators do, as stories and in equilibrium.

use super::*;
use crate::ids::{CampaignId, ClockId, JourneyId, SlotId};
use crate::model::{CampaignWork, Rhythm};
use crate::path::{CampaignStep, Phase, SlotState};

const WEEK: SimSpan = SimSpan::from_secs(7 * 86_400);

fn weekly(at: Option<u64>) -> Rhythm {
    Rhythm::Clock {
        every: WEEK,
        at: at.map(|secs| (SimSpan::from_secs(secs), WEEK)),
    }
}

fn slots(system: &System, pool: PoolId) -> Vec<Component> {
    let slots = system.pools[pool].slots.iter();
    slots.map(|&slot| Component::Slot(slot)).collect()
}

/// Everything that happens up to `end` seconds: (seconds, step, parts), and starts.
fn steps(control: &mut Control<'_>, end: f64) -> Vec<(f64, Event)> {
    let mut steps = Vec::new();
    walk(control, secs(end), |_, transition, _| {
        steps.push((transition.at.secs_in_horizon(), transition.event));
    });
    steps
}

fn step(step: CampaignStep, parts: (u32, u32)) -> Event {
    Event::Campaign {
        campaign: CampaignId::from_index(0),
        step,
        parts,
    }
}

fn work(system: &mut System) -> &mut crate::model::Maintenance {
    match &mut system.campaigns.as_mut_slice()[0].work {
        CampaignWork::Maintenance(work) => work,
        CampaignWork::Release(_) | CampaignWork::Change(_) => {
            unreachable!("the tests state maintenance")
        }
    }
}

#[test]
fn maintenance_comes_by_the_clock_in_every_history() {
    let mut system = System::empty();
    let app = system.service("app", &[Place::Nowhere], 1);
    let sunday = 6 * 86_400 + 3 * 3_600;
    let parts = slots(&system, app);
    system.maintenance(&parts, weekly(Some(sunday)), fixed(2_700.0));
    system.journey(&[app]);
    let mut control = Control::new(&system, Detail::Structure);
    for replication in 0..3 {
        control.restart(3, replication);
        let found = steps(&mut control, 3.0 * WEEK.as_secs_f64());
        let expected: Vec<_> = (0..3)
            .flat_map(|week| {
                let begin = f64::from(week) * WEEK.as_secs_f64() + sunday as f64;
                [
                    (begin, step(CampaignStep::Stops, (0, 1))),
                    (begin + 2_700.0, step(CampaignStep::Ends, (0, 1))),
                ]
            })
            .collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn without_a_time_the_phase_is_uniform_and_a_window_may_cross_the_beginning() {
    let mut system = System::empty();
    let app = system.service("app", &[Place::Nowhere], 1);
    let parts = slots(&system, app);
    // Half of the time is maintenance.
    system.maintenance(&parts, weekly(None), fixed(302_400.0));
    system.journey(&[app]);
    let mut control = Control::new(&system, Detail::Structure);
    let (mut down, mut first) = (0, Vec::new());
    let histories = 4_000;
    for replication in 0..histories {
        control.restart(4, replication);
        walk(&mut control, SimTime::START, |_, _, _| {});
        down += u32::from(!control.structure().system_up());
        let found = steps(&mut control, 2.0 * WEEK.as_secs_f64());
        let starts = found
            .iter()
            .find(|(_, event)| *event == step(CampaignStep::Stops, (0, 1)));
        first.push(starts.unwrap().0 / WEEK.as_secs_f64());
    }
    assert!((f64::from(down) / histories as f64 - 0.5).abs() < 4.0 * 0.5 / 63.2);
    let mean = first.iter().sum::<f64>() / histories as f64;
    assert!((mean - 0.5).abs() < 4.0 * 0.2887 / 63.2, "{mean}");
    assert!(first.iter().all(|first| (0.0..1.0).contains(first)));
}

#[test]
fn two_weeks_may_begin_in_either_week() {
    let mut system = System::empty();
    let app = system.service("app", &[Place::Nowhere], 1);
    let parts = slots(&system, app);
    let every = WEEK.saturating_mul(2);
    let at = Some((SimSpan::from_secs(3_600), WEEK));
    system.maintenance(&parts, Rhythm::Clock { every, at }, fixed(60.0));
    let mut control = Control::new(&system, Detail::Structure);
    let mut weeks = [0, 0];
    for replication in 0..400 {
        control.restart(4, replication);
        walk(&mut control, SimTime::START, |_, _, _| {});
        let at = control.next_time().secs_in_horizon() - 3_600.0;
        weeks[(at / WEEK.as_secs_f64()) as usize] += 1;
        assert_eq!(at % WEEK.as_secs_f64(), 0.0);
    }
    assert!(
        weeks.iter().all(|&count| (150..250).contains(&count)),
        "{weeks:?}"
    );
}

#[test]
fn a_drawn_rhythm_is_in_equilibrium() {
    let mut system = System::empty();
    let app = system.service("app", &[Place::Nowhere], 1);
    let parts = slots(&system, app);
    // Erlang-like regularity: a first start drawn like any interval would come too late.
    system.maintenance(
        &parts,
        Rhythm::Drawn(crate::random::Dist::erlang_mean(4, 100_000.0).unwrap()),
        fixed(1_000.0),
    );
    system.journey(&[app]);
    let ((down, error), _) = simulate(&system, 400, 1);
    check((down, error), 0.01, 1.0);
}

#[test]
fn parts_are_drained_stopped_started_and_returned_one_by_one() {
    let mut system = System::empty();
    let app = system.service("app", &[Place::Nowhere; 2], 1);
    system.pools[app].starts_in = fixed(20.0);
    let balancer = system.balancer("edge", app, &[Place::Nowhere]);
    let parts = slots(&system, app);
    system.maintenance(&parts, weekly(Some(1_000)), fixed(100.0));
    work(&mut system).drain = Some(SimSpan::from_secs(10));
    work(&mut system).one_by_one = Some(SimSpan::from_secs(30));
    let operation = system.operations.ids().next().unwrap();
    let call = system.call(operation, Some(balancer));
    system.journey_of(vec![call]);
    let system = new(system);
    let instance = system.balancers[balancer].slots[0];
    let mut control = Control::new(&system, Detail::Full);
    let mut seen = Vec::new();
    let mut blames = Vec::new();
    walk(
        &mut control,
        secs(2_000.0),
        |control, transition, signals| {
            let regime = control.regime();
            seen.push((
                transition.at.secs_in_horizon(),
                regime.views[instance].clone(),
                regime.slots.as_slice().to_vec()[..2].to_vec(),
            ));
            assert!(control.structure().system_up());
            for signal in signals {
                if let Signal::Blame { blame, .. } = signal {
                    let phase = blame.map(|blame| blame.phase);
                    blames.push((transition.at.secs_in_horizon(), phase));
                }
            }
        },
    );
    use SlotState::{Refusing, Serving};
    let expected = [
        (990.0, vec![false, true], vec![Serving, Serving]),
        (1_000.0, vec![false, true], vec![Refusing, Serving]),
        (1_100.0, vec![false, true], vec![Refusing, Serving]), // starts
        (1_120.0, vec![false, true], vec![Serving, Serving]),
        (1_120.0, vec![true, true], vec![Serving, Serving]),
        (1_150.0, vec![true, false], vec![Serving, Serving]),
        (1_160.0, vec![true, false], vec![Serving, Refusing]),
        (1_260.0, vec![true, false], vec![Serving, Refusing]),
        (1_280.0, vec![true, false], vec![Serving, Serving]),
        (1_280.0, vec![true, true], vec![Serving, Serving]),
    ];
    assert_eq!(seen, expected);
    let expected = [
        (990.0, Some(Phase::Repair)),
        (1_100.0, Some(Phase::WarmUp)),
        (1_120.0, None),
        (1_150.0, Some(Phase::Repair)),
        (1_260.0, Some(Phase::WarmUp)),
        (1_280.0, None),
    ];
    assert_eq!(blames, expected);
}

#[test]
fn a_drained_member_stays_out_of_view_whatever_its_probes_say() {
    let mut system = System::empty();
    let app = system.service("app", &[Place::Nowhere; 2], 1);
    let balancer = system.balancer("edge", app, &[Place::Nowhere]);
    system.balancers[balancer].probes = Some(Probes {
        interval: SimSpan::from_secs(5),
        timeout: SimSpan::from_secs(2),
        takes: SimSpan::ZERO,
        rise: 2,
        fall: 2,
        work: None,
    });
    let parts = slots(&system, app);
    system.maintenance(&parts[..1], weekly(Some(1_000)), fixed(100.0));
    work(&mut system).drain = Some(SimSpan::from_secs(60));
    // The instance restarts while the member is drained, and the member crashes a while after.
    let instance = system.balancers[balancer].slots[0];
    once(
        &mut system,
        FaultKind::Crash,
        Component::Slot(instance),
        950.0,
        10.0,
    );
    let operation = system.operations.ids().next().unwrap();
    let call = system.call(operation, Some(balancer));
    system.journey_of(vec![call]);
    let system = new(system);
    let mut control = Control::new(&system, Detail::Full);
    let mut back = None;
    walk(&mut control, secs(1_500.0), |control, transition, _| {
        let at = transition.at.secs_in_horizon();
        if (940.0..1_100.0).contains(&at) {
            assert_eq!(control.regime().views[instance], [false, true], "{at}");
        }
        if back.is_none() && at >= 1_100.0 && control.regime().views[instance][0] {
            back = Some(at);
        }
    });
    // It was noticed to be down meanwhile, so two passes have to come first.
    assert!((1_105.0..1_110.1).contains(&back.unwrap()), "{back:?}");
}

#[test]
fn a_drained_instance_hands_its_address_over_within_its_successors_skew() {
    let mut system = System::empty();
    let app = system.service("app", &[Place::Nowhere], 1);
    let balancer = system.balancer("edge", app, &[Place::Nowhere; 2]);
    system.balancers[balancer].failover = Some(Vrrp {
        advert_int: SimSpan::from_secs(1),
        priorities: vec![150, 100],
        preempt: true,
        coverage: 1.0,
        rescue: None,
    });
    let slots = system.balancers[balancer].slots.clone();
    system.maintenance(
        &[Component::Slot(slots[0])],
        weekly(Some(1_000)),
        fixed(100.0),
    );
    work(&mut system).drain = Some(SimSpan::from_secs(30));
    let operation = system.operations.ids().next().unwrap();
    let call = system.call(operation, Some(balancer));
    system.journey_of(vec![call]);
    let system = new(system);
    let mut control = Control::new(&system, Detail::Full);
    let mut holders = Vec::new();
    walk(
        &mut control,
        secs(2_000.0),
        |control, transition, signals| {
            for signal in signals {
                if let Signal::Holder { holder, .. } = signal {
                    holders.push((transition.at.secs_in_horizon(), *holder));
                    // It still serves what it was asked.
                    let runs = control.regime().slots[slots[0]];
                    assert_eq!(runs, SlotState::Serving);
                }
            }
        },
    );
    let skew = 156.0 / 256.0;
    let expected = [
        (970.0, None),
        (970.0 + skew, Some(slots[1])),
        (1_100.0 + 3.0 + 106.0 / 256.0, Some(slots[0])),
    ];
    assert_eq!(holders, expected);
}

#[test]
fn a_crash_in_a_window_goes_on_after_it_and_the_window_is_planned() {
    let mut system = System::empty();
    let app = system.service("app", &[Place::Nowhere], 1);
    let slot = Component::Slot(SlotId::from_index(0));
    system.maintenance(&[slot], weekly(Some(1_000)), fixed(100.0));
    once(&mut system, FaultKind::Crash, slot, 1_050.0, 100.0);
    system.journey(&[app]);
    let system = new(system);
    for detail in [Detail::Structure, Detail::Full] {
        let mut control = Control::new(&system, detail);
        let mut blames = Vec::new();
        walk(&mut control, secs(1_200.0), |control, transition, _| {
            let blame = control.structure().blame();
            let fault = blame.map(|blame| system.faults[blame.fault].name.as_str());
            blames.push((transition.at.secs_in_horizon(), fault));
        });
        let expected = [
            (1_000.0, Some("app-1.maintenance")),
            (1_050.0, Some("app-1.maintenance")),
            (1_100.0, Some("app-1.crash")),
            (1_150.0, None),
        ];
        assert_eq!(blames, expected, "{detail:?}");
    }
}

#[test]
fn maintenance_of_a_domain_is_like_a_loss_of_power() {
    let mut system = System::empty();
    let zones = ["a", "b"].map(|name| system.domain(name, None));
    let app = system.service("app", &zones.map(Place::In), 2);
    system.maintenance(
        &[Component::Domain(zones[0])],
        weekly(Some(1_000)),
        fixed(100.0),
    );
    system.journey(&[app]);
    let system = new(system);
    let mut control = Control::new(&system, Detail::Full);
    walk(&mut control, secs(1_050.0), |_, _, _| {});
    let found = control.regime().slots.as_slice();
    assert_eq!(found, [SlotState::Silent, SlotState::Serving]);
    let blame = control.regime().blames[JourneyId::from_index(0)].unwrap();
    assert!(system.faults[blame.fault].kind.is_planned());
    walk(&mut control, secs(1_150.0), |_, _, _| {});
    assert!(control.structure().system_up());
    assert!(!control.state.clocks[ClockId::from_index(0)].active);
}

/// A service of `replicas` that start in 20 s, all needed, with releases from second 1,000 on.
fn released(replicas: usize, bad: f64, noticed_in: f64) -> System {
    let mut system = System::empty();
    let app = system.service("app", &vec![Place::Nowhere; replicas], replicas as u32);
    system.pools[app].starts_in = fixed(20.0);
    system.releases(app, weekly(Some(1_000)), bad, fixed(noticed_in));
    system.journey(&[app]);
    new(system)
}

/// Whom the system blames from when on, up to `end`.
fn blamed(system: &System, detail: Detail, end: f64) -> Vec<(f64, String)> {
    let mut control = Control::new(system, detail);
    let mut blames: Vec<(f64, String)> = Vec::new();
    walk(&mut control, secs(end), |control, transition, _| {
        let what = control.structure().blame().map_or("up".into(), |blame| {
            format!("{} {}", system.faults[blame.fault].name, blame.phase.word())
        });
        if blames.last().is_none_or(|(_, last)| *last != what) {
            blames.push((transition.at.secs_in_horizon(), what));
        }
    });
    blames
}

#[track_caller]
fn assert_blamed(system: &System, end: f64, expected: &[(f64, &str)]) {
    for detail in [Detail::Structure, Detail::Full] {
        let found = blamed(system, detail, end);
        let found: Vec<_> = found
            .iter()
            .map(|(at, what)| (*at, what.as_str()))
            .collect();
        assert_eq!(found, expected, "{detail:?}");
    }
}

#[test]
fn a_healthy_release_costs_one_restart_after_the_other_and_is_planned() {
    let system = released(2, 0.0, 100.0);
    let rollout = "app.rollout warm up";
    let expected = [
        (1_000.0, rollout),
        (1_020.0, "up"),
        (1_050.0, rollout),
        (1_070.0, "up"),
    ];
    assert_blamed(&system, 2_000.0, &expected);
}

#[test]
fn a_bad_release_rolls_until_it_is_noticed_and_goes_back_replica_by_replica() {
    let system = released(3, 1.0, 80.0);
    // The first starts into it at 1020, the second at 1070; noticed at 1100 while the third waits.
    let expected = [
        (1_000.0, "app.rollout warm up"),
        (1_020.0, "app.release detect"),
        (1_100.0, "app.release repair"),
        (1_150.0, "app.release warm up"),
        (1_170.0, "up"),
    ];
    assert_blamed(&system, 2_000.0, &expected);
    let mut control = Control::new(&system, Detail::Full);
    let found = steps(&mut control, 2_000.0);
    use CampaignStep::{Breaks, Ends, Restarts, Returns, RollsBack};
    let expected = [
        (1_000.0, step(Restarts, (0, 1))),
        (1_020.0, step(Breaks, (0, 1))),
        (1_020.0, step(Returns, (0, 1))),
        (1_050.0, step(Restarts, (1, 2))),
        (1_070.0, step(Breaks, (1, 2))),
        (1_070.0, step(Returns, (1, 2))),
        (1_100.0, step(RollsBack, (0, 1))),
        (1_120.0, Event::Started(SlotId::from_index(0))),
        (1_150.0, step(RollsBack, (1, 2))),
        (1_170.0, Event::Started(SlotId::from_index(1))),
        (1_170.0, step(Ends, (1, 2))),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_release_noticed_while_a_replica_starts_takes_that_one_back_too() {
    let system = released(3, 1.0, 40.0);
    // The first breaks at 1020; the second restarts at 1050; noticed at 1060.
    let mut control = Control::new(&system, Detail::Full);
    let found = steps(&mut control, 1_200.0);
    let back: Vec<_> = found
        .iter()
        .filter(|(at, _)| *at >= 1_060.0)
        .copied()
        .collect();
    use CampaignStep::{Ends, RollsBack};
    let expected = [
        (1_060.0, step(RollsBack, (0, 1))),
        // It was on its way into the bad version; that start is seen through until its own turn.
        (1_070.0, step(CampaignStep::Breaks, (1, 2))),
        (1_080.0, Event::Started(SlotId::from_index(0))),
        (1_110.0, step(RollsBack, (1, 2))),
        (1_130.0, Event::Started(SlotId::from_index(1))),
        (1_130.0, step(Ends, (1, 2))),
    ];
    assert_eq!(back, expected);
}

#[test]
fn a_replica_that_crashes_with_a_bad_version_is_well_after_both_are_over() {
    let mut system = released(2, 1.0, 80.0);
    let slot = Component::Slot(SlotId::from_index(0));
    // From 1040 to 1200: the roll back at 1100 finds it down.
    once(&mut system, FaultKind::Crash, slot, 1_040.0, 160.0);
    let mut control = Control::new(&system, Detail::Full);
    walk(&mut control, secs(1_210.0), |_, _, _| {});
    assert!(!control.structure().system_up());
    walk(&mut control, secs(1_230.0), |_, _, _| {});
    assert!(control.structure().system_up());
    assert!(
        control
            .regime()
            .slots
            .iter()
            .all(|&state| state == SlotState::Serving)
    );
}

#[test]
fn a_bad_configuration_spreads_evenly_and_is_taken_back_evenly() {
    let mut system = System::empty();
    let app = system.service("app", &[Place::Nowhere; 4], 3);
    let owner = crate::model::Owner::Pool(app);
    system.changes(owner, weekly(Some(1_000)), 1.0, fixed(100.0), false);
    system.journey(&[app]);
    let system = new(system);
    // Reaches a replica every 10 s; the second cuts. Noticed 100 s after the first.
    let expected = [
        (1_000.0, "up"),
        (1_020.0, "app.configuration detect"),
        (1_110.0, "app.configuration repair"),
        (1_140.0, "up"),
    ];
    assert_blamed(&system, 2_000.0, &expected);
}

#[test]
fn a_certificate_takes_all_instances_at_once_and_the_new_one_is_valid_from_then_on() {
    let mut system = System::empty();
    let app = system.service("app", &[Place::Nowhere], 1);
    let balancer = system.balancer("edge", app, &[Place::Nowhere; 2]);
    let owner = crate::model::Owner::Balancer(balancer);
    system.changes(owner, weekly(Some(1_000)), 1.0, fixed(100.0), true);
    let operation = system.operations.ids().next().unwrap();
    let call = system.call(operation, Some(balancer));
    system.journey_of(vec![call]);
    let system = new(system);
    let week = WEEK.as_secs_f64();
    let expected = [
        (1_000.0, "edge.certificate detect"),
        (1_100.0, "edge.certificate repair"),
        (1_140.0, "up"),
        (week + 1_140.0, "edge.certificate detect"),
        (week + 1_240.0, "edge.certificate repair"),
        (week + 1_280.0, "up"),
    ];
    assert_blamed(&system, 2.0 * week, &expected);
}

#[test]
fn changes_that_are_good_cost_nothing_and_bad_ones_come_as_often_as_stated() {
    let mut system = System::empty();
    let app = system.service("app", &[Place::Nowhere], 1);
    let owner = crate::model::Owner::Pool(app);
    let every = SimSpan::from_secs(86_400);
    system.changes(
        owner,
        Rhythm::Clock { every, at: None },
        0.1,
        fixed(1_000.0),
        false,
    );
    system.journey(&[app]);
    // Down from when it is reached, 1,000 s and 40 s more, in 1 of 10 days.
    let ((down, error), (outages, _)) = simulate(&system, 2_000, 1);
    check((down, error), 0.1 * 1_040.0 / 86_400.0, 1.0);
    assert!((outages * 240.0 - 1.0).abs() < 0.02, "{outages}");
    let mut control = Control::new(&system, Detail::Full);
    let events = steps(&mut control, 365.0 * 86_400.0).len();
    assert!(events < 4 * 80, "{events}");
}
