//! The reference page of the language, `scenarios/LANGUAGE.md`: made from the types that read the
//! files, so that page, schema and parser cannot differ.
//!
//! A new field needs three things, and the tests here say which of them is missing: a doc comment in
//! `schema` that states its default (and `Evidence:` for one that somebody measured or chose), a
//! place in an example of `scenarios/language/`, and `UPDATE_GOLDEN=1` to write schema and page anew.
//! A new type is placed by itself: after the first type that uses it.

mod catalogue;
mod doc;
mod examples;
mod markdown;
mod page;
mod sections;
#[cfg(test)]
mod tests;

/// The reference page in Markdown.
///
/// Every field of every type, with what it means, its form and range, its default with the evidence
/// for it, and an example taken from whole scenarios, which stand on the page too.
pub fn reference() -> String {
    page::page(&catalogue::Catalogue::new(), sections::SECTIONS)
}
