//! What is allowed and makes results worth less: each warning with its line, as it was reviewed.
//!
//! `tests/warnings/<case>.yaml` is the file and `<case>.txt` what is said of it; `UPDATE_GOLDEN=1`
//! writes the latter anew, to be read before it is committed.

use fivenines::scenario::load;
use std::path::Path;

#[test]
fn every_warning_reads_as_it_was_reviewed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/warnings");
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let files = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let files: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|ending| ending == "yaml"))
        .collect();
    assert!(!files.is_empty());
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap();
        let found = match load(&std::fs::read(&path).unwrap(), name) {
            Ok(loaded) => loaded.system.warnings.join("\n") + "\n",
            Err(problems) => panic!("{name}: {}", problems.render(false)),
        };
        let golden = path.with_extension("txt");
        if update {
            std::fs::write(&golden, &found).unwrap();
        } else {
            let expected = std::fs::read_to_string(&golden).unwrap_or_default();
            assert_eq!(found, expected, "{name}: UPDATE_GOLDEN=1 writes it anew");
        }
    }
}
