//! Workloads whose rates come from a trace.

use super::Compiler;
use super::arrivals::Arrivals;
use crate::model::{Profile, Steps};
use crate::scenario::limits;
use crate::scenario::place::{Place, is_unsafe, quoted};
use crate::scenario::problem::Problem;
use crate::scenario::read::At;
use crate::scenario::schema::TraceForm;
use crate::scenario::trace::{self, Trace};
use crate::time::SimSpan;
use std::sync::Arc;

/// Why a name cannot be that of a file beside the scenario.
fn misplaced(name: &str) -> Option<&'static str> {
    let relative = !name.starts_with('/') && !name.contains(['\\', ':']);
    let mut parts = name.split('/');
    if name.is_empty() || name.len() > limits::PATH_BYTES || name.chars().any(is_unsafe) {
        Some("that cannot be the name of a file")
    } else if !relative {
        Some("only files in the folder of the scenario are read")
    } else if parts.any(|part| matches!(part, "" | "." | "..")) {
        Some("this path leads out of the folder of the scenario, or may do so")
    } else {
        None
    }
}

impl Compiler<'_> {
    /// The rates of a trace; `None` if it is wrong, which has been noted.
    pub(super) fn trace(&mut self, at: &At<TraceForm>) -> Option<Arrivals> {
        let form = at.get()?;
        let Some(field) = &form.file else {
            self.missing(at.place, "file", "arrivals.csv");
            return None;
        };
        let name = field.get()?;
        if let Some(why) = misplaced(name) {
            self.problem(
                field.place,
                format!("{}: {why}", quoted(name)),
                "write a path relative to that folder, such as arrivals.csv or traces/monday.csv",
            );
            return None;
        }
        self.files_read += 1;
        if self.over("traces", self.files_read, limits::TRACES, field.place) {
            return None;
        }
        let trace = self.read_trace(name, field.place)?;
        let lasts = trace.step.saturating_mul(trace.rates.len() as u64);
        let horizon = self.system.run.horizon;
        let mut rates = &trace.rates[..];
        if form.repeat.is_some() {
            let repeat = self.positive(&form.repeat, "repeat")?;
            if repeat != lasts {
                let place = form.repeat.as_ref().map_or(field.place, |at| at.place);
                let problem = Problem::at(
                    place,
                    format!(
                        "the trace lasts {} s ({} intervals of {} s), not {} s",
                        lasts.as_secs_f64(),
                        trace.rates.len(),
                        trace.step.as_secs_f64(),
                        repeat.as_secs_f64()
                    ),
                );
                let problem = problem.help("it is repeated as a whole: state how long that is");
                self.problems.push(problem.also(field.place, "the trace"));
                return None;
            }
        } else if lasts < horizon {
            self.problem(
                field.place,
                format!(
                    "the trace ends after {} s, and the horizon has {} s",
                    lasts.as_secs_f64(),
                    horizon.as_secs_f64()
                ),
                format!(
                    "shorten the horizon, or repeat the trace: `repeat: {}s`",
                    lasts.as_secs_f64()
                ),
            );
            return None;
        } else {
            // What comes after the horizon is not part of the mean.
            let within = horizon.as_nanos().div_ceil(trace.step.as_nanos());
            rates = &rates[..(within as usize).clamp(1, rates.len())];
        }
        let Some((steps, mean)) = Steps::new(trace.step, form.repeat.is_some(), rates) else {
            self.problem(
                field.place,
                "nothing comes in this trace",
                "at least one interval of the horizon needs a number above 0",
            );
            return None;
        };
        Some(Arrivals {
            profile: Some(Profile::Steps(Arc::new(steps))),
            ..Arrivals::of_rate(mean, field.place)
        })
    }

    fn read_trace(&mut self, name: &str, place: Place) -> Option<Trace> {
        let bytes = match (self.files)(name) {
            Ok(bytes) => bytes,
            Err(why) => {
                self.problem(
                    place,
                    format!("{}: {why}", quoted(name)),
                    "a trace is a CSV file beside the scenario",
                );
                return None;
            }
        };
        if bytes.len() > limits::TRACE_BYTES {
            let most = limits::TRACE_BYTES >> 20;
            self.problem(
                place,
                format!("{} is larger than {most} MiB", quoted(name)),
                "use longer intervals, or a part of it that repeats",
            );
            return None;
        }
        match trace::read(&bytes) {
            Ok(trace) if trace.step > SimSpan::from_secs(31_536_000) => {
                self.problem(
                    place,
                    format!("{}: intervals longer than a year", quoted(name)),
                    "state a rate with `poisson`",
                );
                None
            }
            Ok(trace) => Some(trace),
            Err(wrong) => {
                let line = wrong
                    .line
                    .map_or_else(String::new, |line| format!(", line {line}"));
                let message = format!("{}{line}: {}", quoted(name), wrong.message);
                self.problem(place, message, wrong.help);
                None
            }
        }
    }
}
