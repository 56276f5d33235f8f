//! Text as Markdown: escaped, for prose and for cells of tables.

use serde_json::Value;

/// Prose: code spans stay, nothing else is mark-up.
pub(super) fn prose(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    let mut code = false;
    for ch in text.chars() {
        match ch {
            '`' => code = !code,
            '<' if !code => {
                escaped.push_str("&lt;");
                continue;
            }
            '\\' | '*' | '_' | '[' | ']' | '|' if !code => escaped.push('\\'),
            // A table is cut into cells before code is seen.
            '|' => escaped.push('\\'),
            _ => {}
        }
        escaped.push(ch);
    }
    escaped
}

/// Prose in a cell of a table: one line.
pub(super) fn cell(text: &str) -> String {
    prose(text).replace("\n\n", "<br>").replace('\n', " ")
}

/// Code in a cell.
pub(super) fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

/// The anchor that a heading gets.
pub(super) fn anchor(heading: &str) -> String {
    heading
        .chars()
        .filter(|ch| ch.is_alphanumeric() || matches!(ch, ' ' | '-' | '_'))
        .map(|ch| if ch == ' ' { '-' } else { ch })
        .flat_map(char::to_lowercase)
        .collect()
}

/// A value on one line, in the flow style of YAML. What does not fit into about `width` characters is
/// left out from the inside, as `{...}` or `[...]`.
pub(super) fn flow(value: &Value, width: usize) -> String {
    let mut text = String::new();
    for depth in (0..8).rev() {
        text.clear();
        write(value, depth, &mut text);
        if text.chars().count() <= width {
            break;
        }
    }
    text
}

fn write(value: &Value, depth: u32, text: &mut String) {
    match value {
        Value::Object(fields) if depth == 0 && !fields.is_empty() => text.push_str("{...}"),
        Value::Array(items) if depth == 0 && !items.is_empty() => text.push_str("[...]"),
        Value::Object(fields) => {
            text.push('{');
            for (index, (key, value)) in fields.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                text.push_str(key);
                text.push_str(": ");
                write(value, depth - 1, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (index, value) in items.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                write(value, depth - 1, text);
            }
            text.push(']');
        }
        Value::String(words) => {
            // Times of day would be read as numbers to the base of 60 by old parsers.
            let special = words.is_empty()
                || words.starts_with(|ch: char| "!&*-?@`%'\" >".contains(ch))
                || words.contains(|ch: char| ",[]{}#:\"'\n".contains(ch));
            if special {
                text.push_str(&value.to_string());
            } else {
                text.push_str(words);
            }
        }
        other => text.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::{anchor, cell, flow, prose};
    use serde_json::json;

    #[test]
    fn nothing_in_prose_is_mark_up_but_code() {
        assert_eq!(
            prose("a <b> `<c>|` *d* [e](f) |"),
            "a &lt;b> `<c>\\|` \\*d\\* \\[e\\](f) \\|"
        );
        assert_eq!(cell("a\nb\n\nc"), "a b<br>c");
        assert_eq!(
            anchor("Services, caches and stores"),
            "services-caches-and-stores"
        );
    }

    #[test]
    fn values_are_shortened_from_the_inside() {
        let value = json!({"a": {"b": ["x, y", 1.5]}, "c": "20:00"});
        assert_eq!(flow(&value, 80), r#"{a: {b: ["x, y", 1.5]}, c: "20:00"}"#);
        assert_eq!(flow(&value, 30), r#"{a: {b: [...]}, c: "20:00"}"#);
        assert_eq!(flow(&value, 3), "{...}");
    }
}
