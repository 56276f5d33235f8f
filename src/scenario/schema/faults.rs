//! Faults as a file states them: a mapping from names, of which those of kinds say what they are.

use super::{
    CertificateForm, CommonForm, ConfigurationForm, MaintenanceForm, ReleaseForm, SpanDist,
    SparesForm,
};
use crate::scenario::read::{At, Entry, Opt};
use crate::scenario::units::{Percent, Span};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fmt;

/// What happens to each of several equal components: faults by name, and what operators do.
#[derive(Clone, Debug, Default)]
pub(in crate::scenario) struct Faults {
    pub(in crate::scenario) named: Vec<Entry<Fault>>,
    pub(in crate::scenario) maintenance: Opt<MaintenanceForm>,
    pub(in crate::scenario) release: Opt<ReleaseForm>,
    pub(in crate::scenario) configuration: Opt<ConfigurationForm>,
    pub(in crate::scenario) certificate: Opt<CertificateForm>,
}

/// What happens to a domain as a whole, by name. What it cannot have is read too, to say so.
#[derive(Clone, Debug)]
pub(in crate::scenario) struct DomainFaults(pub(in crate::scenario) Faults);

impl<'de> Deserialize<'de> for Faults {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ByName;

        impl<'de> Visitor<'de> for ByName {
            type Value = Faults;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping of faults")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Faults, A::Error> {
                let mut faults = Faults::default();
                while let Some(key) = map.next_key::<At<String>>()? {
                    let name = key.value.unwrap_or_default();
                    match name.as_str() {
                        "maintenance" => faults.maintenance = map.next_value()?,
                        "release" => faults.release = map.next_value()?,
                        "configuration" => faults.configuration = map.next_value()?,
                        "certificate" => faults.certificate = map.next_value()?,
                        _ => faults.named.push(Entry {
                            name,
                            place: key.place,
                            value: map.next_value()?,
                        }),
                    }
                }
                Ok(faults)
            }
        }

        deserializer.deserialize_map(ByName)
    }
}

impl<'de> Deserialize<'de> for DomainFaults {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Faults::deserialize(deserializer).map(Self)
    }
}

/// What happens to a link, by name. What it cannot have is read too, to say so.
#[derive(Clone, Debug)]
pub(in crate::scenario) struct LinkFaults(pub(in crate::scenario) Faults);

impl<'de> Deserialize<'de> for LinkFaults {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Faults::deserialize(deserializer).map(Self)
    }
}

/// A fault: what, how often, and how long.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a fault such as {every: {exponential: {mean: 30d}}, lasts: 1h}"
)]
pub(in crate::scenario) struct Fault {
    /// What happens: crash, hang, pause, slow or errors; of a domain power or isolated; of a link partition, loss or latency. Default: the
    /// name of the fault, if that is a kind.
    #[schemars(extend("enum" = ["crash", "hang", "pause", "slow", "errors", "power", "isolated", "partition", "loss", "latency"]))]
    pub(in crate::scenario) kind: Opt<String>,
    /// From the end of one to the start of the next: a time to failure.
    #[schemars(required)]
    pub(in crate::scenario) every: Opt<SpanDist>,
    /// From its start to its end; with `repaired_by`, `noticed_in` or `spares`, from the start of the work on it. What it stopped may need longer, see `starts_in`. Default: none, it is needed; but a `crash` of what has a `restart` is over at once without it.
    pub(in crate::scenario) lasts: Opt<SpanDist>,
    /// Of a fault that slows down: how many times as long work takes; of `latency`, the round trip. Default: none; needed for `slow`.
    #[schemars(range(min = 1.0, max = 1_000_000.0))]
    pub(in crate::scenario) factor: Opt<f64>,
    /// Of errors: the share of attempts that are answered with one. Of `loss`: the share of requests, and of answers, that are lost. Default: none; needed for those kinds.
    pub(in crate::scenario) share: Opt<Percent>,
    /// Of `latency`: how much longer the round trip is. At most 10min. Default: none.
    pub(in crate::scenario) adds: Opt<Span>,
    /// When the time to the next one runs. Default: calendar.
    pub(in crate::scenario) clock: Opt<ClockForm>,
    /// From its start until somebody begins to do something about it: monitoring, or a user who calls. Default: 0s.
    pub(in crate::scenario) noticed_in: Opt<SpanDist>,
    /// Spare parts for its repair, shared by all that have this fault. Default: parts are at hand.
    pub(in crate::scenario) spares: Opt<SparesForm>,
    /// The crew that repairs it. Default: each component has somebody of its own.
    pub(in crate::scenario) repaired_by: Opt<String>,
    /// How urgent its repair is, 1 before all others. Default: none; needed if the crew works in `order: priority`.
    #[schemars(range(min = 1, max = 1_000))]
    pub(in crate::scenario) priority: Opt<u64>,
    /// How it comes and goes while it lasts: its effect is there and gone in turn, beginning with there. Default: it is there all the time.
    pub(in crate::scenario) flaps: Opt<FlapsForm>,
    /// The part of it that hits all of them at once. Default: none.
    pub(in crate::scenario) common: Opt<CommonForm>,
}

/// How a fault comes and goes while it lasts.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {down: 5s, up: {exponential: {mean: 20s}}}"
)]
#[schemars(rename = "Flaps")]
pub(in crate::scenario) struct FlapsForm {
    /// How long its effect is there each time. The mean must be at least 100ms.
    #[schemars(required)]
    pub(in crate::scenario) down: Opt<SpanDist>,
    /// How long its effect is gone each time. The mean must be at least 100ms.
    #[schemars(required)]
    pub(in crate::scenario) up: Opt<SpanDist>,
}

/// When the time to the next fault runs.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "`calendar` or `operating`"
)]
#[schemars(rename = "Clock")]
pub(in crate::scenario) enum ClockForm {
    /// Always.
    Calendar,
    /// Only while the component itself runs.
    Operating,
}

/// Kinds that machines and what runs on them can have, with what they do.
const KINDS: &[(&str, &str)] = &[
    ("crash", "It stops. A machine takes everything on it down."),
    (
        "hang",
        "It accepts connections and never answers; at its end the process is restarted.",
    ),
    (
        "pause",
        "It stands still: connections wait, and work goes on afterwards where it was.",
    ),
    (
        "slow",
        "Work takes `factor` times as long, work in progress included.",
    ),
    (
        "errors",
        "That `share` of attempts is answered with an error.",
    ),
];

/// Kinds that domains can have.
const DOMAIN_KINDS: &[(&str, &str)] = &[
    (
        "power",
        "Everything in it stops without a word, and starts again when power is back.",
    ),
    (
        "isolated",
        "It cannot be reached from outside nor reach out; what is inside lives on.",
    ),
];

/// Kinds that links can have.
const LINK_KINDS: &[(&str, &str)] = &[
    (
        "partition",
        "Nothing passes between its two sides; both live on and are reached from elsewhere.",
    ),
    (
        "loss",
        "That `share` of requests, and of answers, is lost and sent again.",
    ),
    (
        "latency",
        "The round trip takes `factor` times as long, or what it `adds` longer.",
    ),
];

/// The schema of a mapping of faults: the kinds by name, and any other name with `kind`.
fn by_name(
    generator: &mut SchemaGenerator,
    about: &str,
    kinds: &[(&str, &str)],
    of_operators: &[(&str, &str, Schema)],
) -> Schema {
    let fault = generator.subschema_for::<Fault>().to_value();
    let mut named: Map<String, Value> = kinds
        .iter()
        .map(|(kind, about)| {
            let one = serde_json::json!({ "description": about, "allOf": [fault] });
            ((*kind).to_owned(), one)
        })
        .collect();
    named.extend(of_operators.iter().map(|(word, about, form)| {
        let one = serde_json::json!({ "description": about, "allOf": [form.as_value()] });
        ((*word).to_owned(), one)
    }));
    json_schema!({
        "description": about,
        "type": "object",
        "propertyNames": { "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$" },
        "properties": named,
        "additionalProperties": {
            "description": "A fault with a name of its own, which says what it is by `kind`.",
            "allOf": [fault, { "required": ["kind"] }]
        }
    })
}

impl JsonSchema for Faults {
    fn schema_name() -> Cow<'static, str> {
        "Faults".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let of_operators = [
            (
                "maintenance",
                "It is stopped for planned work.",
                generator.subschema_for::<MaintenanceForm>(),
            ),
            (
                "release",
                "New versions roll over the replicas; some are bad. Of services only.",
                generator.subschema_for::<ReleaseForm>(),
            ),
            (
                "configuration",
                "New configurations reach the replicas without a restart; some are bad. Of services only.",
                generator.subschema_for::<ConfigurationForm>(),
            ),
            (
                "certificate",
                "The certificate that all use expires if its renewal fails. Of services and balancers only.",
                generator.subschema_for::<CertificateForm>(),
            ),
        ];
        let about = "What happens to each of several equal components.";
        by_name(generator, about, KINDS, &of_operators)
    }
}

impl JsonSchema for DomainFaults {
    fn schema_name() -> Cow<'static, str> {
        "DomainFaults".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let of_operators = [(
            "maintenance",
            "Everything in it is stopped for planned work, and starts again.",
            generator.subschema_for::<MaintenanceForm>(),
        )];
        let about = "What happens to a domain as a whole.";
        by_name(generator, about, DOMAIN_KINDS, &of_operators)
    }
}

impl JsonSchema for LinkFaults {
    fn schema_name() -> Cow<'static, str> {
        "LinkFaults".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        by_name(generator, "What happens to a link.", LINK_KINDS, &[])
    }
}
