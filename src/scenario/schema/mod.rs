//! The types of a scenario file: what may be written, before anybody asks whether it makes sense.
//!
//! The same types are read (serde) and described for editors (`JsonSchema`): their doc comments are
//! what an editor shows. No default is hidden here; the doc of each field states it, and `compile`
//! fills it in. Every field is optional to serde, so that a missing one is reported together with
//! all other mistakes; `#[schemars(required)]` marks those that must be there.

mod campaign;
mod connections;
mod dist;
mod external;
mod failover;
mod faults;
mod infrastructure;
mod needs;
mod network;
mod outlier;
mod price;
mod priority;
mod profile;
mod queue;
mod repair;
mod restart;
mod service;
mod workload;

pub(super) use campaign::{
    CertificateForm, ConfigurationForm, EffectForm, MaintenanceForm, ReleaseForm,
};
pub(super) use connections::ConnectionsForm;
pub(super) use dist::{Lognormal, Shape, SpanDist};
pub(super) use external::{DuringOutage, ExternalForm};
pub(super) use failover::{
    FailbackForm, GenericForm, LastForm, QuorumForm, RepairsForm, ReplicationForm, RescueForm,
    RestoresForm, StandbyForm, StandbyKind,
};
pub(super) use faults::{ClockForm, DomainFaults, Fault, Faults, LinkFaults};
pub(super) use infrastructure::{Domain, Nodes};
pub(super) use needs::Needs;
pub(super) use network::LinkForm;
pub(super) use outlier::OutlierDetectionForm;
pub(super) use price::PriceForm;
pub(super) use priority::Priority;
pub(super) use profile::{Arrive, BurstsForm, DaysForm, ProfileForm, TraceForm, UsersForm, Weight};
pub(super) use queue::{QueueForm, TakesFromForm};
pub(super) use repair::{
    CommonCauseForm, CommonForm, CrewForm, OrderForm, PeopleForm, SparesForm, StepForm,
};
pub(super) use restart::{LikeForm, PausesForm, PolicyForm, RestartForm};
pub(super) use service::{
    Algorithm, Answerer, Balancer, BalancerFailover, Cache, CallForm, DisciplineForm, FromForm,
    JitterForm, LeaseForm, ProbesForm, RetriesForm, Service, Store, StoreFailover, VrrpForm,
};
pub(super) use workload::{JourneyForm, WorkloadForm};

use super::read::{Entries, List, Opt};
use super::units::{Percent, Span, TimeOfDay};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// A scenario: the design of a system, its faults, its users, and what must hold.
///
/// Names may have letters, digits, `_` and `-`, begin with a letter or digit, have at most 64
/// characters, and name one thing in the whole file. `fivenines validate` checks what this schema cannot.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a scenario: a mapping that begins with `fivenines: 1`"
)]
#[schemars(rename = "Scenario")]
pub(super) struct File {
    /// Version of the file format: 1.
    #[schemars(required, range(min = 1, max = 1))]
    pub(super) fivenines: Opt<u64>,
    /// Name of the scenario, for people. Default: the name of the file.
    pub(super) name: Opt<String>,
    /// What this design is and what it is for. Default: none.
    #[expect(dead_code, reason = "checked for its form, read by people only")]
    pub(super) description: Opt<Prose>,
    /// Where the numbers come from. Default: none.
    #[expect(dead_code, reason = "checked for its form, read by people only")]
    pub(super) sources: Opt<Prose>,
    /// How long to simulate, from which seed, and how. Default: as each of its fields says.
    pub(super) run: Opt<Run>,
    /// The currency of all prices, such as EUR. Default: not named.
    pub(super) currency: Opt<String>,
    /// Failure domains: regions, zones, racks, power feeds. Domains nest. Default: none.
    pub(super) domains: Opt<Entries<Domain>>,
    /// Links between domains, and between users and domains: what takes time, is lost, or is cut. Default: nothing is between them.
    pub(super) network: Opt<Entries<LinkForm>>,
    /// Machines: each fails and is repaired as one unit. Default: none.
    pub(super) nodes: Opt<Entries<Nodes>>,
    /// Stateless deployable units and their replicas. Default: none.
    pub(super) services: Opt<Entries<Service>>,
    /// Caches: look-ups that hit or miss. Default: none.
    pub(super) caches: Opt<Entries<Cache>>,
    /// Stateful services: members, one of which may lead. Default: none.
    pub(super) stores: Opt<Entries<Store>>,
    /// Third parties that are known by their service level agreement only. Default: none.
    pub(super) externals: Opt<Entries<ExternalForm>>,
    /// Message queues, from which services take. Default: none.
    pub(super) queues: Opt<Entries<QueueForm>>,
    /// Balancers: each chooses a replica for every attempt that goes through it. Default: none.
    pub(super) balancers: Opt<Entries<Balancer>>,
    /// Repair crews, which faults name in `repaired_by`. Default: none.
    pub(super) crews: Opt<Entries<CrewForm>>,
    /// People on call, whose work may be how long something takes: `lasts: {people: on_call}`. Default: none.
    pub(super) people: Opt<Entries<PeopleForm>>,
    /// Shocks from outside that start several faults at once. Default: none.
    pub(super) common_causes: Opt<Entries<CommonCauseForm>>,
    /// User-facing operations. A workload may also name operations of a service directly. Default: as follows.
    ///
    /// Without `workload`, these journeys are what must be up. Without `journeys` as well, each
    /// operation of every pool that no other pool calls is a journey of its own, named like the
    /// operation, and goes through the pool's balancer if it has exactly one; a pool without
    /// operations gets one named `<pool>.up`, served by any replica in no time. So every pool
    /// is part of some journey, and a file without requests still has an availability.
    pub(super) journeys: Opt<Entries<JourneyForm>>,
    /// Streams of requests. Leave it out for availability by structure alone. Default: none.
    pub(super) workload: Opt<Entries<WorkloadForm>>,
    /// What must hold, such as `availability >= 99.95%`. Default: nothing.
    pub(super) targets: Opt<List<TargetText>>,
}

/// How long to simulate, from which seed, and how.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = "a mapping such as {horizon: 1y, seed: 7}"
)]
pub(super) struct Run {
    /// Length of one simulated history. Default: 1y. Evidence: assumed. At most 500y.
    pub(super) horizon: Opt<Span>,
    /// Everything random follows from it. Default: 1.
    pub(super) seed: Opt<u64>,
    /// What histories begin with. Default: steady.
    pub(super) start: Opt<StartForm>,
    /// How requests are simulated. Default: chosen by what it costs.
    pub(super) method: Opt<MethodForm>,
    /// How many histories. Default: until every target is decided.
    #[schemars(range(min = 1, max = 1_000_000_000_u64))]
    pub(super) replications: Opt<u64>,
    /// Time is judged in slices of this length. Default: the shortest of 1s, 10s and 1min that
    /// expects at least 100 requests in the quietest hour. Evidence: assumed.
    pub(super) slice: Opt<Span>,
    /// A slice is bad if its share of good or degraded requests is below this. Default: 95%. Evidence: assumed.
    pub(super) bad_below: Opt<Percent>,
}

/// What a history begins with.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "`steady` or `new`"
)]
#[schemars(rename = "Start")]
pub(super) enum StartForm {
    /// As if it had run for ever: some components are down already.
    Steady,
    /// Everything new and up.
    New,
}

/// How requests are simulated.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "`none`, `windows` or `exact`"
)]
#[schemars(rename = "Method")]
pub(super) enum MethodForm {
    /// Not at all: structural figures only, very fast.
    None,
    /// In full around every change, by samples in between.
    Windows,
    /// Every request of the horizon.
    Exact,
}

/// Free text, or a list of texts.
#[derive(Clone, Debug)]
pub(super) struct Prose;

impl<'de> Deserialize<'de> for Prose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;

        impl<'de> Visitor<'de> for Words {
            type Value = Prose;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, or a list of texts")
            }

            fn visit_str<E>(self, _: &str) -> Result<Prose, E> {
                Ok(Prose)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Prose, A::Error> {
                while list.next_element::<String>()?.is_some() {}
                Ok(Prose)
            }
        }

        deserializer.deserialize_any(Words)
    }
}

impl JsonSchema for Prose {
    fn schema_name() -> Cow<'static, str> {
        "Prose".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Free text, or a list of texts.",
            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }]
        })
    }
}

/// A condition on a metric, as text.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct TargetText(pub(super) String);

impl JsonSchema for TargetText {
    fn schema_name() -> Cow<'static, str> {
        "Target".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": super::target::ABOUT,
            "type": "string",
            "pattern": "^ *[A-Za-z0-9_.() >-]+ *(>=|<=) *[0-9.]+ ?[a-z%]*( ?[0-9.]+ ?[a-z]+)* *$",
            "examples": [
                "availability >= 99.95%",
                "latency.p99 <= 300ms",
                "downtime <= 4h",
                "probability(downtime > 4h) <= 5%"
            ]
        })
    }
}

/// The JSON Schema (draft-07) of scenario files, for editors.
///
/// Made from the types that read the files. What it cannot say (names that must exist, cycles,
/// shares that must sum to 100 %), `fivenines validate` does.
pub fn json_schema() -> String {
    let mut schema = value_of(SchemaSettings::draft07().for_deserialize().into_generator());
    if let Some(types) = schema["definitions"].as_object_mut() {
        let design = types.iter_mut().filter(|(name, _)| *name != "Run");
        design.for_each(|(_, form)| with_ranges(form));
    }
    let mut text = serde_json::to_string_pretty(&schema).expect("a JSON value can be written");
    text.push('\n');
    text
}

/// Stands beside the pattern of a range of whole numbers that are one of several choices.
pub(super) const RANGE: &str = "a range";

/// A range of whole numbers.
const WHOLE_RANGE: &str = "^[0-9]+ ?\\.\\. ?[0-9]+$";

/// Lets every number of a form be a range, which is a text. Where a number is one of several choices
/// (`anyOf`), the type itself says whether a range is one too.
fn with_ranges(value: &mut serde_json::Value) {
    use serde_json::Value;
    match value {
        Value::Object(object) => {
            let pattern = match object.get("type").and_then(Value::as_str) {
                Some("number") => {
                    "^-?[0-9]+(\\.[0-9]+)?([eE][-+]?[0-9]+)? ?\\.\\. ?-?[0-9]+(\\.[0-9]+)?([eE][-+]?[0-9]+)?$"
                }
                Some("integer") => WHOLE_RANGE,
                _ => {
                    let inside = object.iter_mut().filter(|(key, _)| *key != "anyOf");
                    return inside.for_each(|(_, value)| with_ranges(value));
                }
            };
            let number = object["type"].take();
            object.insert("type".into(), Value::Array(vec![number, "string".into()]));
            object.insert("pattern".into(), pattern.into());
        }
        Value::Array(items) => items.iter_mut().for_each(with_ranges),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn value_of(generator: SchemaGenerator) -> serde_json::Value {
    let mut schema = generator.into_root_schema_for::<File>().to_value();
    without_null(&mut schema);
    schema
}

/// The same as a value, for the reference page: with the units that stand only within required fields
/// as types of their own.
pub(super) fn whole_schema() -> serde_json::Value {
    let mut generator = SchemaSettings::draft07().for_deserialize().into_generator();
    generator.subschema_for::<TimeOfDay>();
    value_of(generator)
}

/// Takes `null` out of every type: a field that is left out is not a field without a value.
fn without_null(value: &mut serde_json::Value) {
    use serde_json::Value;
    match value {
        Value::Object(object) => {
            if let Some(Value::Array(any)) = object.get_mut("anyOf") {
                any.retain(|one| one.get("type").and_then(Value::as_str) != Some("null"));
                if let [only] = any.as_slice() {
                    let only = only.clone();
                    object.remove("anyOf");
                    if object.is_empty() {
                        *value = only;
                        return without_null(value);
                    }
                    // Draft-07 ignores what stands beside `$ref`, so it goes into an `allOf`.
                    object.insert("allOf".into(), Value::Array(vec![only]));
                }
            }
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|one| one.as_str() != Some("null"));
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".into(), only);
                }
            }
            object.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
