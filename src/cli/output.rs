//! The only place that prints: data to standard output, everything else to standard error.

use super::exit::Exit;
use crate::report::Style;
use clap::builder::StyledStr;
use std::fmt;
use std::io::{ErrorKind, IsTerminal, Write};

/// Where the program writes to.
pub(super) struct Output<'a> {
    out: Box<dyn Write + 'a>,
    err: Box<dyn Write + 'a>,
    out_style: Style,
    err_style: Style,
    /// Whether standard error is a terminal that can draw a moving line.
    pub(super) moving: bool,
    /// What went wrong with standard output; nothing more is written to it.
    broken: Option<ErrorKind>,
}

impl fmt::Debug for Output<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("out_style", &self.out_style)
            .field("err_style", &self.err_style)
            .field("moving", &self.moving)
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}

impl<'a> Output<'a> {
    /// The standard streams; colours only on a terminal, and not with `NO_COLOR` or `TERM=dumb`.
    pub(super) fn of_process(stdout: &'a std::io::Stdout, stderr: &'a std::io::Stderr) -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let style = |terminal| {
            if terminal && !dumb && !set("NO_COLOR") {
                Style::Colour
            } else {
                Style::Plain
            }
        };
        Self {
            out: Box::new(stdout.lock()),
            err: Box::new(stderr),
            out_style: style(stdout.is_terminal()),
            err_style: style(stderr.is_terminal()),
            moving: stderr.is_terminal() && !dumb,
            broken: None,
        }
    }

    /// Writers instead of the standard streams, without colour.
    #[cfg(test)]
    pub(super) fn plain(out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        Self {
            out: Box::new(out),
            err: Box::new(err),
            out_style: Style::Plain,
            err_style: Style::Plain,
            moving: false,
            broken: None,
        }
    }

    /// How text for standard output looks.
    pub(super) const fn style(&self) -> Style {
        self.out_style
    }

    /// Whether text for standard error has colours.
    pub(super) fn err_colour(&self) -> bool {
        self.err_style == Style::Colour
    }

    /// Text of the argument parser for standard output or standard error.
    pub(super) fn styled(&self, text: &StyledStr, out: bool) -> String {
        let style = if out { self.out_style } else { self.err_style };
        if style == Style::Colour {
            text.ansi().to_string()
        } else {
            text.to_string()
        }
    }

    /// Data, written at once.
    pub(super) fn print(&mut self, text: &str) {
        if self.broken.is_none() {
            let written = self
                .out
                .write_all(text.as_bytes())
                .and_then(|()| self.out.flush());
            self.broken = written.err().map(|error| error.kind());
        }
    }

    /// Whether nobody reads standard output any more.
    pub(super) const fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// One line for people, on standard error.
    pub(super) fn note(&mut self, text: &str) {
        // Where standard error is closed there is nobody left to tell.
        let _ = writeln!(self.err, "{text}");
    }

    /// `error: ...` on standard error.
    pub(super) fn error(&mut self, text: &str) {
        let word = if self.err_colour() {
            "\u{1b}[31;1merror\u{1b}[0m"
        } else {
            "error"
        };
        self.note(&format!("{word}: {text}"));
    }

    /// `warning: ...` on standard error.
    pub(super) fn warning(&mut self, text: &str) {
        let word = if self.err_colour() {
            "\u{1b}[33;1mwarning\u{1b}[0m"
        } else {
            "warning"
        };
        self.note(&format!("{word}: {text}"));
    }

    /// Text that is already laid out, on standard error.
    pub(super) fn error_text(&mut self, text: &str) {
        self.note(text.trim_end_matches('\n'));
    }

    /// The end: a reader who left early is no error, a full disk behind standard output is one.
    pub(super) fn finish(&mut self, exit: Exit) -> Exit {
        match self.broken {
            None | Some(ErrorKind::BrokenPipe) => exit,
            Some(kind) => {
                self.error(&format!("cannot write to standard output: {kind}"));
                if exit == Exit::Success {
                    Exit::Failure
                } else {
                    exit
                }
            }
        }
    }
}
