//! The nearest name to one that was mistyped.

/// The candidate that `typed` was most likely meant to be: at most one third of its letters wrong,
/// counting a swap of neighbours as one; the first of equally near ones.
///
/// Found by the optimal string alignment distance, without regard to case.
pub(super) fn nearest<'a>(
    typed: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Longer texts are no mistyped names, and the distance costs their length squared.
    const LONGEST: usize = 128;
    let typed: Vec<char> = typed
        .chars()
        .take(LONGEST + 1)
        .flat_map(char::to_lowercase)
        .collect();
    if typed.is_empty() || typed.len() > LONGEST {
        return None;
    }
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let letters: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
            let allowed = (typed.len().max(letters.len()) / 3).max(1);
            let differ = typed.len().abs_diff(letters.len());
            let wrong = if differ > allowed {
                differ
            } else {
                distance(&typed, &letters)
            };
            (wrong <= allowed && wrong < typed.len()).then_some((wrong, candidate))
        })
        .min_by_key(|&(wrong, _)| wrong)
        .map(|(_, candidate)| candidate)
}

fn distance(a: &[char], b: &[char]) -> usize {
    let mut before = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = a[i - 1] == b[j - 1];
            let mut least = (last[j - 1] + usize::from(!same))
                .min(last[j] + 1)
                .min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                let swapped: usize = before[j - 2];
                least = least.min(swapped + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_swap_or_a_letter_too_many_is_found() {
        assert_eq!(nearest("chekcout", ["read", "checkout"]), Some("checkout"));
        assert_eq!(nearest("worker", ["queue", "workers"]), Some("workers"));
        assert_eq!(nearest("App", ["app"]), Some("app"));
    }

    #[test]
    fn something_else_altogether_is_not_suggested() {
        assert_eq!(nearest("hang", ["crash"]), None);
        assert_eq!(nearest("x", ["y", "z"]), None);
        assert_eq!(nearest("", ["a"]), None);
        assert_eq!(nearest(&"a".repeat(100_000), ["a"]), None);
    }
}
