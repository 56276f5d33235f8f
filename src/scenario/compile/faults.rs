//! Faults and their clocks.

use super::{Compiler, list, names};
use crate::ids::FaultId;
use crate::model::{ClockRuns, Component, Fault, FaultClock, FaultKind, Flaps, Work};
use crate::random::Dist;
use crate::scenario::limits;
use crate::scenario::place::{Place, quoted};
use crate::scenario::problem::{Problem, line};
use crate::scenario::read::{At, Entry, Opt};
use crate::scenario::schema::{self, ClockForm, SpanDist};
use crate::scenario::suggest::nearest;
use crate::time::SimSpan;

/// What faults are stated for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bearer {
    /// Replicas and members, and whether somebody restarts them.
    Pool(bool),
    /// Instances of a balancer, and whether somebody restarts them.
    Balancer(bool),
    /// Machines.
    Nodes,
    /// A domain.
    Domain,
    /// A link of the network.
    Link,
}

impl Bearer {
    /// The kinds of fault it can have.
    fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::Pool(_) | Self::Nodes => &["crash", "hang", "pause", "slow", "errors"],
            Self::Balancer(_) => &["crash", "hang", "pause", "errors"],
            Self::Domain => &["power", "isolated"],
            Self::Link => &["partition", "loss", "latency"],
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Pool(_) => "a service, cache or store",
            Self::Balancer(_) => "a balancer",
            Self::Nodes => "a group of nodes",
            Self::Domain => "a domain",
            Self::Link => "a link",
        }
    }
}

/// Every kind there is.
const ALL: &[&str] = &[
    "crash",
    "hang",
    "pause",
    "slow",
    "errors",
    "power",
    "isolated",
    "partition",
    "loss",
    "latency",
];

/// What operators do, which stands among the faults, but is stated in other words.
const OF_OPERATORS: &[&str] = &["maintenance", "release", "configuration", "certificate"];

/// How much longer work can take: a request of a millisecond is then a matter of minutes.
const FACTOR: f64 = 1e6;

/// What is counted against `limits::CLOCKS`.
pub(super) const CLOCKS: &str = "fault clocks (one for each fault of each component)";

/// The longest history, seconds.
pub(super) const CENTURIES: f64 = limits::YEARS as f64 * 31_536_000.0;

impl Compiler<'_> {
    /// Compiles the faults of `owner`, each with a clock for each of its components.
    pub(super) fn faults(
        &mut self,
        faults: &[Entry<schema::Fault>],
        owner: &str,
        bearer: Bearer,
        components: &[(Component, String)],
    ) {
        for (index, entry) in faults.iter().enumerate() {
            if index == limits::FAULTS_OF_ONE {
                let message = format!("{} has more than {index} faults", quoted(owner));
                self.problem(entry.place, message, "put some of them together");
                return;
            }
            if let Some(form) = entry.value.get() {
                self.fault(entry, form, owner, bearer, components);
            }
        }
    }

    fn fault(
        &mut self,
        entry: &Entry<schema::Fault>,
        form: &schema::Fault,
        owner: &str,
        bearer: Bearer,
        components: &[(Component, String)],
    ) {
        let place = entry.value.place;
        let word = self.kind_word(entry, form, bearer);
        let before = self.problems.len();
        let mut every = self.needed_dist(&form.every, place, "every", "{exponential: {mean: 90d}}");
        let at_once = matches!(bearer, Bearer::Pool(true) | Bearer::Balancer(true))
            && word == Some("crash")
            && form.lasts.is_none();
        let (lasts, work) = if at_once {
            self.over_at_once(form);
            (super::no_time(), Work::Lasts)
        } else {
            self.work(&form.lasts, place)
        };
        if self.problems.len() == before
            && every.mean() <= 0.0
            && let Some(every) = form.every.as_ref().filter(|every| every.get().is_some())
        {
            self.problem(
                every.place,
                "this fault comes again after no time at all",
                "`every` must be longer than 0s",
            );
        }
        self.not_for_centuries(&form.lasts, &lasts, "this fault lasts");
        let Some(kind) = word.and_then(|word| self.kind(word, form, place)) else {
            return;
        };
        let common = self.beta(&form.common, components.len(), &mut every);
        let clocks = self.system.clocks.len() + components.len() + usize::from(common.is_some());
        if self.over(CLOCKS, clocks, limits::CLOCKS, place) {
            return;
        }
        let runs = match form.clock.as_ref().and_then(At::get) {
            // What does not run cannot crash.
            _ if at_once => ClockRuns::Operating,
            None | Some(ClockForm::Calendar) => ClockRuns::Calendar,
            Some(ClockForm::Operating) => ClockRuns::Operating,
        };
        let what = (kind, runs);
        let fault = self.clocks(&entry.name, owner, what, (every, lasts), components);
        self.flaps(form, fault);
        self.repair(form, place, fault, work);
        if let Some(every) = common {
            let hits = self.clocks_of(fault);
            let name = format!("{owner}.{}.common", entry.name);
            self.common_cause(name, every, hits, 1.0);
        }
    }

    /// Refuses a duration beyond any history.
    pub(super) fn not_for_centuries(&mut self, field: &Opt<SpanDist>, lasts: &Dist, who: &str) {
        if let Some(at) = field.as_ref().filter(|_| lasts.mean() > CENTURIES) {
            self.problem(
                at.place,
                format!("{who} longer than {} years", limits::YEARS),
                "no history is that long; what never ends is another design",
            );
        }
    }

    /// What means nothing for a crash after which somebody restarts the process at once.
    fn over_at_once(&mut self, form: &schema::Fault) {
        let stated = [
            ("noticed_in", form.noticed_in.as_ref().map(|at| at.place)),
            ("spares", form.spares.as_ref().map(|at| at.place)),
            ("repaired_by", form.repaired_by.as_ref().map(|at| at.place)),
            ("flaps", form.flaps.as_ref().map(|at| at.place)),
        ];
        for (field, place) in stated {
            if let Some(place) = place {
                self.problem(
                    place,
                    format!("`{field}` of a crash that is over at once"),
                    "without `lasts`, `restart` decides when it runs again: add `lasts` for what has to \
                     be repaired before a start can work",
                );
            }
        }
        if let Some(at) = &form.clock
            && let Some(ClockForm::Calendar) = at.get()
        {
            self.problem(
                at.place,
                "a crash by the calendar that is over at once",
                "a process that does not run cannot crash: leave `clock` out, or state how long it `lasts`",
            );
        }
    }

    /// How a fault comes and goes while it lasts.
    fn flaps(&mut self, form: &schema::Fault, fault: FaultId) {
        let Some(at) = &form.flaps else { return };
        let Some(flaps) = at.get() else { return };
        let before = self.problems.len();
        let [down, up] = [
            (&flaps.down, "down", "5s"),
            (&flaps.up, "up", "{exponential: {mean: 20s}}"),
        ]
        .map(|(field, name, like)| {
            let dist = self.needed_dist(field, at.place, name, like);
            let least = limits::TURN_MS as f64 / 1_000.0;
            if let Some(stated) = field
                && stated.get().is_some()
                && self.problems.len() == before
                && dist.mean() < least
            {
                self.problem(
                    stated.place,
                    format!("`{name}` is shorter than {} ms in the mean", limits::TURN_MS),
                    "each time that a fault comes or goes is simulated: state longer times, or a share \
                     of `errors` for what fails now and then",
                );
            }
            dist
        });
        if self.problems.len() > before {
            return;
        }
        let turns = self.system.faults[fault].lasts.mean() / (down.mean() + up.mean());
        if turns > limits::TURNS {
            self.problem(
                at.place,
                format!("this fault comes and goes {turns:.0} times while it lasts"),
                format!(
                    "at most {:.0} times are simulated: make `lasts` shorter, or `down` and `up` longer",
                    limits::TURNS
                ),
            );
            return;
        }
        let line = line(self.source, at.place);
        self.system
            .care
            .flaps
            .insert(fault, Flaps { down, up, line });
    }

    /// Adds a fault named `name` of `owner`, with its clocks.
    pub(super) fn clocks(
        &mut self,
        name: &str,
        owner: &str,
        (kind, runs): (FaultKind, ClockRuns),
        (every, lasts): (Dist, Dist),
        components: &[(Component, String)],
    ) -> FaultId {
        let fault = self.system.faults.push(Fault {
            name: format!("{owner}.{name}"),
            kind,
            runs,
            every,
            lasts,
        });
        for (component, of) in components {
            self.system.clocks.push(FaultClock {
                fault,
                component: *component,
                name: format!("{of}.{name}"),
            });
        }
        fault
    }

    /// The word of a fault's kind: its name, or what `kind` says.
    fn kind_word(
        &mut self,
        entry: &Entry<schema::Fault>,
        form: &schema::Fault,
        bearer: Bearer,
    ) -> Option<&'static str> {
        let name = entry.name.as_str();
        let by_name = ALL.iter().copied().find(|&kind| kind == name);
        let Some(stated) = &form.kind else {
            if let Some(kind) = by_name {
                return self.borne(kind, entry.place, bearer);
            }
            let kinds = list(bearer.kinds().iter().copied());
            let words = bearer.kinds().iter().chain(OF_OPERATORS).copied();
            let help = match nearest(name, words) {
                Some(near) if OF_OPERATORS.contains(&near) => format!("did you mean `{near}`?"),
                Some(near) => format!("did you mean `{near}`? or say what it is: `kind: {near}`"),
                None => format!("say what it is with `kind`, one of {kinds}"),
            };
            let problem = names::check(name, entry.place).unwrap_or_else(|| {
                let message = format!("{} is no kind of fault", quoted(name));
                Problem::at(entry.place, message).help(help)
            });
            self.problems.push(problem);
            return None;
        };
        self.problems.extend(names::check(name, entry.place));
        let said = stated.get()?.as_str();
        if OF_OPERATORS.contains(&said) {
            let message = format!("`{said}` has no name of its own");
            let help = format!("there is one for each component: write `{said}: {{...}}`");
            self.problem(stated.place, message, help);
            return None;
        }
        let Some(kind) = ALL.iter().copied().find(|&kind| kind == said) else {
            let kinds = bearer.kinds().iter().copied();
            let help = match nearest(said, kinds.clone()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("{} can have: {}", bearer.word(), list(kinds)),
            };
            let message = format!("{} is no kind of fault", quoted(said));
            self.problem(stated.place, message, help);
            return None;
        };
        if let Some(other) = by_name.filter(|&other| other != kind) {
            self.problems.push(
                Problem::at(
                    stated.place,
                    format!("a fault named `{other}` is said to be `{kind}`"),
                )
                .help("a name that is a kind means that kind; give the fault another name")
                .also(entry.place, "its name is here"),
            );
            return None;
        }
        self.borne(kind, stated.place, bearer)
    }

    /// Whether `bearer` can have a fault of `kind`.
    fn borne(&mut self, kind: &'static str, place: Place, bearer: Bearer) -> Option<&'static str> {
        if bearer.kinds().contains(&kind) {
            return Some(kind);
        }
        let allowed = list(bearer.kinds().iter().copied());
        let help = match (bearer, kind) {
            (Bearer::Balancer(_), "slow") => {
                "handing on takes a balancer no time, so nothing there can be slower; state `slow` for what it sends to".into()
            }
            (Bearer::Link, _) => {
                format!("it can have: {allowed}; state `{kind}` for what stands at its ends")
            }
            (_, "partition" | "loss" | "latency") => {
                format!("it can have: {allowed}; `{kind}` is a fault of links, see `network`")
            }
            (Bearer::Domain, _) => {
                format!("it can have: {allowed}; state `{kind}` for the nodes or services in it")
            }
            _ => format!("it can have: {allowed}; `{kind}` is a fault of domains"),
        };
        self.problem(
            place,
            format!("{} cannot have a fault of kind `{kind}`", bearer.word()),
            help,
        );
        None
    }

    /// The kind with what it needs; reports what is missing and what does not belong to it.
    fn kind(&mut self, word: &str, form: &schema::Fault, place: Place) -> Option<FaultKind> {
        if let Some(factor) = form
            .factor
            .as_ref()
            .filter(|_| word != "slow" && word != "latency")
        {
            let message = format!("`factor` means nothing for a fault of kind `{word}`");
            self.problem(
                factor.place,
                message,
                "only `slow` and `latency` have a factor; leave it out",
            );
        }
        if let Some(share) = form
            .share
            .as_ref()
            .filter(|_| word != "errors" && word != "loss")
        {
            let message = format!("`share` means nothing for a fault of kind `{word}`");
            self.problem(
                share.place,
                message,
                "only `errors` and `loss` have a share; leave it out",
            );
        }
        if let Some(adds) = form.adds.as_ref().filter(|_| word != "latency") {
            let message = format!("`adds` means nothing for a fault of kind `{word}`");
            let help = "only `latency` adds to a round trip; leave it out";
            self.problem(adds.place, message, help);
        }
        match word {
            "crash" => Some(FaultKind::Crash),
            "hang" => Some(FaultKind::Hang),
            "pause" => Some(FaultKind::Pause),
            "power" => Some(FaultKind::Power),
            "isolated" => Some(FaultKind::Isolated),
            "partition" => Some(FaultKind::Partition),
            "slow" => self.slow(form, place),
            "latency" => self.latency(form, place),
            "loss" => {
                let share = self.hit_share(form, place, "5%", "loses nothing")?;
                Some(FaultKind::Loss { share })
            }
            _ => {
                let share =
                    self.hit_share(form, place, "30%", "answers no attempt with an error")?;
                Some(FaultKind::Errors { share })
            }
        }
    }

    fn slow(&mut self, form: &schema::Fault, place: Place) -> Option<FaultKind> {
        if form.factor.is_none() {
            self.missing(place, "factor", "5");
            return None;
        }
        let factor = self.factor(form, "work takes")?;
        Some(FaultKind::Slow { factor })
    }

    /// The factor by which something takes longer.
    fn factor(&mut self, form: &schema::Fault, what: &str) -> Option<f64> {
        let at = form.factor.as_ref()?;
        let factor = *at.get()?;
        if !(1.0..=FACTOR).contains(&factor) {
            self.problem(
                at.place,
                format!("`factor` is {factor}"),
                format!("{what} so many times as long: it must be from 1 to 1000000"),
            );
            return None;
        }
        Some(factor)
    }

    fn latency(&mut self, form: &schema::Fault, place: Place) -> Option<FaultKind> {
        if form.factor.is_none() && form.adds.is_none() {
            self.missing(place, "adds", "80ms");
            return None;
        }
        let factor = match &form.factor {
            Some(_) => self.factor(form, "the round trip takes")?,
            None => 1.0,
        };
        let adds = match &form.adds {
            Some(at) => {
                let adds = self.span(&form.adds, "adds")?;
                self.check_round_trip("adds", adds.as_secs_f64(), at.place);
                adds
            }
            None => SimSpan::ZERO,
        };
        if factor <= 1.0 && adds.is_zero() {
            self.problem(
                place,
                "this fault adds nothing to the round trip",
                "state `adds` or a `factor` above 1, or leave it out",
            );
        }
        Some(FaultKind::Latency { factor, adds })
    }

    /// The share of a fault that `does` nothing if it is zero.
    fn hit_share(
        &mut self,
        form: &schema::Fault,
        place: Place,
        like: &str,
        does: &str,
    ) -> Option<f64> {
        let Some(at) = &form.share else {
            self.missing(place, "share", like);
            return None;
        };
        let share = at.get()?.0;
        if share <= 0.0 {
            self.problem(
                at.place,
                "`share` is 0%",
                format!("a fault that {does} is none; leave it out"),
            );
            return None;
        }
        Some(share)
    }
}
