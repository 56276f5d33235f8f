//! What can be wrong with the form of a value, in the words of the file.

use crate::scenario::place::{Place, quoted};
use crate::scenario::problem::Problem;
use crate::scenario::suggest::nearest;
use serde::de::{self, Expected, Unexpected};
use std::fmt;

/// A mistake of form on its way to the nearest [`At`](super::At).
#[derive(Debug)]
pub(super) struct ShapeError {
    message: String,
    help: Option<String>,
    place: Option<Place>,
    /// The field that was probably meant.
    meant: Option<String>,
}

/// Fields of the design that this version does not read yet: said so, instead of "unknown".
const LATER: &[&str] = &[
    "loss",
    "like",
    "keys",
    "ttl",
    "crews",
    "replication",
    "hedge",
    "weights",
    "hosts",
    "cost",
    "max_fails",
    "fail_timeout",
    "closed",
    "trace",
];

impl ShapeError {
    /// A mistake with these words.
    pub(super) fn new(message: impl Into<String>, help: Option<String>) -> Self {
        Self {
            message: message.into(),
            help,
            place: None,
            meant: None,
        }
    }

    /// The same at `place`, unless it is already known more precisely.
    pub(super) fn or_at(mut self, place: Place) -> Self {
        self.place.get_or_insert(place);
        self
    }

    /// As a problem; `place` if nobody knew better.
    pub(super) fn into_problem(self, place: Place) -> Problem {
        Problem {
            place: Some(self.place.unwrap_or(place)),
            message: self.message,
            help: self.help,
            also: None,
            meant: self.meant.map(String::into_boxed_str),
            within: None,
        }
    }

    fn unknown(what: &str, name: &str, allowed: &'static [&'static str]) -> Self {
        let list = allowed
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ");
        let near = nearest(name, allowed.iter().copied());
        let mut help = match near {
            Some(near) => format!("did you mean `{near}`? "),
            None => String::new(),
        };
        if name == "from" {
            help.push_str("only operations of a store choose who serves them; ");
        }
        help.push_str(&format!("allowed here: {list}"));
        let message = if LATER.contains(&name) {
            format!("{} is not supported here by this version", quoted(name))
        } else {
            format!("unknown {what} {}", quoted(name))
        };
        Self {
            meant: near.map(str::to_owned),
            ..Self::new(message, Some(help))
        }
    }
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ShapeError {}

impl de::Error for ShapeError {
    /// A second line, if there is one, is help.
    fn custom<T: fmt::Display>(message: T) -> Self {
        let text = message.to_string();
        match text.split_once('\n') {
            Some((message, help)) => Self::new(message, Some(help.to_owned())),
            None => Self::new(text, None),
        }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Map => "a mapping".to_owned(),
            Unexpected::Seq => "a list".to_owned(),
            Unexpected::Unit | Unexpected::Option => "nothing".to_owned(),
            Unexpected::Str(text) => quoted(text),
            other => other.to_string(),
        };
        Self::new(format!("expected {expected}, found {found}"), None)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::unknown("field", field, expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::unknown("choice", variant, expected)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("`{field}` is missing"), None)
    }
}
