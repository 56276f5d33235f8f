//! What the doc comment of a field says, taken apart: meaning, default, evidence.

/// The parts of a description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Doc {
    /// What it means; paragraphs are separated by an empty line.
    pub(super) text: String,
    /// What follows `Default:`.
    pub(super) default: Option<String>,
    /// What follows `Evidence:`, which says how sure a default or an algorithm is.
    pub(super) evidence: Option<String>,
}

/// How sure a statement can be, from the surest on.
#[cfg(test)]
pub(super) const EVIDENCE: [&str; 4] = ["recorded", "read in source", "documented", "assumed"];

impl Doc {
    /// Takes a description apart. Each mark opens a sentence; what it says ends with that sentence.
    pub(super) fn of(description: &str) -> Self {
        let mut doc = Self {
            text: paragraphs(description),
            ..Self::default()
        };
        doc.default = doc.take("Default:");
        doc.evidence = doc.take("Evidence:");
        doc
    }

    fn take(&mut self, mark: &str) -> Option<String> {
        let start = self.text.find(mark)?;
        let rest = &self.text[start + mark.len()..];
        let end = sentence_end(rest);
        let said = rest[..end].trim().trim_end_matches('.').to_owned();
        let after = rest[end..].trim_start_matches(' ').to_owned();
        self.text.truncate(start);
        if after.is_empty() {
            self.text.truncate(self.text.trim_end().len());
        }
        self.text.push_str(&after);
        Some(said)
    }
}

/// Where the sentence at the head of `text` ends: after a full stop that is followed by a space and a
/// capital letter, a line, or nothing, outside of brackets and code.
fn sentence_end(text: &str) -> usize {
    let mut code = false;
    let mut depth = 0_u32;
    for (at, ch) in text.char_indices() {
        match ch {
            '`' => code = !code,
            '(' | '{' if !code => depth += 1,
            ')' | '}' if !code => depth = depth.saturating_sub(1),
            '\n' if text[at..].starts_with("\n\n") => return at,
            '.' if !code && depth == 0 => {
                let rest = &text[at + 1..];
                let mut next = rest.chars();
                let ends = match (next.next(), next.next()) {
                    (None | Some('\n'), _) => true,
                    (Some(' '), Some(letter)) => letter.is_uppercase() || letter == '`',
                    _ => false,
                };
                if ends {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

/// The lines of each paragraph joined.
fn paragraphs(text: &str) -> String {
    text.split("\n\n")
        .map(|paragraph| {
            let lines: Vec<&str> = paragraph.lines().map(str::trim).collect();
            lines.join(" ")
        })
        .collect::<Vec<_>>()
        .join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::Doc;

    #[test]
    fn a_description_is_taken_apart() {
        let doc = Doc::of(
            "How often\nit looks. Default: 2s, or 1.5s (see `x. Y`). Evidence: recorded, HAProxy 2.6.12. More.",
        );
        assert_eq!(doc.text, "How often it looks. More.");
        assert_eq!(doc.default.as_deref(), Some("2s, or 1.5s (see `x. Y`)"));
        assert_eq!(doc.evidence.as_deref(), Some("recorded, HAProxy 2.6.12"));
        assert_eq!(Doc::of("All. Default: 1.").text, "All.");
    }
}
