//! Caches that lose their content, against the mean of what they then lack.

use super::library::outcome;

/// The cache stops after an hour for ten seconds, and then stands still for a moment, which it survives.
fn source(refills_in: &str) -> String {
    format!(
        "
fivenines: 1
run: {{horizon: 2h, start: new, method: exact}}
services:
  app:
    operations:
      read: {{takes: 1ms, calls: [{{to: cache.get, hit: 90%, on_miss: [{{to: db.query}}], on_failure: [{{to: db.query}}]}}]}}
caches:
  cache:
    replicas: 2
    {refills_in}
    faults: {{crash: {{every: 1h, lasts: 10s}}, pause: {{every: 110m, lasts: 5s}}}}
    operations: {{get: {{takes: 1ms}}}}
stores:
  db: {{members: 1, operations: {{query: {{takes: 1ms}}}}}}
workload: {{users: {{arrive: {{poisson: 20/s}}, journeys: {{app.read: 100%}}, patience: 10s}}}}
"
    )
}

/// Attempts at the database for each request, and their number.
fn asked(refills_in: &str) -> (f64, f64) {
    let outcome = outcome(&source(refills_in), 32);
    let db = outcome.services.iter().find(|row| row.name == "db");
    let calls = db.and_then(|row| row.calls.as_ref()).expect("it is called");
    let issued = outcome.requests.expect("there are requests").total.issued;
    let each = calls.attempts_per_request.expect("requests came").value;
    (each, issued as f64)
}

#[test]
fn misses_grow_rarer_in_proportion_to_the_time_since_the_start() {
    let (day, stopped, refill, hit) = (7_200.0, 10.0, 1_200.0, 0.9);
    let settled = (day * (1.0 - hit) + stopped * hit) / day;
    let cases = [
        ("", 0.0),
        ("refills_in: 0s", 0.0),
        ("refills_in: 20m", hit * refill / 2.0 / day),
    ];
    for (stated, lacking) in cases {
        let (each, issued) = asked(stated);
        let expected = settled + lacking;
        let error = (expected * (1.0 - expected) / issued).sqrt();
        assert!(
            (each - expected).abs() < 4.0 * error,
            "{stated}: {each} and {expected} +- {error}"
        );
    }
}
