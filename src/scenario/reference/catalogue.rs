//! The types of the language, read back from the JSON Schema that is made of them.

use super::doc::Doc;
use crate::scenario::schema;
use serde_json::Value;
use std::collections::BTreeMap;

/// The name of the type of a whole file.
pub(super) const ROOT: &str = "Scenario";

/// The field of a mapping that stands for any name of the file's own.
pub(super) const ANY_NAME: &str = "<name>";

/// All types by name.
#[derive(Debug)]
pub(super) struct Catalogue {
    types: BTreeMap<String, Value>,
}

/// What a value may be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A type that has a place of its own.
    Named(String),
    List(Box<Self>),
    /// A mapping from names that the file chooses.
    ByName(Box<Self>),
    /// A number, with the least and the most.
    Number {
        whole: bool,
        least: Option<f64>,
        most: Option<f64>,
    },
    Flag,
    Text,
    /// One of these words.
    Words(Vec<String>),
}

/// One field of a mapping, or one alternative of a choice.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) required: bool,
    pub(super) doc: Doc,
    /// `None` for an alternative that is a mere word.
    pub(super) kind: Option<Kind>,
}

/// What a type is.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// A mapping with these fields, the required ones first.
    Fields(Vec<Field>),
    /// One of these.
    Choice(Vec<Field>),
    /// A text, a number, or one of several other types.
    Plain(Vec<Kind>),
}

impl Catalogue {
    /// The types of the language as it is.
    pub(super) fn new() -> Self {
        Self::of(schema::whole_schema())
    }

    fn of(mut root: Value) -> Self {
        let mut types = BTreeMap::new();
        if let Some(Value::Object(definitions)) = root
            .as_object_mut()
            .and_then(|root| root.remove("definitions"))
        {
            types.extend(definitions);
        }
        types.insert(ROOT.to_owned(), root);
        let mut catalogue = Self { types };
        catalogue.name_inline_types();
        catalogue
    }

    /// A mapping that only one field uses stands within that field: it gets the field's name.
    fn name_inline_types(&mut self) {
        let mut found = Vec::new();
        for type_ in self.types.values() {
            for (field, schema) in properties(type_) {
                if schema.get("properties").is_some() && self.name_of(schema).is_none() {
                    found.push((title(field), schema.clone()));
                }
            }
        }
        self.types.extend(found);
    }

    /// All types, by name.
    #[cfg(test)]
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(String::as_str)
    }

    /// The schema of a type.
    pub(super) fn schema(&self, name: &str) -> &Value {
        self.types.get(name).unwrap_or(&Value::Null)
    }

    /// The name of the type that `schema` is or refers to, if it has one.
    pub(super) fn name_of(&self, schema: &Value) -> Option<&str> {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next()?;
            return self
                .types
                .get_key_value(name)
                .map(|(name, _)| name.as_str());
        }
        if let Some(all) = schema["allOf"].as_array() {
            return all.iter().find_map(|one| self.name_of(one));
        }
        // A required field holds its type itself, under a description of its own.
        let plain = schema.get("properties").is_none()
            && schema.get("oneOf").is_none()
            && schema.get("anyOf").is_none()
            && schema.get("pattern").is_none();
        if plain {
            return None;
        }
        self.types
            .iter()
            .find(|(_, type_)| same_but_for_description(schema, type_))
            .map(|(name, _)| name.as_str())
    }

    /// What a type is.
    pub(super) fn form(&self, name: &str) -> Form {
        let schema = self.schema(name);
        if schema.get("properties").is_some() {
            return Form::Fields(self.fields(schema));
        }
        if let Some(alternatives) = schema["oneOf"].as_array() {
            return Form::Choice(
                alternatives
                    .iter()
                    .flat_map(|one| self.alternative(one))
                    .collect(),
            );
        }
        let any = schema["anyOf"].as_array();
        Form::Plain(
            any.into_iter()
                .flatten()
                // What is said once of all numbers is not repeated for each.
                .filter(|one| one["$comment"] != schema::RANGE)
                .map(|one| self.kind(one))
                .collect(),
        )
    }

    /// What a type is for.
    pub(super) fn doc(&self, name: &str) -> Doc {
        description(self.schema(name))
    }

    fn fields(&self, schema: &Value) -> Vec<Field> {
        let required = |name: &str| {
            let names = schema["required"].as_array();
            names
                .into_iter()
                .flatten()
                .any(|required| required.as_str() == Some(name))
        };
        let mut fields: Vec<Field> = properties(schema)
            .map(|(name, field)| Field {
                name: name.to_owned(),
                required: required(name),
                doc: description(field),
                kind: Some(self.kind(field)),
            })
            .collect();
        if let Some(any @ Value::Object(_)) = schema.get("additionalProperties") {
            fields.push(Field {
                name: ANY_NAME.to_owned(),
                required: false,
                doc: description(any),
                kind: Some(self.kind(any)),
            });
        }
        fields.sort_by_key(|field| !field.required);
        fields
    }

    /// A word, some words, or a tag with its content.
    fn alternative(&self, schema: &Value) -> Vec<Field> {
        let one = |name: &str, kind| Field {
            name: name.to_owned(),
            required: false,
            doc: description(schema),
            kind,
        };
        if let Some(word) = schema["const"].as_str() {
            return vec![one(word, None)];
        }
        let words = schema["enum"].as_array();
        let words = words
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(|word| one(word, None));
        let tags = properties(schema).map(|(tag, content)| one(tag, Some(self.kind(content))));
        words.chain(tags).collect()
    }

    /// What a value may be.
    pub(super) fn kind(&self, schema: &Value) -> Kind {
        if let Some(name) = self.name_of(schema) {
            return Kind::Named(name.to_owned());
        }
        if let Some(words) = schema["enum"].as_array() {
            let words = words.iter().filter_map(Value::as_str);
            return Kind::Words(words.map(str::to_owned).collect());
        }
        let number = |whole| Kind::Number {
            whole,
            least: schema["minimum"].as_f64(),
            most: schema["maximum"].as_f64(),
        };
        match schema["type"].as_str() {
            Some("array") => Kind::List(Box::new(self.kind(&schema["items"]))),
            Some("object") => Kind::ByName(Box::new(self.kind(&schema["additionalProperties"]))),
            Some("integer") => number(true),
            Some("number") => number(false),
            Some("boolean") => Kind::Flag,
            _ => Kind::Text,
        }
    }

    /// The types that a type uses, in the order of its fields.
    pub(super) fn uses(&self, name: &str) -> Vec<String> {
        let kinds: Vec<Kind> = match self.form(name) {
            Form::Fields(fields) | Form::Choice(fields) => {
                fields.into_iter().filter_map(|field| field.kind).collect()
            }
            Form::Plain(kinds) => kinds,
        };
        kinds.into_iter().filter_map(Kind::innermost).collect()
    }
}

impl Kind {
    fn innermost(self) -> Option<String> {
        match self {
            Self::Named(name) => Some(name),
            Self::List(of) | Self::ByName(of) => of.innermost(),
            _ => None,
        }
    }
}

/// The properties of a schema by name.
pub(super) fn properties(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, field)| (name.as_str(), field))
}

fn description(schema: &Value) -> Doc {
    Doc::of(schema["description"].as_str().unwrap_or_default())
}

fn same_but_for_description(a: &Value, b: &Value) -> bool {
    let (Some(a), Some(b)) = (a.as_object(), b.as_object()) else {
        return false;
    };
    fn rest(object: &serde_json::Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
        object.iter().filter(|(key, _)| *key != "description")
    }
    rest(a).eq(rest(b))
}

/// `valid_for` as the name of a type: `ValidFor`.
fn title(field: &str) -> String {
    field
        .split('_')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_uppercase().chain(letters).collect::<String>())
        })
        .collect()
}
