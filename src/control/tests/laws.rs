//! Structural figures against closed forms.

use super::*;

/// `count` slots with exponential times of these means in hours, of which `needs` are needed.
fn group(count: usize, needs: u32, mttf: f64, mttr: f64) -> System {
    let mut system = System::empty();
    let pool = system.service("app", &vec![Place::Nowhere; count], needs);
    system.crashes(pool, exponential(mttf * HOUR), exponential(mttr * HOUR));
    system.journey(&[pool]);
    system
}

#[test]
fn one_component_is_down_for_its_share_of_the_cycle() {
    // MTTF 1000 h, MTTR 10 h: 10 / 1010; one outage per 1010 h.
    let (down, outages) = simulate(&group(1, 1, 1_000.0, 10.0), 4_000, 4);
    check(down, 10.0 / 1_010.0, 1.0);
    check(outages, 1.0 / 1_010.0, 1.0);
}

#[test]
fn two_of_three_equals_the_binomial() {
    // p = 8 / 1008 down: 3 p^2 (1 - p) + p^3 = 1.8796e-4. The system goes down when one of two that
    // are up fails while the third is down: 6 p (1 - p)^2 / 1000 h.
    let p: f64 = 8.0 / 1_008.0;
    let (down, outages) = simulate(&group(3, 2, 1_000.0, 8.0), 10_000, 4);
    let unavailability = 3.0 * p * p * (1.0 - p) + p * p * p;
    assert!((unavailability - 1.879_6e-4).abs() < 1e-8);
    check(down, unavailability, 2.0);
    check(outages, 6.0 * p * (1.0 - p).powi(2) / 1_000.0, 2.0);
}

#[test]
fn ten_groups_of_three_of_five_in_series_equal_their_product() {
    let mut system = System::empty();
    let pools: Vec<_> = (0..10)
        .map(|index| {
            let pool = system.service(&format!("pool{index}"), &[Place::Nowhere; 5], 3);
            system.crashes(pool, exponential(2_000.0 * HOUR), exponential(40.0 * HOUR));
            pool
        })
        .collect();
    system.journey(&pools);
    let p: f64 = 40.0 / 2_040.0;
    let q = 1.0 - p;
    let one = 10.0 * p.powi(3) * q * q + 5.0 * p.powi(4) * q + p.powi(5);
    let (down, _) = simulate(&system, 2_000, 10);
    check(down, 1.0 - (1.0 - one).powi(10), 4.0);
}

#[test]
fn zones_take_their_slots_with_them() {
    // Two zones of three slots, three needed. Power of a zone: 500 / 10 h; slots: 300 / 20 h.
    let mut system = System::empty();
    let zones = [system.domain("a", None), system.domain("b", None)];
    let places: Vec<Place> = (0..6).map(|slot| Place::In(zones[slot % 2])).collect();
    let pool = system.service("app", &places, 3);
    system.crashes(pool, exponential(300.0 * HOUR), exponential(20.0 * HOUR));
    let zones: Vec<_> = zones.into_iter().map(Component::Domain).collect();
    system.fault(
        FaultKind::Power,
        &zones,
        exponential(500.0 * HOUR),
        exponential(10.0 * HOUR),
    );
    system.journey(&[pool]);
    let (zone, slot): (f64, f64) = (10.0 / 510.0, 20.0 / 320.0);
    let both = {
        let up = 1.0 - slot;
        let exactly = |k: i32, ways: f64| ways * up.powi(k) * slot.powi(6 - k);
        exactly(0, 1.0) + exactly(1, 6.0) + exactly(2, 15.0)
    };
    let one = 1.0 - (1.0 - slot).powi(3);
    let expected = (1.0 - zone).powi(2) * both + 2.0 * zone * (1.0 - zone) * one + zone * zone;
    let (down, _) = simulate(&system, 4_000, 2);
    check(down, expected, 2.0);
    // Isolation cuts off what power takes down: the same figure, here where slots start at once.
    for fault in system.faults.as_mut_slice() {
        if fault.kind == FaultKind::Power {
            fault.kind = FaultKind::Isolated;
        }
    }
    check(simulate(&system, 4_000, 2).0, expected, 2.0);
}

#[test]
fn a_quorum_of_three_needs_two() {
    let mut system = group(3, 1, 200.0, 10.0);
    system.operations.as_mut_slice()[0].served_by = ServedBy::Quorum;
    let p: f64 = 10.0 / 210.0;
    let (down, _) = simulate(&system, 2_000, 2);
    check(down, 3.0 * p * p * (1.0 - p) + p * p * p, 2.0);
}

#[test]
fn nodes_are_shared_by_the_slots_on_them() {
    // Two pools on one node, in series: the node counts once.
    let mut system = System::empty();
    let node = system.node("n", None);
    let pools = [0, 1].map(|i| system.service(&format!("p{i}"), &[Place::On(node)], 1));
    system.fault(
        FaultKind::Crash,
        &[Component::Node(node)],
        exponential(100.0 * HOUR),
        fixed(5.0 * HOUR),
    );
    for pool in pools {
        system.crashes(pool, exponential(400.0 * HOUR), exponential(4.0 * HOUR));
    }
    system.journey(&pools);
    let up = 100.0 / 105.0 * (400.0_f64 / 404.0).powi(2);
    check(simulate(&system, 2_000, 2).0, 1.0 - up, 1.0);
}

#[test]
fn starting_prolongs_an_outage_and_is_in_equilibrium_too() {
    // Start-up of 1 h after each repair, and faults go on meanwhile: the clock's cycle is 100 + 4 h;
    // the start needs 1 h without a fault, so of each 100 h up it takes 100 (1 - exp(-1 / 100)) h.
    let mut system = group(1, 1, 100.0, 4.0);
    let pool = PoolId::from_index(0);
    system.pools[pool].starts_in = fixed(HOUR);
    let starting = 100.0 * (1.0 - (-0.01_f64).exp());
    let (down, _) = simulate(&system, 3_000, 2);
    check(down, (4.0 + starting) / 104.0, 1.0);
}

#[test]
fn a_steady_history_has_no_bias_at_its_beginning() {
    // In the very first hour already; constant repair times, where age matters most.
    for starts_in in [0.0, 30.0 * 60.0] {
        let mut system = group(1, 1, 20.0, 4.0);
        system.faults.as_mut_slice()[0].lasts = fixed(4.0 * HOUR);
        system.pools.as_mut_slice()[0].starts_in = fixed(starts_in);
        let mut control = Control::new(&system, Detail::Full);
        let (mut sum, mut squares, histories) = (0.0, 0.0, 40_000);
        for replication in 0..histories {
            control.restart(3, replication);
            let down = downtime(&mut control, secs(HOUR)).0.as_secs_f64() / HOUR;
            (sum, squares) = (sum + down, squares + down * down);
        }
        let count = histories as f64;
        let mean = sum / count;
        let error = ((squares / count - mean * mean) / count).sqrt();
        let starting = 20.0 * (1.0 - (-starts_in / (20.0 * HOUR)).exp());
        check((mean, error), (4.0 + starting) / 24.0, 2.0);
    }
}

#[test]
fn a_new_history_begins_with_everything_up() {
    // Availability at t of a new two-state component: a + (1 - a) exp(-(1/20 + 1/4) t), t in hours.
    let system = new(group(1, 1, 20.0, 4.0));
    let mut control = Control::new(&system, Detail::Structure);
    assert_eq!(control.begins(), SimTime::START);
    let (mut up, histories) = (0.0, 40_000);
    for replication in 0..histories {
        control.restart(3, replication);
        assert!(control.structure().system_up());
        walk(&mut control, secs(3.0 * HOUR), |_, _, _| {});
        up += f64::from(u8::from(control.structure().system_up()));
    }
    let a = 20.0 / 24.0;
    let expected: f64 = a + (1.0 - a) * (-0.3_f64 * 3.0).exp();
    let error = (expected * (1.0 - expected) / histories as f64).sqrt();
    check((up / histories as f64, error), expected, 1.0);
}
