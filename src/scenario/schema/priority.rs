//! How urgent a call is, as a file states it.

use crate::scenario::place::quoted;
use crate::scenario::read::WHOLE;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::borrow::Cow;
use std::fmt;

/// How urgent a call is: the higher the sooner, 0 if nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scenario) struct Priority(pub(in crate::scenario) i16);

/// Numbers are between this and its negative.
const MOST: i16 = 100;

impl<'de> Deserialize<'de> for Priority {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        fn checked<E: Error>(number: Option<i64>, written: &str) -> Result<Priority, E> {
            number
                .and_then(|number| i16::try_from(number).ok())
                .filter(|number| (-MOST..=MOST).contains(number))
                .map(Priority)
                .ok_or_else(|| {
                    E::custom(format!(
                        "{} is no priority: expected `high` (1), `normal` (0), `low` (-1) or a \
                         whole number from -{MOST} to {MOST}",
                        quoted(written)
                    ))
                })
        }

        impl Visitor<'_> for Text {
            type Value = Priority;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a priority such as `high`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Priority, E> {
                let number = match text {
                    "high" => Some(1),
                    "normal" => Some(0),
                    "low" => Some(-1),
                    number => number.parse().ok(),
                };
                checked(number, text)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Priority, E> {
                checked(Some(number), &number.to_string())
            }
        }

        deserializer.deserialize_newtype_struct(WHOLE, Text)
    }
}

impl JsonSchema for Priority {
    fn schema_name() -> Cow<'static, str> {
        "Priority".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How urgent it is: `high` (1), `normal` (0), `low` (-1) or a whole number; the highest is served first.",
            "anyOf": [
                { "type": "string", "enum": ["high", "normal", "low"] },
                { "type": "integer", "minimum": -MOST, "maximum": MOST },
                { "type": "string", "pattern": "^-?[0-9]+ ?\\.\\. ?-?[0-9]+$", "$comment": super::RANGE }
            ]
        })
    }
}
