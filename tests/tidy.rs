//! The house rules that a compiler does not check: layers, module comments, lengths, banned words.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Which modules each module may use. A module may always use itself.
const LAYERS: &[(&str, &[&str])] = &[
    ("time", &[]),
    ("ids", &[]),
    ("random", &["time"]),
    // For the special functions, which distributions and intervals share.
    ("stats", &["random"]),
    ("analytic", &["random"]),
    ("engine", &["time"]),
    ("balance", &["time"]),
    ("health", &["time"]),
    ("resilience", &["time"]),
    ("failover", &["time"]),
    ("orchestrate", &["time"]),
    ("model", &["time", "ids", "random"]),
    // For the settings that a file calls by the name of a product.
    (
        "scenario",
        &["time", "ids", "random", "orchestrate", "model"],
    ),
    ("path", &["time", "ids", "random", "model"]),
    (
        "control",
        &[
            "time",
            "ids",
            "random",
            "engine",
            "health",
            "failover",
            "orchestrate",
            "model",
            "path",
        ],
    ),
    (
        "traffic",
        &[
            "time",
            "ids",
            "random",
            "stats",
            "engine",
            "balance",
            "resilience",
            "model",
            "path",
        ],
    ),
    (
        "estimate",
        &[
            "time", "ids", "random", "stats", "model", "path", "control", "traffic",
        ],
    ),
    (
        "experiment",
        &[
            "time", "ids", "random", "stats", "model", "path", "estimate", "traffic",
        ],
    ),
    (
        "report",
        &[
            "time",
            "ids",
            "model",
            "path",
            "estimate",
            "experiment",
            "stats",
        ],
    ),
    (
        "cli",
        &[
            "time",
            "ids",
            "model",
            "path",
            "scenario",
            "estimate",
            "experiment",
            "report",
        ],
    ),
];

/// Longest file, lines.
const LONGEST: usize = 600;

/// Words that mean unfinished work, split so that this file does not contain them.
const BANNED: &[&str] = &[
    "FIX\u{4d}E",
    "TO\u{44}O",
    "XX\u{58}",
    "unimplemented\u{21}",
    "todo\u{21}(",
];

fn rust_files(below: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(below)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of the project") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Whether a file below `src` holds unit tests or what only they use.
fn is_test(path: &Path) -> bool {
    path.components().any(|part| {
        let part = part.as_os_str().to_string_lossy();
        let name = part.trim_end_matches(".rs");
        matches!(name, "tests" | "testing" | "fixture") || name.ends_with("_tests")
    })
}

/// The module a file belongs to: the folder below `src`, or the file's own stem.
fn module(path: &Path) -> String {
    let below = path.strip_prefix("src").expect("a file below src");
    let first = below
        .components()
        .next()
        .expect("a name")
        .as_os_str()
        .to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// Lines of code without comments, whose links may point anywhere, and without unit tests, which may
/// draw random numbers wherever they stand.
fn code(text: &str) -> String {
    text.split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or("")
        .lines()
        .map(|line| line.split("//").next().unwrap_or(""))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Names after `crate::` or `fivenines::`, grouped imports included.
fn imports(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let list = rest.strip_prefix('{').map_or(rest, |group| group);
        if rest.starts_with('{') {
            let mut depth = 0;
            let mut name = String::new();
            for c in list.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        names.push(std::mem::take(&mut name));
                        continue;
                    }
                    _ => {}
                }
                if depth == 0 {
                    name.push(c);
                }
            }
            names.push(name);
        } else {
            names.push(
                list.chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect(),
            );
        }
    }
    names
        .iter()
        .map(|name| {
            name.trim()
                .split("::")
                .next()
                .unwrap_or("")
                .trim()
                .to_owned()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn lower_layers_never_import_higher_ones() {
    let allowed: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let mut wrong = Vec::new();
    for path in rust_files("src") {
        let module = module(&path);
        if module == "lib" || module == "main" || is_test(&path) {
            continue;
        }
        let Some(allowed) = allowed.get(module.as_str()) else {
            wrong.push(format!(
                "{}: module `{module}` is in no layer",
                path.display()
            ));
            continue;
        };
        let text = std::fs::read_to_string(&path).expect("readable");
        for name in imports(&code(&text)) {
            if name != module && !allowed.contains(&name.as_str()) {
                wrong.push(format!("{} imports crate::{name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_layer_test_sees_grouped_imports() {
    assert_eq!(imports("use crate::{time::{A, B}, ids};"), ["time", "ids"]);
    assert_eq!(imports("let x = crate::model::System;"), ["model"]);
}

#[test]
fn every_file_says_what_it_is_for_and_stays_short() {
    let mut wrong = Vec::new();
    for path in rust_files("src")
        .into_iter()
        .chain(rust_files("tests"))
        .chain(rust_files("benches"))
    {
        let text = std::fs::read_to_string(&path).expect("readable");
        if !text.starts_with("//!") {
            wrong.push(format!("{} does not open with //!", path.display()));
        }
        let lines = text.lines().count();
        if lines > LONGEST {
            wrong.push(format!(
                "{} has {lines} lines, more than {LONGEST}",
                path.display()
            ));
        }
        for banned in BANNED {
            if text.contains(banned) {
                wrong.push(format!("{} contains {banned}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn folders_below_src_are_at_most_two_deep() {
    for path in rust_files("src") {
        let depth = path.components().count() - 2;
        assert!(
            depth <= 2,
            "{} lies {depth} folders below src",
            path.display()
        );
    }
}

#[test]
fn only_cli_touches_files_clock_and_environment() {
    let mut wrong = Vec::new();
    for path in rust_files("src") {
        if matches!(module(&path).as_str(), "cli" | "main") || is_test(&path) {
            continue;
        }
        let text = code(&std::fs::read_to_string(&path).expect("readable"));
        for door in [
            "std::fs",
            "std::env",
            "std::time",
            "std::io::std",
            "println",
            "eprintln",
        ] {
            if text.contains(door) {
                wrong.push(format!("{} uses {door}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn algorithms_are_handed_their_uniforms() {
    for folder in ["balance", "health", "resilience", "failover", "orchestrate"] {
        for path in rust_files(&format!("src/{folder}")) {
            let text = code(&std::fs::read_to_string(&path).expect("readable"));
            let body = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or("");
            assert!(
                !body.contains("rand::"),
                "{} draws random numbers itself",
                path.display()
            );
        }
    }
}
