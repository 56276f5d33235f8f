//! How long windows and samples warm up, and whether that is known to be enough.

use super::outcome::{SlowRegime, WarmUpFacts};
use crate::estimate::{Coalesced, PAIRS, Plan, Took};
use crate::model::{Method, System};

/// What a plan says of it; `None` where nothing is sampled.
pub(super) fn facts(system: &System, plan: &Plan) -> Option<WarmUpFacts> {
    if plan.method != Method::Windows {
        return None;
    }
    let measured = plan.coalescence.as_ref();
    let missing = |row: &Coalesced| row.missing.map(|pool| system.pools[pool].name.clone());
    let rows = || measured.into_iter().flat_map(|it| &it.regimes);
    let asks = |row: &&Coalesced| row.took.asks_s();
    let deciding = rows().filter(|row| matches!(row.took, Took::Times { .. }));
    let deciding = deciding.max_by(|a, b| asks(a).total_cmp(&asks(b)));
    let slow = rows().filter_map(|row| match row.took {
        Took::MoreThan(than) => Some(SlowRegime {
            missing: missing(row),
            more_than_s: than.as_secs_f64(),
        }),
        Took::Times { .. } | Took::Unknown => None,
    });
    let count = |of: fn(&Took) -> bool| rows().filter(|row| of(&row.took)).count() as u64;
    let (mean_s, largest_s) = match deciding.map(|row| row.took) {
        Some(Took::Times { mean_s, largest_s }) => (Some(mean_s), Some(largest_s)),
        _ => (None, None),
    };
    let used = plan.windows.warm_up;
    Some(WarmUpFacts {
        used_s: used.as_secs_f64(),
        formula_s: measured.map_or(used, |it| it.formula).as_secs_f64(),
        pairs: PAIRS,
        mean_s,
        largest_s,
        missing: deciding.and_then(missing),
        measured: count(|took| matches!(took, Took::Times { .. })),
        unknown: count(|took| matches!(took, Took::Unknown)),
        slow: slow.collect(),
        too_short: measured.is_some_and(|it| it.too_short(used)),
    })
}

/// What must be read if a warm-up is too short for what was measured.
pub(super) fn warning(facts: &WarmUpFacts) -> Option<String> {
    let state = |missing: &Option<String>| match missing {
        None => "with all up".to_owned(),
        Some(pool) => format!("with a replica of `{pool}` missing"),
    };
    let used = facts.used_s;
    if !facts.too_short {
        return None;
    }
    let what =
        "the same requests were simulated from empty and from a backlog, at the busiest time";
    Some(match (facts.slow.first(), facts.mean_s, facts.largest_s) {
        (Some(slow), _, _) => format!(
            "{what}, and {} the two were not one after {:.0} s: a backlog that has once come about may last, and \
             figures of quiet time are those of a system that began without one {used:.0} s before",
            state(&slow.missing),
            slow.more_than_s,
        ),
        (None, Some(mean), Some(largest)) => format!(
            "{what}, and {} it took {mean:.1} s on average and {largest:.1} s at the longest until the two were one: the \
             warm-up of {used:.0} s is too short, and figures of requests are those of queues that began empty",
            state(&facts.missing),
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Options, plan};
    use crate::scenario;
    use crate::time::SimSpan;

    const QUEUED: &str = "
fivenines: 1
run: {horizon: 4h}
services:
  app:
    replicas: 2
    workers: 1
    faults: {crash: {every: {exponential: {mean: 150s}}, lasts: {exponential: {mean: 2s}}}}
    operations: {read: {takes: {exponential: {mean: 100ms}}}}
balancers: {edge: {to: app, probes: {interval: 1s, timeout: 500ms, rise: 1, fall: 1}}}
workload: {users: {arrive: {poisson: 12/s}, journeys: {app.read: 100%}, through: edge, patience: 2s}}
";

    fn planned() -> (System, Plan) {
        let loaded = scenario::load(QUEUED.as_bytes(), "test.yaml");
        let system = loaded.unwrap_or_else(|_| panic!("it is right")).system;
        let options = Options {
            method: Some(Method::Windows),
            ..Options::default()
        };
        let (plan, _) = plan(&system, &options).unwrap();
        (system, plan)
    }

    #[test]
    fn what_was_measured_is_told() {
        let (system, plan) = planned();
        let facts = facts(&system, &plan).unwrap();
        assert_eq!((facts.measured, facts.unknown, facts.pairs), (1, 1, 64));
        assert!(facts.used_s >= facts.formula_s && facts.formula_s > 1.0);
        let (mean, largest) = (facts.mean_s.unwrap(), facts.largest_s.unwrap());
        assert!(0.1 < mean && mean < largest && largest <= facts.used_s);
        assert_eq!(facts.missing, None);
        assert_eq!(warning(&facts), None);
    }

    /// The mutant is kept: no warm-up at all, or half of what was measured.
    #[test]
    fn a_warm_up_that_is_too_short_is_noticed() {
        let (system, mut plan) = planned();
        let largest = facts(&system, &plan).unwrap().largest_s.unwrap();
        for too_short in [0.0, 0.5 * largest] {
            plan.windows.warm_up = SimSpan::from_secs_f64(too_short);
            let facts = facts(&system, &plan).unwrap();
            assert!(facts.too_short);
            let text = warning(&facts).unwrap();
            assert!(text.contains("too short"), "{text}");
        }
        // Whoever follows every request has none of these.
        plan.method = Method::Exact;
        assert_eq!(super::facts(&system, &plan), None);
    }

    #[test]
    fn a_regime_that_does_not_forget_is_told() {
        let (system, mut plan) = planned();
        let measured = plan.coalescence.as_mut().unwrap();
        measured.regimes[1].took = Took::MoreThan(SimSpan::from_secs(900));
        let facts = facts(&system, &plan).unwrap();
        let text = warning(&facts).unwrap();
        assert!(
            text.contains("with a replica of `app` missing the two were not one after 900 s"),
            "{text}"
        );
    }
}
