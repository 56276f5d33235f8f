//! VRRP: which member of a group holds the shared address.
//!
//! A member that is master sends an advertisement when it becomes master and every `advert_int`
//! after that. A backup that has heard none for its *master-down* time, `3 * advert_int + skew` with
//! `skew = (256 - priority) / 256 * advert_int`, becomes master. With `preempt`, a backup does not
//! listen to masters of lower priority; without, it listens to any. So a member that returns with a
//! higher priority takes the address after its own master-down time and without a gap, or not at all.
//!
//! Two masters exist when they did not hear each other. When they do again, the first advertisement
//! of either ends it: the one with the lower priority hears a higher one and steps down, and the one
//! with the higher priority answers a lower advertisement with its own at once (keepalived's default;
//! RFC 5798 alone would wait for its next turn). That is at most one `advert_int`, as recorded on
//! keepalived 2.2.7. Of two masters the one that became master last has announced the address last,
//! so its neighbours send there.
//!
//! With imperfect coverage a takeover may fail: a backup that has heard a master since it began to run, and
//! whose timer runs out, does not take the address, and a person moves it there in the end. It goes back to
//! waiting if it hears a master before. Whoever begins to run where nobody is master does not take over from
//! anybody, and whoever takes the address from a weaker master leaves it there if it cannot: neither fails.
//!
//! Members that stand in the same *place* hear each other, unless something is between them; a member
//! that is not running stands nowhere. Nothing ticks: what a backup has heard is worked out from its masters' grids when
//! something changes. The work is quadratic in the size of the group for each change; groups have two
//! or three members.
//!
//! Sources: RFC 5798 6.4; keepalived `vrrp/vrrp.c`, `vrrp_scheduler.c`. Left out: track
//! scripts, sync groups.

use crate::time::{SimSpan, SimTime};

/// The time without advertisements after which a backup of this priority becomes master.
///
/// ```
/// use fivenines::{failover::master_down, time::SimSpan};
/// let second = SimSpan::from_secs(1);
/// assert_eq!(master_down(second, 100), SimSpan::from_nanos(3_609_375_000));
/// assert_eq!(master_down(second, 150), SimSpan::from_nanos(3_414_062_500));
/// assert_eq!(master_down(second, 254), SimSpan::from_nanos(3_007_812_500));
/// ```
pub const fn master_down(advert_int: SimSpan, priority: u8) -> SimSpan {
    let skew = advert_int.as_nanos() as u128 * (256 - priority as u128) / 256;
    advert_int
        .saturating_mul(3)
        .saturating_add(SimSpan::from_nanos(skew as u64))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Waits; has last heard a master it listens to, or started, at `heard`.
    Backup { heard: SimTime },
    /// Advertises on a grid from `since`.
    Master { since: SimTime },
}

#[derive(Clone, Debug)]
struct Member {
    priority: u8,
    master_down: SimSpan,
    place: Option<u32>,
    role: Role,
    /// Whether it has heard a master since it began to run: what it does next is a takeover.
    stands_by: bool,
    /// Its takeover has failed, and a person makes it master then.
    stuck_until: Option<SimTime>,
}

impl Member {
    /// It hears a master that it listens to.
    fn hear(&mut self, now: SimTime) {
        self.role = Role::Backup { heard: now };
        (self.stands_by, self.stuck_until) = (true, None);
    }

    /// It begins to run, or does not run any more.
    fn begin(&mut self, now: SimTime) {
        self.role = Role::Backup { heard: now };
        (self.stands_by, self.stuck_until) = (false, None);
    }
}

/// What a move was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// This member is master by it.
    Master(usize),
    /// This member should have become master and did not.
    Fails(usize),
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Move {
    /// Nothing.
    Stays,
    /// The timer of this backup runs out.
    Takes(usize),
    /// Masters that hear this one step down.
    Prevails(usize),
}

/// The members that share one address.
#[derive(Clone, Debug)]
pub struct Group {
    advert_int: SimSpan,
    preempt: bool,
    members: Vec<Member>,
    /// Pairs of members that do not hear each other, whatever their places.
    apart: Vec<(usize, usize)>,
    /// Advertisements before this instant have been heard.
    settled: SimTime,
    next: (SimTime, Move),
}

impl Group {
    /// A group in which nobody runs. `priorities[i]` is member `i`'s; all different.
    pub fn new(advert_int: SimSpan, priorities: &[u8], preempt: bool) -> Self {
        let member = |&priority: &u8| Member {
            priority,
            master_down: master_down(advert_int, priority),
            place: None,
            role: Role::Backup {
                heard: SimTime::EPOCH,
            },
            stands_by: false,
            stuck_until: None,
        };
        Self {
            advert_int,
            preempt,
            members: priorities.iter().map(member).collect(),
            apart: Vec::with_capacity(priorities.len() * priorities.len() / 2),
            settled: SimTime::EPOCH,
            next: (SimTime::NEVER, Move::Stays),
        }
    }

    /// Begins anew at `now` with nobody running.
    pub fn reset(&mut self, now: SimTime) {
        self.settled = now;
        self.next = (SimTime::NEVER, Move::Stays);
        self.apart.clear();
        for member in &mut self.members {
            member.place = None;
            member.begin(now);
        }
    }

    /// Makes `member`, which runs, master since `since`, heard by all in its place: how a history
    /// begins.
    pub fn appoint(&mut self, member: usize, since: SimTime) {
        self.members[member].role = Role::Master { since };
        self.advertise(member, since);
        self.next = self.plan();
    }

    /// `member` runs in `place` from `now` on, or does not run. Two members hear each other when
    /// their places are equal. One that begins to run does so as a backup.
    pub fn place(&mut self, now: SimTime, member: usize, place: Option<u32>) {
        let before = self.members[member].place;
        if before == place {
            return;
        }
        self.settle(now);
        if before.is_none() || place.is_none() {
            self.members[member].begin(now);
        }
        self.members[member].place = place;
        self.next = self.plan();
    }

    /// The two members of `pair`, the lower one first, do not hear each other from `now` on although they
    /// stand in one place, or do again.
    pub fn part(&mut self, now: SimTime, pair: (usize, usize), apart: bool) {
        let known = self.apart.iter().position(|&other| other == pair);
        if known.is_some() == apart {
            return;
        }
        self.settle(now);
        match known {
            Some(row) => {
                self.apart.swap_remove(row);
            }
            None => self.apart.push(pair),
        }
        self.next = self.plan();
    }

    /// `member` is about to be stopped in good order and takes no part any more. If it is master, it
    /// says so with an advertisement of priority 0, and whoever hears it becomes master after its skew
    /// alone (RFC 5798 6.4.2).
    pub fn resign(&mut self, now: SimTime, member: usize) {
        if self.members[member].place.is_none() {
            return;
        }
        self.settle(now);
        if self.is_master(member) {
            for other in 0..self.members.len() {
                if other != member
                    && self.hears(member, other)
                    && let Role::Backup { heard } = &mut self.members[other].role
                {
                    *heard = now.before(self.advert_int.saturating_mul(3));
                }
            }
        }
        self.members[member].begin(now);
        self.members[member].place = None;
        self.next = self.plan();
    }

    /// When the next move is due if nothing changes; [`SimTime::NEVER`] if there is none.
    pub fn next_time(&self) -> SimTime {
        self.next.0
    }

    /// Carries out the move that is due. If that is a takeover, `fails_for` says whether it fails, and after
    /// which time a person makes the member master.
    ///
    /// # Panics
    /// If no move is due.
    pub fn fire(&mut self, fails_for: impl FnOnce() -> Option<SimSpan>) -> Moved {
        let (now, what) = self.next;
        self.settle(now);
        let master = match what {
            Move::Stays => unreachable!("nothing is due"),
            Move::Takes(member) => {
                let known = &self.members[member];
                let takes_over = known.stands_by && known.stuck_until.is_none();
                if takes_over && let Some(takes) = fails_for() {
                    self.members[member].stuck_until = Some(now + takes);
                    self.next = self.plan();
                    return Moved::Fails(member);
                }
                self.members[member].stuck_until = None;
                self.members[member].role = Role::Master { since: now };
                self.advertise(member, now);
                // A master of higher priority that it had not heard yet answers at once.
                self.strongest_heard_by(member)
            }
            Move::Prevails(member) => member,
        };
        self.advertise(master, now);
        self.next = self.plan();
        Moved::Master(master)
    }

    /// The master that is reached in `place`: the latest one there.
    pub fn holder(&self, place: u32) -> Option<usize> {
        self.holder_among(place, |_| true)
    }

    /// The same, of those that are `reached`.
    pub fn holder_among(&self, place: u32, reached: impl Fn(usize) -> bool) -> Option<usize> {
        let here = self
            .members
            .iter()
            .enumerate()
            .filter_map(|(index, member)| match member.role {
                Role::Master { since } if member.place == Some(place) && reached(index) => {
                    Some((since, member.priority, index))
                }
                _ => None,
            });
        here.max().map(|(_, _, index)| index)
    }

    /// Whether `member` runs and is master.
    pub fn is_master(&self, member: usize) -> bool {
        let member = &self.members[member];
        member.place.is_some() && matches!(member.role, Role::Master { .. })
    }

    /// Whether anybody runs in `place`.
    pub fn anybody_in(&self, place: u32) -> bool {
        self.members
            .iter()
            .any(|member| member.place == Some(place))
    }

    /// Whether somebody in `place` waits for a person because its takeover has failed.
    pub fn waits_in(&self, place: u32) -> bool {
        self.members
            .iter()
            .any(|member| member.place == Some(place) && member.stuck_until.is_some())
    }

    fn hears(&self, one: usize, other: usize) -> bool {
        let place = self.members[one].place;
        place.is_some()
            && place == self.members[other].place
            && (self.apart.is_empty() || !self.apart.contains(&(one.min(other), one.max(other))))
    }

    fn listens_to(&self, backup: usize, master: usize) -> bool {
        !self.preempt || self.members[master].priority > self.members[backup].priority
    }

    /// An advertisement of `sender` at `now` arrives wherever it is heard.
    fn advertise(&mut self, sender: usize, now: SimTime) {
        for other in 0..self.members.len() {
            if other == sender || !self.hears(sender, other) {
                continue;
            }
            let heard = match self.members[other].role {
                Role::Master { .. } => self.members[sender].priority > self.members[other].priority,
                Role::Backup { .. } => self.listens_to(other, sender),
            };
            if heard {
                self.members[other].hear(now);
            }
        }
    }

    /// The master with the highest priority among `member`, a master, and those it hears.
    fn strongest_heard_by(&self, member: usize) -> usize {
        (0..self.members.len())
            .filter(|&other| self.is_master(other) && self.hears(member, other))
            .max_by_key(|&other| self.members[other].priority)
            .expect("it hears itself")
    }

    /// The first advertisement at or after `self.settled` of a master since `since`, apart from the
    /// one it became master with.
    fn next_advert(&self, since: SimTime) -> SimTime {
        let (interval, passed) = (
            self.advert_int.as_nanos(),
            self.settled.since(since).as_nanos(),
        );
        since
            + self
                .advert_int
                .saturating_mul(passed.div_ceil(interval).max(1))
    }

    /// Every backup hears the advertisements sent from `self.settled` to just before `now`.
    fn settle(&mut self, now: SimTime) {
        if now <= self.settled {
            return;
        }
        for backup in 0..self.members.len() {
            let Role::Backup { heard: before } = self.members[backup].role else {
                continue;
            };
            let mut heard = before;
            for master in 0..self.members.len() {
                let Role::Master { since } = self.members[master].role else {
                    continue;
                };
                if !self.hears(backup, master) || !self.listens_to(backup, master) {
                    continue;
                }
                let first = self.next_advert(since);
                if first < now {
                    let more = ((now - first).as_nanos() - 1) / self.advert_int.as_nanos();
                    heard = heard.max(first + self.advert_int.saturating_mul(more));
                }
            }
            if heard > before {
                self.members[backup].hear(heard);
            }
        }
        self.settled = now;
    }

    /// The next move from the present state.
    fn plan(&self) -> (SimTime, Move) {
        let mut next = (SimTime::NEVER, Move::Stays);
        for (index, member) in self.members.iter().enumerate() {
            if member.place.is_none() {
                continue;
            }
            let masters = (0..self.members.len())
                .filter(|&other| other != index && self.hears(index, other))
                .filter_map(|other| match self.members[other].role {
                    Role::Master { since } => Some((other, self.next_advert(since))),
                    Role::Backup { .. } => None,
                });
            let candidate = match member.role {
                Role::Backup { heard } => {
                    let expires = (heard + member.master_down)
                        .max(member.stuck_until.unwrap_or(SimTime::EPOCH));
                    let first = masters.filter(|(other, _)| self.listens_to(index, *other));
                    let first = first.map(|(_, advert)| advert).min();
                    if first.is_some_and(|advert| advert <= expires) {
                        continue;
                    }
                    (expires, Move::Takes(index))
                }
                Role::Master { since } => match masters.map(|(_, advert)| advert).min() {
                    None => continue,
                    Some(advert) => {
                        let strongest = self.strongest_heard_by(index);
                        (
                            advert.min(self.next_advert(since)),
                            Move::Prevails(strongest),
                        )
                    }
                },
            };
            if candidate.0 < next.0 {
                next = candidate;
            }
        }
        next
    }
}

#[cfg(test)]
mod tests;
