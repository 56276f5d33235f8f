//! Values that know where they stand, and mappings that keep their order.

use crate::scenario::place::Place;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// The name by which a value asks the reader for its place.
pub(super) const AT: &str = "fivenines::At";

/// The name by which a type that is a whole number or something else asks for it: its visitor is handed a
/// signed number where a range of whole numbers stood, else whatever is written. A plain text would be that
/// of the value on the scale of all numbers, 2.449.
pub(in crate::scenario) const WHOLE: &str = "fivenines::Whole";

/// A value with its place; without the value if it was wrong, which has then been noted.
#[derive(Clone, Debug)]
pub(in crate::scenario) struct At<T> {
    /// Where it stands.
    pub(in crate::scenario) place: Place,
    /// What could be read.
    pub(in crate::scenario) value: Option<T>,
}

/// A field that may be left out.
pub(in crate::scenario) type Opt<T> = Option<At<T>>;

/// A sequence whose items can be wrong one by one.
pub(in crate::scenario) type List<T> = Vec<At<T>>;

/// A mapping from names that the file chooses.
#[derive(Clone, Debug)]
pub(in crate::scenario) struct Entries<T>(pub(in crate::scenario) Vec<Entry<T>>);

/// One entry of it.
#[derive(Clone, Debug)]
pub(in crate::scenario) struct Entry<T> {
    /// The name.
    pub(in crate::scenario) name: String,
    /// Where the name stands.
    pub(in crate::scenario) place: Place,
    /// What it is the name of.
    pub(in crate::scenario) value: At<T>,
}

impl<T> At<T> {
    /// The value, if it could be read.
    pub(in crate::scenario) fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Placed<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Placed<T> {
            type Value = At<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value with its place")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<At<T>, A::Error> {
                let start = parts.next_element()?.unwrap_or_default();
                let end = parts.next_element()?.unwrap_or_default();
                // The reader has noted why, if there is no value.
                let value = parts.next_element().unwrap_or_default();
                Ok(At {
                    place: Place { start, end },
                    value,
                })
            }
        }

        deserializer.deserialize_tuple_struct(AT, 3, Placed(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer, "a mapping from names")
    }
}

impl<'de, T: Deserialize<'de>> Entries<T> {
    /// Reads a mapping that a message calls `expected`.
    pub(in crate::scenario) fn read<D: Deserializer<'de>>(
        deserializer: D,
        expected: &'static str,
    ) -> Result<Self, D::Error> {
        struct Named<T>(&'static str, PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Named<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(key) = map.next_key::<At<String>>()? {
                    let name = key.value.unwrap_or_default();
                    entries.push(Entry {
                        name,
                        place: key.place,
                        value: map.next_value()?,
                    });
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Named(expected, PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T: JsonSchema> JsonSchema for Entries<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("EntriesOf{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let of = generator.subschema_for::<T>();
        // The keys under `journeys` of a workload may be `<service>.<operation>`.
        schemars::json_schema!({
            "type": "object",
            "propertyNames": { "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}([.][A-Za-z0-9][A-Za-z0-9_-]{0,63})?$" },
            "additionalProperties": of
        })
    }
}
