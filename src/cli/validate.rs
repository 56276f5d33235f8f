//! `validate`: all mistakes of scenario files, without simulating.

use super::args::ValidateArguments;
use super::exit::Exit;
use super::output::Output;
use super::scenario_file;
use crate::report::{line, numbers::plural};

pub(super) fn validate(arguments: &ValidateArguments, output: &mut Output<'_>) -> Exit {
    let mut exit = Exit::Success;
    for path in &arguments.files {
        match scenario_file::open(path, output) {
            Err(worse) => exit = worse,
            Ok(file) => {
                let system = &file.loaded.system;
                for text in &system.warnings {
                    output.warning(&format!("{}: {}", file.name, line(text)));
                }
                output.print(&format!(
                    "{}: ok, {}, {}, {}, {}\n",
                    file.name,
                    plural(system.slots.len() as u64, "replica"),
                    plural(system.journeys.len() as u64, "journey"),
                    plural(system.clocks.len() as u64, "fault clock"),
                    plural(system.targets.len() as u64, "target"),
                ));
            }
        }
    }
    exit
}
