//! Files that are wrong: each gets a clear message, in no time, and nothing of it reaches a terminal raw.
//!
//! `tests/invalid/<case>.yaml` is the file and `<case>.txt` what is printed; `UPDATE_GOLDEN=1` writes
//! the latter anew, to be read before it is committed. Files too large to keep are made here.

use fivenines::scenario::load;
use std::fmt::Write as _;
use std::path::Path;

/// What is printed about a file that must be refused.
#[track_caller]
fn refused(source: &[u8], file: &str) -> String {
    match load(source, file) {
        Ok(_) => panic!("{file} was accepted"),
        Err(problems) => {
            assert!(problems.count() > 0);
            let text = problems.render(false);
            let raw = |ch: char| {
                (ch.is_control() && ch != '\n') || ('\u{202a}'..='\u{202e}').contains(&ch)
            };
            assert!(!text.contains(raw), "{file}: something raw is in {text:?}");
            text
        }
    }
}

#[test]
fn every_wrong_file_gets_the_message_that_was_reviewed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/invalid");
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    files.sort();
    assert!(files.len() >= 40, "only {} cases", files.len());
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap();
        let found = refused(&std::fs::read(&path).unwrap(), name);
        let golden = path.with_extension("txt");
        if update {
            std::fs::write(&golden, &found).unwrap();
        } else {
            let expected = std::fs::read_to_string(&golden).unwrap_or_default();
            assert_eq!(found, expected, "{name}: UPDATE_GOLDEN=1 writes it anew");
        }
    }
}

#[test]
fn fifty_megabytes_are_refused_unread() {
    let text = refused(&vec![b'a'; 50_000_000], "large.yaml");
    assert!(
        text.contains("the file has 47.7 MiB; a scenario has at most 1 MiB"),
        "{text}"
    );
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut source =
        String::from("fivenines: 1\nservices:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..14 {
        let before = level - 1;
        let copies = vec![format!("*a{before}"); 10].join(", ");
        let _ = writeln!(source, "  a{level}: &a{level} [{copies}]");
    }
    let text = refused(source.as_bytes(), "bomb.yaml");
    assert!(text.contains("repeat more than 100000 values"), "{text}");
}

#[test]
fn twenty_thousand_nested_brackets_are_refused() {
    for open in ["[", "{a: ", "- ", "? "] {
        let source = format!("fivenines: 1\nname: {}", open.repeat(20_000));
        let text = refused(source.as_bytes(), "deep.yaml");
        assert!(text.contains("problem in deep.yaml"), "{text}");
    }
    let flow = refused(
        format!("fivenines: 1\nname: {}", "[".repeat(20_000)).as_bytes(),
        "deep.yaml",
    );
    assert!(
        flow.contains("more than 64 levels inside each other"),
        "{flow}"
    );
    let mut block = String::from("fivenines: 1\nservices:\n");
    for level in 1..500 {
        let _ = writeln!(block, "{}a:", " ".repeat(level));
    }
    assert!(refused(block.as_bytes(), "block.yaml").contains("more than 64 levels"));
}

#[test]
fn two_hundred_thousand_services_are_refused() {
    let mut source = String::from("fivenines: 1\nservices:\n");
    for index in 0..200_000 {
        let _ = writeln!(source, " s{index}: {{}}");
    }
    assert!(refused(source.as_bytes(), "many.yaml").contains("at most 1 MiB"));
    // As many as fit into the file.
    let mut source = String::from("fivenines: 1\nservices:\n");
    for index in 0..80_000 {
        let _ = writeln!(source, " s{index}: {{}}");
    }
    let text = refused(source.as_bytes(), "many.yaml");
    assert!(
        text.contains("more than 2000 services, caches, stores, externals and balancers"),
        "{text}"
    );
}

#[test]
fn limits_on_slots_clocks_calls_domains_and_targets_hold() {
    let check = |lines: &str, says: &str| {
        let text = refused(format!("fivenines: 1\n{lines}").as_bytes(), "limits.yaml");
        assert!(text.contains(says), "{text}");
    };
    check(
        "services: {a: {replicas: 6000}, b: {replicas: 6000}}\n",
        "more than 10000 replicas, members and instances",
    );
    check(
        "nodes: {a: {count: 6000}, b: {count: 6000}}\nservices: {s: {}}\n",
        "more than 10000 machines",
    );
    let crash = "faults: {crash: {every: 1d, lasts: 1h}}";
    check(
        &format!(
            "nodes: {{n: {{count: 6000, {crash}}}}}\nservices: {{s: {{replicas: 6000, {crash}}}}}\n"
        ),
        "more than 10000 fault clocks",
    );
    let calls = vec!["{to: b.x}"; 20_001].join(", ");
    check(
        &format!(
            "services:\n  b: {{operations: {{x: {{takes: 1ms}}}}}}\n  a: {{operations: {{x: {{takes: 1ms, calls: [{calls}]}}}}}}\n"
        ),
        "more than 20000 calls",
    );
    let domains: String = (0..1_001).fold(String::new(), |mut text, index| {
        let _ = write!(text, "d{index}: {{}}, ");
        text
    });
    check(
        &format!("domains: {{{domains}}}\nservices: {{s: {{}}}}\n"),
        "more than 1000 domains",
    );
    let targets = "  - structural.outages <= 1\n".repeat(501);
    check(
        &format!("services: {{s: {{}}}}\ntargets:\n{targets}"),
        "more than 500 targets",
    );
}

#[test]
fn sixty_five_levels_of_calls_are_refused() {
    let mut source =
        String::from("fivenines: 1\nservices:\n  s65: {operations: {x: {takes: 1ms}}}\n");
    for level in (1..65).rev() {
        let _ = writeln!(
            source,
            "  s{level}: {{operations: {{x: {{takes: 1ms, calls: [{{to: s{}.x}}]}}}}}}",
            level + 1
        );
    }
    let text = refused(source.as_bytes(), "levels.yaml");
    assert!(text.contains("`s1.x` makes calls 65 levels deep"), "{text}");
}

#[test]
fn a_thousand_problems_in_one_long_line_are_shown_quickly() {
    let services: String = (0..2_000).fold(String::new(), |mut text, index| {
        let _ = write!(text, "s{index}: {{replicas: 0}}, ");
        text
    });
    let source = format!(
        "fivenines: 1\nservices: {{{services}}}\n# {}",
        "x".repeat(900_000)
    );
    let text = refused(source.as_bytes(), "long.yaml");
    assert!(text.contains("and 1950 more"), "{text}");
    assert!(text.len() < 50_000, "{}", text.len());
}

#[test]
fn prefixes_of_a_right_file_never_panic() {
    let source = include_bytes!("../scenarios/article-site.yaml");
    for end in (0..source.len()).step_by(7) {
        if let Err(problems) = load(&source[..end], "prefix.yaml") {
            problems.render(false);
        }
    }
}

#[test]
fn a_right_file_with_one_wrong_byte_never_panics() {
    let source = include_bytes!("../scenarios/article-site.yaml");
    for at in (0..source.len()).step_by(53) {
        for byte in [
            b'{', b'[', b'*', b'&', b':', b'-', b'"', b'\t', b'\n', b'0', 0xff,
        ] {
            let mut wrong = source.to_vec();
            wrong[at] = byte;
            if let Err(problems) = load(&wrong, "byte.yaml") {
                problems.render(false);
            }
        }
    }
}

#[test]
fn the_catalogue_names_files_that_are_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/invalid");
    let catalogue = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let rows = catalogue.lines().filter(|line| line.starts_with("| "));
    let named: Vec<_> = rows
        .flat_map(|row| row.split('`').skip(1).step_by(2))
        .filter(|name| name.ends_with(".yaml"))
        .collect();
    assert!(named.len() > 30, "{named:?}");
    for name in named {
        assert!(folder.join(name).exists(), "{name}");
        let said = folder.join(name).with_extension("txt");
        assert!(said.exists(), "{name} has no text");
    }
}
