//! Examples of single fields, found in whole scenarios by walking them along the schema.

use super::catalogue::{ANY_NAME, Catalogue, properties};
use serde_json::Value;
use std::collections::BTreeMap;

/// Number of the example, name and value.
type Use = (usize, String, Value);

/// For each field of each type the values it has in examples, each with the number of the example.
#[derive(Debug, Default)]
pub(super) struct Examples {
    found: BTreeMap<(String, String), Vec<Use>>,
}

impl Examples {
    /// All fields of `scenarios`, each of which is an example with a number.
    pub(super) fn of<'a>(
        catalogue: &Catalogue,
        scenarios: impl IntoIterator<Item = (usize, &'a Value)>,
    ) -> Self {
        let mut examples = Self::default();
        for (number, scenario) in scenarios {
            let root = catalogue.schema(super::catalogue::ROOT);
            let mut walk = Walk {
                catalogue,
                number,
                examples: &mut examples,
            };
            walk.value(root, Some(super::catalogue::ROOT), scenario);
        }
        examples
    }

    /// How `field` of `type_` is written, from example `home` if it is there: name and value.
    pub(super) fn get(&self, type_: &str, field: &str, home: usize) -> Option<(&str, &Value)> {
        let found = self.found.get(&(type_.to_owned(), field.to_owned()))?;
        let best = found
            .iter()
            .find(|(number, _, _)| *number == home)
            .or(found.first())?;
        Some((&best.1, &best.2))
    }
}

struct Walk<'a> {
    catalogue: &'a Catalogue,
    number: usize,
    examples: &'a mut Examples,
}

impl Walk<'_> {
    fn value(&mut self, schema: &Value, type_: Option<&str>, value: &Value) {
        let catalogue = self.catalogue;
        // A type that stands within its field is described as itself.
        let type_ = type_.or_else(|| catalogue.name_of(schema));
        if let Some(name) = schema["$ref"].as_str().and(type_) {
            return self.value(catalogue.schema(name), Some(name), value);
        }
        for one in schema["allOf"].as_array().into_iter().flatten() {
            self.value(one, None, value);
        }
        if schema.get("properties").is_none() {
            for list in ["anyOf", "oneOf"] {
                for one in schema[list].as_array().into_iter().flatten() {
                    if self.fits(one, value) {
                        // An alternative of a choice belongs to the choice; another type does not.
                        let owner = (list == "oneOf").then_some(type_).flatten();
                        self.value(one, owner, value);
                    }
                }
            }
        }
        for item in value.as_array().into_iter().flatten() {
            self.value(&schema["items"], None, item);
        }
        for (key, value) in value.as_object().into_iter().flatten() {
            let (field, of) = match schema["properties"].get(key) {
                Some(of) => (key.as_str(), of),
                None => (ANY_NAME, &schema["additionalProperties"]),
            };
            if !of.is_object() {
                continue;
            }
            if let Some(type_) = type_ {
                let at = (type_.to_owned(), field.to_owned());
                let found = self.examples.found.entry(at).or_default();
                found.push((self.number, key.clone(), value.clone()));
            }
            self.value(of, None, value);
        }
    }

    /// Whether `value` can be meant by `schema`, by its outermost form.
    fn fits(&self, schema: &Value, value: &Value) -> bool {
        if let Some(name) = schema["$ref"]
            .as_str()
            .and_then(|_| self.catalogue.name_of(schema))
        {
            return self.fits(self.catalogue.schema(name), value);
        }
        if schema.get("properties").is_none()
            && let Some(list) = schema["oneOf"].as_array().or(schema["anyOf"].as_array())
        {
            return list.iter().any(|one| self.fits(one, value));
        }
        match value {
            Value::Object(fields) => {
                let open = schema["additionalProperties"].is_object();
                let known = |key: &String| properties(schema).any(|(name, _)| name == key);
                schema["type"] == "object" && (open || fields.keys().all(known))
            }
            Value::Array(_) => schema["type"] == "array",
            _ => schema["type"] != "object" && schema["type"] != "array",
        }
    }
}
