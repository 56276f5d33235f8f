//! Places in a source text, and text that is safe to show.

use std::fmt::Write as _;

/// A range of bytes of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The first byte.
    pub(super) start: u32,
    /// After the last byte.
    pub(super) end: u32,
}

impl Place {
    /// The bytes from `start` up to `end`.
    pub(super) fn new(start: usize, end: usize) -> Self {
        let byte = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            start: byte(start),
            end: byte(end.max(start)),
        }
    }

    /// The part of this place from byte `from` to byte `to` of it, for plain text of one line.
    pub(super) fn part(self, from: usize, to: usize) -> Self {
        let (start, end) = (self.start as usize + from, self.start as usize + to);
        if end <= self.end as usize {
            Self::new(start, end)
        } else {
            self
        }
    }
}

/// The number of the line, from 1, that byte `at` of `source` lies in.
pub(super) fn line_of(source: &str, at: u32) -> u32 {
    let at = (at as usize).min(source.len());
    let before = source.as_bytes()[..at]
        .iter()
        .filter(|&&byte| byte == b'\n')
        .count();
    u32::try_from(before + 1).unwrap_or(u32::MAX)
}

/// `text` between backquotes, shortened, with everything that could move a cursor, hide or reorder
/// text written as an escape. Every text of the file goes through here on its way into a message.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut out = String::from("`");
    for (count, ch) in text.chars().enumerate() {
        if count == LONGEST {
            out.push_str("...");
            break;
        }
        if is_unsafe(ch) {
            // Writing to a String cannot fail.
            let _ = write!(out, "{}", ch.escape_default());
        } else {
            out.push(ch);
        }
    }
    out.push('`');
    out
}

/// Whether showing `ch` as it is could do something to a terminal: control characters (with the
/// second set, U+0080 to U+009F), marks that turn the direction of writing, and marks without width.
pub(super) fn is_unsafe(ch: char) -> bool {
    ch.is_control()
        || matches!(ch,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_cursor_survives_quoting() {
        assert_eq!(quoted("a\u{1b}[2Jb\u{9b}\n"), r"`a\u{1b}[2Jb\u{9b}\n`");
        assert_eq!(quoted("\u{202e}evil"), r"`\u{202e}evil`");
        assert_eq!(quoted("Zürich"), "`Zürich`");
        assert!(quoted(&"x".repeat(1_000)).len() < 80);
    }

    #[test]
    fn lines_are_counted_from_one() {
        assert_eq!(line_of("a\nb\n", 0), 1);
        assert_eq!(line_of("a\nb\n", 2), 2);
        assert_eq!(line_of("a\nb\n", 99), 3);
    }
}
