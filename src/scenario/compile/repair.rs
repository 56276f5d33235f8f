//! How faults are handled: crews, people, spare parts, common causes.

use super::Compiler;
use super::names::Kind;
use crate::ids::{ClockId, CrewId, FaultId, Id, PeopleId};
use crate::model::{
    ClockRuns, CommonCause, Component, Crew, CrewOrder, Fault, FaultClock, FaultKind, Handling,
    People, Repair, Spares, Work,
};
use crate::random::Dist;
use crate::scenario::limits;
use crate::scenario::place::{Place, quoted};
use crate::scenario::problem::Problem;
use crate::scenario::read::{At, Opt};
use crate::scenario::schema::{
    self, CommonForm, CrewForm, File, OrderForm, PeopleForm, Shape, SpanDist, SparesForm, StepForm,
};
use crate::scenario::suggest::nearest;
use crate::time::SimSpan;

impl<'a> Compiler<'a> {
    /// Compiles the crews.
    pub(super) fn crews(&mut self, file: &'a File) {
        let Some(entries) = file.crews.as_ref().and_then(At::get) else {
            return;
        };
        for entry in &entries.0 {
            let mut crew = Crew {
                name: entry.name.clone(),
                count: 1,
                order: CrewOrder::Fifo,
            };
            if let Some(form) = entry.value.get() {
                crew.count = self.count(&form.count, 1, "count", 1, limits::CREWS);
                crew.order = self.order(form);
            }
            self.system.care.crews.push(crew);
        }
    }

    fn order(&mut self, form: &CrewForm) -> CrewOrder {
        let preempts = form.preempts.as_ref().and_then(At::get).copied();
        match form.order.as_ref().and_then(At::get) {
            Some(OrderForm::Priority) => CrewOrder::Priority {
                preempts: preempts.unwrap_or(false),
            },
            Some(OrderForm::Fifo) | None => {
                if let (Some(at), Some(true)) = (&form.preempts, preempts) {
                    self.problem(
                        at.place,
                        "`preempts` without an order of priority",
                        "a crew interrupts a repair only for a more urgent one: add `order: priority`",
                    );
                }
                CrewOrder::Fifo
            }
        }
    }

    /// Compiles the people.
    pub(super) fn people(&mut self, file: &'a File) {
        let Some(entries) = file.people.as_ref().and_then(At::get) else {
            return;
        };
        for entry in &entries.0 {
            let never = || std::array::from_fn(|_| [super::no_time(), super::no_time()]);
            let mut people = People {
                name: entry.name.clone(),
                day: (
                    SimSpan::from_secs(8 * 3_600),
                    SimSpan::from_secs(20 * 3_600),
                ),
                steps: never(),
            };
            if let Some(form) = entry.value.get() {
                self.day(form, &mut people);
                let steps = [&form.acknowledge, &form.diagnose, &form.act];
                people.steps = steps.map(|step| self.step(step));
                if steps.iter().all(|step| step.is_none()) {
                    self.problem(
                        entry.place,
                        format!("{} do nothing", quoted(&entry.name)),
                        "state at least one of `acknowledge`, `diagnose` and `act`",
                    );
                }
            }
            self.system.care.people.push(people);
        }
    }

    fn day(&mut self, form: &PeopleForm, people: &mut People) {
        let Some(at) = &form.day else { return };
        let Some(day) = at.get() else { return };
        let end = |compiler: &mut Self, field: &Opt<_>, name, like| match field {
            None => {
                compiler.missing(at.place, name, like);
                None
            }
            Some(at) => at
                .get()
                .map(|time: &crate::scenario::units::TimeOfDay| time.0),
        };
        let from = end(self, &day.from, "from", "\"08:00\"");
        let to = end(self, &day.to, "to", "\"20:00\"");
        if let (Some(from), Some(to)) = (from, to) {
            if from == to {
                self.problem(
                    at.place,
                    "this day is no time at all",
                    "`from` and `to` must differ; without day and night, give each step one distribution",
                );
            }
            people.day = (from, to);
        }
    }

    /// A step by day and by night.
    fn step(&mut self, step: &Opt<StepForm>) -> [Dist; 2] {
        let none = || [super::no_time(), super::no_time()];
        let Some(at) = step else { return none() };
        match at.get() {
            None => none(),
            Some(StepForm::Always(form)) => {
                let dist = super::dist::make(form, at.place, &mut self.problems);
                let dist = dist.unwrap_or_else(super::no_time);
                [dist.clone(), dist]
            }
            Some(StepForm::ByDay(form)) => [
                self.needed_dist(&form.day, at.place, "day", "5m"),
                self.needed_dist(&form.night, at.place, "night", "15m"),
            ],
        }
    }

    /// The people whom `name` names.
    fn named_people(&mut self, name: &At<String>) -> Option<PeopleId> {
        match self.names.find(Kind::People, name.get()?, name.place) {
            Ok(row) => {
                let people = PeopleId::from_index(row);
                self.people_used.insert(people);
                Some(people)
            }
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    /// A delay that may be people's; no time at all if it was left out or is wrong.
    pub(super) fn handling(&mut self, field: &Opt<SpanDist>) -> Handling {
        if let Some(SpanDist::Shape(shape)) = field.as_ref().and_then(At::get)
            && let Shape::People(name) = &**shape
        {
            let people = self.named_people(name);
            return people.map_or_else(|| Handling::Drawn(super::no_time()), Handling::People);
        }
        Handling::Drawn(self.dist(field))
    }

    /// How long the work on a fault takes; with people, the first is its mean only.
    pub(super) fn work(&mut self, lasts: &Opt<SpanDist>, owner: Place) -> (Dist, Work) {
        if lasts.is_none() {
            self.missing(owner, "lasts", "{lognormal: {median: 10m, p95: 1h}}");
        }
        match self.handling(lasts) {
            Handling::Drawn(dist) => (dist, Work::Lasts),
            Handling::People(people) => {
                let mean = self.system.care.people[people].mean();
                let mean = Dist::constant(mean).unwrap_or_else(|_| super::no_time());
                (mean, Work::People(people))
            }
        }
    }

    /// How a fault is repaired, if it takes more than time.
    pub(super) fn repair(
        &mut self,
        form: &schema::Fault,
        place: Place,
        fault: FaultId,
        work: Work,
    ) {
        let noticed_in = self.handling(&form.noticed_in);
        let spares = form.spares.as_ref().and_then(|at| self.spares(at));
        let crew = form.repaired_by.as_ref().and_then(|at| {
            match self.names.find(Kind::Crew, at.get()?, at.place) {
                Ok(row) => Some(CrewId::from_index(row)),
                Err(problem) => {
                    self.problems.push(problem);
                    None
                }
            }
        });
        let priority = self.count(&form.priority, 1, "priority", 1, limits::PRIORITY);
        let order = crew.map(|crew| self.system.care.crews[crew].order);
        match (order, &form.priority) {
            (Some(CrewOrder::Fifo), Some(at)) => self.problem(
                at.place,
                "`priority` for a crew that takes repairs in the order of asking",
                "add `order: priority` to the crew, or leave `priority` out",
            ),
            (None, Some(at)) if form.repaired_by.is_none() => self.problem(
                at.place,
                "`priority` without a crew",
                "nobody has to choose: add `repaired_by`, or leave `priority` out",
            ),
            (Some(CrewOrder::Priority { .. }), None) => self.missing(place, "priority", "1"),
            _ => {}
        }
        let plain = matches!(&noticed_in, Handling::Drawn(dist) if dist.is_zero());
        if plain && spares.is_none() && crew.is_none() && work == Work::Lasts {
            return;
        }
        let repair = Repair {
            noticed_in,
            spares,
            crew,
            priority,
            work,
        };
        self.system.care.repairs.insert(fault, repair);
    }

    fn spares(&mut self, at: &At<SparesForm>) -> Option<Spares> {
        let form = at.get()?;
        if form.count.is_none() {
            self.missing(at.place, "count", "2");
        }
        let count = self.count(&form.count, 1, "count", 1, limits::SPARES);
        let replaced_in = self.needed_dist(&form.replaced_in, at.place, "replaced_in", "14d");
        Some(Spares { count, replaced_in })
    }

    /// Splits what happens to `components` at once from what happens to each alone: returns the
    /// distribution from one shock to the next, and makes `every` longer.
    pub(super) fn beta(
        &mut self,
        form: &Opt<CommonForm>,
        components: usize,
        every: &mut Dist,
    ) -> Option<Dist> {
        let at = form.as_ref()?;
        let Some(beta) = &at.get()?.beta else {
            self.missing(at.place, "beta", "5%");
            return None;
        };
        let share = beta.get()?.0;
        if share <= 0.0 || share >= 1.0 {
            self.problem(
                beta.place,
                format!("`beta` is {}", super::dist::per_cent(share)),
                "it must be above 0% and below 100%; for shocks alone, state them under `common_causes`",
            );
            return None;
        }
        if components < 2 {
            self.problem(
                at.place,
                "a common cause for one component",
                "there is nothing that it could have in common: leave `common` out",
            );
            return None;
        }
        let made = every
            .scaled(1.0 / (1.0 - share))
            .and_then(|alone| Ok((alone, Dist::exponential(every.mean() / share)?)));
        match made {
            Ok((alone, shocks)) => {
                *every = alone;
                Some(shocks)
            }
            Err(error) => {
                if every.mean() > 0.0 {
                    self.problems
                        .push(Problem::at(beta.place, error.to_string()));
                }
                None
            }
        }
    }

    /// The clocks of one fault.
    pub(super) fn clocks_of(&self, fault: FaultId) -> Vec<ClockId> {
        let clocks = self.system.clocks.pairs();
        let mine = clocks.filter(|(_, clock)| clock.fault == fault);
        mine.map(|(id, _)| id).collect()
    }

    /// Adds a common cause of this name.
    pub(super) fn common_cause(
        &mut self,
        name: String,
        every: Dist,
        hits: Vec<ClockId>,
        chance: f64,
    ) {
        let row = self.system.care.commons.len() as u32;
        let fault = self.system.faults.push(Fault {
            name: name.clone(),
            kind: FaultKind::Common,
            runs: ClockRuns::Calendar,
            every,
            lasts: super::no_time(),
        });
        let clock = self.system.clocks.push(FaultClock {
            fault,
            component: Component::Common(row),
            name,
        });
        self.system.care.commons.push(CommonCause {
            clock,
            hits,
            chance,
        });
    }

    /// Compiles the common causes of the file.
    pub(super) fn common_causes(&mut self, file: &'a File) {
        let Some(entries) = file.common_causes.as_ref().and_then(At::get) else {
            return;
        };
        for entry in &entries.0 {
            let Some(form) = entry.value.get() else {
                continue;
            };
            let before = self.problems.len();
            let every = self.needed_dist(
                &form.every,
                entry.place,
                "every",
                "{exponential: {mean: 5y}}",
            );
            if self.problems.len() == before
                && every.is_zero()
                && let Some(at) = &form.every
            {
                self.problem(
                    at.place,
                    "this common cause comes again after no time at all",
                    "`every` must be longer than 0s",
                );
            }
            let chance = form.chance.as_ref();
            let share = chance.and_then(At::get).map_or(1.0, |share| share.0);
            if let Some(at) = chance
                && share <= 0.0
            {
                self.problem(
                    at.place,
                    "`chance` is 0%",
                    "what hits nobody can be left out",
                );
            }
            if form.hits.is_none() {
                self.missing(entry.place, "hits", "[app.crash, articles.crash]");
            }
            let hits = form.hits.as_ref().map_or_else(Vec::new, |at| self.hits(at));
            let clocks = self.system.clocks.len() + 1;
            if self.over(
                "fault clocks (one for each fault of each component)",
                clocks,
                limits::CLOCKS,
                entry.place,
            ) {
                return;
            }
            self.common_cause(entry.name.clone(), every, hits, share);
        }
    }

    /// The clocks of the faults that a common cause hits.
    fn hits(&mut self, at: &At<Vec<At<String>>>) -> Vec<ClockId> {
        let Some(list) = at.get() else {
            return Vec::new();
        };
        if list.is_empty() {
            self.problem(
                at.place,
                "`hits` names no fault",
                "name at least one, such as [app.crash, articles.crash]",
            );
        }
        let mut hits = Vec::new();
        for item in list {
            let Some(name) = item.get() else { continue };
            let own = |fault: &Fault| fault.kind != FaultKind::Common;
            let faults = self.system.faults.pairs();
            let fault = faults
                .filter(|(_, fault)| own(fault) && fault.name == *name)
                .map(|(id, _)| id)
                .next();
            let Some(fault) = fault else {
                let known = self.system.faults.iter().filter(|fault| own(fault));
                let known: Vec<&str> = known.map(|fault| fault.name.as_str()).collect();
                let help = match nearest(name, known.iter().copied()) {
                    Some(near) => format!("did you mean {}?", quoted(near)),
                    None if known.is_empty() => "the file states no fault".to_owned(),
                    None => format!("there are: {}", super::list(known)),
                };
                let message = format!("there is no fault named {}", quoted(name));
                self.problem(item.place, message, help);
                continue;
            };
            let clocks = self.clocks_of(fault);
            if clocks.iter().any(|clock| hits.contains(clock)) {
                self.problem(
                    item.place,
                    format!("{} is here twice", quoted(name)),
                    "a shock can start a fault only once",
                );
                continue;
            }
            hits.extend(clocks);
        }
        hits
    }
}
