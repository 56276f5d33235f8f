//! Maintenance, and what all campaigns share: when they start, how they drain, their faults.

use super::Compiler;
use super::campaign::Subject;
use crate::ids::ClockId;
use crate::model::{
    Campaign, CampaignWork, ClockRuns, Component, Fault, FaultClock, FaultKind, Maintenance, Rhythm,
};
use crate::random::Dist;
use crate::scenario::limits;
use crate::scenario::place::Place;
use crate::scenario::read::{At, Opt};
use crate::scenario::schema::{MaintenanceForm, SpanDist};
use crate::scenario::units::{Span, WeekTime};
use crate::time::SimSpan;

const DAY: SimSpan = SimSpan::from_secs(86_400);
const WEEK: SimSpan = SimSpan::from_secs(7 * 86_400);
/// The pause between one component and the next, and a drain where no user's patience is known.
pub(super) const HALF_MINUTE: SimSpan = SimSpan::from_secs(30);

impl Compiler<'_> {
    pub(super) fn maintenance(&mut self, form: &Opt<MaintenanceForm>, subject: &Subject<'_>) {
        let Some(at) = form else { return };
        let Some(form) = at.get() else { return };
        let before = self.problems.len();
        let (rhythm, every) = self.rhythm(&form.every, &form.at, at.place, "7d");
        let lasts = self.needed_dist(&form.lasts, at.place, "lasts", "45m");
        let drain = self.drain(&form.drained, &form.drains_in, subject.drainable);
        let one_by_one = is_true(&form.one_by_one);
        let pause = self.span(&form.pause, "pause");
        if let (Some(pause), false) = (&form.pause, one_by_one) {
            self.problem(
                pause.place,
                "`pause` without `one_by_one`",
                "all components are stopped at once: add `one_by_one: true`, or leave out `pause`",
            );
        }
        let pause = pause.unwrap_or(HALF_MINUTE);
        if self.problems.len() == before {
            let place = form.lasts.as_ref().map_or(at.place, |at| at.place);
            let drained = drain.unwrap_or(SimSpan::ZERO).as_secs_f64();
            let count = subject.components.len() as f64;
            if lasts.mean() + drained > every {
                self.problem(
                    place,
                    "the maintenance is longer than its period",
                    "`lasts`, with `drains_in`, must be shorter than `every`",
                );
            } else if one_by_one
                && count * (lasts.mean() + drained) + (count - 1.0) * pause.as_secs_f64() > every
            {
                self.problem(
                    place,
                    format!("{count} components, one by one, take longer than the period"),
                    "`lasts`, with `drains_in` and `pause`, times their number must be shorter than `every`",
                );
            }
        }
        let kind = FaultKind::Maintenance;
        let components = &subject.components;
        let clocks = self.campaign_clocks(
            kind,
            subject.name,
            components,
            at.place,
            &rhythm,
            lasts.mean(),
        );
        let Some(clocks) = clocks else { return };
        if clocks.is_empty() {
            return;
        }
        self.system.campaigns.push(Campaign {
            name: format!("{}.{}", subject.name, kind.word()),
            rhythm,
            work: CampaignWork::Maintenance(Maintenance {
                clocks,
                lasts,
                drain,
                one_by_one: one_by_one.then_some(pause),
            }),
        });
    }

    /// A fault of `kind` of `owner` with a clock for each component; `None` if there are too many.
    pub(super) fn campaign_clocks(
        &mut self,
        kind: FaultKind,
        owner: &str,
        components: &[(Component, String)],
        place: Place,
        rhythm: &Rhythm,
        lasts: f64,
    ) -> Option<Vec<ClockId>> {
        let clocks = self.system.clocks.len() + components.len();
        if self.over(
            "fault clocks (one for each fault of each component)",
            clocks,
            limits::CLOCKS,
            place,
        ) {
            return None;
        }
        let every = match rhythm {
            Rhythm::Clock { every, .. } => Dist::constant(every.as_secs_f64()).ok()?,
            Rhythm::Drawn(dist) => dist.clone(),
        };
        let fault = self.system.faults.push(Fault {
            name: format!("{owner}.{}", kind.word()),
            kind,
            runs: ClockRuns::Calendar,
            every,
            lasts: Dist::constant(lasts).ok()?,
        });
        let clocks = components.iter().map(|(component, name)| {
            self.system.clocks.push(FaultClock {
                fault,
                component: *component,
                name: format!("{name}.{}", kind.word()),
            })
        });
        Some(clocks.collect())
    }

    /// How long something is drained; `None` if it is not.
    pub(super) fn drain(
        &mut self,
        drained: &Opt<bool>,
        drains_in: &Opt<Span>,
        drainable: bool,
    ) -> Option<SimSpan> {
        let stated = drained.as_ref().and_then(|at| Some((at.place, *at.get()?)));
        if let (Some((place, true)), false) = (stated, drainable) {
            self.problem(
                place,
                "`drained` without `failover`",
                "users spread over all instances, whatever their state, so nothing keeps them away from one: add `failover: {vrrp: ...}`, or write `drained: false`",
            );
        }
        let span = self.span(drains_in, "drains_in");
        if let (Some(at), Some((_, false))) = (drains_in, stated) {
            self.problem(
                at.place,
                "`drains_in` beside `drained: false`",
                "leave out one of them",
            );
        }
        if !stated.map_or(drainable, |(_, drained)| drained) {
            return None;
        }
        let patience = self
            .system
            .workloads
            .iter()
            .map(|workload| workload.patience.as_ref())
            .try_fold(SimSpan::ZERO, |longest, patience| {
                Some(longest.max(patience?.longest()))
            });
        Some(span.unwrap_or(match patience {
            Some(longest) if !longest.is_zero() => longest,
            _ => HALF_MINUTE,
        }))
    }

    /// When a campaign starts, and the mean time from start to start in seconds.
    pub(super) fn rhythm(
        &mut self,
        every: &Opt<SpanDist>,
        at: &Opt<WeekTime>,
        owner: Place,
        like: &str,
    ) -> (Rhythm, f64) {
        let wrong = Rhythm::Clock {
            every: WEEK,
            at: None,
        };
        let before = self.problems.len();
        let dist = self.needed_dist(every, owner, "every", like);
        let mean = dist.mean();
        let Some(every) = every.as_ref().filter(|_| self.problems.len() == before) else {
            return (wrong, f64::INFINITY);
        };
        let Some(form) = every.get() else {
            return (wrong, f64::INFINITY);
        };
        if mean <= 0.0 {
            self.problem(
                every.place,
                "this comes again after no time at all",
                "`every` must be longer than 0s",
            );
            return (wrong, f64::INFINITY);
        }
        let SpanDist::Constant(span) = form else {
            if let Some(at) = at {
                self.problem(
                    at.place,
                    "`at` with a distribution of `every`",
                    "only what comes by the clock comes at a time of day: write `every` as a plain time such as 7d",
                );
            }
            return (Rhythm::Drawn(dist), mean);
        };
        let Some(span) = span.fixed() else {
            let message = format!("`every` is longer than {} years", limits::YEARS);
            self.problem(
                every.place,
                message,
                "no clock of a simulation runs so long",
            );
            return (wrong, f64::INFINITY);
        };
        let at = at.as_ref().and_then(|at| Some((at.place, *at.get()?)));
        let at = at.map(|(place, when)| {
            let (length, word) = match when.day {
                Some(_) => (WEEK, "weeks"),
                None => (DAY, "days"),
            };
            if !span.as_nanos().is_multiple_of(length.as_nanos()) {
                self.problem(
                    place,
                    format!("`at` with an `every` that is no whole number of {word}"),
                    if when.day.is_some() {
                        "with a weekday `every` must be 7d, 14d, ...; leave out the weekday, or `at`"
                    } else {
                        "with a time of day `every` must be 1d, 2d, ...; leave out `at`"
                    },
                );
            }
            let days = DAY.saturating_mul(when.day.unwrap_or(0));
            (days.saturating_add(when.time), length)
        });
        (Rhythm::Clock { every: span, at }, mean)
    }
}

fn is_true(field: &Opt<bool>) -> bool {
    field.as_ref().and_then(At::get).copied().unwrap_or(false)
}
