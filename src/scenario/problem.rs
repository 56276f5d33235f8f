//! Mistakes in a scenario file, and how they are shown.

use super::limits::{PROBLEMS_KEPT, PROBLEMS_SHOWN};
use super::place::{Place, is_unsafe, line_of};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use std::fmt::Write as _;
use std::ops::Range;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// Where; `None`: the file as a whole.
    pub(super) place: Option<Place>,
    /// What is wrong. Text of the file in it has been through [`quoted`](super::place::quoted).
    pub(super) message: String,
    /// What is allowed, or what to do.
    pub(super) help: Option<String>,
    /// Another place that has to do with it, and why.
    pub(super) also: Option<(Place, String)>,
    /// The field that was probably meant by an unknown one: it is not reported as missing as well.
    pub(super) meant: Option<Box<str>>,
    /// Where the mapping begins that an unknown field stands in.
    pub(super) within: Option<u32>,
}

impl Problem {
    /// A problem at `place`.
    pub(super) fn at(place: Place, message: impl Into<String>) -> Self {
        Self {
            place: Some(place),
            message: message.into(),
            help: None,
            also: None,
            meant: None,
            within: None,
        }
    }

    /// A problem of the whole file.
    pub(super) fn of_file(message: impl Into<String>) -> Self {
        Self {
            place: None,
            message: message.into(),
            help: None,
            also: None,
            meant: None,
            within: None,
        }
    }

    /// The same with something to do.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with a second place.
    pub(super) fn also(mut self, place: Place, why: impl Into<String>) -> Self {
        self.also = Some((place, why.into()));
        self
    }
}

/// Every mistake found in one file.
#[derive(Debug)]
pub struct Problems {
    file: String,
    source: String,
    list: Vec<Problem>,
}

impl Problems {
    /// `list` in order of place, each mistake once: what an alias repeats is one mistake.
    pub(super) fn new(file: &str, source: &str, mut list: Vec<Problem>) -> Self {
        list.sort_by_key(|problem| problem.place);
        let mut unique: Vec<Problem> = Vec::new();
        for problem in list {
            let seen = unique
                .iter()
                .rev()
                .take_while(|other| other.place == problem.place);
            if !seen
                .into_iter()
                .any(|other| other.message == problem.message)
            {
                unique.push(problem);
            }
        }
        unique.truncate(PROBLEMS_KEPT);
        Self {
            file: file.to_owned(),
            source: source.to_owned(),
            list: unique,
        }
    }

    /// All of them as text for a terminal: place, source line, what is allowed, what to do.
    ///
    /// No control character of the file is in it. After 50 problems the rest is only counted.
    pub fn render(&self, colour: bool) -> String {
        let lines = Lines::new(&self.source);
        let mut out = String::new();
        for problem in self.list.iter().take(PROBLEMS_SHOWN) {
            out.push_str(&one(&lines, &self.file, problem, colour));
            out.push_str("\n\n");
        }
        if self.list.len() > PROBLEMS_SHOWN {
            let _ = writeln!(out, "and {} more\n", self.list.len() - PROBLEMS_SHOWN);
        }
        let word = if self.list.len() == 1 {
            "problem"
        } else {
            "problems"
        };
        let _ = writeln!(out, "{} {word} in {}", self.list.len(), safe(&self.file));
        out
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// The messages, in order of place.
    #[cfg(test)]
    pub(super) fn messages(&self) -> Vec<&str> {
        self.list
            .iter()
            .map(|problem| problem.message.as_str())
            .collect()
    }
}

/// One problem at a line of `source`, found after loading (cost, method), rendered like the others.
pub fn render_at_line(
    source: &[u8],
    file: &str,
    line: u32,
    message: &str,
    help: &str,
    colour: bool,
) -> String {
    let source = String::from_utf8_lossy(source);
    let lines = Lines::new(&source);
    let index = (line.max(1) as usize - 1).min(lines.0.len() - 1);
    let (start, text) = lines.0[index];
    let indent = text.len() - text.trim_start().len();
    let code = text.trim_end().len().max(indent);
    let help = (!help.is_empty()).then(|| help.to_owned());
    let place = Some(Place::new(start + indent, start + code));
    let problem = Problem {
        place,
        message: message.to_owned(),
        help,
        also: None,
        meant: None,
        within: None,
    };
    let mut out = one(&lines, file, &problem, colour);
    out.push('\n');
    out
}

/// The lines of a source with the bytes they begin at; at least one.
struct Lines<'a>(Vec<(usize, &'a str)>);

impl<'a> Lines<'a> {
    fn new(source: &'a str) -> Self {
        let mut start = 0;
        let mut lines = Vec::new();
        for line in source.split('\n') {
            lines.push((start, line.strip_suffix('\r').unwrap_or(line)));
            start += line.len() + 1;
        }
        Self(lines)
    }
}

/// A piece of one line, safe to print, with the range to point at.
struct Excerpt {
    text: String,
    marked: Range<usize>,
    line: usize,
    column: usize,
    /// Whether the beginning of the line is missing.
    cut: bool,
}

/// The line of `place` with every unsafe character replaced by one visible one. Of a long line only
/// the surroundings of the place are kept, so that a file of one line costs no more than others.
fn excerpt(lines: &Lines<'_>, place: Place) -> Excerpt {
    const BEFORE: usize = 60;
    const AFTER: usize = 100;
    let start = place.start as usize;
    let index = lines.0.partition_point(|&(from, _)| from <= start).max(1) - 1;
    let (from, line) = lines.0[index];
    let first = (start - from).min(line.len());
    // A place that spans lines is marked up to the end of its first.
    let last = (place.end as usize - from).clamp(first, line.len());
    let column = line
        .get(..first)
        .map_or(first, |before| before.chars().count());
    let marked_chars = line
        .get(first..last)
        .map_or(1, |text| text.trim_end().chars().count())
        .max(1);
    let skip = if line.chars().count() > BEFORE + AFTER {
        column.saturating_sub(BEFORE)
    } else {
        0
    };
    let mut text = String::new();
    let mut marked = 0..0;
    for (position, ch) in line.chars().enumerate().skip(skip).take(BEFORE + AFTER) {
        if position == column {
            marked.start = text.len();
        }
        match ch {
            '\t' => text.push(' '),
            ch if is_unsafe(ch) => text.push('\u{fffd}'),
            ch => text.push(ch),
        }
        if position < column + marked_chars {
            marked.end = text.len();
        }
    }
    if column >= skip + text.chars().count() {
        // After the last character: the end of the line, where something is missing.
        marked = text.len()..text.len() + 1;
    }
    Excerpt {
        text,
        marked,
        line: index + 1,
        column: column + 1,
        cut: skip > 0,
    }
}

fn one(lines: &Lines<'_>, file: &str, problem: &Problem, colour: bool) -> String {
    let mut group = Group::with_title(Level::ERROR.primary_title(safe(&problem.message)));
    match problem.place {
        None => group = group.element(Origin::path(safe(file))),
        Some(place) => {
            group = pointing(group, excerpt(lines, place), file, AnnotationKind::Primary);
        }
    }
    if let Some(help) = &problem.help {
        group = group.element(Level::HELP.message(safe(help)));
    }
    let mut groups = vec![group];
    if let Some((place, why)) = &problem.also {
        let group = Group::with_title(Level::NOTE.secondary_title(safe(why)));
        groups.push(pointing(
            group,
            excerpt(lines, *place),
            file,
            AnnotationKind::Context,
        ));
    }
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    renderer.decor_style(DecorStyle::Ascii).render(&groups)
}

/// `group` with the line of a place. The renderer counts columns in what it is shown, so the column
/// in a line that was cut at its left has to be told.
fn pointing<'g>(group: Group<'g>, here: Excerpt, file: &str, kind: AnnotationKind) -> Group<'g> {
    let snippet = Snippet::source(here.text)
        .line_start(here.line)
        .annotation(kind.span(here.marked));
    if here.cut {
        let origin = Origin::path(safe(file))
            .line(here.line)
            .char_column(here.column);
        group.element(origin).element(snippet)
    } else {
        group.element(snippet.path(safe(file)))
    }
}

/// `text` with every unsafe character escaped: the last gate before a terminal.
fn safe(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for ch in text.chars() {
        if is_unsafe(ch) {
            let _ = write!(out, "{}", ch.escape_default());
        } else {
            out.push(ch);
        }
    }
    out
}

/// The line that `place` begins in, as the model keeps it.
pub(super) fn line(source: &str, place: Place) -> u32 {
    line_of(source, place.start)
}
