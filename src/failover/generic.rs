//! Failover by stated times: which member of a store leads when only the length of each stage is known.
//!
//! When the leader is lost (it does not run, or users do not reach it), its loss is detected, somebody
//! is chosen and promoted; from then on the chosen one leads. Until the loss is detected callers still go
//! to the old leader, and if it is back by then it goes on. The next available member in order, after the
//! one that led, is chosen when the decision is over. A candidate that stops while it is promoted makes
//! the promotion void: another one, with a time of its own, begins toward the next available member.
//! When nobody is available there is nothing to fail over to; the first member to come back then leads,
//! after a promotion or at once, as configured.
//!
//! With imperfect coverage the failover of a lost leader fails with a probability, from its beginning,
//! and a person puts things right; a leader that comes back by itself before that goes on.
//!
//! A preferred member takes the lead back once it has been available for some time: a planned
//! switchover, in which nobody leads for as long as it takes. If it stops meanwhile, the leader of before
//! goes on. Planned work that stops the leader can be a switchover too, to the next available member.
//!
//! Source: the usual model of active and standby with coverage (Bouricius, Carter and Schneider 1969;
//! Trivedi and Bobbio, Reliability and Availability Engineering (2017), chapters 9 and 10).

use crate::time::{SimSpan, SimTime};

/// A span that the machine needs drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// From the loss of the leader to its detection.
    Detect,
    /// From the detection to the choice of a candidate.
    Decide,
    /// From the choice to leading.
    Promote,
    /// From the loss of the leader to a person having put it right.
    Person,
    /// How long the preferred member has to be available before it takes the lead back.
    Settle,
    /// How long nobody leads when it does.
    Switch,
    /// How long nobody leads when planned work stops the leader.
    HandOver,
}

/// Draws for the machine.
pub trait Fate {
    /// A span.
    fn span(&mut self, what: Span) -> SimSpan;
    /// Whether a failover works.
    fn covered(&mut self) -> bool;
}

/// What does not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How many members there are.
    pub members: usize,
    /// Whether the first to come back, after all were lost, is promoted before it leads.
    pub promote_the_last: bool,
    /// Whether the first member takes the lead back.
    pub failback: bool,
    /// Whether a leader that planned work stops hands the lead over.
    pub hands_over: bool,
}

/// How far the leadership is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Somebody leads.
    Led,
    /// The leader is lost and nobody has noticed.
    Detecting,
    /// A candidate is being chosen.
    Deciding,
    /// A candidate is being promoted.
    Promoting,
    /// The failover has failed, and a person is at it.
    Person,
    /// Nobody is available.
    Lost,
    /// The lead goes back to the preferred member.
    Switching,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// `back`: when the preferred member takes over, if it is available.
    Led {
        by: usize,
        back: SimTime,
    },
    Detecting {
        by: usize,
        ends: SimTime,
    },
    Deciding {
        last: usize,
        ends: SimTime,
    },
    Promoting {
        chosen: usize,
        ends: SimTime,
    },
    Person {
        last: usize,
        ends: SimTime,
    },
    Lost {
        last: usize,
    },
    Switching {
        from: usize,
        to: usize,
        ends: SimTime,
    },
}

/// The failover of one store.
#[derive(Clone, Debug)]
pub struct Generic {
    rules: Rules,
    state: State,
}

/// The preferred member.
const FIRST: usize = 0;

impl Generic {
    /// Member 0 leads.
    pub fn new(rules: Rules) -> Self {
        let state = State::Led {
            by: FIRST,
            back: SimTime::NEVER,
        };
        Self { rules, state }
    }

    /// Begins anew at `now` with this leader, or with nobody available.
    pub fn reset(
        &mut self,
        now: SimTime,
        leader: Option<usize>,
        available: impl Fn(usize) -> bool,
        fate: &mut impl Fate,
    ) {
        self.state = match leader {
            Some(by) => self.led(by, now, &available, fate),
            None => State::Lost {
                last: self.rules.members - 1,
            },
        };
    }

    /// Reacts to what is available at `now`, and whether that is `planned`. To be called after every
    /// change of it.
    pub fn react(
        &mut self,
        now: SimTime,
        planned: bool,
        available: impl Fn(usize) -> bool,
        fate: &mut impl Fate,
    ) {
        let next = match self.state {
            State::Led { by, .. } if planned && self.rules.hands_over && !available(by) => {
                match self.next_after(by, &available) {
                    Some(to) => State::Switching {
                        from: by,
                        to,
                        ends: now + fate.span(Span::HandOver),
                    },
                    None => State::Lost { last: by },
                }
            }
            State::Led { by, .. } if !available(by) => self.lose(by, now, &available, fate),
            State::Led { by, back } if self.rules.failback && by != FIRST => {
                let back = match (available(FIRST), back) {
                    (false, _) => SimTime::NEVER,
                    (true, SimTime::NEVER) => now + fate.span(Span::Settle),
                    (true, back) => back,
                };
                State::Led { by, back }
            }
            State::Detecting { by, .. } | State::Person { last: by, .. } if available(by) => {
                self.led(by, now, &available, fate)
            }
            State::Detecting { by: last, .. } | State::Deciding { last, .. }
                if self.next_after(last, &available).is_none() =>
            {
                State::Lost { last }
            }
            State::Promoting { chosen, .. } if !available(chosen) => {
                self.promote(chosen, now, &available, fate)
            }
            State::Lost { last } => match self.next_after(last, &available) {
                Some(first) if !self.rules.promote_the_last => {
                    self.led(first, now, &available, fate)
                }
                Some(_) => self.promote(last, now, &available, fate),
                None => self.state,
            },
            State::Switching { from, to, .. } if !available(to) => {
                if available(from) {
                    self.led(from, now, &available, fate)
                } else {
                    self.lose(to, now, &available, fate)
                }
            }
            unchanged => unchanged,
        };
        self.state = self.at_once(next, now, &available, fate);
    }

    /// When the next step is due if nothing changes; [`SimTime::NEVER`] if there is none.
    pub fn next_time(&self) -> SimTime {
        match self.state {
            State::Led { back, .. } => back,
            State::Detecting { ends, .. }
            | State::Deciding { ends, .. }
            | State::Promoting { ends, .. }
            | State::Person { ends, .. }
            | State::Switching { ends, .. } => ends,
            State::Lost { .. } => SimTime::NEVER,
        }
    }

    /// Carries out the step that is due at `now`.
    pub fn fire(&mut self, now: SimTime, available: impl Fn(usize) -> bool, fate: &mut impl Fate) {
        let next = self.after(self.state, now, &available, fate);
        self.state = self.at_once(next, now, &available, fate);
    }

    /// The member that callers take for the leader.
    pub fn leader(&self) -> Option<usize> {
        match self.state {
            State::Led { by, .. } | State::Detecting { by, .. } => Some(by),
            _ => None,
        }
    }

    /// The member that is about to lead, if one is.
    pub fn chosen(&self) -> Option<usize> {
        match self.state {
            State::Promoting { chosen, .. } => Some(chosen),
            State::Switching { to, .. } => Some(to),
            _ => None,
        }
    }

    /// How far the leadership is.
    pub fn progress(&self) -> Progress {
        match self.state {
            State::Led { .. } => Progress::Led,
            State::Detecting { .. } => Progress::Detecting,
            State::Deciding { .. } => Progress::Deciding,
            State::Promoting { .. } => Progress::Promoting,
            State::Person { .. } => Progress::Person,
            State::Lost { .. } => Progress::Lost,
            State::Switching { .. } => Progress::Switching,
        }
    }

    /// The state after the step that is due in `state`.
    fn after(
        &self,
        state: State,
        now: SimTime,
        available: &impl Fn(usize) -> bool,
        fate: &mut impl Fate,
    ) -> State {
        match state {
            State::Led { by, .. } => State::Switching {
                from: by,
                to: FIRST,
                ends: now + fate.span(Span::Switch),
            },
            State::Detecting { by, .. } => State::Deciding {
                last: by,
                ends: now + fate.span(Span::Decide),
            },
            State::Deciding { last, .. } => self.promote(last, now, available, fate),
            State::Promoting { chosen, .. } => self.led(chosen, now, available, fate),
            State::Switching { to, .. } => self.led(to, now, available, fate),
            State::Person { last, .. } => match self.next_after(last, available) {
                Some(first) => self.led(first, now, available, fate),
                None => State::Lost { last },
            },
            State::Lost { .. } => state,
        }
    }

    /// Goes through steps that take no time.
    fn at_once(
        &self,
        mut state: State,
        now: SimTime,
        available: &impl Fn(usize) -> bool,
        fate: &mut impl Fate,
    ) -> State {
        while let State::Detecting { ends, .. }
        | State::Deciding { ends, .. }
        | State::Promoting { ends, .. }
        | State::Switching { ends, .. } = state
            && ends <= now
        {
            state = self.after(state, now, available, fate);
        }
        state
    }

    fn led(
        &self,
        by: usize,
        now: SimTime,
        available: &impl Fn(usize) -> bool,
        fate: &mut impl Fate,
    ) -> State {
        let returns = self.rules.failback && by != FIRST && available(FIRST);
        State::Led {
            by,
            back: if returns {
                now + fate.span(Span::Settle)
            } else {
                SimTime::NEVER
            },
        }
    }

    /// The leader `by` is lost.
    fn lose(
        &self,
        by: usize,
        now: SimTime,
        available: &impl Fn(usize) -> bool,
        fate: &mut impl Fate,
    ) -> State {
        if self.next_after(by, available).is_none() {
            State::Lost { last: by }
        } else if fate.covered() {
            State::Detecting {
                by,
                ends: now + fate.span(Span::Detect),
            }
        } else {
            State::Person {
                last: by,
                ends: now + fate.span(Span::Person),
            }
        }
    }

    /// The next available member after `last` is promoted.
    fn promote(
        &self,
        last: usize,
        now: SimTime,
        available: &impl Fn(usize) -> bool,
        fate: &mut impl Fate,
    ) -> State {
        match self.next_after(last, available) {
            Some(chosen) => State::Promoting {
                chosen,
                ends: now + fate.span(Span::Promote),
            },
            None => State::Lost { last },
        }
    }

    /// The first available member after `member`, in a circle.
    fn next_after(&self, member: usize, available: &impl Fn(usize) -> bool) -> Option<usize> {
        (1..=self.rules.members)
            .map(|step| (member + step) % self.rules.members)
            .find(|&other| available(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(secs: u64) -> SimTime {
        SimTime::EPOCH + SimSpan::from_secs(secs)
    }

    /// Fixed spans; failovers work as long as `covered` lasts.
    struct Fixed {
        covered: u32,
    }

    impl Fate for Fixed {
        fn span(&mut self, what: Span) -> SimSpan {
            SimSpan::from_secs(match what {
                Span::Detect => 20,
                Span::Decide => 5,
                Span::Promote => 60,
                Span::Person => 5_400,
                Span::Settle => 600,
                Span::Switch => 3,
                Span::HandOver => 2,
            })
        }

        fn covered(&mut self) -> bool {
            self.covered = self.covered.wrapping_sub(1);
            self.covered < u32::MAX / 2
        }
    }

    const RULES: Rules = Rules {
        members: 3,
        promote_the_last: true,
        failback: false,
        hands_over: false,
    };

    fn react(machine: &mut Generic, at: u64, up: [bool; 3]) -> (Progress, SimTime) {
        machine.react(
            secs(at),
            false,
            |member| up[member],
            &mut Fixed { covered: 9 },
        );
        (machine.progress(), machine.next_time())
    }

    fn fire(machine: &mut Generic, up: [bool; 3]) -> (Progress, Option<usize>) {
        let now = machine.next_time();
        machine.fire(now, |member| up[member], &mut Fixed { covered: 9 });
        (machine.progress(), machine.leader())
    }

    #[test]
    fn the_next_member_leads_after_detection_decision_and_promotion() {
        let mut machine = Generic::new(RULES);
        let up = [false, true, true];
        assert_eq!(
            react(&mut machine, 100, up),
            (Progress::Detecting, secs(120))
        );
        assert_eq!(machine.leader(), Some(0), "callers do not know better");
        assert_eq!(fire(&mut machine, up), (Progress::Deciding, None));
        assert_eq!(fire(&mut machine, up), (Progress::Promoting, None));
        assert_eq!(
            (machine.chosen(), machine.next_time()),
            (Some(1), secs(185))
        );
        assert_eq!(fire(&mut machine, up), (Progress::Led, Some(1)));
        assert_eq!(
            react(&mut machine, 300, [true; 3]),
            (Progress::Led, SimTime::NEVER)
        );
    }

    #[test]
    fn a_leader_that_is_back_before_it_is_missed_goes_on() {
        let mut machine = Generic::new(RULES);
        react(&mut machine, 100, [false, true, true]);
        assert_eq!(
            react(&mut machine, 119, [true; 3]),
            (Progress::Led, SimTime::NEVER)
        );
        assert_eq!(machine.leader(), Some(0));
    }

    #[test]
    fn a_void_promotion_begins_anew_toward_the_next() {
        let mut machine = Generic::new(RULES);
        let up = [false, true, true];
        react(&mut machine, 100, up);
        fire(&mut machine, up);
        fire(&mut machine, up);
        let after = react(&mut machine, 150, [false, false, true]);
        assert_eq!(after, (Progress::Promoting, secs(210)));
        assert_eq!(machine.chosen(), Some(2));
        // The first is back meanwhile, and the second candidate is lost too.
        react(&mut machine, 160, [true, false, true]);
        let after = react(&mut machine, 200, [true, false, false]);
        assert_eq!(
            (after, machine.chosen()),
            ((Progress::Promoting, secs(260)), Some(0))
        );
    }

    #[test]
    fn the_first_to_come_back_after_all_were_lost_is_promoted_or_leads_at_once() {
        for promote_the_last in [true, false] {
            let mut machine = Generic::new(Rules {
                promote_the_last,
                ..RULES
            });
            react(&mut machine, 100, [false, true, true]);
            assert_eq!(
                react(&mut machine, 110, [false; 3]),
                (Progress::Lost, SimTime::NEVER)
            );
            assert_eq!(machine.leader(), None);
            let after = react(&mut machine, 500, [false, false, true]);
            if promote_the_last {
                assert_eq!(after, (Progress::Promoting, secs(560)));
                assert_eq!(fire(&mut machine, [false, false, true]).1, Some(2));
            } else {
                assert_eq!(after, (Progress::Led, SimTime::NEVER));
                assert_eq!(machine.leader(), Some(2));
            }
        }
    }

    #[test]
    fn a_failover_that_fails_waits_for_a_person_or_the_old_leader() {
        let mut machine = Generic::new(RULES);
        let up = [false, true, true];
        let mut fate = Fixed { covered: 0 };
        machine.react(secs(100), false, |member| up[member], &mut fate);
        assert_eq!(
            (machine.progress(), machine.next_time()),
            (Progress::Person, secs(5_500))
        );
        let mut other = machine.clone();
        assert_eq!(fire(&mut machine, up), (Progress::Led, Some(1)));
        assert_eq!(react(&mut other, 200, [true; 3]).0, Progress::Led);
        assert_eq!(other.leader(), Some(0));
    }

    #[test]
    fn with_nobody_else_there_is_no_failover_to_fail() {
        let mut machine = Generic::new(RULES);
        let mut fate = Fixed { covered: 0 };
        react(&mut machine, 50, [true, false, false]);
        machine.react(secs(100), false, |_| false, &mut fate);
        assert_eq!(machine.progress(), Progress::Lost);
    }

    #[test]
    fn the_preferred_member_takes_the_lead_back_when_it_has_settled() {
        let mut machine = Generic::new(Rules {
            failback: true,
            ..RULES
        });
        let up = [false, true, true];
        react(&mut machine, 100, up);
        for _ in 0..3 {
            fire(&mut machine, up);
        }
        assert_eq!(machine.next_time(), SimTime::NEVER);
        assert_eq!(react(&mut machine, 1_000, [true; 3]).1, secs(1_600));
        assert_eq!(react(&mut machine, 1_100, up).1, SimTime::NEVER);
        assert_eq!(react(&mut machine, 1_200, [true; 3]).1, secs(1_800));
        assert_eq!(fire(&mut machine, [true; 3]), (Progress::Switching, None));
        let mut other = machine.clone();
        assert_eq!(fire(&mut machine, [true; 3]), (Progress::Led, Some(0)));
        assert_eq!(react(&mut other, 1_801, up).0, Progress::Led);
        assert_eq!(other.leader(), Some(1), "the switchover is off");
    }

    #[test]
    fn planned_work_on_the_leader_is_a_switchover_to_the_next_member() {
        let mut machine = Generic::new(Rules {
            hands_over: true,
            ..RULES
        });
        let (up, mut fate) = ([false, false, true], Fixed { covered: 9 });
        let mut lost = machine.clone();
        machine.react(secs(100), true, |member| up[member], &mut fate);
        assert_eq!(
            (machine.progress(), machine.leader()),
            (Progress::Switching, None)
        );
        assert_eq!(machine.next_time(), secs(102));
        assert_eq!(fire(&mut machine, up), (Progress::Led, Some(2)));
        // A crash at the same place is a failover.
        assert_eq!(react(&mut lost, 100, up).0, Progress::Detecting);
    }

    #[test]
    fn stages_of_no_length_are_gone_through_at_once() {
        struct None;
        impl Fate for None {
            fn span(&mut self, _: Span) -> SimSpan {
                SimSpan::ZERO
            }
            fn covered(&mut self) -> bool {
                true
            }
        }
        let mut machine = Generic::new(RULES);
        machine.react(secs(100), false, |member| member != 0, &mut None);
        assert_eq!(
            (machine.progress(), machine.leader()),
            (Progress::Led, Some(1))
        );
    }
}
