//! A JSON tree whose objects keep the order in which they were written, and its layout.
//!
//! `serde_json` would sort the keys of a tree or put every number of a curve on a line of its own;
//! a result is read by people too, and compared line by line.

use crate::report::clean;
use std::fmt::Write;

/// What fits is written on one line.
const WIDTH: usize = 118;

/// One JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) enum Json {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(in crate::report) fn integer(n: u64) -> Self {
        Self::Number(n.to_string())
    }

    /// The shortest decimal that reads back as `x`; `null` if it is not finite.
    pub(in crate::report) fn number(x: f64) -> Self {
        serde_json::Number::from_f64(x)
            .map_or(Self::Null, |number| Self::Number(number.to_string()))
    }

    pub(in crate::report) fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    pub(in crate::report) fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(items.into_iter().collect())
    }

    pub(in crate::report) fn object<K: Into<String>>(
        fields: impl IntoIterator<Item = (K, Self)>,
    ) -> Self {
        Self::Object(
            fields
                .into_iter()
                .map(|(key, value)| (key.into(), value))
                .collect(),
        )
    }

    /// The text of a file: indented, with a trailing newline.
    pub(in crate::report) fn pretty(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, 0);
        out.push('\n');
        out
    }

    fn write(&self, out: &mut String, indent: usize) {
        let line = self.one_line();
        if indent + line.len() <= WIDTH && !self.is_whole() {
            out.push_str(&line);
            return;
        }
        let inner = indent + 2;
        let separate = |out: &mut String, i: usize| {
            out.push_str(if i == 0 { "\n" } else { ",\n" });
            out.extend(std::iter::repeat_n(' ', inner));
        };
        match self {
            Self::List(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    separate(out, i);
                    item.write(out, inner);
                }
            }
            Self::Object(fields) => {
                out.push('{');
                for (i, (key, value)) in fields.iter().enumerate() {
                    separate(out, i);
                    quoted(out, key);
                    out.push_str(": ");
                    value.write(out, inner);
                }
            }
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => {
                out.push_str(&line);
                return;
            }
        }
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent));
        out.push(if matches!(self, Self::List(_)) {
            ']'
        } else {
            '}'
        });
    }

    /// An object that holds objects gets a line for each field, however short: so the
    /// layout of a result does not move with its numbers more than it must.
    fn is_whole(&self) -> bool {
        match self {
            Self::Object(fields) => fields
                .iter()
                .any(|(_, value)| matches!(value, Self::Object(f) if !f.is_empty())),
            _ => false,
        }
    }

    fn one_line(&self) -> String {
        let mut out = String::new();
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(digits) => out.push_str(digits),
            Self::Text(text) => quoted(&mut out, text),
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(Self::one_line).collect();
                let _ = write!(out, "[{}]", items.join(", "));
            }
            Self::Object(fields) => {
                out.push('{');
                for (i, (key, value)) in fields.iter().enumerate() {
                    out.push_str(if i == 0 { "" } else { ", " });
                    quoted(&mut out, key);
                    out.push_str(": ");
                    out.push_str(&value.one_line());
                }
                out.push('}');
            }
        }
        out
    }
}

/// A JSON string in which nothing acts on a terminal either.
fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if clean::is_unsafe(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_reads_back() {
        let name = "a\"b\\c\n\u{1b}[31m</script>\u{e0041}é";
        let tree = Json::object([
            (
                name,
                Json::list([
                    Json::number(0.1),
                    Json::number(f64::INFINITY),
                    Json::text(name),
                ]),
            ),
            (
                "b",
                Json::object([("c", Json::Bool(true)), ("d", Json::list([]))]),
            ),
        ]);
        let text = tree.pretty();
        assert!(text.ends_with("}\n") && !text.contains('\u{1b}'));
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value[name][0], 0.1);
        assert!(value[name][1].is_null());
        assert_eq!(value[name][2], name);
        assert_eq!(value["b"]["c"], true);
    }

    #[test]
    fn short_values_stay_on_one_line_and_long_ones_are_broken() {
        let short = Json::object([("value", Json::number(1.0)), ("n", Json::integer(3))]);
        assert_eq!(short.pretty(), "{\"value\": 1.0, \"n\": 3}\n");
        let long = Json::list((0..60).map(|i| Json::list([Json::integer(i), Json::integer(i)])));
        assert_eq!(long.pretty().lines().nth(1), Some("  [0, 0],"));
    }
}
