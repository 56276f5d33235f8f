//! Third parties known by their contract only: what users see of them, against closed forms.

use fivenines::experiment::outcome::Estimate;

use super::library::outcome;

/// That `exact` lies within 3.5 standard errors, of which there are at most `se` relative to it.
#[track_caller]
fn meets(estimate: &Estimate, complement: bool, exact: f64, se: f64) {
    let value = if complement {
        1.0 - estimate.value
    } else {
        estimate.value
    };
    let error = (estimate.high - estimate.low) / 2.0 / 1.96;
    let z = (value - exact) / error;
    assert!(
        z.abs() < 3.5 && error <= se * exact,
        "{value:.6e} against {exact:.6e}: {z:.2} se of {error:.1e}"
    );
}

/// Two parties in a row: 99.9 % in outages of 48.6 min on average (a lognormal of median 20 min and
/// p95 3 h has sigma = ln 9 / 1.6449), and 99.5 % in outages of 10 min.
const TWO: &str = "
fivenines: 1
run: {horizon: 1y, method: none}
externals:
  payments: {availability: 99.9%, outages: {lasts: {lognormal: {median: 20m, p95: 3h}}}, operations: {charge: {takes: 120ms}}}
  mails: {availability: 99.5%, outages: {lasts: 10m}, during_outage: silent, operations: {send: {takes: 1s}}}
journeys: {buy: {calls: [{to: payments.charge}, {to: mails.send}]}}
";

#[test]
fn the_structure_has_the_availability_that_is_promised_and_as_many_outages() {
    let found = outcome(TWO, 8_192);
    let sigma = 9_f64.ln() / 1.644_853_627;
    let mean = 1_200.0 * (sigma * sigma / 2.0).exp();
    let year = 365.0 * 86_400.0;
    let frequency = |mean: f64, availability: f64| year * (1.0 - availability) / mean;
    let [payments, mails] = ["payments", "mails"].map(|name| {
        let mut services = found.services.iter();
        services
            .find(|service| service.name == name)
            .expect("it is there")
    });
    assert_eq!(payments.kind, "external");
    meets(&payments.structural, true, 0.001, 0.02);
    meets(&mails.structural, true, 0.005, 0.01);
    meets(
        &payments.structural_outages.per_year,
        false,
        frequency(mean, 0.999),
        0.01,
    );
    meets(
        &mails.structural_outages.per_year,
        false,
        frequency(600.0, 0.995),
        0.01,
    );
    // In series: up together, and each begins an outage only while the other is up.
    meets(
        &found.availability.structural,
        true,
        1.0 - 0.999 * 0.995,
        0.01,
    );
    let together = 0.995 * frequency(mean, 0.999) + 0.999 * frequency(600.0, 0.995);
    meets(&found.structural_outages.per_year, false, together, 0.01);
}

/// Outages that are answered with errors, and errors of its own in between.
const ERRORS: &str = "
fivenines: 1
run: {horizon: 2d, method: exact}
externals: {geo: {availability: 99%, outages: {lasts: {exponential: {mean: 2m}}}, operations: {find: {takes: {exponential: {mean: 50ms}}, fails: 0.5%}}}}
workload: {users: {arrive: {poisson: 1/s}, journeys: {geo.find: 100%}, patience: 5s}}
";

#[test]
fn outages_and_errors_of_its_own_add_up_and_have_their_causes() {
    let found = outcome(ERRORS, 32);
    let request = found.availability.request.as_ref();
    let request = request.expect("there are requests");
    meets(request, true, 1.0 - 0.99 * 0.995, 0.06);
    let share = |name: &str| {
        let rows = found.causes.iter().filter(|row| row.fault == name);
        let shares = rows.filter_map(|row| row.failed_per_million.as_ref());
        shares.map(|share| share.value / 1e6).sum::<f64>()
    };
    assert!(
        (share("geo.outage") / 0.01 - 1.0).abs() < 0.2,
        "{}",
        share("geo.outage")
    );
    assert!(
        (share("base") / (0.99 * 0.005) - 1.0).abs() < 0.02,
        "{}",
        share("base")
    );
    assert_eq!(share("load"), 0.0);
}

/// Six requests at once, nine wait for nothing: Erlang's loss formula, whatever the law of the work.
const LIMITED: &str = "
fivenines: 1
run: {horizon: 1h, method: exact}
externals: {geo: {availability: 100%, concurrency: 6, operations: {find: {takes: {lognormal: {median: 300ms, p95: 1s}}}}}}
workload: {users: {arrive: {poisson: 10/s}, journeys: {geo.find: 100%}}}
";

#[test]
fn what_is_beyond_its_limit_is_refused_as_erlang_says() {
    let found = outcome(LIMITED, 32);
    let sigma: f64 = (1.0_f64 / 0.3).ln() / 1.644_853_627;
    let erlangs = 10.0 * 0.3 * (sigma * sigma / 2.0).exp();
    let lost = (1..=6).fold(1.0, |lost: f64, servers| {
        erlangs * lost / (f64::from(servers) + erlangs * lost)
    });
    let request = found.availability.request.as_ref();
    let request = request.expect("there are requests");
    meets(request, true, lost, 0.03);
    assert!(found.causes.iter().all(|row| row.fault == "load"));
    let warned = |what: &str| found.warnings.iter().any(|warning| warning.contains(what));
    assert!(warned("geo is assumed never to fail") && warned("is a promise"));
}
