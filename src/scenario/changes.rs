//! What differs between two scenario files, key by key: for people who compare two designs.
//!
//! Files are compared as they are written, aliases written out, so a change is found whether or not
//! it means anything. The order of keys, comments, layout and texts for people do not count. Where
//! one choice replaces another (`exponential` by `weibull`), that is one change and not two.

use super::place::line_of;
use super::read::tree::{self, Node, Value};

/// How many changes are told one by one.
const MOST: usize = 500;

/// Longest value, in characters.
const LONGEST: usize = 160;

/// Keys at the top of a file that only people read.
const PROSE: [&str; 3] = ["name", "description", "sources"];

/// One value that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Keys and indices from the top of the file, joined by dots: `services.app.replicas`.
    pub path: String,
    /// The value in the first file, in one line; `None` if it has none.
    pub before: Option<String>,
    /// The value in the second file.
    pub after: Option<String>,
}

/// The differences of two sources that are scenarios, in the order of the first file and then of
/// the second; at most 500. Nothing in the texts can move a cursor.
pub fn changes(first: &[u8], second: &[u8]) -> Vec<Change> {
    let mut found = Vec::new();
    if let (Some(first), Some(second)) = (root(first), root(second)) {
        compare("", &first, &second, &mut found);
    }
    found.truncate(MOST);
    found
}

/// The line of `source`, from 1, on which the value at `path` stands, or as much of the path as
/// there is.
pub fn line_at(source: &[u8], path: &[&str]) -> Option<u32> {
    let text = text(source)?;
    let mut node = root(source)?;
    let mut place = None;
    for key in path {
        let Value::Map(entries) = &node.value else {
            break;
        };
        let Some((found, next)) = entries.iter().find(|(it, _)| it.text == *key) else {
            break;
        };
        place = Some(found.place.start);
        node = next.clone();
    }
    place.map(|start| line_of(text, start))
}

fn text(source: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(source).ok()?;
    Some(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn root(source: &[u8]) -> Option<Node> {
    tree::parse(text(source)?).ok().map(|(root, _)| root)
}

fn below(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn compare(path: &str, first: &Node, second: &Node, found: &mut Vec<Change>) {
    if found.len() > MOST {
        return;
    }
    match (&first.value, &second.value) {
        (Value::Map(one), Value::Map(two)) => {
            let both = |key: &str| {
                two.iter()
                    .find(|(it, _)| it.text == key)
                    .map(|(_, node)| node)
            };
            // One choice instead of another: the mappings have nothing in common.
            if let ([(a, _)], [(b, _)]) = (one.as_slice(), two.as_slice())
                && a.text != b.text
                && !path.is_empty()
                && path.contains('.')
            {
                found.push(changed(path, Some(first), Some(second)));
                return;
            }
            for (key, node) in one.iter() {
                if path.is_empty() && PROSE.contains(&key.text.as_str()) {
                    continue;
                }
                let path = below(path, &key.text);
                match both(&key.text) {
                    Some(other) => compare(&path, node, other, found),
                    None => found.push(changed(&path, Some(node), None)),
                }
            }
            for (key, node) in two.iter() {
                let known = one.iter().any(|(it, _)| it.text == key.text);
                let prose = path.is_empty() && PROSE.contains(&key.text.as_str());
                if !known && !prose {
                    found.push(changed(&below(path, &key.text), None, Some(node)));
                }
            }
        }
        (Value::List(one), Value::List(two)) => lists(path, one, two, found),
        _ if written(first) != written(second) => {
            found.push(changed(path, Some(first), Some(second)));
        }
        _ => {}
    }
}

/// Lists: equal items at both ends are left out; what is between is compared in turn.
fn lists(path: &str, one: &[Node], two: &[Node], found: &mut Vec<Change>) {
    let equal = |(a, b): &(&Node, &Node)| written(a) == written(b);
    let head = one.iter().zip(two).take_while(equal).count();
    let (one_rest, two_rest) = (&one[head..], &two[head..]);
    let tail = one_rest
        .iter()
        .rev()
        .zip(two_rest.iter().rev())
        .take_while(equal)
        .count();
    let (one, two) = (
        &one_rest[..one_rest.len() - tail],
        &two_rest[..two_rest.len() - tail],
    );
    for index in 0..one.len().max(two.len()) {
        let path = below(path, &(head + index).to_string());
        match (one.get(index), two.get(index)) {
            (Some(a), Some(b)) => compare(&path, a, b, found),
            (a, b) => found.push(changed(&path, a, b)),
        }
    }
}

fn changed(path: &str, before: Option<&Node>, after: Option<&Node>) -> Change {
    let short = |node: &Node| {
        let text = written(node);
        match text.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}...", &text[..end]),
            None => text,
        }
    };
    Change {
        path: path.to_owned(),
        before: before.map(short),
        after: after.map(short),
    }
}

/// A value in one line, as YAML would have it in braces.
fn written(node: &Node) -> String {
    match &node.value {
        Value::Scalar { text, .. } => text.clone(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(written).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, node)| format!("{}: {}", key.text, written(node)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The changes as lines: `~ path before -> after`, `+ path value`, `- path value`.
    fn lines(first: &str, second: &str) -> Vec<String> {
        changes(first.as_bytes(), second.as_bytes())
            .into_iter()
            .map(|change| match (change.before, change.after) {
                (Some(a), Some(b)) => format!("~ {} {a} -> {b}", change.path),
                (None, Some(b)) => format!("+ {} {b}", change.path),
                (Some(a), None) => format!("- {} {a}", change.path),
                (None, None) => unreachable!("a change has a side"),
            })
            .collect()
    }

    #[test]
    fn a_replica_more_is_one_change() {
        let base = "fivenines: 1\nservices: {app: {replicas: 3, workers: 4}}\n";
        let more =
            "# a comment\nfivenines: 1\nservices:\n  app:\n    workers: 4\n    replicas: 4\n";
        assert_eq!(lines(base, more), ["~ services.app.replicas 3 -> 4"]);
        assert!(lines(base, base).is_empty());
    }

    #[test]
    fn components_come_and_go() {
        let base =
            "fivenines: 1\nname: x\ncaches: {c: {replicas: 1}}\nservices: {a: {replicas: 1}}\n";
        let other = "fivenines: 1\nname: y\ncaches: {c: {replicas: 1}, d: {replicas: 2}}\nbalancers: {e: {to: a}}\nservices: {}\n";
        assert_eq!(
            lines(base, other),
            [
                "+ caches.d {replicas: 2}",
                "- services.a {replicas: 1}",
                "+ balancers {e: {to: a}}"
            ]
        );
    }

    #[test]
    fn another_choice_is_one_change_and_aliases_count_where_they_stand() {
        let base = "a: {f: {every: &x {exponential: {mean: 3y}}, lasts: 1h}, g: {every: *x}}\n";
        let other = "a: {f: {every: &x {weibull: {mean: 3y}}, lasts: 2h}, g: {every: *x}}\n";
        assert_eq!(
            lines(base, other),
            [
                "~ a.f.every {exponential: {mean: 3y}} -> {weibull: {mean: 3y}}",
                "~ a.f.lasts 1h -> 2h",
                "~ a.g.every {exponential: {mean: 3y}} -> {weibull: {mean: 3y}}"
            ]
        );
    }

    #[test]
    fn an_item_put_into_a_list_is_the_only_change() {
        let (base, other) = ("a: [x, y, z]\n", "a: [x, w, y, z]\n");
        assert_eq!(lines(base, other), ["+ a.1 w"]);
        assert_eq!(
            lines("a: [{to: x, timeout: 1s}]\n", "a: [{to: x, timeout: 2s}]\n"),
            ["~ a.0.timeout 1s -> 2s"]
        );
    }

    #[test]
    fn there_is_an_end_to_it() {
        let many = |value: u32| {
            let entries: Vec<String> = (0..2_000).map(|i| format!("k{i}: {value}")).collect();
            format!("a: {{{}}}\n", entries.join(", "))
        };
        assert_eq!(lines(&many(1), &many(2)).len(), MOST);
    }

    #[test]
    fn a_path_leads_to_its_line() {
        let source = b"fivenines: 1\nrun:\n  seed: 3\n  horizon: 1y\n";
        assert_eq!(line_at(source, &["run", "horizon"]), Some(4));
        assert_eq!(line_at(source, &["run", "start"]), Some(2));
        assert_eq!(line_at(source, &["targets"]), None);
    }
}
