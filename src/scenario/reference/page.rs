//! The page: contents, then for each section its types as tables, and a whole scenario.

use super::catalogue::{ANY_NAME, Catalogue, Field, Form, Kind};
use super::examples::Examples;
use super::markdown::{anchor, cell, code, flow, prose};
use super::sections::Section;
use std::fmt::Write as _;

/// Characters of an example in a cell.
const WIDTH: usize = 60;

/// How types that are no mappings are called in tables.
const PLAIN: [(&str, &str); 8] = [
    ("Distribution", "time, or distribution of it"),
    ("Span", "time"),
    ("Percent", "percentage"),
    ("Rate", "rate"),
    ("TimeOfDay", "time of day"),
    ("WeekTime", "time of day or week"),
    ("Prose", "text, or list of text"),
    ("Target", "target"),
];

const HEAD: &str = "\
# The scenario language

Every field of a scenario file. This page is made from the types that read the files (`fivenines schema --reference`
prints it), and every example on it is a whole scenario that the tests run: copy one and change it.

- A file is YAML or JSON, in UTF-8. It begins with `fivenines: 1`; everything else is optional.
- Quantities carry their [units](#units): `30s`, `99.95%`, `400/s`. A year is 365 days, day 0 a Monday.
- Unknown fields, names that nothing has, and quantities without a unit are mistakes. `fivenines validate FILE` shows all
  of them at once, each with its line. For completion in an editor, see `fivenines schema`.
- Names have letters, digits, `_` and `-`, begin with a letter or digit, have at most 64 characters, and name one thing in
  the whole file.
- Where a default or an algorithm stands for a product, or is more than \"nothing of that kind\", the page says how sure it is:
  *recorded* (seen in a running release), *read in source*, *documented*, or *assumed* (a choice of this program: replace it by a
  number of your own).

";

/// The whole page.
pub(super) fn page(catalogue: &Catalogue, sections: &[Section]) -> String {
    let placed = place(catalogue, sections);
    let scenarios: Vec<_> = sections.iter().map(Section::example_value).collect();
    let examples = Examples::of(catalogue, scenarios.iter().enumerate());
    let mut page = String::from(HEAD);
    page.push_str("## Contents\n\n");
    for (section, types) in sections.iter().zip(&placed) {
        let links: Vec<String> = types.iter().map(|name| link(name)).collect();
        let _ = writeln!(
            page,
            "- [{}](#{}): {}",
            section.title,
            anchor(section.title),
            links.join(", ")
        );
    }
    for (home, (section, types)) in sections.iter().zip(&placed).enumerate() {
        let _ = write!(page, "\n## {}\n\n{}\n", section.title, section.about);
        for name in types {
            of_type(catalogue, &examples, home, name, &mut page);
        }
        let _ = write!(
            page,
            "\n### Example: {}\n\n[language/{}](language/{})\n\n```yaml\n{}\n```\n",
            section.title.to_lowercase(),
            section.file,
            section.file,
            section.example.trim_end()
        );
    }
    page
}

/// The types of each section: those it names, and after the first that uses it each that none names.
pub(super) fn place(catalogue: &Catalogue, sections: &[Section]) -> Vec<Vec<String>> {
    let mut placed: Vec<Vec<String>> = sections
        .iter()
        .map(|section| section.types.iter().map(|&name| name.to_owned()).collect())
        .collect();
    for section in 0..placed.len() {
        let mut at = 0;
        while at < placed[section].len() {
            let name = placed[section][at].clone();
            let mut after = at + 1;
            for used in catalogue.uses(&name) {
                if !placed.iter().flatten().any(|there| *there == used) {
                    placed[section].insert(after, used);
                    after += 1;
                }
            }
            at += 1;
        }
    }
    placed
}

fn link(name: &str) -> String {
    format!("[{name}](#{})", anchor(name))
}

fn of_type(catalogue: &Catalogue, examples: &Examples, home: usize, name: &str, page: &mut String) {
    let doc = catalogue.doc(name);
    let _ = write!(page, "\n### {name}\n\n{}\n", prose(&doc.text));
    if let Some(evidence) = &doc.evidence {
        let _ = write!(page, "\nEvidence: *{}*.\n", prose(evidence));
    }
    let example = |field: &Field| {
        examples
            .get(name, &field.name, home)
            .map_or_else(String::new, |(name, value)| {
                code(&format!("{name}: {}", flow(value, WIDTH)))
            })
    };
    match catalogue.form(name) {
        Form::Fields(fields) => {
            page.push_str(
                "\n| field | meaning | form | default | example |\n|---|---|---|---|---|\n",
            );
            for field in &fields {
                let shown = if field.name == ANY_NAME {
                    "any other name".to_owned()
                } else {
                    code(&field.name)
                };
                let _ = writeln!(
                    page,
                    "| {shown} | {} | {} | {} | {} |",
                    cell(&field.doc.text),
                    field.kind.as_ref().map_or_else(String::new, kind),
                    default(field),
                    example(field)
                );
            }
        }
        Form::Choice(alternatives) if alternatives.iter().all(|one| one.kind.is_none()) => {
            page.push_str("\n| one of | meaning |\n|---|---|\n");
            for one in &alternatives {
                let _ = writeln!(
                    page,
                    "| {} | {}{} |",
                    code(&one.name),
                    cell(&one.doc.text),
                    evidence(one)
                );
            }
        }
        Form::Choice(alternatives) => {
            page.push_str("\n| one of | meaning | form | example |\n|---|---|---|---|\n");
            for one in &alternatives {
                let form = one
                    .kind
                    .as_ref()
                    .map_or_else(|| "the word".to_owned(), kind);
                let _ = writeln!(
                    page,
                    "| {} | {}{} | {form} | {} |",
                    code(&one.name),
                    cell(&one.doc.text),
                    evidence(one),
                    if one.kind.is_some() {
                        example(one)
                    } else {
                        code(&one.name)
                    }
                );
            }
        }
        Form::Plain(kinds) if kinds.is_empty() => {}
        Form::Plain(kinds) => {
            let list: Vec<String> = kinds.iter().map(kind).collect();
            let _ = write!(page, "\nForm: {}.\n", list.join(", or "));
        }
    }
}

/// What is taken where the field is not there, and how sure that is.
fn default(field: &Field) -> String {
    let mut text = match (&field.doc.default, field.required) {
        (Some(default), _) => cell(default),
        (None, true) => "**required**".to_owned(),
        (None, false) => "none".to_owned(),
    };
    text.push_str(&evidence(field));
    text
}

fn evidence(field: &Field) -> String {
    match &field.doc.evidence {
        Some(evidence) => format!("<br>*{}*", cell(evidence)),
        None => String::new(),
    }
}

/// What a value may be, in words.
fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Named(name) => match PLAIN.iter().find(|(plain, _)| plain == name) {
            Some((_, words)) => format!("[{words}](#{})", anchor(name)),
            None => link(name),
        },
        Kind::List(of) => format!("list of {}", self::kind(of)),
        Kind::ByName(of) => format!("{} by name", self::kind(of)),
        Kind::Flag => "`true` or `false`".to_owned(),
        Kind::Text => "text".to_owned(),
        Kind::Words(words) => {
            let words: Vec<String> = words.iter().map(|word| code(word)).collect();
            format!("one of {}", words.join(", "))
        }
        Kind::Number { whole, least, most } => {
            let what = if *whole { "whole number" } else { "number" };
            match (least, most) {
                (Some(least), Some(most)) if least == most => format!("{what}, {}", digits(*least)),
                (Some(least), Some(most)) => {
                    format!("{what}, {} to {}", digits(*least), digits(*most))
                }
                (Some(least), None) => format!("{what}, at least {}", digits(*least)),
                (None, Some(most)) => format!("{what}, at most {}", digits(*most)),
                (None, None) => what.to_owned(),
            }
        }
    }
}

/// A bound, with a comma after thousands.
fn digits(number: f64) -> String {
    let plain = number.to_string();
    let (whole, rest) = plain
        .split_once('.')
        .map_or((plain.as_str(), ""), |parts| parts);
    let mut text = String::new();
    for (index, digit) in whole.chars().enumerate() {
        let left = whole.len() - index;
        if index > 0 && left.is_multiple_of(3) && text != "-" {
            text.push(',');
        }
        text.push(digit);
    }
    if !rest.is_empty() {
        text.push('.');
        text.push_str(rest);
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn bounds_are_easy_to_read() {
        for (number, text) in [
            (1.0, "1"),
            (1e6, "1,000,000"),
            (-100.0, "-100"),
            (0.5, "0.5"),
        ] {
            assert_eq!(super::digits(number), text);
        }
    }
}
