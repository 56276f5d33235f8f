//! `init`: a commented scenario to start from.

use super::args::InitArguments;
use super::exit::Exit;
use super::output::Output;
use super::{files, scenario_file};

/// The scenario; a test runs it.
const STARTER: &str = include_str!("starter.yaml");

/// Writes the starter to a new file, or prints it.
pub(super) fn init(arguments: &InitArguments, output: &mut Output<'_>) -> Exit {
    let Some(path) = arguments
        .file
        .as_ref()
        .filter(|path| !scenario_file::is_stdin(path))
    else {
        output.print(STARTER);
        return Exit::Success;
    };
    let name = scenario_file::name_of(path);
    match files::create(path, STARTER) {
        Ok(true) => {
            output.note(&format!("wrote {name}; next: fivenines run {name}"));
            Exit::Success
        }
        Ok(false) => {
            output.error(&format!("{name} exists already and was left as it is"));
            output.note("help: give another name, or leave the name out to print the starter");
            Exit::Usage
        }
        Err(error) => {
            output.error(&error.to_string());
            Exit::Failure
        }
    }
}
