//! Numbers that are known as a range only: `10m..2h`, `0.5%..2%`, `100/s..300/s`, `0.7..1.2`, `2..4`.
//!
//! A file with ranges is a family of designs. A [`Pick`] says which of them is meant: every range of the
//! tree is replaced by one value before anything else reads it, so that no later step knows of ranges,
//! and whatever is allowed for a field is checked for the values that are picked.
//!
//! A draw is stratified: in [`INPUT_DRAWS`] draws, each range is once in every of as many equal parts of
//! itself, on a logarithmic scale for times, rates and plain numbers above 0, on a linear one for
//! percentages (whose ends may be 0 and 100 %, and of which either end may be the one that matters) and for
//! numbers that may be 0 or less. Which part comes in which draw follows from the seed and the name of the
//! field, so adding a range moves no other.
//!
//! Only the reader knows whether a field wants whole numbers. So a range of them leaves two values: one on
//! the scale of plain numbers, and a whole one, any as likely as any other.

use super::limits;
use super::place::{Place, line_of, quoted};
use super::problem::Problem;
use super::read::tree::{Node, Value, Whole};
use super::units;
use crate::model::{INPUT_DRAWS, InputRange};
use crate::random::{Key, Purpose, name_hash};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Which value of each range is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pick {
    /// The middle: the geometric mean of times, rates and numbers above 0, the arithmetic mean of
    /// percentages and of whole numbers.
    Middle,
    /// The low end of all.
    Low,
    /// The high end of all.
    High,
    /// Draw `index` of [`INPUT_DRAWS`], by this seed or by the one that the file states.
    Draw { index: u32, seed: Option<u64> },
}

impl Pick {
    /// In a sentence: `this is with ...`.
    pub(super) fn words(self) -> String {
        match self {
            Self::Middle => "every range at its middle".into(),
            Self::Low => "every range at its low end".into(),
            Self::High => "every range at its high end".into(),
            Self::Draw { index, .. } => format!("draw {} of the ranges", index + 1),
        }
    }
}

/// A range that was replaced.
#[derive(Clone, Debug)]
pub(super) struct Replaced {
    place: Place,
    /// What was written.
    text: String,
    kind: Kind,
    /// What now stands there.
    value: String,
    /// What a field of whole numbers reads there.
    whole: Option<Whole>,
    row: InputRange,
}

/// The ranges of a file, each once however often aliases repeat it, and what is wrong with them.
#[derive(Debug, Default)]
pub(super) struct Ranges {
    found: Vec<Replaced>,
    known: BTreeMap<Place, usize>,
    pub(super) problems: Vec<Problem>,
}

/// What a range is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Time,
    Percentage,
    Rate,
    Number,
}

/// Sections whose texts are for people, or name things.
const PROSE: &[&str] = &["name", "description", "sources", "currency"];

const LIKE: &str = "write such as 10m..2h, 0.5%..2%, 100/s..300/s or 0.7..1.2";

/// Replaces every range of the document `root` by the value that `pick` says.
pub(super) fn resolve(root: &mut Node, source: &str, pick: Pick) -> Ranges {
    let mut ranges = Ranges::default();
    if source.contains("..") {
        let seed = match pick {
            Pick::Draw { seed, .. } => seed,
            _ => None,
        };
        let seed = seed.or_else(|| stated_seed(root)).unwrap_or(1);
        let mut walk = Walk {
            source,
            pick,
            seed,
            path: Vec::new(),
            ranges: &mut ranges,
        };
        walk.node(root);
        let all = &ranges.found;
        if let Some(first) = all.get(limits::RANGES) {
            let message = format!(
                "with this, the file has more than {} ranges",
                limits::RANGES
            );
            let problem = Problem::at(first.place, message)
                .help("leave as ranges what matters most; an alias of a range is the same input");
            ranges.problems.push(problem);
        }
    }
    ranges
}

impl Ranges {
    /// What was found, in the order of the file.
    pub(super) fn rows(&self) -> Vec<InputRange> {
        self.found.iter().map(|found| found.row.clone()).collect()
    }

    /// The same problems, with the text of the file where a value stands that nobody wrote, and with
    /// `pick` named where it is not the middle.
    pub(super) fn explained(&self, problems: Vec<Problem>, pick: Pick) -> Vec<Problem> {
        let explain = |mut problem: Problem| {
            let known = problem.place.and_then(|place| self.known.get(&place));
            if let Some(&known) = known {
                let found = &self.found[known];
                let (value, text) = (found.value.as_str(), found.text.as_str());
                if found.kind != Kind::Number {
                    problem.message = problem.message.replace(value, text);
                    problem.help = problem.help.map(|help| help.replace(value, text));
                } else if problem.message.contains(&quoted(value)) {
                    // A plain number is no name: only as a whole text it is the one meant, and then the
                    // field does not take it.
                    problem.message = problem.message.replace(&quoted(value), &quoted(text));
                    problem.help = Some(
                        "write one value, or two ends of its kind: such as 10m..2h, 0.5%..2%, 100/s..300/s, \
                         0.7..1.2 or 2..4"
                            .into(),
                    );
                }
            }
            if pick != Pick::Middle {
                let with = format!("this is with {}", pick.words());
                problem.help = Some(match problem.help.take() {
                    Some(help) => format!("{help} ({with})"),
                    None => with,
                });
            }
            problem
        };
        problems.into_iter().map(explain).collect()
    }
}

/// `run.seed`, as far as it can be read.
fn stated_seed(root: &Node) -> Option<u64> {
    match &entry(entry(root, "run")?, "seed")?.value {
        Value::Scalar { text, .. } => text.parse().ok(),
        Value::List(_) | Value::Map(_) => None,
    }
}

fn entry<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    match &node.value {
        Value::Map(entries) => {
            let mut entries = entries.iter();
            entries
                .find(|(key, _)| key.text == name)
                .map(|(_, node)| node)
        }
        Value::List(_) | Value::Scalar { .. } => None,
    }
}

struct Walk<'a> {
    source: &'a str,
    pick: Pick,
    seed: u64,
    /// The keys on the way to here.
    path: Vec<String>,
    ranges: &'a mut Ranges,
}

impl Walk<'_> {
    fn node(&mut self, node: &mut Node) {
        // Aliases of aliases may nest deeper than brackets; no field lies that deep.
        if self.path.len() > limits::NESTING {
            return;
        }
        match &mut node.value {
            Value::Scalar { text, whole, .. } => {
                if let Some(replaced) = self.scalar(text, node.place) {
                    (*text, *whole) = replaced;
                }
            }
            Value::List(items) => {
                for (index, item) in Rc::make_mut(items).iter_mut().enumerate() {
                    self.path.push((index + 1).to_string());
                    self.node(item);
                    self.path.pop();
                }
            }
            Value::Map(entries) => {
                for (key, node) in Rc::make_mut(entries) {
                    if self.path.is_empty() && PROSE.contains(&key.text.as_str()) {
                        continue;
                    }
                    self.path
                        .push(key.text.chars().take(limits::NAME_BYTES).collect());
                    self.node(node);
                    self.path.pop();
                }
            }
        }
    }

    /// What stands instead of the scalar `text`, if that is a range.
    fn scalar(&mut self, text: &str, place: Place) -> Option<(String, Option<Whole>)> {
        let (low, high) = text.split_once("..")?;
        let (low, high) = (low.trim(), high.trim());
        if let Some(&known) = self.ranges.known.get(&place) {
            let found = &self.ranges.found[known];
            return Some((found.value.clone(), found.whole));
        }
        let section = self.path.first().map(String::as_str);
        let kinds = (kind(low), kind(high));
        if section == Some("targets") || section == Some("run") {
            let (what, help) = if section == Some("run") {
                (
                    "`run` says what to simulate, and takes no range",
                    "write one value; ranges are for what is not known of the design",
                )
            } else {
                (
                    "a target is what must hold, and takes no range",
                    "write one bound, or a target for each of them",
                )
            };
            self.wrong(place, what.into(), help);
            return None;
        }
        let kind = match kinds {
            (Some(a), Some(b)) if a == b => a,
            (Some(_), Some(_)) => {
                let message = format!("the ends of the range {} are not alike", quoted(text));
                self.wrong(
                    place,
                    message,
                    &format!("both are times, percentages, rates or plain numbers: {LIKE}"),
                );
                return None;
            }
            (Some(kind), None) | (None, Some(kind)) => {
                let (end, bad) = if kinds.0.is_some() {
                    ("high", high)
                } else {
                    ("low", low)
                };
                let why = kind.read(bad).err().unwrap_or_default();
                let why = match why.split('\n').next() {
                    Some(why) if !bad.is_empty() => why,
                    _ => "is missing",
                };
                let colon = if bad.is_empty() { "" } else { ":" };
                let message = format!("the {end} end of the range {}{colon} {why}", quoted(text));
                self.wrong(place, message, LIKE);
                return None;
            }
            // A file name or another text.
            (None, None) => return None,
        };
        let (Ok(from), Ok(to)) = (kind.read(low), kind.read(high)) else {
            return None;
        };
        if from >= to {
            let (message, help) = if from > to {
                (
                    format!("the range {} is upside down", quoted(text)),
                    format!("write the low end first: {high}..{low}"),
                )
            } else {
                (
                    format!("the ends of the range {} are equal", quoted(text)),
                    format!("write {low}"),
                )
            };
            self.wrong(place, message, &help);
            return None;
        }
        if from <= 0.0 && matches!(kind, Kind::Time | Kind::Rate) {
            let message = format!("the range {} begins at 0", quoted(text));
            self.wrong(
                place,
                message,
                "a range of times or rates is drawn on a logarithmic scale: begin with the least that may be",
            );
            return None;
        }
        let field = self.path.join(".");
        let position = match self.pick {
            Pick::Low => 0.0,
            Pick::High => 1.0,
            Pick::Middle => 0.5,
            Pick::Draw { index, .. } => position(self.seed, &field, index),
        };
        let value = match self.pick {
            Pick::Low => low.to_owned(),
            Pick::High => high.to_owned(),
            Pick::Middle | Pick::Draw { .. } => kind.between(from, to, position),
        };
        let whole = whole_between(low, high, position);
        let found = &mut self.ranges.found;
        self.ranges.known.insert(place, found.len());
        found.push(Replaced {
            place,
            text: text.to_owned(),
            kind,
            value: value.clone(),
            whole,
            row: InputRange {
                field,
                line: line_of(self.source, place.start),
                low: low.to_owned(),
                high: high.to_owned(),
            },
        });
        Some((value, whole))
    }

    fn wrong(&mut self, place: Place, message: String, help: &str) {
        self.ranges
            .problems
            .push(Problem::at(place, message).help(help));
    }
}

/// Where in its range a field is in draw `index`, from 0 to 1.
fn position(seed: u64, field: &str, index: u32) -> f64 {
    let mut sequence = Key::component(seed, 0, name_hash(field), Purpose::Input).sequence();
    let mut parts: Vec<u32> = (0..INPUT_DRAWS).collect();
    for last in (1..parts.len()).rev() {
        let other = (sequence.uniform() * (last + 1) as f64) as usize;
        parts.swap(last, other.min(last));
    }
    let index = (index % INPUT_DRAWS) as usize;
    let within = (0..=index).map(|_| sequence.uniform()).last();
    (f64::from(parts[index]) + within.unwrap_or(0.5)) / f64::from(INPUT_DRAWS)
}

/// The whole number at `position` between two others, each with the same share of all positions; `None`
/// if the ends are not whole.
fn whole_between(low: &str, high: &str, position: f64) -> Option<Whole> {
    let read = |end: &str| {
        let digits = end.strip_prefix('-').unwrap_or(end);
        let plain = digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| end.parse::<i64>().ok()).flatten()
    };
    let (low, high) = (read(low)?, read(high)?);
    let step = (high.saturating_sub(low) as f64 + 1.0) * position;
    Some(Whole {
        number: low.saturating_add(step as i64).min(high),
        counts: low >= 0,
    })
}

/// What a quantity is, by its unit.
fn kind(text: &str) -> Option<Kind> {
    [Kind::Time, Kind::Percentage, Kind::Rate, Kind::Number]
        .into_iter()
        .find(|kind| kind.read(text).is_ok())
}

impl Kind {
    /// Seconds, a share, a number per second, or the number.
    fn read(self, text: &str) -> Result<f64, units::Wrong> {
        match self {
            Self::Time => units::span(text).map(units::Span::secs),
            Self::Percentage => units::percent(text).map(|percent| percent.0),
            Self::Rate => units::rate(text).map(|rate| rate.0),
            Self::Number => units::number(text),
        }
    }

    /// The value at `position` (0..1) between two others, as a file would write it.
    fn between(self, from: f64, to: f64, position: f64) -> String {
        const YEAR_S: f64 = 31_536_000.0;
        let geometric = || from * (to / from).powf(position);
        match self {
            Self::Time => format!("{:.9}s", geometric().clamp(from, to)),
            Self::Percentage => {
                let share = from + (to - from) * position;
                format!("{:.12}%", share.clamp(from, to) * 100.0)
            }
            // By the year, so that a few decimals are enough for the rarest.
            Self::Rate => format!("{:.12}/y", geometric().clamp(from, to) * YEAR_S),
            Self::Number => {
                let number = if from > 0.0 {
                    geometric()
                } else {
                    from + (to - from) * position
                };
                let number = number.clamp(from, to);
                // Weights have no exponents, and twelve decimals say enough of what is not tiny.
                if number.abs() >= 1e-3 {
                    format!("{number:.12}")
                } else {
                    format!("{number:e}")
                }
            }
        }
    }
}
