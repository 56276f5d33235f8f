//! `schema`: the JSON Schema of scenario files, or the reference page of their language.

use super::args::SchemaArguments;
use super::exit::Exit;
use super::output::Output;
use crate::scenario;

pub(super) fn schema(arguments: &SchemaArguments, output: &mut Output<'_>) -> Exit {
    let text = if arguments.reference {
        scenario::reference()
    } else {
        scenario::json_schema()
    };
    output.print(&format!("{}\n", text.trim_end()));
    Exit::Success
}
