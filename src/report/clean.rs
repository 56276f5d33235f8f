//! Free text of a scenario, made harmless: no control character, no hidden direction mark.
//!
//! Every renderer but the JSON one starts from [`clean`], so that no place can forget it; what a
//! format itself escapes (`<`, `|`, ...) is escaped by that format's renderer.

use crate::experiment::outcome::{AtPeak, Outcome, PeakState};
use std::fmt::Write;

/// Whether a terminal or a browser would act on `c` instead of showing it.
pub(crate) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// `text` on one line: white space becomes a blank, what would act on a terminal is spelt out
/// (`\u{1b}`).
pub fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => out.push(' '),
            c if is_unsafe(c) => {
                let _ = write!(out, "{}", c.escape_unicode());
            }
            c => out.push(c),
        }
    }
    out
}

/// Columns that `c` takes in a terminal: two for East Asian wide characters and pictures.
fn columns_of(c: char) -> usize {
    let wide = matches!(u32::from(c), 0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3
        | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6
        | 0x1f300..=0x1faff | 0x20000..=0x3fffd);
    if wide { 2 } else { 1 }
}

/// Columns that `text` takes in a terminal.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// `text`, cut to `width` columns with an ellipsis if it is longer.
pub(crate) fn shortened(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += columns_of(c);
        if used > width {
            break;
        }
        out.push(c);
    }
    out.truncate(out.trim_end().len());
    out.push('…');
    out
}

/// A name of at most `width` columns with an ellipsis in its middle: names often differ at the end.
pub(crate) fn abbreviated(name: &str, width: usize) -> String {
    if columns(name) <= width {
        return name.to_owned();
    }
    let keep = (width - 1) / 2;
    let mut tail: Vec<char> = Vec::new();
    let mut used = 0;
    for c in name.chars().rev() {
        used += columns_of(c);
        if used > keep {
            break;
        }
        tail.push(c);
    }
    let head = shortened(name, width - keep);
    head + &tail.into_iter().rev().collect::<String>()
}

/// A copy of `outcome` in which every text is a harmless line.
pub(crate) fn clean(outcome: &Outcome) -> Outcome {
    let mut outcome = outcome.clone();
    let texts = [&mut outcome.name, &mut outcome.hash]
        .into_iter()
        .chain(outcome.warnings.iter_mut())
        .chain(outcome.services.iter_mut().flat_map(|row| {
            let ends = row.connections.iter_mut().map(|one| &mut one.to);
            ends.chain([&mut row.name])
        }))
        .chain(outcome.queues.iter_mut().map(|row| &mut row.name))
        .chain(outcome.journeys.iter_mut().map(|row| &mut row.name))
        .chain(outcome.causes.iter_mut().map(|row| &mut row.fault))
        .chain(outcome.targets.iter_mut().map(|row| &mut row.expression))
        .chain(outcome.cost.iter_mut().flat_map(|bill| {
            let items = bill.items.iter_mut().map(|item| &mut item.component);
            items
                .chain(bill.without_price.iter_mut())
                .chain([&mut bill.currency])
        }))
        .chain(
            outcome
                .break_even
                .iter_mut()
                .flatten()
                .map(|row| &mut row.input),
        )
        .chain(outcome.inputs.iter_mut().flat_map(|all| {
            let rows = all.ranges.iter_mut();
            rows.flat_map(|row| [&mut row.field, &mut row.low, &mut row.high])
        }))
        .chain(outcome.needs_at_peak.iter_mut().map(|row| &mut row.pool))
        .chain(outcome.at_peak.iter_mut().flat_map(peak))
        .chain(outcome.run.forcing.iter_mut().flat_map(|forcing| {
            let rows = forcing.initiators.iter_mut();
            rows.filter_map(|row| row.fault.as_mut())
        }))
        .chain(
            outcome
                .requests
                .iter_mut()
                .flat_map(|requests| requests.failed_by_cause.iter_mut().map(|(name, _)| name)),
        );
    for text in texts {
        *text = line(text);
    }
    outcome
}

/// The texts of single losses.
fn peak(at: &mut AtPeak) -> impl Iterator<Item = &mut String> {
    let states = at.losses.iter_mut().flat_map(|row| {
        let names = [&mut row.kind, &mut row.part].into_iter();
        names.chain(&mut row.alike).chain(state(&mut row.left))
    });
    states.chain(state(&mut at.healthy))
}

fn state(left: &mut PeakState) -> impl Iterator<Item = &mut String> {
    let pools = left.utilisation.iter_mut().map(|row| &mut row.0);
    pools.chain(&mut left.journeys_down)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_escapes_and_direction_marks_are_spelt_out() {
        assert_eq!(
            line("a\x1b[31mb\u{202e}c\nd\u{9b}"),
            "a\\u{1b}[31mb\\u{202e}c d\\u{9b}"
        );
        assert_eq!(line("Straße, 日本"), "Straße, 日本");
    }

    #[test]
    fn long_text_ends_in_an_ellipsis() {
        assert_eq!(shortened("abcdef", 6), "abcdef");
        assert_eq!(shortened("abcdefg", 6), "abcde…");
        assert_eq!(shortened("日本語日本語", 7), "日本語…");
        assert_eq!(abbreviated("service-number-17", 9), "serv…r-17");
    }
}
