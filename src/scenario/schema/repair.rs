//! Crews, people, spare parts and common causes as a file states them.

use super::SpanDist;
use super::dist::Shape;
use crate::scenario::read::{List, Opt};
use crate::scenario::units::{self, Percent, TimeOfDay};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// Repair crews: each works on one fault at a time.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping such as {count: 1}")]
#[schemars(rename = "Crew")]
pub(in crate::scenario) struct CrewForm {
    /// How many can work at the same time. Default: 1.
    #[schemars(range(min = 1, max = 10_000))]
    pub(in crate::scenario) count: Opt<u64>,
    /// Whose repair comes next. Default: fifo.
    pub(in crate::scenario) order: Opt<OrderForm>,
    /// Whether a more urgent repair interrupts a less urgent one, which is resumed later. Only with `order: priority`. Default: false.
    pub(in crate::scenario) preempts: Opt<bool>,
}

/// Whose repair comes next.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "`fifo` or `priority`"
)]
#[schemars(rename = "Order")]
pub(in crate::scenario) enum OrderForm {
    /// The one that has waited longest.
    Fifo,
    /// The fault with the lowest `priority`, and among equals the one that has waited longest.
    Priority,
}

/// People on call: how long each step takes them, by day and by night. The time of day at which they are called decides for all steps.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {acknowledge: {day: 5m, night: 15m}, diagnose: 10m, act: 20m}"
)]
#[schemars(rename = "People")]
pub(in crate::scenario) struct PeopleForm {
    /// When it is day. Default: {from: "08:00", to: "20:00"}. Evidence: assumed.
    pub(in crate::scenario) day: Opt<DayForm>,
    /// Until somebody has taken it up. Default: 0s.
    pub(in crate::scenario) acknowledge: Opt<StepForm>,
    /// Until it is known what to do. Default: 0s.
    pub(in crate::scenario) diagnose: Opt<StepForm>,
    /// Until it is done. Default: 0s.
    pub(in crate::scenario) act: Opt<StepForm>,
}

/// When it is day.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {from: \"08:00\", to: \"20:00\"}"
)]
#[schemars(rename = "Day")]
pub(in crate::scenario) struct DayForm {
    /// When the day begins.
    #[schemars(required)]
    pub(in crate::scenario) from: Opt<TimeOfDay>,
    /// When the day ends; before `from`, it lasts over midnight.
    #[schemars(required)]
    pub(in crate::scenario) to: Opt<TimeOfDay>,
}

/// How long a step of people takes: a distribution, or one by day and one by night.
#[derive(Clone, Debug)]
pub(in crate::scenario) enum StepForm {
    /// At any time.
    Always(SpanDist),
    /// By the time of day.
    ByDay(Box<ByDay>),
}

/// By the time of day.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {day: 5m, night: 15m}"
)]
pub(in crate::scenario) struct ByDay {
    /// When they are called by day.
    #[schemars(required)]
    pub(in crate::scenario) day: Opt<SpanDist>,
    /// When they are called by night.
    #[schemars(required)]
    pub(in crate::scenario) night: Opt<SpanDist>,
}

/// Spare parts: each repair uses one up.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {count: 2, replaced_in: 14d}"
)]
#[schemars(rename = "Spares")]
pub(in crate::scenario) struct SparesForm {
    /// Parts in a full stock.
    #[schemars(required, range(min = 1, max = 1_000))]
    pub(in crate::scenario) count: Opt<u64>,
    /// From taking a part out of the stock to the arrival of the next one.
    #[schemars(required)]
    pub(in crate::scenario) replaced_in: Opt<SpanDist>,
}

/// Failures that hit all of them at once.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping such as {beta: 5%}")]
#[schemars(rename = "Common")]
pub(in crate::scenario) struct CommonForm {
    /// The share of the failures of each that come from a common cause: such shocks come at random, `every` / beta apart in the mean, and hit all that are up; alone each fails at (1 - beta) of its rate.
    #[schemars(required)]
    pub(in crate::scenario) beta: Opt<Percent>,
}

/// Shocks from outside that start several faults at once.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {hits: [app.crash, articles.crash], every: {exponential: {mean: 5y}}}"
)]
#[schemars(rename = "CommonCause")]
pub(in crate::scenario) struct CommonCauseForm {
    /// The faults that it starts, as `<component>.<fault>`, on all components that do not have it already. Each lasts as long as it says.
    #[schemars(required)]
    pub(in crate::scenario) hits: Opt<List<String>>,
    /// From one shock to the next.
    #[schemars(required)]
    pub(in crate::scenario) every: Opt<SpanDist>,
    /// The chance that a shock hits a component, each by itself. Default: 100%.
    pub(in crate::scenario) chance: Opt<Percent>,
}

/// A mapping whose first key has been read.
struct Replay<'de, A> {
    first: Option<String>,
    map: A,
    life: PhantomData<&'de ()>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Replay<'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        match self.first.take() {
            Some(first) => seed.deserialize(StringDeserializer::new(first)).map(Some),
            None => self.map.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

impl<'de> Deserialize<'de> for StepForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = StepForm;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length of time such as 5m, a distribution, or {day: 5m, night: 15m}")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<StepForm, E> {
                let span = units::span(text).map_err(E::custom)?;
                Ok(StepForm::Always(SpanDist::Constant(span)))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StepForm, A::Error> {
                let first = map.next_key::<String>()?;
                let by_day = matches!(first.as_deref(), Some("day" | "night"));
                let map = MapAccessDeserializer::new(Replay {
                    first,
                    map,
                    life: PhantomData,
                });
                if by_day {
                    return ByDay::deserialize(map).map(|form| StepForm::ByDay(Box::new(form)));
                }
                let shape = Shape::deserialize(map)?;
                Ok(StepForm::Always(SpanDist::Shape(Box::new(shape))))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for StepForm {
    fn schema_name() -> Cow<'static, str> {
        "Step".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let always = generator.subschema_for::<SpanDist>();
        let by_day = generator.subschema_for::<ByDay>();
        json_schema!({
            "description": "How long a step of people takes: a distribution, or one by day and one by night.",
            "anyOf": [always, by_day]
        })
    }
}
