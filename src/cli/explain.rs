//! `explain`: one history, event by event.

use super::args::ExplainArguments;
use super::exit::Exit;
use super::output::Output;
use super::scenario_file;
use crate::estimate;
use crate::experiment::{RunError, check_history};
use crate::report::numbers::{self, plural};
use crate::report::timeline::Timeline;
use crate::time::{SimSpan, SimTime};

/// Events that are counted after the last one shown, so that a history without end has one.
const MOST_COUNTED: u64 = 1_000_000;

/// Events of faults that come and go that are passed over, so that one that never ends has an end.
const MOST_LEFT_OUT: u64 = 20_000_000;

/// Prints one history as a timeline.
pub(super) fn explain(arguments: &ExplainArguments, output: &mut Output<'_>) -> Exit {
    let file = match scenario_file::open(&arguments.file, output) {
        Ok(file) => file,
        Err(exit) => return exit,
    };
    let system = &file.loaded.system;
    let seed = arguments.seed.unwrap_or(system.run.seed);
    let from = arguments.from.map_or(SimTime::START, |from| {
        SimTime::START + SimSpan::from_nanos(u64::try_from(from.as_nanos()).unwrap_or(u64::MAX))
    });
    if let Err(RunError::Unsuitable { message, help, .. }) = check_history(system, seed) {
        output.error(&format!("{}: {message}", file.name));
        output.note(&format!("help: {help}"));
        return Exit::Usage;
    }
    let mut timeline = Timeline::new(system);
    let (mut shown, mut before, mut after, mut left_out) = (0, 0_u64, 0_u64, 0_u64);
    let mut next = None;
    estimate::history(system, seed, arguments.replication, &mut |entry| {
        // Earlier entries are read too: they say what is down when the timeline begins.
        if !timeline.shows(entry) {
            left_out += 1;
            return !output.is_broken() && left_out < MOST_LEFT_OUT;
        }
        let text = timeline.line(entry);
        if entry.transition.at < from {
            before += 1;
        } else if shown == arguments.limit {
            next = next.or(Some(entry.transition.at));
            after += 1;
        } else {
            shown += 1;
            output.print(&(text + "\n"));
            for text in timeline.also(entry) {
                output.print(&(text + "\n"));
            }
        }
        !output.is_broken() && after < MOST_COUNTED
    });
    if system.is_coupled() {
        output.note("note: workers answer probes here, and what overload makes of them is not in this: it follows from requests");
    }
    if shown == 0 && after == 0 {
        output.note(&format!(
            "nothing happens in replication {} {}",
            arguments.replication,
            if before > 0 {
                "after that"
            } else {
                "from its start to its end"
            }
        ));
    }
    if let Some(at) = next {
        let seconds = at.secs_in_horizon().floor().max(0.0);
        let further = if arguments
            .from
            .is_some_and(|from| seconds <= from.as_secs_f64())
            || seconds == 0.0
        {
            // It would begin with the same event again.
            String::new()
        } else {
            format!("`--from {seconds}s` or ")
        };
        output.note(&format!(
            "and {} until {}; go on with {further}a larger `--limit`",
            if after < MOST_COUNTED {
                plural(after, "more event")
            } else {
                format!("more than {}", plural(after, "event"))
            },
            numbers::exact_span(system.run.horizon.as_secs_f64()),
        ));
    }
    Exit::Success
}
