//! The examples of the reference page, as a reader copies them: each is a whole scenario, and runs.

use fivenines::experiment::run;
use fivenines::{report, scenario};
use std::path::Path;
use std::process::Command;

use super::library::{Silent, replications};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");

fn page() -> String {
    std::fs::read_to_string(Path::new(FOLDER).join("LANGUAGE.md")).expect("the page is there")
}

/// The blocks of the page that are marked as YAML.
fn examples(page: &str) -> Vec<&str> {
    page.split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect()
}

#[test]
fn every_example_is_a_file_and_every_file_an_example() {
    let page = page();
    let mut shown: Vec<&str> = examples(&page).into_iter().map(str::trim).collect();
    let mut files: Vec<String> = std::fs::read_dir(Path::new(FOLDER).join("language"))
        .expect("the folder of the examples")
        .map(|file| file.expect("readable").path())
        .filter(|path| path.is_file())
        .map(|path| std::fs::read_to_string(path).expect("text"))
        .map(|text| text.trim().to_owned())
        .collect();
    shown.sort_unstable();
    files.sort_unstable();
    assert_eq!(shown, files);
}

/// Also so that no part of the language is shown that only parses.
#[test]
fn every_example_runs() {
    let page = page();
    let examples = examples(&page);
    assert!(examples.len() >= 13, "only {}", examples.len());
    for example in examples {
        let files = |name: &str| {
            std::fs::read(Path::new(FOLDER).join("language").join(name))
                .map_err(|error| error.to_string())
        };
        let loaded = match scenario::load_with(example.as_bytes(), "example.yaml", &files) {
            Ok(loaded) => loaded,
            Err(problems) => panic!("{example}\n{}", problems.render(false)),
        };
        let outcome = run(&loaded.system, &loaded.hash, &replications(2), &Silent)
            .unwrap_or_else(|error| panic!("{example}\n{error:?}"));
        assert!(
            report::json(&outcome).contains("\"structural\""),
            "{example}"
        );
    }
}

#[test]
fn the_program_prints_the_page() {
    let output = Command::new(env!("CARGO_BIN_EXE_fivenines"))
        .args(["schema", "--reference"])
        .output()
        .expect("it runs");
    assert!(output.status.success() && output.stderr.is_empty());
    assert_eq!(String::from_utf8(output.stdout).expect("text"), page());
}
