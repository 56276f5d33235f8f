//! Distributions of time as a file states them.

use crate::scenario::read::{At, List, Opt};
use crate::scenario::units::{self, Percent, Span};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// A distribution of time: a constant such as `90s`, or one of the tagged forms.
#[derive(Clone, Debug)]
pub(in crate::scenario) enum SpanDist {
    /// Always the same.
    Constant(Span),
    /// A distribution.
    Shape(Box<Shape>),
}

/// A distribution of time.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "a distribution"
)]
pub(in crate::scenario) enum Shape {
    /// Exponential: no memory. `{exponential: {mean: 30d}}`
    Exponential(Exponential),
    /// Weibull: a shape below 1 fails mostly when young, above 1 wears out. Give `shape` and `mean`, or `shape` and `scale`.
    Weibull(Weibull),
    /// Lognormal. Give `median` and `p95`, `median` and `sigma`, `mean` and `sigma`, or `mu` (of the logarithm of seconds) and `sigma`.
    Lognormal(Lognormal),
    /// Gamma. Give `shape` and `mean`, or `shape` and `scale`.
    Gamma(Gamma),
    /// Erlang: the sum of `k` equal exponential stages.
    Erlang(Erlang),
    /// Uniform between `min` and `max`.
    Uniform(Uniform),
    /// One of several distributions, each with its share; the shares sum to 100%.
    Mixture(List<Part>),
    /// One of these values, each as likely as any other.
    Empirical(List<Span>),
    /// The time until heartbeats are missed, of a sender that stops between two of them: uniform from `dead_after` less `every` to `dead_after`.
    Heartbeat(Heartbeat),
    /// What these people need for all their steps. Only where people can act: in `lasts`, `noticed_in` and `on_failure`. `{people: on_call}`
    People(At<String>),
}

/// The names of the shapes.
const SHAPES: &[&str] = &[
    "exponential",
    "weibull",
    "lognormal",
    "gamma",
    "erlang",
    "uniform",
    "mixture",
    "empirical",
    "heartbeat",
    "people",
];

macro_rules! parameters {
    ($(#[$doc:meta])* $name:ident, $like:literal, { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields, expecting = $like)]
        pub(in crate::scenario) struct $name {
            $($(#[$field_doc])* pub(in crate::scenario) $field: Opt<$type>,)*
        }
    };
}

parameters! {
    /// Parameters of an exponential distribution.
    Exponential, "parameters such as {mean: 30d}", {
        /// The mean.
        #[schemars(required)]
        mean: Span,
    }
}
parameters! {
    /// Parameters of a Weibull distribution: `shape` and `mean`, or `shape` and `scale`.
    Weibull, "parameters such as {shape: 0.75, mean: 657d}", {
        /// The shape, above 0.
        #[schemars(required)]
        shape: f64,
        /// The mean. Default: it follows from `scale`.
        mean: Span,
        /// The scale: 63.2% are shorter. Default: it follows from `mean`.
        scale: Span,
    }
}
parameters! {
    /// Parameters of a lognormal distribution, in one of four pairs.
    Lognormal, "parameters such as {median: 1h, p95: 6h}", {
        /// The median: half are shorter. Default: it follows from the two that are given.
        median: Span,
        /// The value that 95% stay below. Default: it follows from the two that are given.
        p95: Span,
        /// The mean. Default: it follows from the two that are given.
        mean: Span,
        /// The mean of the natural logarithm of seconds. Default: it follows from the two that are given.
        mu: f64,
        /// The standard deviation of the natural logarithm. Default: it follows from the two that are given.
        sigma: f64,
    }
}
parameters! {
    /// Parameters of a gamma distribution: `shape` and `mean`, or `shape` and `scale`.
    Gamma, "parameters such as {shape: 2, mean: 1h}", {
        /// The shape, above 0.
        #[schemars(required)]
        shape: f64,
        /// The mean. Default: it follows from `scale`.
        mean: Span,
        /// The scale: the mean divided by the shape. Default: it follows from `mean`.
        scale: Span,
    }
}
parameters! {
    /// Parameters of an Erlang distribution.
    Erlang, "parameters such as {k: 3, mean: 1h}", {
        /// The number of stages, at least 1.
        #[schemars(required, range(min = 1))]
        k: u32,
        /// The mean of the whole.
        #[schemars(required)]
        mean: Span,
    }
}
parameters! {
    /// Parameters of a uniform distribution.
    Uniform, "parameters such as {min: 8s, max: 20s}", {
        /// The shortest.
        #[schemars(required)]
        min: Span,
        /// The longest.
        #[schemars(required)]
        max: Span,
    }
}
parameters! {
    /// Parameters of heartbeats.
    Heartbeat, "parameters such as {every: 1s, dead_after: 3.5s}", {
        /// From one heartbeat to the next.
        #[schemars(required)]
        every: Span,
        /// How long after the last heartbeat its sender is taken for dead; at least `every`.
        #[schemars(required)]
        dead_after: Span,
    }
}
parameters! {
    /// One part of a mixture.
    Part, "a part such as {share: 90%, of: 30s}", {
        /// How often it is this part.
        #[schemars(required)]
        share: Percent,
        /// The distribution of this part.
        #[schemars(required)]
        of: SpanDist,
    }
}

impl<'de> Deserialize<'de> for SpanDist {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = SpanDist;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length of time such as 90s, or a distribution such as {exponential: {mean: 30d}}")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<SpanDist, E> {
                if SHAPES.contains(&text) {
                    return Err(E::custom(format!(
                        "`{text}` needs its parameters\nsuch as {{exponential: {{mean: 30d}}}}"
                    )));
                }
                units::span(text).map(SpanDist::Constant).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SpanDist, A::Error> {
                let shape = Shape::deserialize(MapAccessDeserializer::new(map))?;
                Ok(SpanDist::Shape(Box::new(shape)))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for SpanDist {
    fn schema_name() -> Cow<'static, str> {
        "Distribution".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let constant = generator.subschema_for::<Span>();
        let shape = generator.subschema_for::<Shape>();
        json_schema!({
            "description": "A distribution of time: a constant such as `90s`, or a tagged form such as `{exponential: {mean: 30d}}`.",
            "anyOf": [constant, shape]
        })
    }
}
