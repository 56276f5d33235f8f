//! From bytes to the types of the schema, with the place of every value, going on after mistakes.
//!
//! Three steps: [`tree`] makes a tree of values with places out of YAML (or JSON, which YAML
//! contains), within the limits; [`reader`] hands that tree to serde; [`At`] wraps every value that
//! can be wrong on its own. A mistake inside an `At` is noted and leaves it empty, and reading goes
//! on behind it: serde alone would stop at the first.

mod at;
mod error;
mod reader;
pub(super) mod tree;

pub(super) use at::{At, Entries, Entry, List, Opt, WHOLE};

use super::problem::Problem;
use serde::Deserialize;
use std::cell::RefCell;

/// Reads one document into `T`, after `prepare` has changed its tree. Returns what could be read, and
/// every mistake of form.
pub(super) fn read<T: for<'de> Deserialize<'de>>(
    source: &str,
    prepare: impl FnOnce(&mut tree::Node),
) -> (Option<At<T>>, Vec<Problem>) {
    let mut root = match tree::parse(source) {
        Ok((root, problems)) if problems.is_empty() => root,
        // A tree with doubled keys or broken aliases would only make follow-up mistakes.
        Ok((_, problems)) => return (None, problems),
        Err(problem) => return (None, vec![*problem]),
    };
    prepare(&mut root);
    let sink = RefCell::new(Vec::new());
    let read = At::<T>::deserialize(reader::Reader::new(&root, &sink)).ok();
    (read, sink.into_inner())
}
