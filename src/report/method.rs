//! How a result was come by, in words.

use super::numbers;
use crate::experiment::outcome::{
    Ejections, ForcingFacts, LateProbes, Outcome, Parts, RunFacts, SplittingFacts, WarmUpFacts,
};
use crate::model::Method;

/// What was done, in two sentences.
pub(crate) fn done(outcome: &Outcome) -> String {
    let run = &outcome.run;
    let horizon = numbers::exact_span(run.horizon_s);
    let start = if run.steady {
        "beginning in equilibrium"
    } else {
        "beginning with everything new"
    };
    let first = format!(
        "{} of {horizon} each were simulated from seed {}, {start}: {} of state, caused by faults, \
         their repair, health checks and failovers.",
        numbers::plural(run.replications, "history"),
        run.seed,
        numbers::plural(run.transitions_simulated, "change"),
    );
    let second = match run.method {
        Method::None => "No requests were simulated: all figures are structural.".to_owned(),
        Method::Exact => format!(
            "In {} of them every request was sent through the balancing, retry and queueing \
             algorithms: {}, {}.",
            numbers::count(run.traffic_replications),
            numbers::plural(run.requests_simulated, "request"),
            numbers::plural(run.attempts_simulated, "attempt"),
        ),
        Method::Windows => format!(
            "In {} of them requests were sent through the balancing, retry and queueing algorithms: \
             every one around each change of state ({} of the time), and a sample of each of {} \
             in between, weighted by its time: {}, {}.",
            numbers::count(run.traffic_replications),
            numbers::part(run.share_simulated),
            numbers::plural(run.regimes, "quiet regime"),
            numbers::plural(run.requests_simulated, "request"),
            numbers::plural(run.attempts_simulated, "attempt"),
        ),
    };
    let lent = if run.lent_histories == 0 {
        String::new()
    } else {
        format!(
            " How often a regime comes and how long it lasts is also taken from {} without requests.",
            numbers::plural(run.lent_histories, "other history"),
        )
    };
    let bounded = if run.bounded_histories == 0 {
        String::new()
    } else {
        format!(
            " In the {} others the downtime was bounded by their changes of state: all of a quiet regime's \
             time counts as its sample says, and what lies around a change, or in a regime never sampled, \
             as anything from none to all.",
            numbers::count(run.bounded_histories),
        )
    };
    let coupled = run.late_probes.as_ref();
    let coupled = coupled.map_or_else(String::new, |late| together(late, run.method));
    let forced = run.forcing.as_ref().map(forcing).unwrap_or_default();
    let warm = run.warm_up.as_ref().map(warm_up).unwrap_or_default();
    let split = run.splitting.as_ref().map(split).unwrap_or_default();
    let ejected = run.ejections.as_ref().map(ejections).unwrap_or_default();
    format!("{first} {second}{warm}{lent}{split}{coupled}{ejected}{bounded}{forced}")
}

/// Which engine simulated requests.
pub(crate) fn engine(run: &RunFacts) -> &'static str {
    match run.arrival_driven {
        None => "-",
        Some(false) => "events",
        Some(true) => "arrivals where nothing changes, events after changes",
    }
}

/// How long windows and samples warm up, and how that is known.
fn warm_up(facts: &WarmUpFacts) -> String {
    let used = numbers::exact_span(facts.used_s);
    let known = match (facts.mean_s, facts.largest_s) {
        (Some(mean), Some(largest)) => {
            let pairs = numbers::plural(facts.pairs, "pair");
            let of = if facts.measured == 1 {
                format!("{pairs} at the busiest time with all up")
            } else {
                format!(
                    "{pairs} in each of {} at the busiest time, of which this one needs most",
                    numbers::plural(facts.measured, "regime")
                )
            };
            format!(
                "the same requests, simulated from empty and from a backlog, came to the same after {} on average and {} at \
                 the longest ({of})",
                numbers::short_span(mean),
                numbers::short_span(largest),
            )
        }
        _ => "so long by a formula".to_owned(),
    };
    let open = match (facts.measured, facts.unknown + facts.slow.len() as u64) {
        (_, 0) => String::new(),
        (0, _) => ", as it cannot be measured here".to_owned(),
        (_, n) => format!(
            "; in {} it cannot be measured, and a formula stands",
            numbers::plural(n, "other")
        ),
    };
    format!(
        " Stretches begin {used} before their first request counts, so that they forget that they began empty: {known}{open}."
    )
}

/// That both clocks were one, and what came of it.
fn together(late: &LateProbes, method: Method) -> String {
    let around = if method == Method::Windows {
        "around changes "
    } else {
        ""
    };
    let longer = if late.windows == 0 {
        String::new()
    } else {
        format!(
            ", and {} went on for longer than the changes in them ask ({} of the time)",
            numbers::plural(late.windows, "window"),
            numbers::part(late.share_of_time),
        )
    };
    format!(
        " Workers answer probes, so overload acts back on balancers, and {around}state and requests ran on one clock: {} \
         failed because no worker had time for {}{longer}.",
        numbers::plural(late.failed, "probe"),
        if late.failed == 1 { "it" } else { "them" },
    )
}

/// That balancers ejected replicas, and what was simulated because of that.
fn ejections(f: &Ejections) -> String {
    let longer = if f.windows == 0 {
        String::new()
    } else {
        format!(
            "; {} went on until it was over and forgotten ({} of the time)",
            numbers::plural(f.windows, "window"),
            numbers::part(f.share_of_time),
        )
    };
    format!(
        " Balancers eject replicas by what comes of requests: they did so {} to one that answers, where requests were \
         simulated{longer}.",
        numbers::plural(f.seen, "time"),
    )
}

/// How failures of load were found by splitting, and what says that it can be believed.
fn split(f: &SplittingFacts) -> String {
    let given_up = if f.given_up == 0 {
        String::new()
    } else {
        format!(
            " In {} that would have taken too long, and samples count.",
            numbers::plural(f.given_up, "case")
        )
    };
    let unsplit = if f.unsplit == 0 {
        String::new()
    } else {
        format!(
            " In {} it took long, and nothing was split any more.",
            numbers::plural(f.unsplit, "case")
        )
    };
    let found = if f.hits == 0 {
        "none was found, so what they may be is a bound".to_owned()
    } else {
        format!(
            "{} failed in all of them, and what was found counts as {:.0} of {} with as much each",
            numbers::plural(f.hits, "request"),
            f.effective_hits,
            numbers::count(f.roots),
        )
    };
    format!(
        " Failures of load in quiet time are too rare for samples, so {} there were split at up to {} on the way to \
         full queues and late answers, {}, and weighed (RESTART): {found}.{unsplit}{given_up}",
        numbers::plural(f.roots, "long trajectory"),
        numbers::plural(f.levels, "threshold"),
        numbers::plural(f.retrials, "retrial"),
    )
}

/// How structural outages were forced, and what says that it can be believed.
fn forcing(f: &ForcingFacts) -> String {
    let raised = if f.raised > 0 {
        format!(
            ", and what works or hits by chance was made to fail or hit in {} of them",
            numbers::count(f.raised)
        )
    } else {
        String::new()
    };
    let injected = f.injected.as_ref().map_or_else(String::new, |it| {
        format!(
            ". Faults of which hardly any history has one were begun at a random instant of {}, and {} of \
             these had an outage",
            numbers::plural(it.branches, "history"),
            numbers::count(it.hits),
        )
    });
    format!(
        " Structural outages are rare, so faults were made to come together in {} branches of the \
         histories{raised}, and weighed: {} of them met an outage; the mean weight is {:.3} (1 is right, \
         {:+.1} standard errors away), and {} without that, where {:.1} are expected{injected}.",
        numbers::count(f.branches),
        numbers::count(f.hits),
        f.mean_weight,
        f.mean_weight_z,
        had_outages(f.natural_hits),
        f.expected_hits,
    ) + &f.parts.as_ref().map_or_else(String::new, parts)
}

/// The two parts of what fails.
fn parts(parts: &Parts) -> String {
    let (plain, forced) = parts.failed;
    let (seen, expected) = parts.downtime_s_per_year;
    format!(
        " Of a million requests {} fail while the structure is down, by these branches (forced part), and {} \
         otherwise, by the histories with traffic (plain part); of the downtime of a year {} and {}. What such an \
         outage costs until it is noticed, and after its end, is in the plain part, as far as those histories met one.",
        numbers::significant(forced.value * 1e6, 3),
        numbers::significant(plain.value.max(0.0) * 1e6, 3),
        numbers::short_span(expected.value),
        numbers::short_span(seen.value.max(0.0)),
    )
}

/// What says that forced figures can be believed.
pub(crate) fn diagnosis(f: &ForcingFacts) -> String {
    let error = f.error_ratio.map_or_else(String::new, |ratio| {
        format!(
            " The error is {ratio:.2} times that of a sixteenth of the histories (a quarter is right)."
        )
    });
    format!(
        "Each of these says whether forcing can be believed, and stops it if it is far off: the mean weight \
         is {:.3} ({:+.1} standard errors from 1); branches with long and with short durations are {:+.1} standard \
         errors apart; {} where {:.1} are expected.{error}",
        f.mean_weight,
        f.mean_weight_z,
        f.durations_z,
        had_outages(f.natural_hits),
        f.expected_hits,
    )
}

/// Whether structural outages were forced, with the shares by which that is judged.
pub(crate) fn forced(run: &RunFacts) -> String {
    let Some(f) = &run.forcing else {
        return "as often as they come".to_owned();
    };
    let share = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), numbers::part);
    format!(
        "forced in {} of {} branches; {} outages, worth {} of as many with equal weights, the heaviest {} of all",
        numbers::count(f.forced),
        numbers::count(f.branches),
        numbers::count(f.hits),
        share(f.effective_share),
        share(f.largest_share),
    ) + &f.injected.as_ref().map_or_else(String::new, |it| {
        format!(
            "; {} injected faults with {} outages, worth {} of as many, the heaviest {}",
            numbers::count(it.branches),
            numbers::count(it.hits),
            share(it.effective_share),
            share(it.largest_share),
        )
    })
}

fn had_outages(histories: u64) -> String {
    if histories == 0 {
        "no history had an outage".to_owned()
    } else {
        format!("{} had an outage", numbers::plural(histories, "history"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::outcome::InjectedFacts;
    use crate::stats::Estimate;

    #[test]
    fn late_probes_are_told_with_what_they_took() {
        let late = LateProbes {
            failed: 1,
            left_out_in_samples: 0,
            windows: 0,
            share_of_time: 0.0,
        };
        let text = together(&late, Method::Exact);
        assert!(text.contains("and state and requests ran on one clock: 1 probe failed"));
        assert!(text.ends_with("for it."), "{text}");
        let late = LateProbes {
            failed: 10_609,
            windows: 35,
            share_of_time: 0.008,
            ..late
        };
        let text = together(&late, Method::Windows);
        assert!(text.contains("around changes state and requests"), "{text}");
        assert!(
            text.ends_with("for them, and 35 windows went on for longer than the changes in them ask (0.8 % of the time)."),
            "{text}"
        );
    }

    #[test]
    fn how_outages_were_forced_is_told_with_all_that_was_done() {
        let mut facts = ForcingFacts {
            branches: 1_200,
            forced: 700,
            raised: 0,
            hits: 300,
            mean_weight: 1.004,
            mean_weight_z: 0.4,
            effective_share: Some(0.5),
            largest_share: Some(0.01),
            natural_hits: 0,
            expected_hits: 0.2,
            injected: None,
            initiators: Vec::new(),
            durations_z: 0.1,
            error_ratio: Some(0.26),
            parts: None,
        };
        let text = forcing(&facts);
        assert!(text.contains("in 1,200 branches of the histories, and weighed: 300 of them"));
        assert!(text.ends_with("where 0.2 are expected."), "{text}");
        facts.raised = 90;
        facts.injected = Some(InjectedFacts {
            branches: 1_024,
            hits: 1_000,
            mean_weight: 1.0,
            mean_weight_z: 0.0,
            effective_share: Some(1.0),
            largest_share: Some(0.001),
        });
        let text = forcing(&facts);
        assert!(
            text.contains("made to fail or hit in 90 of them, and weighed"),
            "{text}"
        );
        assert!(
            text.ends_with(
                "a random instant of 1,024 histories, and 1,000 of these had an outage."
            ),
            "{text}"
        );
        let about = |value| Estimate {
            value,
            low: value,
            high: value,
            confidence: 0.95,
            n: 1,
        };
        facts.parts = Some(Parts {
            failed: (about(4.2e-7), about(1e-9)),
            downtime_s_per_year: (about(58.0), about(0.0316)),
        });
        let text = forcing(&facts);
        assert!(
            text.ends_with(
                "Of a million requests 0.001 fail while the structure is down, by these branches (forced \
                 part), and 0.42 otherwise, by the histories with traffic (plain part); of the downtime of a \
                 year 32 ms and 58 s. What such an outage costs until it is noticed, and after its end, is in \
                 the plain part, as far as those histories met one."
            ),
            "{text}"
        );
    }

    #[test]
    fn how_the_warm_up_is_known_is_told() {
        let mut facts = WarmUpFacts {
            used_s: 4.0,
            formula_s: 2.0,
            pairs: 64,
            mean_s: Some(0.715_7),
            largest_s: Some(2.464_2),
            missing: Some("app".into()),
            measured: 3,
            unknown: 0,
            slow: Vec::new(),
            too_short: false,
        };
        assert_eq!(
            warm_up(&facts),
            " Stretches begin 4 s before their first request counts, so that they forget that they began empty: the same \
             requests, simulated from empty and from a backlog, came to the same after 720 ms on average and 2.5 s at the \
             longest (64 pairs in each of 3 regimes at the busiest time, of which this one needs most)."
        );
        (facts.measured, facts.unknown) = (1, 2);
        let text = warm_up(&facts);
        assert!(
            text.ends_with(
                "with all up); in 2 others it cannot be measured, and a formula stands."
            ),
            "{text}"
        );
        (facts.measured, facts.mean_s, facts.largest_s) = (0, None, None);
        let text = warm_up(&facts);
        assert!(
            text.ends_with("so long by a formula, as it cannot be measured here."),
            "{text}"
        );
    }
}
