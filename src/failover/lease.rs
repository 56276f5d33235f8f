//! A leader lease: which member of a store leads, in the manner of Patroni.
//!
//! The leader holds a key that lives `ttl` from its last renewal; it renews it when it takes it, and
//! every `loop_wait` on a grid with a random phase. When the leader is no longer available (not
//! running, or cut off from the users' side), the key runs out `ttl` after the last renewal, which is
//! between `ttl - loop_wait` and `ttl` after the loss. Until then callers still go to the old leader;
//! if it is back by then, it renews and goes on. At expiry the next available member in order, after
//! the one that held the key, needs one drawn time to take it and another to be promoted; from then on
//! it leads. Nobody leads in between.
//!
//! A member that stops before it holds the key is replaced by the next one, whose time to decide begins
//! anew. One that stops while it holds the key, but is not promoted, lets the key run out again. If
//! nobody is available when the key is free, the first member to come back takes it at once. Leadership
//! does not return to a preferred member. A leader that planned work stops can give the key to the next
//! available member, which then leads after one drawn time.
//!
//! Sources: Patroni 3.0.2, recorded (expiry between `ttl - loop_wait` and `ttl` after a crash of the
//! host); `patroni/ha.py`. Left out: a leader whose database died while its agent lives
//! (`primary_start_timeout`), lag and sync conditions on candidates, a second primary without watchdog.

use crate::time::{SimSpan, SimTime};

/// A span that the machine needs drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// From taking the key to the first renewal after it; up to `loop_wait`.
    Phase,
    /// From the key's expiry to a member holding it.
    Decide,
    /// From holding the key to leading.
    Promote,
    /// From the planned end of a leader to the next one leading.
    HandOver,
}

/// How far the leadership of a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Somebody leads.
    Led,
    /// The key of a holder that is not available has not run out.
    Lapsing,
    /// A member is about to take the free key.
    Deciding,
    /// A member holds the key and is being promoted.
    Promoting,
    /// The key is free and nobody can take it.
    Vacant,
    /// A leader that planned work has stopped has given its key to a member that is being promoted.
    Switching,
}

/// Renewals of a key: at `taken`, and every `loop_wait` from `grid` on.
#[derive(Clone, Copy, Debug)]
struct Key {
    taken: SimTime,
    grid: SimTime,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Held {
        by: usize,
        key: Key,
    },
    Lapsing {
        by: usize,
        led: bool,
        expires: SimTime,
    },
    Deciding {
        chosen: usize,
        ends: SimTime,
    },
    Promoting {
        chosen: usize,
        key: Key,
        ends: SimTime,
        handed: bool,
    },
    Vacant {
        last: usize,
    },
}

/// The lease of one store.
#[derive(Clone, Debug)]
pub struct Lease {
    ttl: SimSpan,
    loop_wait: SimSpan,
    members: usize,
    state: State,
}

impl Lease {
    /// A lease that member 0 has held for ever. `loop_wait` is above zero and at most `ttl`.
    pub fn new(ttl: SimSpan, loop_wait: SimSpan, members: usize) -> Self {
        let key = Key {
            taken: SimTime::EPOCH,
            grid: SimTime::EPOCH,
        };
        Self {
            ttl,
            loop_wait,
            members,
            state: State::Held { by: 0, key },
        }
    }

    /// Begins anew at `now`, with this leader on a random grid, or with a free key.
    pub fn reset(
        &mut self,
        now: SimTime,
        leader: Option<usize>,
        mut draw: impl FnMut(Draw) -> SimSpan,
    ) {
        self.state = match leader {
            Some(by) => {
                let grid = now.before(self.loop_wait) + draw(Draw::Phase);
                State::Held {
                    by,
                    key: Key { taken: grid, grid },
                }
            }
            None => State::Vacant {
                last: self.members - 1,
            },
        };
    }

    /// Planned work stops the leader at `now`: it gives its key to the next available member. To be called
    /// before [`Lease::react`].
    pub fn hand_over(
        &mut self,
        now: SimTime,
        available: impl Fn(usize) -> bool,
        mut draw: impl FnMut(Draw) -> SimSpan,
    ) {
        if let State::Held { by, .. } = self.state
            && !available(by)
            && let Some(chosen) = self.next_after(by, available)
        {
            let key = Key {
                taken: now,
                grid: now + draw(Draw::Phase),
            };
            self.state = State::Promoting {
                chosen,
                key,
                ends: now + draw(Draw::HandOver),
                handed: true,
            };
        }
    }

    /// Reacts to what is available at `now`. To be called after every change of it.
    pub fn react(
        &mut self,
        now: SimTime,
        available: impl Fn(usize) -> bool,
        mut draw: impl FnMut(Draw) -> SimSpan,
    ) {
        self.state = match self.state {
            State::Held { by, key } if !available(by) => State::Lapsing {
                by,
                led: true,
                expires: self.last_renewal(key, now) + self.ttl,
            },
            State::Lapsing { by, led: true, .. } if available(by) => State::Held {
                by,
                key: Key {
                    taken: now,
                    grid: now,
                },
            },
            State::Lapsing { by, led: false, .. } if available(by) => {
                self.promote(by, now, &mut draw)
            }
            State::Deciding { chosen, .. } if !available(chosen) => {
                self.decide(chosen, now, available, &mut draw)
            }
            State::Promoting { chosen, key, .. } if !available(chosen) => State::Lapsing {
                by: chosen,
                led: false,
                expires: self.last_renewal(key, now) + self.ttl,
            },
            State::Vacant { last } => match self.next_after(last, available) {
                Some(member) => self.promote(member, now, &mut draw),
                None => self.state,
            },
            unchanged => unchanged,
        };
    }

    /// When the next step is due if nothing changes; [`SimTime::NEVER`] if there is none.
    pub fn next_time(&self) -> SimTime {
        match self.state {
            State::Lapsing { expires, .. } => expires,
            State::Deciding { ends, .. } | State::Promoting { ends, .. } => ends,
            State::Held { .. } | State::Vacant { .. } => SimTime::NEVER,
        }
    }

    /// Carries out the step that is due at `now`.
    pub fn fire(
        &mut self,
        now: SimTime,
        available: impl Fn(usize) -> bool,
        mut draw: impl FnMut(Draw) -> SimSpan,
    ) {
        self.state = match self.state {
            State::Lapsing { by, .. } => self.decide(by, now, available, &mut draw),
            State::Deciding { chosen, .. } => self.promote(chosen, now, &mut draw),
            State::Promoting { chosen, key, .. } => State::Held { by: chosen, key },
            unchanged => unchanged,
        };
    }

    /// The member that callers take for the leader.
    pub fn leader(&self) -> Option<usize> {
        match self.state {
            State::Held { by, .. } | State::Lapsing { by, led: true, .. } => Some(by),
            _ => None,
        }
    }

    /// The member that is about to lead, if one is.
    pub fn chosen(&self) -> Option<usize> {
        match self.state {
            State::Deciding { chosen, .. } | State::Promoting { chosen, .. } => Some(chosen),
            _ => None,
        }
    }

    /// How far the leadership is.
    pub fn stage(&self) -> Stage {
        match self.state {
            State::Held { .. } => Stage::Led,
            State::Lapsing { .. } => Stage::Lapsing,
            State::Deciding { .. } => Stage::Deciding,
            State::Promoting { handed: true, .. } => Stage::Switching,
            State::Promoting { handed: false, .. } => Stage::Promoting,
            State::Vacant { .. } => Stage::Vacant,
        }
    }

    fn decide(
        &self,
        after: usize,
        now: SimTime,
        available: impl Fn(usize) -> bool,
        draw: &mut impl FnMut(Draw) -> SimSpan,
    ) -> State {
        match self.next_after(after, available) {
            Some(chosen) => State::Deciding {
                chosen,
                ends: now + draw(Draw::Decide),
            },
            None => State::Vacant { last: after },
        }
    }

    fn promote(
        &self,
        chosen: usize,
        now: SimTime,
        draw: &mut impl FnMut(Draw) -> SimSpan,
    ) -> State {
        let key = Key {
            taken: now,
            grid: now + draw(Draw::Phase),
        };
        State::Promoting {
            chosen,
            key,
            ends: now + draw(Draw::Promote),
            handed: false,
        }
    }

    /// The first available member after `member`, in a circle.
    fn next_after(&self, member: usize, available: impl Fn(usize) -> bool) -> Option<usize> {
        (1..=self.members)
            .map(|step| (member + step) % self.members)
            .find(|&other| available(other))
    }

    /// The last renewal before `now`.
    fn last_renewal(&self, key: Key, now: SimTime) -> SimTime {
        if now <= key.grid {
            return key.taken;
        }
        let renewals = ((now - key.grid).as_nanos() - 1) / self.loop_wait.as_nanos();
        key.grid + self.loop_wait.saturating_mul(renewals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;

    fn secs(secs: f64) -> SimTime {
        SimTime::EPOCH + SimSpan::from_secs_f64(secs)
    }

    /// Phases of 4 s, decisions of 1 s, promotions of 2 s.
    fn draw(what: Draw) -> SimSpan {
        SimSpan::from_secs(match what {
            Draw::Phase => 4,
            Draw::Decide => 1,
            Draw::Promote => 2,
            Draw::HandOver => 1,
        })
    }

    /// Three members, ttl 30 s, loop 10 s; member 0 leads and renews at seconds 4, 14, 24, ...
    fn lease() -> Lease {
        let mut lease = Lease::new(SimSpan::from_secs(30), SimSpan::from_secs(10), 3);
        lease.reset(secs(10.0), Some(0), draw);
        lease
    }

    /// Reacts at `at` to this set of available members and returns what is then due.
    fn react(lease: &mut Lease, at: f64, up: [bool; 3]) -> SimTime {
        lease.react(secs(at), |member| up[member], draw);
        lease.next_time()
    }

    /// Carries out what is due; returns (stage, leader).
    fn fire(lease: &mut Lease, up: [bool; 3]) -> (Stage, Option<usize>) {
        lease.fire(lease.next_time(), |member| up[member], draw);
        (lease.stage(), lease.leader())
    }

    #[test]
    fn the_next_member_leads_after_expiry_decision_and_promotion() {
        let mut lease = lease();
        let up = [false, true, true];
        assert_eq!(react(&mut lease, 25.0, up), secs(54.0));
        assert_eq!(lease.leader(), Some(0), "callers do not know better");
        assert_eq!(fire(&mut lease, up), (Stage::Deciding, None));
        assert_eq!(fire(&mut lease, up), (Stage::Promoting, None));
        assert_eq!(lease.next_time(), secs(57.0));
        assert_eq!(fire(&mut lease, up), (Stage::Led, Some(1)));
        // Taken at 55, renewed at 59, 69, ...
        assert_eq!(react(&mut lease, 58.0, [true, false, true]), secs(85.0));
    }

    #[test]
    fn a_leader_that_is_back_in_time_goes_on() {
        let mut lease = lease();
        react(&mut lease, 25.0, [false, true, true]);
        assert_eq!(react(&mut lease, 53.0, [true; 3]), SimTime::NEVER);
        assert_eq!((lease.stage(), lease.leader()), (Stage::Led, Some(0)));
        assert_eq!(react(&mut lease, 54.0, [false, true, true]), secs(83.0));
    }

    #[test]
    fn the_first_to_come_back_takes_a_free_key_at_once() {
        let mut lease = lease();
        react(&mut lease, 25.0, [false; 3]);
        assert_eq!(fire(&mut lease, [false; 3]), (Stage::Vacant, None));
        assert_eq!(react(&mut lease, 100.0, [false, false, true]), secs(102.0));
        assert_eq!(
            fire(&mut lease, [false, false, true]),
            (Stage::Led, Some(2))
        );
    }

    #[test]
    fn a_candidate_that_stops_is_replaced() {
        let mut lease = lease();
        react(&mut lease, 25.0, [false, true, true]);
        fire(&mut lease, [false, true, true]);
        assert_eq!(react(&mut lease, 54.5, [false, false, true]), secs(55.5));
        assert_eq!(lease.chosen(), Some(2));
        fire(&mut lease, [false, false, true]);
        // It held the key from 55.5 on and never renewed it.
        assert_eq!(react(&mut lease, 56.0, [false, true, false]), secs(85.5));
        assert_eq!((lease.stage(), lease.leader()), (Stage::Lapsing, None));
    }

    #[test]
    fn the_key_runs_out_between_ttl_less_loop_and_ttl_after_the_loss() {
        let mut stream = Stream::from_key(4);
        let loop_wait = SimSpan::from_secs(10);
        let (mut sum, mut least, mut most) = (0.0, f64::INFINITY, 0.0_f64);
        for _ in 0..100_000 {
            let mut lease = Lease::new(SimSpan::from_secs(30), loop_wait, 2);
            lease.reset(secs(1_000.0), Some(0), |_| {
                loop_wait.mul_f64(stream.uniform())
            });
            let lost = secs(1_050.0 + 10.0 * stream.uniform());
            lease.react(lost, |member| member == 1, draw);
            let delay = (lease.next_time() - lost).as_secs_f64();
            (sum, least, most) = (sum + delay, least.min(delay), most.max(delay));
        }
        // U(20, 30): standard error 2.89 / sqrt(100,000) = 0.009.
        assert!((sum / 1e5 - 25.0).abs() < 0.04);
        assert!((20.0..20.01).contains(&least) && (29.99..=30.0).contains(&most));
    }

    #[test]
    fn a_leader_that_hands_over_gives_its_key_away_at_once() {
        let mut lease = lease();
        let up = [false, true, true];
        lease.hand_over(secs(25.0), |member| up[member], draw);
        assert_eq!((lease.stage(), lease.leader()), (Stage::Switching, None));
        assert_eq!(react(&mut lease, 25.0, up), secs(26.0));
        assert_eq!(fire(&mut lease, up), (Stage::Led, Some(1)));
        // One that is there keeps it, and nobody else can have it where nobody is.
        lease.hand_over(secs(40.0), |member| up[member], draw);
        assert_eq!(lease.stage(), Stage::Led);
        lease.hand_over(secs(50.0), |_| false, draw);
        assert_eq!(react(&mut lease, 50.0, [false; 3]), secs(79.0));
        assert_eq!(lease.stage(), Stage::Lapsing);
    }

    #[test]
    fn one_that_is_lost_while_it_takes_over_lets_the_key_run_out() {
        let mut lease = lease();
        lease.hand_over(secs(25.0), |member| member > 0, draw);
        assert_eq!(react(&mut lease, 25.5, [false, false, true]), secs(55.0));
        assert_eq!((lease.stage(), lease.leader()), (Stage::Lapsing, None));
    }
}
