//! A group that elects its leader by majority, in the manner of Raft.
//!
//! A leader exists only while a majority of all members is available (running, and reachable from the
//! users' side). One that is left with a minority steps down at once. When the leader is lost, or a
//! majority is there again, an election begins; it takes one drawn time, which stands for time-outs,
//! split votes and catching up. A member that stops or comes back during an election does not disturb
//! it unless the majority is lost, which ends it. The next available member in order, after the one that
//! led before, wins. A leader that planned work stops can hand the lead over instead.
//!
//! Source: Ongaro and Ousterhout, In search of an understandable consensus algorithm, USENIX ATC 2014.
//! Left out: terms, logs and which member may win; the time of an election is stated as a whole.

use crate::time::{SimSpan, SimTime};

/// How far the leadership is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vote {
    /// Somebody leads.
    Led,
    /// An election is going on.
    Electing,
    /// There is no majority.
    NoMajority,
    /// A leader that planned work has stopped hands the lead over.
    Switching,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Led {
        by: usize,
    },
    Electing {
        last: usize,
        ends: SimTime,
        handed: bool,
    },
    NoMajority {
        last: usize,
    },
}

/// The elections of one group.
#[derive(Clone, Debug)]
pub struct Quorum {
    members: usize,
    state: State,
}

impl Quorum {
    /// Member 0 of `members` leads.
    pub fn new(members: usize) -> Self {
        Self {
            members,
            state: State::Led { by: 0 },
        }
    }

    /// Begins anew with this leader, or without a majority.
    pub fn reset(&mut self, leader: Option<usize>) {
        let last = self.members - 1;
        self.state = leader.map_or(State::NoMajority { last }, |by| State::Led { by });
    }

    /// Planned work stops the leader at `now`: if a majority is left, it hands the lead over, which takes as
    /// long as `takes` says. To be called before [`Quorum::react`].
    pub fn hand_over(
        &mut self,
        now: SimTime,
        majority: bool,
        available: impl Fn(usize) -> bool,
        takes: impl FnOnce() -> SimSpan,
    ) {
        if let State::Led { by: last } = self.state
            && majority
            && !available(last)
        {
            self.state = State::Electing {
                last,
                ends: now + takes(),
                handed: true,
            };
        }
    }

    /// Reacts to what is available at `now`, where `majority` says whether more than half of the members
    /// are, together; `elects` is asked for the length of an election.
    pub fn react(
        &mut self,
        now: SimTime,
        majority: bool,
        available: impl Fn(usize) -> bool,
        elects: impl FnOnce() -> SimSpan,
    ) {
        self.state = match self.state {
            State::Led { by: last } | State::Electing { last, .. } if !majority => {
                State::NoMajority { last }
            }
            State::Led { by: last } if !available(last) => State::Electing {
                last,
                ends: now + elects(),
                handed: false,
            },
            State::NoMajority { last } if majority => State::Electing {
                last,
                ends: now + elects(),
                handed: false,
            },
            unchanged => unchanged,
        };
    }

    /// When the election ends if nothing changes; [`SimTime::NEVER`] without one.
    pub fn next_time(&self) -> SimTime {
        match self.state {
            State::Electing { ends, .. } => ends,
            State::Led { .. } | State::NoMajority { .. } => SimTime::NEVER,
        }
    }

    /// The election is over.
    pub fn fire(&mut self, available: impl Fn(usize) -> bool) {
        if let State::Electing { last, .. } = self.state {
            let others = (1..=self.members).map(|step| (last + step) % self.members);
            if let Some(by) = others.into_iter().find(|&member| available(member)) {
                self.state = State::Led { by };
            }
        }
    }

    /// The leader.
    pub fn leader(&self) -> Option<usize> {
        match self.state {
            State::Led { by } => Some(by),
            State::Electing { .. } | State::NoMajority { .. } => None,
        }
    }

    /// How far the leadership is.
    pub fn vote(&self) -> Vote {
        match self.state {
            State::Led { .. } => Vote::Led,
            State::Electing { handed: true, .. } => Vote::Switching,
            State::Electing { handed: false, .. } => Vote::Electing,
            State::NoMajority { .. } => Vote::NoMajority,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: u64) -> SimTime {
        SimTime::EPOCH + SimSpan::from_secs(secs)
    }

    fn react(group: &mut Quorum, at: u64, up: [bool; 3]) -> (Vote, SimTime) {
        let majority = up.iter().filter(|&&up| up).count() > 1;
        group.react(
            secs(at),
            majority,
            |member| up[member],
            || SimSpan::from_secs(5),
        );
        (group.vote(), group.next_time())
    }

    #[test]
    fn a_lost_leader_is_replaced_by_election_and_a_lost_follower_is_not_missed() {
        let mut group = Quorum::new(3);
        assert_eq!(react(&mut group, 10, [true, true, false]).0, Vote::Led);
        react(&mut group, 20, [true; 3]);
        assert_eq!(
            react(&mut group, 100, [false, true, true]),
            (Vote::Electing, secs(105))
        );
        assert_eq!(group.leader(), None);
        // Comings and goings do not disturb it.
        assert_eq!(
            react(&mut group, 102, [true; 3]),
            (Vote::Electing, secs(105))
        );
        assert_eq!(
            react(&mut group, 103, [true, false, true]),
            (Vote::Electing, secs(105))
        );
        group.fire(|member| member != 1);
        assert_eq!(group.leader(), Some(2));
    }

    #[test]
    fn a_minority_has_no_leader_and_a_majority_that_is_back_elects_one() {
        let mut group = Quorum::new(3);
        react(&mut group, 100, [true, true, false]);
        assert_eq!(
            react(&mut group, 110, [true, false, false]).0,
            Vote::NoMajority
        );
        assert_eq!(group.leader(), None);
        assert_eq!(
            react(&mut group, 200, [true, false, true]),
            (Vote::Electing, secs(205))
        );
        assert_eq!(
            react(&mut group, 203, [false, false, true]),
            (Vote::NoMajority, SimTime::NEVER)
        );
        assert_eq!(
            react(&mut group, 300, [true, false, true]),
            (Vote::Electing, secs(305))
        );
    }

    #[test]
    fn a_leader_that_hands_over_needs_a_majority_that_is_left() {
        let mut group = Quorum::new(3);
        let takes = || SimSpan::from_secs(1);
        group.hand_over(secs(10), true, |member| member > 0, takes);
        assert_eq!(
            (group.vote(), group.next_time()),
            (Vote::Switching, secs(11))
        );
        assert_eq!(group.leader(), None);
        group.fire(|member| member > 0);
        assert_eq!(group.leader(), Some(1));
        group.hand_over(secs(20), false, |member| member == 2, takes);
        assert_eq!(
            react(&mut group, 20, [false, false, true]).0,
            Vote::NoMajority
        );
    }
}
