//! From a file to the model: parsing, checking, explaining mistakes. The only place that knows YAML.
//!
//! [`load`] goes in three steps: `read` makes spanned values of the `schema`'s types out of the
//! text, `compile` makes a [`System`] out of them, and each step goes on after mistakes, so that
//! all of them are shown at once. `limits` bounds everything that a file may ask for.

mod changes;
mod compile;
mod hash;
mod limits;
mod place;
mod problem;
mod read;
mod reference;
mod schema;
mod suggest;
mod target;
#[cfg(test)]
mod tests;
mod trace;
mod units;

pub use changes::{Change, changes, line_at};
pub use problem::{Problems, render_at_line};
pub use reference::reference;
pub use schema::json_schema;

use crate::model::System;
use place::Place;
use problem::Problem;

/// A scenario that is fit to be simulated.
#[derive(Debug)]
pub struct Loaded {
    /// What it means.
    pub system: System,
    /// Hash of its meaning, 16 hex digits: comments and layout do not count.
    pub hash: String,
}

/// Reads and checks a scenario. `file` is for messages, and names the scenario if it has no name.
///
/// # Errors
/// All problems found, each with its place.
pub fn load(source: &[u8], file: &str) -> Result<Loaded, Problems> {
    let none = |_: &str| Err("no other file can be read here".to_owned());
    load_with(source, file, &none)
}

/// The bytes of a file that the scenario names, or in words why they cannot be had. The name is
/// relative and does not lead out of the folder; what it leads to is for the function to judge.
pub type Files<'a> = dyn Fn(&str) -> Result<Vec<u8>, String> + 'a;

/// The bytes that a file named by a scenario may have; no more need be read of it.
pub const NAMED_FILE_BYTES: usize = limits::TRACE_BYTES;

/// The same for a scenario that names other files, which `files` reads.
///
/// # Errors
/// All problems found, each with its place.
pub fn load_with(source: &[u8], file: &str, files: &Files<'_>) -> Result<Loaded, Problems> {
    let text = text(source, file)?;
    let (form, problems) = read::read::<schema::File>(text);
    let whole = form.as_ref().and_then(|at| Some((at.place, at.get()?)));
    let Some((place, form)) = whole else {
        return Err(Problems::new(file, text, problems));
    };
    let system = compile::compile(form, place, (text, stem(file)), files, problems)
        .map_err(|problems| Problems::new(file, text, problems))?;
    let hash = hash::of(&system);
    Ok(Loaded { system, hash })
}

/// The source as text, if it is one of bearable size.
fn text<'s>(source: &'s [u8], file: &str) -> Result<&'s str, Problems> {
    if source.len() > limits::FILE_BYTES {
        let message = format!(
            "the file has {:.1} MiB; a scenario has at most {} MiB",
            source.len() as f64 / f64::from(1 << 20),
            limits::FILE_BYTES >> 20
        );
        let problem = Problem::of_file(message)
            .help("simulate a part of the design, or replace many equal parts by replicas");
        return Err(Problems::new(file, "", vec![problem]));
    }
    match std::str::from_utf8(source) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let good = error.valid_up_to();
            let text = String::from_utf8_lossy(&source[..good]);
            let problem = if good == 0 {
                Problem::of_file("the file is not text in UTF-8")
            } else {
                Problem::at(
                    Place::new(good, good + 1),
                    "from here on, the file is not text in UTF-8",
                )
            };
            let help = if matches!(source, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
                "it looks like UTF-16: save it as UTF-8"
            } else {
                "a scenario is a YAML or JSON file in UTF-8"
            };
            Err(Problems::new(file, &text, vec![problem.help(help)]))
        }
    }
}

/// The name of a file without folders and ending.
fn stem(file: &str) -> &str {
    let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    }
}
