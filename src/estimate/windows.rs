//! Traffic of one replication: every request (`exact`), or every request from the look-back before a
//! transition to the end of its after-window (`windows`), with the quiet stretches in between left
//! to samples.
//!
//! Windows are chosen from the control path alone, and go on only while what requests do in them has not settled. They
//! lie on slice borders, so that a slice is seen whole or not at all.

use super::coupled::{align, first_restless, run_together};
use super::group::{GroupError, GroupRunner};
use super::outages::Seen;
use super::plan::Plan;
use super::settle::{MOST, Restless};
use super::totals::Totals;
use crate::control::Control;
use crate::model::{LoadRhythm, Owner, System};
use crate::path::{Regime, Signal, SlotState};
use crate::random::{Key, Purpose, name_hash};
use crate::time::{SimSpan, SimTime};
use crate::traffic::{Source, Traffic};
use std::iter::Peekable;
use std::rc::Rc;
use std::vec::IntoIter;

pub(super) const HOUR: SimSpan = SimSpan::from_secs(3_600);

/// Kinds of hours that quiet time is told apart by, at most.
pub(super) const SLOTS: u64 = 256;

/// A part of a replication.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Slices seen one by one.
    Window(Seen),
    /// A stretch in which nothing changed.
    Quiet(Quiet),
}

/// A stretch in which nothing changed, between windows or blames.
#[derive(Clone, Debug)]
pub struct Quiet {
    /// Its regime's key and its hour of the day or week (0 where the load does not move), once known.
    pub key: (u64, u64),
    /// What traffic could see.
    pub regime: Rc<Regime>,
    /// Its start, on a slice border.
    pub from: SimTime,
    /// Its end, on a slice border.
    pub to: SimTime,
}

impl GroupRunner<'_> {
    /// Every request of the horizon.
    pub(super) fn exact(
        &mut self,
        replication: u64,
        totals: &mut Totals,
        pieces: &mut Vec<Piece>,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), GroupError> {
        let plan = self.plan;
        self.control.restart(plan.seed, replication);
        self.step_to(plan.traffic_from());
        let traffic = self
            .traffic
            .as_mut()
            .expect("only plans with traffic come here");
        traffic.clear_tally();
        let source = Source::Replication {
            seed: plan.seed,
            replication,
        };
        traffic.begin(self.control.regime(), plan.traffic_from(), source);
        traffic.count(plan.from, plan.to);
        if self.coupled {
            align(traffic, &self.control);
            traffic.follow_probes(true);
        }
        loop {
            let next = self.control.next_time().min(plan.to);
            let both = (&mut *traffic, &mut self.control, true);
            if run_together(both, &mut self.signals, next, stop)?.is_some() {
                continue;
            }
            if next >= plan.to {
                break;
            }
            if stop() {
                return Err(GroupError::Stopped);
            }
            self.signals.clear();
            let transition = self.control.step(&mut self.signals);
            for &signal in &self.signals {
                traffic.apply(transition.at, signal);
            }
            if self.coupled {
                align(traffic, &self.control);
            }
            self.felt
                .note(transition.at, self.control.recoveries(), traffic);
        }
        totals.window_s += plan.horizon_s();
        let seen = close(traffic, plan.to, totals)?;
        pieces.push(Piece::Window(Seen {
            first: plan.slice_index(plan.from),
            end: plan.slice_index(plan.to),
            ..seen
        }));
        self.end_recoveries(source, totals, stop)
    }

    /// Every request around transitions; quiet stretches are returned as pieces.
    pub(super) fn windows(
        &mut self,
        replication: u64,
        totals: &mut Totals,
        pieces: &mut Vec<Piece>,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), GroupError> {
        let plan = self.plan;
        let windows = plan.windows;
        let mut others = Others(
            self.others
                .remove(&replication)
                .unwrap_or_default()
                .into_iter()
                .peekable(),
        );
        self.control.restart(plan.seed, replication);
        self.step_to(plan.from);
        others.skip_to(plan.from);
        self.settling.begin();
        let source = Source::Replication {
            seed: plan.seed,
            replication,
        };
        let mut quiet_from = plan.from;
        // Up to here requests were simulated.
        let mut seen_to = plan.from;
        // The quiet stretch that is going on, with its blames.
        let mut quiet_regime = Rc::new(self.control.regime().clone());
        loop {
            // Step through what traffic cannot see; a change of blame only splits the quiet time.
            let mut at = others.next_time(self.control.next_time());
            let stretch = (quiet_from, at.min(plan.to));
            let restless = self.restless_before(&quiet_regime, stretch)?;
            at = restless.unwrap_or(at);
            if at >= plan.to {
                break;
            }
            let felt = if restless.is_some() {
                self.signals.clear();
                true
            } else {
                others.step(&mut self.control, &mut self.signals)
            };
            if !felt {
                if let Some(traffic) = &mut self.traffic {
                    self.felt.note(at, self.control.recoveries(), traffic);
                }
                if !self.signals.is_empty() {
                    // The nearest border, so that the blame before and the one after lose alike;
                    // the one before if something happens until then.
                    let near = plan.slice_start(at + plan.traffic.slice.mul_f64(0.5));
                    let free = others
                        .next_time(self.control.next_time())
                        .before(windows.look_back)
                        >= near;
                    let border = if free { near } else { plan.slice_start(at) }.max(quiet_from);
                    self.push_quiet(pieces, &quiet_regime, quiet_from, border);
                    quiet_from = border;
                    quiet_regime = Rc::new(self.control.regime().clone());
                }
                continue;
            }
            if stop() {
                return Err(GroupError::Stopped);
            }
            // A window opens. Traffic lives through the warm-up and the look-back in the old regime.
            let open = plan
                .slice_start(at.before(windows.look_back))
                .max(quiet_from);
            self.push_quiet(pieces, &quiet_regime, quiet_from, open);
            self.seek_answers(source, &quiet_regime, (seen_to, open), totals, stop)?;
            let traffic = self
                .traffic
                .as_mut()
                .expect("only plans with traffic come here");
            traffic.clear_tally();
            traffic.no_answer_before(open);
            traffic.begin(&quiet_regime, open.before(windows.warm_up), source);
            if self.coupled {
                align(traffic, &self.control);
            }
            let felt = felt_for((self.system, plan), &self.signals);
            let mut end = plan.slice_end(at + felt).min(plan.to);
            traffic.count(open, end);
            advance(traffic, at, stop)?;
            self.settling.before(traffic.frames_in_use());
            traffic.follow_probes(true);
            for &signal in &self.signals {
                traffic.apply(at, signal);
            }
            self.felt.note(at, self.control.recoveries(), traffic);
            if self.coupled {
                align(traffic, &self.control);
            }
            let falls = takes_away(&self.signals);
            let mut rises = !falls;
            let (mut felt_until, mut last, mut held) = (end, None, None);
            // Whether the end is no time of an ejection.
            let mut blurred = !self.ejects;
            loop {
                let next = others.next_time(self.control.next_time());
                let lead = windows.look_back.saturating_add(windows.warm_up);
                let closes = next >= plan.to || plan.slice_start(next.before(lead)) > end;
                if self.coupled {
                    // What traffic tells on its way there comes before.
                    let until = if closes { end } else { next };
                    end = grow(traffic, end, plan.slice_end(until).min(plan.to));
                    let both = (&mut *traffic, &mut self.control, windows.hears);
                    if let Some(told) = run_together(both, &mut self.signals, until, stop)? {
                        last = None;
                        if traffic.tally().attempts_simulated > MOST {
                            return Err(GroupError::Starving(at));
                        }
                        if visible(&self.signals) {
                            rises = !takes_away(&self.signals);
                            let felt = felt_for((self.system, plan), &self.signals);
                            let later = plan.slice_end(told + felt).min(plan.to);
                            felt_until = felt_until.max(later);
                            end = grow(traffic, end, later);
                        }
                        continue;
                    }
                }
                if closes {
                    advance(traffic, end, stop)?;
                    let in_progress = traffic.frames_in_use();
                    let suspects = windows.settles && self.settling.suspects(in_progress);
                    if end >= plan.to || !(suspects || self.coupled || self.ejects) {
                        break;
                    }
                    let regime = self.control.regime();
                    let key = *last.get_or_insert_with(|| self.keys.key(self.system, regime));
                    let of = (self.system, plan);
                    let usual =
                        !suspects || self.settling.is_usual(of, (regime, key), end, in_progress);
                    let restless =
                        if self.coupled && windows.hears && !self.control.probes_are_calm(end) {
                            Some(Restless::Starving)
                        } else if self.ejects && windows.settles && traffic.is_ejecting() {
                            Some(Restless::Ejecting)
                        } else if self.ejects || self.coupled && windows.hears {
                            self.settling.restless(of, (regime, key), end)
                        } else {
                            None
                        };
                    let mut longer = windows.after;
                    if usual && restless.is_none() {
                        // It has come to its end as somebody was ejected. Samples know no such instant: they begin at
                        // any time between two ejections, and so must what they stand for.
                        let turn = std::mem::replace(&mut blurred, true);
                        let turn = (!turn).then(|| traffic.ejection_turn()).flatten();
                        let Some(turn) = turn else {
                            break;
                        };
                        longer = turn.mul_f64(any_time(plan.seed, replication, end));
                    }
                    held = held.or(restless);
                    if traffic.tally().attempts_simulated > MOST {
                        return Err(held.map_or(GroupError::Unsettled(at), |why| why.endless(at)));
                    }
                    // Not settled: the window goes on.
                    let later = plan.slice_end(end + longer).min(plan.to);
                    traffic.count(end, later);
                    end = later;
                    continue;
                }
                (last, blurred) = (None, !self.ejects);
                let felt = others.step(&mut self.control, &mut self.signals);
                // The window grows before traffic has come to its end, so that nothing that arrives
                // in it goes uncounted.
                if visible(&self.signals) {
                    rises = !takes_away(&self.signals);
                }
                let feels = if felt {
                    next + felt_for((self.system, plan), &self.signals)
                } else {
                    next
                };
                let later = plan.slice_end(feels).min(plan.to);
                felt_until = felt_until.max(later);
                end = grow(traffic, end, later);
                advance(traffic, next, stop)?;
                for &signal in &self.signals {
                    traffic.apply(next, signal);
                }
                if self.coupled {
                    align(traffic, &self.control);
                }
                self.felt.note(next, self.control.recoveries(), traffic);
            }
            let beyond_s = end.since(felt_until).as_secs_f64();
            if let Some(why) = held {
                let longer = match why {
                    Restless::Starving => &mut totals.probes.longer,
                    Restless::Ejecting => &mut totals.ejections.longer,
                };
                longer.windows += 1;
                longer.windows_s += beyond_s;
            } else if end > felt_until {
                totals.unsettled += 1;
                totals.unsettled_s += beyond_s;
                let regime = Rc::new(self.control.regime().clone());
                self.beyond.push((regime, felt_until, end));
            }
            traffic.follow_probes(false);
            if end < plan.to {
                traffic.run_out();
            }
            totals.window_s += end.since(open).as_secs_f64();
            let closes = traffic.now().max(end);
            let seen = close(traffic, closes, totals)?;
            pieces.push(Piece::Window(Seen {
                first: plan.slice_index(open),
                end: plan.slice_index(end),
                falls,
                rises,
                ..seen
            }));
            (quiet_from, seen_to) = (end, end);
            quiet_regime = Rc::new(self.control.regime().clone());
            if end >= plan.to {
                return self.end_recoveries(source, totals, stop);
            }
        }
        self.push_quiet(pieces, &quiet_regime, quiet_from, plan.to);
        self.seek_answers(source, &quiet_regime, (seen_to, plan.to), totals, stop)?;
        self.end_recoveries(source, totals, stop)
    }

    /// When members first come and go by themselves in a stretch of quiet time.
    fn restless_before(
        &mut self,
        regime: &Regime,
        stretch: (SimTime, SimTime),
    ) -> Result<Option<SimTime>, GroupError> {
        if !(self.ejects || self.coupled && self.plan.windows.hears) {
            return Ok(None);
        }
        let key = self.keys.key(self.system, regime);
        let of = (self.system, self.plan);
        first_restless(&mut self.settling, of, (regime, key), stretch)
    }

    /// When traffic can see changes of this design in one replication, in order.
    pub(super) fn visible_times(&mut self, replication: u64) -> Vec<SimTime> {
        let plan = self.plan;
        let mut times = Vec::new();
        self.control.restart(plan.seed, replication);
        self.step_to(plan.from);
        while self.control.next_time() < plan.to {
            let at = self.control.next_time();
            self.signals.clear();
            self.control.step(&mut self.signals);
            if visible(&self.signals) {
                times.push(at);
            }
        }
        times
    }

    /// Notes a quiet stretch, hour by hour where the load moves, so that a sample stands for time
    /// with about its own load: the same hour of the day or of the week, or, where the load has no
    /// such rhythm, hours with about as many requests.
    fn push_quiet(
        &self,
        pieces: &mut Vec<Piece>,
        regime: &Rc<Regime>,
        mut from: SimTime,
        to: SimTime,
    ) {
        let hour = HOUR.as_nanos();
        let rhythm = self.system.load_rhythm();
        while from < to {
            let index = from.as_nanos() / hour;
            let slot = hour_slot(self.system, from);
            let end = if rhythm == LoadRhythm::Steady {
                to
            } else {
                // The border itself may lie inside a slice, which then belongs to the next hour.
                let border = SimTime::from_nanos((index + 1) * hour);
                self.plan.slice_end(border).min(to)
            };
            pieces.push(Piece::Quiet(Quiet {
                key: (0, slot),
                regime: Rc::clone(regime),
                from,
                to: end,
            }));
            from = end;
        }
    }
}

/// The kind of hour that `at` lies in: of the day or week, or by how many requests are expected.
pub(super) fn hour_slot(system: &System, at: SimTime) -> u64 {
    let index = at.as_nanos() / HOUR.as_nanos();
    match system.load_rhythm() {
        LoadRhythm::Steady => 0,
        LoadRhythm::Daily => index % 24,
        LoadRhythm::Weekly => index % 168,
        LoadRhythm::Free => load_class(system, SimTime::from_nanos(index * HOUR.as_nanos())),
    }
}

/// Hours without a rhythm, by how many requests are expected: 0 for none, and then in steps of an
/// eighth of an octave.
fn load_class(system: &System, from: SimTime) -> u64 {
    let (mut here, mut mean) = (0.0, 0.0);
    for workload in &system.workloads {
        here += workload.expected(from, from + HOUR);
        mean += workload.rate * HOUR.as_secs_f64();
    }
    if here <= 0.0 {
        return 0;
    }
    (8.0 * (here / mean).log2() + 128.0)
        .round()
        .clamp(1.0, (SLOTS - 1) as f64) as u64
}

/// When other designs change, in order.
struct Others(Peekable<IntoIter<SimTime>>);

impl Others {
    /// Leaves out what is before `from`.
    fn skip_to(&mut self, from: SimTime) {
        while self.0.next_if(|at| *at < from).is_some() {}
    }

    /// The next change of all, where that of this design is at `own`.
    fn next_time(&mut self, own: SimTime) -> SimTime {
        self.0.peek().map_or(own, |at| own.min(*at))
    }

    /// Carries out the next change of all; whether traffic is to be simulated around it. `signals` are
    /// those of `control`: none, if only others change.
    fn step(&mut self, control: &mut Control<'_>, signals: &mut Vec<Signal>) -> bool {
        let own = control.next_time();
        let elsewhere = self.0.next_if(|at| *at <= own);
        signals.clear();
        if elsewhere.is_some_and(|at| at < own) {
            return true;
        }
        control.step(signals);
        elsewhere.is_some() || visible(signals)
    }
}

/// A number on (0, 1) for one instant of a history.
fn any_time(seed: u64, replication: u64, at: SimTime) -> f64 {
    let key = Key::component(seed, replication, name_hash(""), Purpose::Phase);
    key.with(at.as_nanos()).stream().uniform()
}

/// How long requests feel `signals`: as long as any transition, and until caches are full again and replicas that have
/// come back have their whole share.
pub(super) fn felt_for((system, plan): (&System, &Plan), signals: &[Signal]) -> SimSpan {
    let mut slowly = SimSpan::ZERO;
    for signal in signals {
        if let Signal::View {
            instance, up: true, ..
        } = signal
            && let Owner::Balancer(balancer) = system.slots[*instance].owner
        {
            slowly = slowly.max(system.balancers[balancer].slow_start);
        }
        if let Signal::Slot { slot, state } = signal
            && *state == SlotState::Serving
            && let Owner::Pool(pool) = system.slots[*slot].owner
        {
            slowly = slowly.max(system.pools[pool].refills_in);
        }
    }
    plan.windows.after.saturating_add(slowly)
}

/// Whether traffic itself can see any of `signals`.
pub(super) fn visible(signals: &[Signal]) -> bool {
    signals
        .iter()
        .any(|signal| !matches!(signal, Signal::Blame { .. }))
}

/// Whether any of `signals` takes something away from users, rather than bringing something back.
/// A verdict of a probe that a member is down mends more than it takes.
fn takes_away(signals: &[Signal]) -> bool {
    signals.iter().any(|signal| match signal {
        Signal::Slot { state, .. } => *state != SlotState::Serving,
        Signal::Impaired { impairment, .. } => impairment.is_any(),
        Signal::Island { island, .. } => island.is_some(),
        Signal::Link { state, .. } => state.is_any(),
        Signal::Holder { holder, .. } => holder.is_none(),
        Signal::Leader { leader, .. } => leader.is_none(),
        Signal::Burst { active, .. } => *active,
        Signal::LocalHolder { .. } | Signal::View { .. } | Signal::Blame { .. } => false,
    })
}

/// A window that is counted up to `end` is counted up to `later`; its end.
fn grow(traffic: &mut Traffic<'_>, end: SimTime, later: SimTime) -> SimTime {
    if later > end {
        traffic.count(end, later);
    }
    end.max(later)
}

/// Runs traffic up to `end`, in pieces short enough that a stop is noticed. It comes back at once when there
/// are news for control.
pub(super) fn advance(
    traffic: &mut Traffic<'_>,
    end: SimTime,
    stop: &dyn Fn() -> bool,
) -> Result<(), GroupError> {
    const EVENTS: u64 = 1 << 16;
    while traffic.next_time() < end {
        traffic.run_events(end, EVENTS);
        if traffic.overflowed() {
            return Err(GroupError::Overflow);
        }
        if traffic.has_news() {
            break;
        }
        if stop() {
            return Err(GroupError::Stopped);
        }
    }
    Ok(())
}

/// Ends the stretch, checks that nothing was lost, adds it, and says what its slices were; which
/// they were is the caller's to say.
fn close(traffic: &mut Traffic<'_>, at: SimTime, totals: &mut Totals) -> Result<Seen, GroupError> {
    traffic.finish(at);
    if traffic.overflowed() {
        return Err(GroupError::Overflow);
    }
    let tally = traffic.tally();
    tally.check().map_err(GroupError::Conservation)?;
    totals.add_counted(tally);
    Ok(Seen {
        first: 0,
        end: 0,
        copies: tally.slices.unknown,
        runs: tally.slices.runs.clone(),
        runs_by_cause: tally.slices.runs_by_cause.clone(),
        bins: tally.slices.bins.clone(),
        views: tally.slices.views.clone(),
        bad_by_cause: tally.slices.bad_by_cause.clone(),
        falls: false,
        rises: false,
    })
}
