//! How often the requests of a workload come: rates, their profiles, their bursts.

use super::Compiler;
use crate::ids::{Id, WorkloadId};
use crate::model::{
    Bursts, ClockRuns, Component, Fault, FaultClock, FaultKind, Profile, Steps, Swing, Users,
};
use crate::scenario::limits;
use crate::scenario::place::Place;
use crate::scenario::read::{At, Entry};
use crate::scenario::schema::{
    Arrive, DaysForm, ProfileForm, SpanDist, UsersForm, Weight, WorkloadForm,
};
use crate::time::SimSpan;
use std::sync::Arc;

/// The highest multiple of a rate.
const FACTOR: f64 = 1e6;

/// How often the requests of a workload come.
pub(super) struct Arrivals {
    pub(super) rate: f64,
    pub(super) every: Option<SimSpan>,
    pub(super) profile: Option<Profile>,
    pub(super) users: Option<Users>,
    /// Where that stands.
    pub(super) place: Place,
}

impl Arrivals {
    pub(super) fn of_rate(rate: f64, place: Place) -> Self {
        Self {
            rate,
            every: None,
            profile: None,
            users: None,
            place,
        }
    }
}

impl Compiler<'_> {
    pub(super) fn arrivals(
        &mut self,
        entry: &Entry<WorkloadForm>,
        form: &WorkloadForm,
    ) -> Arrivals {
        let nothing = Arrivals::of_rate(1.0, entry.place);
        let Some(at) = &form.arrive else {
            self.missing_inside(
                entry.value.place.start,
                entry.place,
                "arrive",
                "{poisson: 400/s}",
            );
            return nothing;
        };
        let Some(arrive) = at.get() else {
            return nothing;
        };
        let profile = arrive.profile.as_ref().and_then(|at| self.profile(at));
        if let Some(trace) = &arrive.trace {
            let others = [
                ("poisson", arrive.poisson.as_ref().map(|at| at.place)),
                ("every", arrive.every.as_ref().map(|at| at.place)),
                ("profile", arrive.profile.as_ref().map(|at| at.place)),
                ("users", arrive.users.as_ref().map(|at| at.place)),
            ];
            let why = "a trace says itself how often requests come, and when";
            self.alone("trace", &others, why);
            return self.trace(trace).unwrap_or(nothing);
        }
        if let Some(users) = &arrive.users {
            let others = [
                ("poisson", arrive.poisson.as_ref().map(|at| at.place)),
                ("every", arrive.every.as_ref().map(|at| at.place)),
                ("profile", arrive.profile.as_ref().map(|at| at.place)),
                ("bursts", form.bursts.as_ref().map(|at| at.place)),
            ];
            let why = "users in a closed loop come when they have thought; state another workload for others";
            self.alone("users", &others, why);
            return self.users(users).unwrap_or(nothing);
        }
        if let (Some(_), Some(every)) = (&arrive.poisson, &arrive.every) {
            self.problem(
                every.place,
                "`every` and `poisson` do not go together",
                "requests come at a fixed pace or independently of each other; state two workloads for both",
            );
        }
        if let (Some(every), Some(profile)) = (&arrive.every, &arrive.profile) {
            self.problem(
                profile.place,
                "`profile` with `every`",
                "a fixed pace does not swing; state `poisson` for a rate that does",
            );
            return Arrivals::of_rate(1.0, every.place);
        }
        if let Some(field) = &arrive.every {
            return self.fixed_pace(field);
        }
        self.poisson(arrive, at.place, profile).unwrap_or(nothing)
    }

    /// Says that `field` is stated together with what it excludes.
    fn alone(&mut self, field: &str, others: &[(&str, Option<Place>)], why: &str) {
        for &(other, place) in others {
            if let Some(place) = place {
                let message = format!("`{other}` and `{field}` do not go together");
                self.problem(place, message, why);
            }
        }
    }

    /// Users in a closed loop; `None` if something is missing or wrong, which has been noted.
    fn users(&mut self, at: &At<UsersForm>) -> Option<Arrivals> {
        let form = at.get()?;
        let before = self.problems.len();
        if form.count.is_none() {
            self.missing(at.place, "count", "500");
        }
        let count = self.count(&form.count, 1, "count", 1, limits::USERS);
        let think = self.needed_dist(&form.think, at.place, "think", "{exponential: {mean: 10s}}");
        let place = form.think.as_ref().map_or(at.place, |at| at.place);
        self.not_for_centuries(&form.think, &think, "these users think");
        if self.problems.len() > before {
            return None;
        }
        let rate = f64::from(count) / think.mean();
        if think.mean() <= 0.0 {
            self.problem(
                place,
                "users who do not think at all",
                "whoever is refused would come again at once, for ever: state how long they take, such as {exponential: {mean: 10s}}",
            );
            return None;
        } else if rate > limits::RATE {
            self.problem(
                place,
                format!(
                    "{count} users who think so shortly send up to {rate:.1e} requests per second"
                ),
                format!("at most {:e} per second can be told apart", limits::RATE),
            );
            return None;
        }
        Some(Arrivals {
            users: Some(Users { count, think }),
            ..Arrivals::of_rate(rate, at.place)
        })
    }

    /// The rate of `poisson`; `None` if it is missing or wrong, which has been noted.
    fn poisson(
        &mut self,
        arrive: &Arrive,
        place: Place,
        profile: Option<Profile>,
    ) -> Option<Arrivals> {
        let Some(field) = &arrive.poisson else {
            self.missing(place, "poisson", "400/s");
            return None;
        };
        let rate = field.get()?.0;
        if rate <= 0.0 {
            self.problem(
                field.place,
                "a rate of 0",
                "without users leave `workload` out",
            );
        } else if rate > limits::RATE {
            self.problem(
                field.place,
                format!("a rate of {rate:e} per second"),
                format!("at most {:e} per second can be told apart", limits::RATE),
            );
        } else if let Some(Profile::Steps(steps)) = &profile
            && rate * steps.highest() > limits::RATE
        {
            let highest = rate * steps.highest();
            self.problem(
                field.place,
                format!("a rate of {highest:.2e} per second in the busiest hour"),
                format!("at most {:e} per second can be told apart", limits::RATE),
            );
        }
        Some(Arrivals {
            profile,
            ..Arrivals::of_rate(rate, field.place)
        })
    }

    /// The pace of `every`.
    fn fixed_pace(&mut self, field: &At<SpanDist>) -> Arrivals {
        let wrong = Arrivals::of_rate(1.0, field.place);
        let span = match field.get() {
            None => return wrong,
            Some(SpanDist::Constant(span)) => *span,
            Some(SpanDist::Shape(_)) => {
                self.problem(
                    field.place,
                    "`every` with a distribution",
                    "requests can come at a constant distance, such as `every: 1.25s`, or \
                     independently of each other, such as `poisson: 0.8/s`",
                );
                return wrong;
            }
        };
        let Some(every) = span.fixed().filter(|_| !span.is_zero()) else {
            self.problem(
                field.place,
                if span.is_zero() {
                    "`every` is no time at all".to_owned()
                } else {
                    format!("`every` is longer than {} years", limits::YEARS)
                },
                "such as `every: 1.25s`",
            );
            return wrong;
        };
        Arrivals {
            every: Some(every),
            ..Arrivals::of_rate(1.0 / every.as_secs_f64(), field.place)
        }
    }

    fn profile(&mut self, at: &At<ProfileForm>) -> Option<Profile> {
        let form = at.get()?;
        let stepwise = form.hours.as_ref().map(|at| ("hours", at.place));
        let stepwise = stepwise.or(form.days.as_ref().map(|at| ("days", at.place)));
        let swings = form.peak.as_ref().map(|at| ("peak", at.place));
        let swings = swings.or(form.ratio.as_ref().map(|at| ("ratio", at.place)));
        if let (Some((field, place)), Some((other, _))) = (stepwise, swings) {
            self.problem(
                place,
                format!("`{field}` and `{other}` do not go together"),
                "a rate swings about a `peak`, or has a weight for each of its `hours` and `days`",
            );
            return None;
        }
        if stepwise.is_some() {
            return self.steps(form, at.place);
        }
        if form.peak.is_none() {
            self.missing(at.place, "peak", "\"20:00\"");
        }
        if form.ratio.is_none() {
            self.missing(at.place, "ratio", "3");
        }
        let ratio = form.ratio.as_ref()?;
        let given = *ratio.get()?;
        if !(1.0..=FACTOR).contains(&given) {
            self.problem(
                ratio.place,
                format!("`ratio` is {given}"),
                "the highest rate divided by the lowest is at least 1 and at most 1000000",
            );
        }
        Some(Profile::Swing(Swing {
            peak: form.peak.as_ref()?.get()?.0,
            ratio: given,
        }))
    }

    /// A weight for each hour of the week.
    fn steps(&mut self, form: &ProfileForm, place: Place) -> Option<Profile> {
        let hours = match &form.hours {
            None => vec![1.0; 24],
            Some(at) => self.hours(at)?,
        };
        let days = match &form.days {
            None => [1.0; 7],
            Some(at) => self.days(at)?,
        };
        let weights: Vec<f64> = days
            .iter()
            .flat_map(|day| hours.iter().map(move |hour| day * hour))
            .collect();
        // Days that are all alike make a profile that repeats every day.
        let alike = days.iter().all(|day| *day == days[0]);
        let weights = if alike { &weights[..24] } else { &weights[..] };
        let hour = SimSpan::from_secs(3_600);
        let Some((steps, _)) = Steps::new(hour, true, weights) else {
            self.problem(
                place,
                "nobody ever comes in this profile",
                "at least one hour of one day needs a weight above 0",
            );
            return None;
        };
        Some(Profile::Steps(Arc::new(steps)))
    }

    fn hours(&mut self, at: &At<Vec<At<Weight>>>) -> Option<Vec<f64>> {
        let list = at.get()?;
        if list.len() != 24 {
            self.problem(
                at.place,
                format!("`hours` has {} weights", list.len()),
                "write 24 of them, for the hours that begin at 00:00, 01:00, ... 23:00",
            );
            return None;
        }
        let hours: Option<Vec<f64>> = list
            .iter()
            .map(|item| item.get().map(|weight| weight.0))
            .collect();
        if hours
            .as_ref()
            .is_some_and(|hours| hours.iter().all(|&weight| weight == 0.0))
        {
            self.problem(
                at.place,
                "this profile is zero all day",
                "at least one hour needs a weight above 0",
            );
            return None;
        }
        hours
    }

    fn days(&mut self, at: &At<DaysForm>) -> Option<[f64; 7]> {
        let form = at.get()?;
        let own = [
            &form.mon, &form.tue, &form.wed, &form.thu, &form.fri, &form.sat, &form.sun,
        ];
        let mut days = [1.0; 7];
        for (day, own) in own.into_iter().enumerate() {
            let many = if day < 5 {
                &form.weekdays
            } else {
                &form.weekend
            };
            if let Some(at) = own.as_ref().or(many.as_ref()) {
                days[day] = at.get()?.0;
            }
        }
        if days == [0.0; 7] {
            self.problem(
                at.place,
                "this profile is zero all week",
                "at least one day needs a weight above 0",
            );
            return None;
        }
        Some(days)
    }

    /// The bursts of the workload that was compiled last, which arrives as stated at `arrive`.
    pub(super) fn bursts(&mut self, form: &WorkloadForm, arrive: Place) {
        let Some(at) = &form.bursts else { return };
        let Some(bursts) = at.get() else { return };
        let row = self.system.workloads.len() - 1;
        let id = WorkloadId::from_index(row);
        let before = self.problems.len();
        let every = self.needed_dist(
            &bursts.every,
            at.place,
            "every",
            "{exponential: {mean: 30d}}",
        );
        let lasts = self.needed_dist(&bursts.lasts, at.place, "lasts", "1h");
        let none = [
            (&bursts.every, &every, "come again after"),
            (&bursts.lasts, &lasts, "last for"),
        ];
        for (field, dist, what) in none {
            if let Some(field) = field.as_ref().filter(|field| field.get().is_some())
                && self.problems.len() == before
                && dist.mean() <= 0.0
            {
                self.problem(
                    field.place,
                    format!("these bursts {what} no time at all"),
                    "write a time longer than 0s",
                );
            }
        }
        self.not_for_centuries(&bursts.lasts, &lasts, "these bursts last");
        if self.system.workloads[id].users.is_some() {
            return;
        }
        if self.system.workloads[id].every.is_some() {
            let problem = crate::scenario::problem::Problem::at(
                at.place,
                "`bursts` of requests at a fixed pace",
            );
            self.problems.push(
                problem
                    .help("a timer has no crowds; state `poisson` for users who come in bursts")
                    .also(arrive, "the pace is stated here"),
            );
        }
        let factor = match &bursts.factor {
            None => {
                self.missing(at.place, "factor", "5");
                return;
            }
            Some(field) => match field.get() {
                None => return,
                Some(&factor) if factor > 1.0 && factor <= FACTOR => {
                    let workload = &self.system.workloads[id];
                    let highest = workload.rate_max() * factor;
                    if highest > limits::RATE {
                        self.problem(
                            field.place,
                            format!("a rate of {highest:e} per second in a burst"),
                            format!("at most {:e} per second can be told apart", limits::RATE),
                        );
                    }
                    factor
                }
                Some(&factor) => {
                    self.problem(
                        field.place,
                        format!("`factor` is {factor}"),
                        "so many times as many requests come: it must be above 1 and at most 1000000",
                    );
                    return;
                }
            },
        };
        let clocks = self.system.clocks.len() + 1;
        let what = "fault clocks (one for each fault of each component)";
        if self.over(what, clocks, limits::CLOCKS, at.place) || self.problems.len() > before {
            return;
        }
        let name = format!("{}.burst", self.system.workloads[id].name);
        let fault = self.system.faults.push(Fault {
            name: name.clone(),
            kind: FaultKind::Burst,
            runs: ClockRuns::Calendar,
            every,
            lasts,
        });
        self.system.clocks.push(FaultClock {
            fault,
            component: Component::Workload(id),
            name,
        });
        self.system.workloads[id].bursts = Some(Bursts { fault, factor });
    }
}
