//! The group machine against vectors, stories, and a version that sends every advertisement.

use super::*;
use crate::random::Stream;

const SECOND: SimSpan = SimSpan::from_secs(1);

fn secs(secs: f64) -> SimTime {
    SimTime::EPOCH + SimSpan::from_secs_f64(secs)
}

/// Two members in place 0 since second 0; member 0 (150) is master on the grid of second 0.
fn pair(preempt: bool) -> Group {
    let mut group = Group::new(SECOND, &[150, 100], preempt);
    group.reset(secs(0.0));
    group.place(secs(0.0), 0, Some(0));
    group.place(secs(0.0), 1, Some(0));
    group.appoint(0, secs(0.0));
    group
}

#[test]
fn a_backup_takes_over_its_master_down_time_after_the_last_advertisement() {
    let mut group = pair(true);
    assert_eq!(group.next_time(), SimTime::NEVER);
    group.place(secs(100.4), 0, None);
    assert_eq!(group.holder(0), None);
    assert_eq!(group.next_time(), secs(100.0 + 3.609375));
    assert_eq!(group.fire(|| None), Moved::Master(1));
    assert_eq!(group.holder(0), Some(1));
    assert_eq!(group.next_time(), SimTime::NEVER);
}

#[test]
fn a_stronger_member_takes_the_address_back_without_a_gap_if_it_may() {
    for preempt in [true, false] {
        let mut group = pair(preempt);
        group.place(secs(100.4), 0, None);
        group.fire(|| None);
        group.place(secs(200.2), 0, Some(0));
        assert_eq!(group.holder(0), Some(1));
        if preempt {
            assert_eq!(group.next_time(), secs(200.2 + 3.4140625));
            assert_eq!(group.fire(|| None), Moved::Master(0));
            assert_eq!((group.holder(0), group.is_master(1)), (Some(0), false));
        }
        assert_eq!(group.next_time(), SimTime::NEVER);
    }
}

#[test]
fn two_masters_become_one_at_the_first_advertisement_of_either() {
    let mut group = pair(true);
    group.place(secs(100.4), 0, Some(7));
    assert_eq!(group.fire(|| None), Moved::Master(1)); // at 103.609375; 0 goes on in its own place
    assert_eq!((group.holder(0), group.holder(7)), (Some(1), Some(0)));
    group.place(secs(200.7), 0, Some(0));
    assert_eq!(
        group.holder(0),
        Some(1),
        "it has announced the address last"
    );
    // 1 would advertise at 201.609375, 0 does at 201.
    assert_eq!(group.next_time(), secs(201.0));
    assert_eq!(group.fire(|| None), Moved::Master(0));
    assert_eq!((group.holder(0), group.is_master(1)), (Some(0), false));
    assert_eq!(group.next_time(), SimTime::NEVER);
}

#[test]
fn the_same_place_need_not_be_the_users_place() {
    let mut group = pair(true);
    group.place(secs(10.0), 0, Some(7));
    group.place(secs(10.0), 1, Some(7));
    assert_eq!((group.holder(0), group.holder(7)), (None, Some(0)));
    assert_eq!(
        group.next_time(),
        SimTime::NEVER,
        "they still hear each other"
    );
}

/// One change: when, which member, to which place.
type Change = (u64, usize, Option<u32>);

/// Sends every advertisement and lets every timer run; returns each change of the holder of place 0.
fn ticked(group: &Group, changes: &[Change], end: u64) -> Vec<(u64, Option<usize>)> {
    #[derive(Clone, Copy)]
    struct Ticking {
        place: Option<u32>,
        /// Of a master: when it became one, and its next advertisement.
        master: Option<(u64, u64)>,
        expires: u64,
    }
    let interval = group.advert_int.as_nanos();
    let down = |i: usize| group.members[i].master_down.as_nanos();
    let count = group.members.len();
    let mut members = vec![
        Ticking {
            place: None,
            master: None,
            expires: u64::MAX
        };
        count
    ];
    let (mut holders, mut changes, mut now) = (Vec::new(), changes.iter().peekable(), 0);
    // An advertisement of `sender`, and the answers it provokes.
    fn send(group: &Group, members: &mut [Ticking], sender: usize, now: u64) {
        let mut answer = None;
        for other in 0..members.len() {
            if other == sender || members[other].place != members[sender].place {
                continue;
            }
            let stronger = group.members[sender].priority > group.members[other].priority;
            let down = group.members[other].master_down.as_nanos();
            if members[other].master.is_some() && !stronger {
                answer = Some(other);
            } else if members[other].master.is_some() || stronger || !group.preempt {
                members[other].master = None;
                members[other].expires = now + down;
            }
        }
        if let Some(other) = answer {
            send(group, members, other, now);
        }
    }
    while now < end {
        while let Some(&&(_, member, place)) = changes.peek().filter(|change| change.0 == now) {
            changes.next();
            if members[member].place.is_none() || place.is_none() {
                members[member].master = None;
                members[member].expires = now + down(member);
            }
            members[member].place = place;
        }
        for i in 0..count {
            if members[i].place.is_some()
                && let Some((since, at)) = members[i].master
                && at == now
            {
                members[i].master = Some((since, at + interval));
                send(group, &mut members, i, now);
            }
        }
        for i in 0..count {
            if members[i].place.is_some()
                && members[i].master.is_none()
                && members[i].expires == now
            {
                members[i].master = Some((now, now + interval));
                send(group, &mut members, i, now);
            }
        }
        let holder = (0..count)
            .filter(|&i| members[i].place == Some(0))
            .filter_map(|i| members[i].master.map(|(since, _)| (since, i)))
            .max()
            .map(|(_, i)| i);
        if holders
            .last()
            .map_or(holder.is_some(), |last: &(u64, Option<usize>)| {
                last.1 != holder
            })
        {
            holders.push((now, holder));
        }
        let timers = members.iter().filter(|member| member.place.is_some());
        let timers = timers.map(|member| member.master.map_or(member.expires, |(_, next)| next));
        now = timers
            .chain(changes.peek().map(|change| change.0))
            .min()
            .unwrap_or(end);
    }
    holders
}

fn computed(mut group: Group, changes: &[Change], end: u64) -> Vec<(u64, Option<usize>)> {
    let mut holders: Vec<(u64, Option<usize>)> = Vec::new();
    let mut changes = changes.iter().peekable();
    loop {
        let change = changes.peek().map_or(u64::MAX, |change| change.0);
        let at = change.min(group.next_time().as_nanos());
        if at >= end {
            return holders;
        }
        if at == change {
            let &(at, member, place) = changes.next().unwrap();
            group.place(SimTime::from_nanos(at), member, place);
        } else {
            group.fire(|| None);
        }
        let holder = group.holder(0);
        if holders
            .last()
            .map_or(holder.is_some(), |last| last.1 != holder)
        {
            match holders.last_mut() {
                // Several changes at one instant: only the last one is seen.
                Some(last) if last.0 == at => last.1 = holder,
                _ => holders.push((at, holder)),
            }
        }
    }
}

#[test]
fn computed_holders_equal_those_of_ticking_members() {
    let mut stream = Stream::from_key(3);
    let mut below = |n: u64| stream.bits() % n;
    let mut moves = 0;
    for case in 0..4_000 {
        let count = 1 + below(3) as usize;
        let priorities = &[150_u8, 100, 37][..count];
        let group = Group::new(SimSpan::from_nanos(1_000_003), priorities, case % 2 == 0);
        let mut changes: Vec<Change> = (0..count)
            .map(|member| (below(5_000_000), member, Some(0)))
            .collect();
        let mut at = 5_000_000;
        for _ in 0..12 {
            let pause = if below(2) == 0 { 1_000_000 } else { 9_000_000 };
            at += below(pause);
            let place = [None, Some(0), Some(0), Some(1)][below(4) as usize];
            changes.push((at, below(count as u64) as usize, place));
        }
        changes.sort_by_key(|change| change.0);
        let end = at + 20_000_000;
        let expected = ticked(&group, &changes, end);
        assert_eq!(
            computed(group, &changes, end),
            expected,
            "case {case}: {changes:?}"
        );
        moves += expected.len();
    }
    assert!(moves > 10_000, "{moves} moves are too few to compare");
}

#[test]
fn two_masters_while_they_do_not_hear_each_other_and_one_again_afterwards() {
    let second = SimSpan::from_secs(1);
    let mut group = Group::new(second, &[150, 100], true);
    let start = SimTime::EPOCH + SimSpan::from_secs(100);
    group.reset(start);
    group.place(start, 0, Some(0));
    group.place(start, 1, Some(0));
    group.appoint(0, start);
    let cut = start + SimSpan::from_millis(10_500);
    group.part(cut, (0, 1), true);
    // The last advertisement was heard at the tenth second.
    let takes = start + SimSpan::from_secs(10) + master_down(second, 100);
    assert_eq!(group.next_time(), takes);
    assert_eq!(group.fire(|| None), Moved::Master(1));
    assert!(group.is_master(0) && group.is_master(1));
    // The latest is reached from where both are, and each from its own side.
    assert_eq!(group.holder(0), Some(1));
    assert_eq!(group.holder_among(0, |member| member == 0), Some(0));
    assert_eq!(group.next_time(), SimTime::NEVER);
    let joined = start + SimSpan::from_millis(60_300);
    group.part(joined, (0, 1), false);
    assert!(group.next_time() <= joined + second);
    assert_eq!(group.fire(|| None), Moved::Master(0));
    assert!(group.is_master(0) && !group.is_master(1));
}

const PERSON: SimSpan = SimSpan::from_secs(600);

#[test]
fn a_takeover_that_fails_waits_for_a_person() {
    let mut group = pair(false);
    group.place(secs(100.4), 0, None);
    let due = group.next_time();
    assert_eq!(group.fire(|| Some(PERSON)), Moved::Fails(1));
    assert!(group.holder(0).is_none() && group.waits_in(0));
    assert_eq!(group.next_time(), due + PERSON);
    // What a person does, works.
    assert_eq!(group.fire(|| Some(PERSON)), Moved::Master(1));
    assert!(group.holder(0) == Some(1) && !group.waits_in(0));
}

#[test]
fn a_takeover_that_has_failed_is_forgotten_when_the_old_master_is_back() {
    for preempt in [false, true] {
        let mut group = pair(preempt);
        group.place(secs(100.4), 0, None);
        group.fire(|| Some(PERSON));
        group.place(secs(200.0), 0, Some(0));
        assert_eq!(group.next_time(), secs(200.0 + 3.4140625));
        // It takes the address from nobody, which does not fail.
        assert_eq!(group.fire(|| Some(PERSON)), Moved::Master(0));
        assert!(!group.waits_in(0) && group.next_time() == SimTime::NEVER);
        // The next takeover has its own chance.
        group.place(secs(300.4), 0, None);
        assert_eq!(group.fire(|| Some(PERSON)), Moved::Fails(1));
        // Who comes back where nobody runs does not fail either.
        group.place(secs(400.0), 1, None);
        group.place(secs(500.0), 1, Some(0));
        assert_eq!(group.next_time(), secs(500.0 + 3.609375));
        assert_eq!(group.fire(|| Some(PERSON)), Moved::Master(1));
    }
}

#[test]
fn taking_the_address_back_from_a_weaker_master_does_not_fail() {
    let mut group = pair(true);
    group.place(secs(100.4), 0, None);
    group.fire(|| None);
    group.place(secs(200.2), 0, Some(0));
    assert_eq!(group.fire(|| Some(PERSON)), Moved::Master(0));
}
