//! The command line: arguments, files, terminal. The only place with a wall clock and an environment.

use std::process::ExitCode;

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
