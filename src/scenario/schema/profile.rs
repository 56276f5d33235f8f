//! How often requests come, as a file states it: rates, their profile and their bursts.

use super::SpanDist;
use crate::scenario::read::{List, Opt};
use crate::scenario::units::{self, Rate, Span, TimeOfDay};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use std::borrow::Cow;
use std::fmt;

/// How often requests come.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping such as {poisson: 400/s}")]
pub(in crate::scenario) struct Arrive {
    /// Independent users: so many requests per unit of time, on average over a week. Default: none; this, `every`, `users` or `trace` is needed.
    pub(in crate::scenario) poisson: Opt<Rate>,
    /// At a fixed pace, as a timer or a machine sends them: so long from one request to the next. The
    /// first comes at a random moment of its first interval. Default: none; or else `poisson`, `users` or
    /// `trace`.
    #[schemars(with = "Option<Span>")]
    pub(in crate::scenario) every: Opt<SpanDist>,
    /// How the rate of `poisson` moves over the day and the week. Default: it does not.
    pub(in crate::scenario) profile: Opt<ProfileForm>,
    /// A number of users who each wait for the answer (or leave), think, and come again: a closed loop.
    /// Default: none; or else `poisson`, `every` or `trace`.
    pub(in crate::scenario) users: Opt<UsersForm>,
    /// At the rates of a file, as a monitoring system exports them. Default: none; or else
    /// `poisson`, `every` or `users`.
    pub(in crate::scenario) trace: Opt<TraceForm>,
}

/// Users in a closed loop: each comes again only after an answer, or after losing patience. While they
/// wait they ask for nothing: `users.<workload>.lost_demand` says how much that is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "users such as {count: 500, think: {exponential: {mean: 10s}}}"
)]
#[schemars(rename = "Users")]
pub(in crate::scenario) struct UsersForm {
    /// How many there are, from 1 to 1000000.
    #[schemars(required, range(min = 1, max = 1_000_000))]
    pub(in crate::scenario) count: Opt<u64>,
    /// From an answer to the user's next request; longer than 0s on average.
    #[schemars(required)]
    pub(in crate::scenario) think: Opt<SpanDist>,
}

/// Rates from a CSV file with a line for each interval: independent users, at the rate of the interval.
///
/// The first line names the columns: `time` (seconds, or a date such as `2024-05-06T08:30:00`), and one
/// of `per_second`, `per_minute`, `per_hour` or `requests` (how many came in the interval). Intervals are
/// equally long, in order and without gaps; the first begins with the horizon, a Monday 00:00. Intervals
/// that are no whole hours can only be simulated by `method: exact`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a trace such as {file: arrivals.csv, repeat: 1w}"
)]
#[schemars(rename = "Trace")]
pub(in crate::scenario) struct TraceForm {
    /// The file, in the folder of the scenario or below it, such as `arrivals.csv`; at most 32 MiB and
    /// 600000 lines.
    #[schemars(required)]
    pub(in crate::scenario) file: Opt<String>,
    /// How long the trace is, if it is to be repeated over the horizon. Default: it is not, and must
    /// cover the horizon.
    pub(in crate::scenario) repeat: Opt<Span>,
}

/// How the rate moves: a cosine with its top at `peak`, or a weight for each hour and each day. The
/// stated rate is the mean over a week; day 0 of a history is a Monday.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {peak: \"20:00\", ratio: 3}"
)]
#[schemars(rename = "Profile")]
pub(in crate::scenario) struct ProfileForm {
    /// Time of day of the highest rate, with `ratio` instead of `hours` and `days`. Default: none.
    pub(in crate::scenario) peak: Opt<TimeOfDay>,
    /// The highest rate divided by the lowest, at least 1, with `peak`. Default: none.
    #[schemars(range(min = 1.0))]
    pub(in crate::scenario) ratio: Opt<f64>,
    /// 24 weights, for the hours that begin at 00:00, 01:00, ... 23:00; within an hour the rate is
    /// constant. Only their proportions count: `[1, 1, 3, ...]` or `[10%, 10%, 30%, ...]`. Default:
    /// all alike.
    pub(in crate::scenario) hours: Opt<List<Weight>>,
    /// Weights of the days of the week, such as `{sat: 40%, sun: 30%}`. Days that are not named have
    /// 100%. Default: all alike.
    pub(in crate::scenario) days: Opt<DaysForm>,
}

/// Weights of the days of the week. A day's own weight goes before that of `weekdays` or `weekend`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "weights of days such as {sat: 40%, sun: 30%}"
)]
#[schemars(rename = "Days")]
pub(in crate::scenario) struct DaysForm {
    /// Monday to Friday. Default: 100%.
    pub(in crate::scenario) weekdays: Opt<Weight>,
    /// Saturday and Sunday. Default: 100%.
    pub(in crate::scenario) weekend: Opt<Weight>,
    /// Monday. Default: as `weekdays`.
    pub(in crate::scenario) mon: Opt<Weight>,
    /// Tuesday. Default: as `weekdays`.
    pub(in crate::scenario) tue: Opt<Weight>,
    /// Wednesday. Default: as `weekdays`.
    pub(in crate::scenario) wed: Opt<Weight>,
    /// Thursday. Default: as `weekdays`.
    pub(in crate::scenario) thu: Opt<Weight>,
    /// Friday. Default: as `weekdays`.
    pub(in crate::scenario) fri: Opt<Weight>,
    /// Saturday. Default: as `weekend`.
    pub(in crate::scenario) sat: Opt<Weight>,
    /// Sunday. Default: as `weekend`.
    pub(in crate::scenario) sun: Opt<Weight>,
}

/// Times in which many more requests come: a flood, a campaign, news.
///
/// A burst counts as a fault named `<workload>.burst`: what fails during it, and no other fault
/// explains, is attributed to it, for every journey that needs what the workload needs.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "bursts such as {every: {exponential: {mean: 30d}}, lasts: 1h, factor: 5}"
)]
#[schemars(rename = "Bursts")]
pub(in crate::scenario) struct BurstsForm {
    /// From the end of one to the start of the next.
    #[schemars(required)]
    pub(in crate::scenario) every: Opt<SpanDist>,
    /// How long one lasts.
    #[schemars(required)]
    pub(in crate::scenario) lasts: Opt<SpanDist>,
    /// How many times as many requests come, above 1. What comes besides are requests of the same
    /// journeys, in the same profile.
    #[schemars(required, range(min = 1.0))]
    pub(in crate::scenario) factor: Opt<f64>,
}

/// A weight: a number or a percentage, 0 or more. Only proportions count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::scenario) struct Weight(pub(in crate::scenario) f64);

impl<'de> Deserialize<'de> for Weight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = Weight;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a weight such as 3 or 40%")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Weight, E> {
                units::weight(text).map(Weight).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Number)
    }
}

impl JsonSchema for Weight {
    fn schema_name() -> Cow<'static, str> {
        "Weight".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A weight: a number or a percentage, 0 or more. Only proportions count.",
            "anyOf": [
                { "type": "number", "minimum": 0 },
                {
                    "type": "string",
                    "pattern": "^[0-9]+(\\.[0-9]+)?( ?%)?( ?\\.\\. ?[0-9]+(\\.[0-9]+)?( ?%)?)?$"
                }
            ]
        })
    }
}
