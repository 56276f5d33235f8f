//! Shows how far a run is, and ends it on Ctrl-C or when its time is up.
//!
//! The simulation only stores two numbers; a thread of its own looks at them ten times a second.

use super::exit::Exit;
use crate::experiment::Watch;
use crate::report::numbers;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
#[expect(
    clippy::disallowed_types,
    reason = "progress and --max-time are about the reader's clock"
)]
use std::time::Instant;

/// How often the thread looks.
const TICK: Duration = Duration::from_millis(100);
/// How often it says something where nothing can move.
const SAY: Duration = Duration::from_secs(10);

/// Set by Ctrl-C; of the process, because signals are.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Show {
    /// Not at all.
    Nothing,
    /// A line every ten seconds.
    Lines,
    /// A moving bar.
    Bar,
}

/// What the simulation and the ticker share.
#[derive(Debug, Default)]
pub(super) struct Progress {
    done: AtomicU64,
    total: AtomicU64,
    time_is_up: AtomicBool,
}

impl Watch for Progress {
    fn progress(&self, done: u64, total: u64) {
        // Several threads report; the largest number is the latest.
        self.done.fetch_max(done, Relaxed);
        self.total.store(total, Relaxed);
    }

    fn stop(&self) -> bool {
        INTERRUPTED.load(Relaxed)
    }

    fn enough(&self) -> bool {
        self.time_is_up.load(Relaxed)
    }
}

impl Progress {
    /// Whether somebody pressed Ctrl-C.
    pub(super) fn interrupted(&self) -> bool {
        INTERRUPTED.load(Relaxed)
    }

    /// Whether `--max-time` ended the run.
    pub(super) fn out_of_time(&self) -> bool {
        self.time_is_up.load(Relaxed) && !self.interrupted()
    }
}

/// The first Ctrl-C asks the run to end, the second ends the process.
pub(super) fn listen_for_ctrl_c() {
    // It can only fail where a handler exists already, and then that one stays in charge.
    let _ = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Relaxed) {
            #[expect(
                clippy::exit,
                reason = "asked twice: whatever is still running must not delay it"
            )]
            std::process::exit(Exit::Interrupted.code().into());
        }
        let words = "\ninterrupted: finishing what is whole; press Ctrl-C again to end at once";
        let _ = writeln!(std::io::stderr(), "{words}");
    });
}

/// Runs `work` while a thread shows `progress` and watches the time.
pub(super) fn during<T>(
    progress: &Progress,
    show: Show,
    budget: Option<Duration>,
    work: impl FnOnce() -> T,
) -> T {
    let (done, finished) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || tick(progress, show, budget, &finished));
        let result = work();
        // Dropping the sender wakes the ticker at once.
        drop(done);
        result
    })
}

#[expect(
    clippy::disallowed_types,
    reason = "progress and --max-time are about the reader's clock"
)]
fn tick(progress: &Progress, show: Show, budget: Option<Duration>, finished: &mpsc::Receiver<()>) {
    let start = Instant::now();
    let bar = (show == Show::Bar).then(bar);
    let mut said = Duration::ZERO;
    while finished.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
        let elapsed = start.elapsed();
        if budget.is_some_and(|budget| elapsed >= budget) {
            progress.time_is_up.store(true, Relaxed);
        }
        let (done, total) = (progress.done.load(Relaxed), progress.total.load(Relaxed));
        if let Some(bar) = &bar {
            bar.set_length(total.max(done).max(1));
            bar.set_position(done);
            bar.set_message(rate(done, elapsed));
            bar.tick();
        } else if show == Show::Lines && elapsed - said >= SAY {
            said = elapsed;
            let _ = writeln!(std::io::stderr(), "{}", line(done, total, elapsed));
        }
    }
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {percent:>3} %  {msg}  {eta} left")
        .expect("the template is a constant")
        .progress_chars("━╸─");
    let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr_with_hz(10));
    bar.with_style(style)
}

/// `1,234/s`; how many units of work are done in a second.
fn rate(done: u64, elapsed: Duration) -> String {
    let rate = done as f64 / elapsed.as_secs_f64().max(1e-3);
    format!("{}/s", numbers::significant(rate, 3))
}

fn line(done: u64, total: u64, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    let part = done as f64 / total.max(done).max(1) as f64;
    let left = if part > 0.0 {
        format!(
            ", about {} left",
            numbers::short_span(seconds * (1.0 - part) / part)
        )
    } else {
        String::new()
    };
    format!(
        "simulating: {} after {}, {}{left}",
        numbers::part(part),
        numbers::short_span(seconds),
        rate(done, elapsed)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_how_fast_and_how_long_still() {
        let text = line(250, 1_000, Duration::from_secs(20));
        assert_eq!(text, "simulating: 25 % after 20 s, 12.5/s, about 60 s left");
        let text = line(0, 0, Duration::from_secs(10));
        assert_eq!(text, "simulating: 0 % after 10 s, 0/s");
    }

    #[test]
    fn the_budget_stops_the_run() {
        let progress = Progress::default();
        let stopped = during(&progress, Show::Nothing, Some(Duration::ZERO), || {
            while !progress.enough() {
                std::thread::yield_now();
            }
            true
        });
        assert!(stopped && progress.out_of_time());
    }

    #[test]
    fn progress_never_goes_back() {
        let progress = Progress::default();
        progress.progress(5, 10);
        progress.progress(3, 20);
        assert_eq!(
            (progress.done.load(Relaxed), progress.total.load(Relaxed)),
            (5, 20)
        );
    }
}
