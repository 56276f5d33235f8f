//! How many replicas a service needs, as a file states it.

use crate::scenario::place::quoted;
use crate::scenario::read::{Opt, WHOLE};
use crate::scenario::units::Percent;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// How many reachable replicas count as enough.
#[derive(Clone, Debug)]
pub(in crate::scenario) enum Needs {
    /// So many.
    Count(u64),
    /// As many as carry the load at the busiest time.
    AtPeak(AtPeak),
}

/// How busy they may be then.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a number, `at_peak` or a mapping such as {at_peak: 80%}"
)]
pub(in crate::scenario) struct AtPeak {
    /// The share of their workers that may be in use at the busiest time. Default: 100%.
    #[schemars(required)]
    pub(in crate::scenario) at_peak: Opt<Percent>,
}

impl<'de> Deserialize<'de> for Needs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Needs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, `at_peak` or a mapping such as {at_peak: 80%}")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Needs, E> {
                if text == "at_peak" {
                    return Ok(Needs::AtPeak(AtPeak::default()));
                }
                text.parse().map(Needs::Count).map_err(|_| {
                    E::custom(format!(
                        "{} is no number of replicas\nwrite a whole number, such as 2, or `at_peak`",
                        quoted(text)
                    ))
                })
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Needs, E> {
                u64::try_from(number).map(Needs::Count).map_err(|_| {
                    E::custom(format!(
                        "{number} is no number of replicas\nwrite at least 1"
                    ))
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Needs, A::Error> {
                AtPeak::deserialize(MapAccessDeserializer::new(map)).map(Needs::AtPeak)
            }
        }

        deserializer.deserialize_newtype_struct(WHOLE, Any)
    }
}

impl JsonSchema for Needs {
    fn schema_name() -> Cow<'static, str> {
        "Needs".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let at_peak = generator.subschema_for::<AtPeak>();
        json_schema!({
            "description": "How many reachable ones count as enough: a number, or what the load at the busiest time takes.",
            "anyOf": [
                { "type": "integer", "minimum": 1 },
                { "type": "string", "pattern": super::WHOLE_RANGE, "$comment": super::RANGE },
                { "type": "string", "enum": ["at_peak"] },
                at_peak
            ]
        })
    }
}
