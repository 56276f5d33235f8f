//! Words for recoveries of stores.

use super::numbers;
use crate::experiment::outcome::{Outcome, Recovery, RecoveryEnd, Spans};

/// The store that has lost its leader most often, with its name; `None` if none has.
pub(super) fn worst_recovery(outcome: &Outcome) -> Option<(&str, &Recovery)> {
    let rows = outcome.services.iter();
    let rows = rows.filter_map(|row| Some((row.name.as_str(), row.recovery.as_ref()?)));
    let seen = rows.filter(|(_, found)| found.per_year.value > 0.0);
    // The first of several, so that their order does not depend on the last digit of a sum.
    seen.reduce(|a, b| {
        if b.1.per_year.value > a.1.per_year.value {
            b
        } else {
            a
        }
    })
}

/// What ends the recovery time of a store.
pub(super) const fn recovery_end(end: RecoveryEnd) -> &'static str {
    match end {
        RecoveryEnd::FirstAnswer => "the first good answer",
        RecoveryEnd::NobodyAsks => "a member that leads: no call asks it",
        RecoveryEnd::NoTraffic => "a member that leads: traffic none",
    }
}

/// How often a store lost its leader, for how long, and what with it, in parts.
pub(super) fn recovery(found: &Recovery) -> Vec<String> {
    let mut parts = vec![numbers::per_year(&found.per_year).value];
    let spans = |word: &str, spans: &Spans| {
        let rows = [
            ("mean", &spans.mean),
            ("p50", &spans.p50),
            ("p99", &spans.p99),
        ];
        let rows = rows.into_iter().filter_map(|(name, e)| {
            let e = e.as_ref()?;
            Some(format!("{word} {name} {}", numbers::brief_span(e)))
        });
        rows.collect::<Vec<_>>()
    };
    let word = match found.ends {
        RecoveryEnd::FirstAnswer => "RTO",
        RecoveryEnd::NobodyAsks | RecoveryEnd::NoTraffic => "RTO to leader",
    };
    parts.extend(spans(word, &found.time));
    if let Some(loss) = &found.loss {
        parts.extend(spans("RPO", loss));
    }
    parts
}
