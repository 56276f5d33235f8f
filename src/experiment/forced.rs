//! How what is rare was found, and what says that it can be believed, as facts of a run.

use super::figures::Figures;
use super::outcome::{ForcingFacts, InitiatorRow, InjectedFacts, SplittingFacts};
use super::summary::CONFIDENCE;
use crate::estimate::{ForcedRecord, SplittingRecord};
use crate::model::System;

/// Below so many main trajectories of equal finds the interval of what they found may be too narrow.
const FEW_ROOTS: f64 = 20.0;

/// That failures of load were found by few trajectories.
pub(super) fn few_roots(split: &SplittingRecord) -> Option<String> {
    let worth = split.effective_hits();
    (worth > 0.0 && worth < FEW_ROOTS).then(|| {
        format!(
            "failures of load that samples cannot see were found by trajectories that are worth {worth:.0} \
             independent ones: their interval may be too narrow; ask for more replications"
        )
    })
}

pub(super) fn splitting_facts(split: &SplittingRecord) -> Option<SplittingFacts> {
    (split.regimes > 0).then(|| SplittingFacts {
        regimes: split.regimes,
        levels: split.levels,
        roots: split.roots,
        retrials: split.retrials,
        changes: split.changes,
        hits: split.hits,
        effective_hits: split.effective_hits(),
        given_up: split.given_up,
        unsplit: split.unsplit,
    })
}

pub(super) fn forcing_facts(figures: &Figures<'_>, forced: &ForcedRecord) -> ForcingFacts {
    let branches = &forced.branches;
    ForcingFacts {
        branches: branches.count,
        forced: branches.forced,
        raised: forced.raised,
        hits: branches.hits,
        mean_weight: branches.mean(),
        mean_weight_z: branches.mean_z(),
        effective_share: branches.effective_share(),
        largest_share: branches.largest_share(),
        natural_hits: forced.natural.hits,
        expected_hits: forced.any.y,
        initiators: initiators(figures.system, forced),
        durations_z: forced.diagnosis.strata_z(),
        error_ratio: forced.diagnosis.error_ratio(),
        parts: figures.split(CONFIDENCE),
        injected: (forced.injected.count > 0).then(|| InjectedFacts {
            branches: forced.injected.count,
            hits: forced.injected.hits,
            mean_weight: forced.injected.mean(),
            mean_weight_z: forced.injected.mean_z(),
            effective_share: forced.injected.effective_share(),
            largest_share: forced.injected.largest_share(),
        }),
    }
}

fn initiators(system: &System, forced: &ForcedRecord) -> Vec<InitiatorRow> {
    let all = &forced.diagnosis.initiators;
    let whole: f64 = all.iter().map(|row| row.downtime_s).sum();
    let faults = system.faults.iter().map(|fault| Some(fault.name.clone()));
    let rows = faults.chain([None]).zip(all);
    let mut rows: Vec<InitiatorRow> = rows
        .filter(|(_, row)| row.branches > 0)
        .map(|(fault, row)| InitiatorRow {
            fault,
            branches: row.branches,
            hits: row.hits,
            share: if whole > 0.0 {
                row.downtime_s / whole
            } else {
                0.0
            },
        })
        .collect();
    rows.sort_by(|a, b| {
        b.share
            .total_cmp(&a.share)
            .then_with(|| a.fault.cmp(&b.fault))
    });
    rows
}

/// Faults by which no outage begins, though some should.
pub(super) fn without_hits<'a>(
    system: &'a System,
    forced: &'a ForcedRecord,
) -> impl Iterator<Item = String> + 'a {
    let rows = forced.diagnosis.without_hits();
    let faults = rows.filter_map(|row| Some((row, system.faults.iter().nth(row)?)));
    faults.map(|(row, fault)| {
        format!(
            "no structural outage began with `{}` in {} branches, though one is as near after it as after \
             others: what begins like that may be missing from the structural figures",
            fault.name, forced.diagnosis.initiators[row].branches
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_trajectories_are_told() {
        let record = |found: [f64; 2]| -> SplittingRecord {
            let mut value = serde_json::to_value(SplittingRecord::default()).expect("numbers");
            value["found"] = serde_json::json!(found);
            serde_json::from_value(value).expect("a record")
        };
        // By the sum and the sum of squares: six that found one each, and 420^2 / 800.
        let text = few_roots(&record([6.0, 6.0])).expect("few");
        assert!(text.contains("are worth 6 independent ones"), "{text}");
        assert_eq!(few_roots(&record([420.0, 800.0])), None);
        assert_eq!(few_roots(&record([0.0, 0.0])), None);
    }
}
