//! `schema`: the JSON Schema of scenario files.

use super::exit::Exit;
use super::output::Output;
use crate::scenario;

pub(super) fn schema(output: &mut Output<'_>) -> Exit {
    let text = scenario::json_schema();
    output.print(&format!("{}\n", text.trim_end()));
    Exit::Success
}
