//! A hash of what a scenario means.

use crate::model::{InputRange, System};
use crate::random::{mix, name_hash};

/// 16 hexadecimal digits of the compiled system: comments, layout, the order of keys within a
/// component, units (`60s` or `1m`) and the scenario's own name do not count. Names of components
/// and their order do, as they name random streams and rows, and so do the ends of `ranges`.
pub(super) fn of(system: &System, ranges: &[InputRange]) -> String {
    let mut meaning = system.clone();
    meaning.name.clear();
    meaning.warnings.clear();
    for target in &mut meaning.targets {
        target.line = 0;
        target.text.clear();
    }
    for workload in meaning.workloads.as_mut_slice() {
        workload.line = 0;
    }
    // The derived text holds every field, and floats in the shortest form that reads back the same.
    let mut hash = name_hash(&format!("{meaning:?}"));
    for range in ranges {
        let text = format!("{} {}..{}", range.field, range.low, range.high);
        hash = mix(hash) ^ name_hash(&text);
    }
    format!("{:016x}", mix(hash))
}
