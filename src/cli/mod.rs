//! The command line: arguments, files, terminal. The only place with a wall clock and an environment.

mod args;
mod check;
mod compare;
mod exit;
mod explain;
mod files;
mod init;
mod merge;
mod output;
mod progress;
mod resume;
mod run;
mod scenario_file;
mod schema;
mod shards;
mod simulate;
mod validate;

pub use exit::Exit;

use args::{Arguments, Command};
use clap::Parser;
use output::Output;
use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let (stdout, stderr) = (std::io::stdout(), std::io::stderr());
    let mut output = Output::of_process(&stdout, &stderr);
    execute(std::env::args_os(), &mut output).into()
}

/// Runs the program with `arguments`, the first of which is its name.
fn execute(arguments: impl IntoIterator<Item = OsString>, output: &mut Output<'_>) -> Exit {
    let exit = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => match &arguments.command {
            Command::Run(options) => run::run(options, output),
            Command::Check(options) => check::check(options, output),
            Command::Compare(options) => compare::compare(options, output),
            Command::Validate(options) => validate::validate(options, output),
            Command::Explain(options) => explain::explain(options, output),
            Command::Plan(options) => shards::plan(options, output),
            Command::Shard(options) => shards::shard(options, output),
            Command::Merge(options) => merge::merge(options, output),
            Command::Init(options) => init::init(options, output),
            Command::Schema(options) => schema::schema(options, output),
        },
        Err(error) => {
            // Help and version are data; everything else is a mistake.
            if error.use_stderr() {
                output.error_text(&output.styled(&error.render(), false));
                Exit::Usage
            } else {
                output.print(&output.styled(&error.render(), true));
                Exit::Success
            }
        }
    };
    output.finish(exit)
}

#[cfg(test)]
mod tests;
