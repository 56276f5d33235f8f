//! Page, schema and parser say the same; every field is documented and has an example that runs.

use super::catalogue::{ANY_NAME, Catalogue, Field, Form};
use super::doc::EVIDENCE;
use super::examples::Examples;
use super::sections::{SECTIONS, Section};
use super::{page, reference};
use crate::scenario::load;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/LANGUAGE.md");

/// All fields and alternatives of all types, with the names of their types.
fn all(catalogue: &Catalogue) -> Vec<(String, Field)> {
    catalogue
        .names()
        .flat_map(|name| match catalogue.form(name) {
            Form::Fields(fields) | Form::Choice(fields) => fields
                .into_iter()
                .map(|field| (name.to_owned(), field))
                .collect(),
            Form::Plain(_) => Vec::new(),
        })
        .collect()
}

#[test]
fn the_page_beside_the_scenarios_is_the_present_one() {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(PAGE, reference()).expect("writable");
    }
    let there = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        there == reference(),
        "scenarios/LANGUAGE.md is not what the types say: run `UPDATE_GOLDEN=1 cargo test --lib scenario` to refresh it"
    );
}

#[test]
fn every_field_is_documented() {
    let catalogue = Catalogue::new();
    let mut wrong = Vec::new();
    for (name, field) in all(&catalogue) {
        let (doc, at) = (&field.doc, format!("{name}.{}", field.name));
        if doc.text.is_empty() {
            wrong.push(format!("{at} says nothing"));
        }
        // A mapping from names, such as that of faults, has as many as it has.
        let fields = match catalogue.form(&name) {
            Form::Fields(fields) => fields.iter().all(|field| field.name != ANY_NAME),
            Form::Choice(_) | Form::Plain(_) => false,
        };
        if fields && !field.required && doc.default.is_none() {
            wrong.push(format!(
                "{at} is optional: say `Default: ...` (or `Default: none.`)"
            ));
        }
        if let Some(evidence) = &doc.evidence {
            let sure = EVIDENCE.iter().find(|sure| evidence.starts_with(**sure));
            let release = evidence.contains(|ch: char| ch.is_ascii_digit());
            match sure {
                None => wrong.push(format!("{at}: its evidence is none of {EVIDENCE:?}")),
                Some(&"recorded" | &"read in source") if !release => {
                    wrong.push(format!("{at}: say of which release that is the evidence"));
                }
                Some(_) => {}
            }
        } else if doc.default.as_deref().is_some_and(chosen) {
            wrong.push(format!(
                "{at}: its default is a number somebody chose: say `Evidence: ...` (one of {EVIDENCE:?})"
            ));
        }
    }
    // What is said to be as a product does it says how sure that is.
    for (at, doc) in all(&catalogue)
        .into_iter()
        .map(|(name, field)| (format!("{name}.{}", field.name), field.doc))
        .chain(
            catalogue
                .names()
                .map(|name| (name.to_owned(), catalogue.doc(name))),
        )
    {
        if doc.text.contains("does it") && doc.evidence.is_none() {
            wrong.push(format!(
                "{at} follows a product: say `Evidence: ...` (one of {EVIDENCE:?})"
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "in src/scenario/schema:\n{}",
        wrong.join("\n")
    );
}

/// Whether a default is more than "nothing of that kind", "one" or "all".
fn chosen(default: &str) -> bool {
    let mut words =
        default.split(|ch: char| !(ch.is_alphanumeric() || matches!(ch, '.' | '%' | ':')));
    words.any(|word| {
        let word = word.trim_end_matches('.');
        word.starts_with(|ch: char| ch.is_ascii_digit())
            && !["0", "1", "0s", "0%", "100%"].contains(&word)
    })
}

#[test]
fn every_field_has_an_example() {
    let catalogue = Catalogue::new();
    let scenarios: Vec<Value> = SECTIONS.iter().map(Section::example_value).collect();
    let examples = Examples::of(&catalogue, scenarios.iter().enumerate());
    let placed = page::place(&catalogue, SECTIONS);
    let mut missing = Vec::new();
    for (name, field) in all(&catalogue) {
        if field.kind.is_some() && examples.get(&name, &field.name, 0).is_none() {
            let home = placed.iter().position(|types| types.contains(&name));
            let file = home.map_or("?", |home| SECTIONS[home].file);
            missing.push(format!(
                "{name}.{} in scenarios/language/{file}",
                field.name
            ));
        }
    }
    assert!(
        missing.is_empty(),
        "add an example of\n{}",
        missing.join("\n")
    );
}

#[test]
fn every_type_has_one_place() {
    let catalogue = Catalogue::new();
    let placed: Vec<String> = page::place(&catalogue, SECTIONS)
        .into_iter()
        .flatten()
        .collect();
    let once: BTreeSet<&str> = placed.iter().map(String::as_str).collect();
    assert_eq!(once.len(), placed.len(), "a type stands twice");
    let types: BTreeSet<&str> = catalogue.names().collect();
    assert_eq!(
        once, types,
        "a section names a type that is not there, or a type is used by none"
    );
}

#[test]
fn every_link_leads_to_one_heading() {
    let page = reference();
    let mut headings = BTreeMap::new();
    let mut code = false;
    for line in page.lines() {
        if line.starts_with("```") {
            code = !code;
        }
        if !code && line.starts_with('#') {
            let heading = line.trim_start_matches('#').trim();
            *headings
                .entry(super::markdown::anchor(heading))
                .or_insert(0) += 1;
        }
    }
    for (at, _) in page.match_indices("](#") {
        let target = page[at + 3..].split(')').next().unwrap_or_default();
        assert_eq!(headings.get(target), Some(&1), "#{target}");
    }
}

/// The fields that the parser says are allowed, in each mapping of the examples, are those of the
/// schema: so a field that is taken out of either is noticed, as is one that the two call differently.
#[test]
fn the_parser_knows_the_fields_of_the_schema_and_no_other() {
    let catalogue = Catalogue::new();
    let mut seen = BTreeSet::new();
    for section in SECTIONS {
        let scenario = section.example_value();
        for wrong in mappings(&scenario)
            .iter()
            .flat_map(|pointer| with_unknown_name(&scenario, pointer))
        {
            // Names of the file's own may be anything.
            let Err(problems) = load(wrong.to_string().as_bytes(), "wrong.json") else {
                continue;
            };
            let text = problems.render(false);
            let Some(allowed) = allowed(&text) else {
                continue;
            };
            let same: Vec<&str> = catalogue
                .names()
                .filter(|name| match catalogue.form(name) {
                    Form::Fields(fields) | Form::Choice(fields) => {
                        let names: BTreeSet<&str> =
                            fields.iter().map(|field| field.name.as_str()).collect();
                        names == allowed
                    }
                    Form::Plain(_) => false,
                })
                .collect();
            assert!(
                !same.is_empty(),
                "{}: the parser allows {allowed:?}, which no type of the schema has",
                section.file
            );
            seen.extend(same.into_iter().map(str::to_owned));
        }
    }
    // Mappings from any name know no unknown one.
    for name in catalogue.names() {
        let closed = match catalogue.form(name) {
            Form::Fields(fields) => fields.iter().all(|field| field.name != ANY_NAME),
            Form::Choice(all) => all.iter().any(|one| one.kind.is_some()),
            Form::Plain(_) => false,
        };
        assert!(!closed || seen.contains(name), "{name} is in no example");
    }
}

/// `scenario` with a name that nobody knows in the mapping at `pointer`: beside the others, and
/// instead of one that stands alone, as a choice does.
fn with_unknown_name(scenario: &Value, pointer: &str) -> Vec<Value> {
    let changed = |change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
        let mut wrong = scenario.clone();
        let mapping = wrong.pointer_mut(pointer).and_then(Value::as_object_mut);
        change(mapping.expect("a mapping is there"));
        wrong
    };
    let mut all = vec![changed(&|mapping| {
        mapping.insert("zzzzzzzz".to_owned(), Value::from("1"));
    })];
    if let Some(Value::Object(mapping)) = scenario.pointer(pointer)
        && mapping.len() == 1
    {
        all.push(changed(&|mapping| {
            let values: Vec<Value> = mapping.values().cloned().collect();
            mapping.clear();
            mapping.extend(
                values
                    .into_iter()
                    .map(|value| ("zzzzzzzz".to_owned(), value)),
            );
        }));
    }
    all
}

/// The JSON pointers of all mappings in `value`.
fn mappings(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), value)];
    while let Some((pointer, value)) = open.pop() {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    open.push((format!("{pointer}/{key}"), value));
                }
                found.push(pointer);
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    open.push((format!("{pointer}/{index}"), value));
                }
            }
            _ => {}
        }
    }
    found
}

/// The names after `allowed here:` about the name that is wrong.
fn allowed(text: &str) -> Option<BTreeSet<&str>> {
    let about = &text[text.find("`zzzzzzzz`")?..];
    let list = about.split("allowed here: ").nth(1)?.lines().next()?;
    Some(list.split('`').skip(1).step_by(2).collect())
}
