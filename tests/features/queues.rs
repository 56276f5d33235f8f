//! Message queues from the file to the figures.

use fivenines::experiment::outcome::{Outcome, Verdict};
use fivenines::experiment::{Options, RunError, run};
use fivenines::model::Method;
use fivenines::report;

use super::library::{Silent, load, replications};

/// Three workers that a queue keeps busy for 60 % of the time; mails that fail now and then; both ends
/// go down.
const SHOP: &str = "
fivenines: 1
run: {horizon: 4h}
services:
  shop: {operations: {buy: {takes: 5ms, calls: [{to: mail.publish}]}}}
  mailer:
    replicas: 3
    workers: 1
    faults: {crash: {every: {exponential: {mean: 1h}}, lasts: {exponential: {mean: 5m}}}}
    takes_from: {queue: mail, operation: send}
    operations: {send: {takes: {exponential: {mean: 200ms}}, fails: 20%}}
queues:
  mail:
    max_deliveries: 2
    redelivers_after: 10s
    durable: false
    faults: {crash: {every: {exponential: {mean: 2h}}, lasts: 1m}}
workload: {users: {arrive: {poisson: 6/s}, journeys: {shop.buy: 100%}, patience: 1s}}
";

fn outcome(text: &str, method: Option<Method>) -> Result<Outcome, RunError> {
    let loaded = load(text);
    let options = Options {
        method,
        ..replications(32)
    };
    run(&loaded.system, &loaded.hash, &options, &Silent)
}

#[test]
fn messages_are_accounted_for_and_reported() {
    let found = outcome(SHOP, None).expect("it runs");
    assert_eq!(found.run.method, Method::Exact);
    let row = &found.queues[0];
    let [published, done, dead, lost, left] = row.counts;
    assert_eq!(published, done + dead + lost + left);
    assert!(lost > 0 && done > 0, "{row:?}");
    let share = |estimate: &Option<fivenines::experiment::outcome::Estimate>| {
        estimate.as_ref().expect("there are messages").value
    };
    // Of those that are not lost, one in 25 fails twice.
    assert!((share(&row.dead) / 0.04 - 1.0).abs() < 0.1, "{row:?}");
    assert!((share(&row.delivered) / 1.2 - 1.0).abs() < 0.05, "{row:?}");
    let whole = report::json(&found);
    assert!(whole.contains("\"queues\"") && whole.contains("\"mail\""));
    // Users only wait for the queue: what is behind it never fails them.
    let caused = |fault: &str| found.causes.iter().any(|row| row.fault == fault);
    assert!(caused("mail.crash") && !caused("mailer.crash"));
}

#[test]
fn windows_are_refused_as_a_backlog_lasts_for_hours() {
    match outcome(SHOP, Some(Method::Windows)) {
        Err(RunError::Unsuitable { message, help, .. }) => {
            assert!(message.contains("`mail` remember an outage"), "{message}");
            assert!(help.contains("--method exact"), "{help}");
        }
        other => panic!("{other:?}"),
    }
}

/// The broker and its worker are 100 ms apart, there and back, and for a while nothing gets through.
const APART: &str = "
fivenines: 1
run: {horizon: 2h, start: new}
domains: {here: {}, there: {}}
network:
  road: {between: [here, there], round_trip: 100ms, faults: {cut: {kind: partition, every: 1h, lasts: 10m}}}
services:
  mailer:
    workers: 1
    across: [there]
    takes_from: {queue: mail, operation: send}
    operations: {send: {takes: 10ms}}
  shop: {across: [here], operations: {buy: {takes: 1ms, calls: [{to: mail.publish}]}}}
queues: {mail: {across: [here], redelivers_after: 5m}}
workload: {users: {arrive: {every: 10s}, journeys: {shop.buy: 100%}, patience: 1s}}
";

#[test]
fn messages_cross_the_network_both_ways_and_wait_while_it_is_cut() {
    let found = outcome(APART, None).expect("it runs");
    let row = &found.queues[0];
    let [published, done, dead, lost, left] = row.counts;
    assert_eq!((dead, lost), (0, 0));
    assert!(done + left == published && left <= 32, "{row:?}");
    let time = row.time.as_ref().expect("messages are done");
    // Half of the round trip, the work, and the acknowledgement.
    assert!((time.p50.value / 0.110 - 1.0).abs() < 0.01, "{time:?}");
    // The first waits for the end of the cut, and with it one in ten for minutes.
    assert!((590.0..=610.0).contains(&time.largest_seen), "{time:?}");
    assert!((59..=62).contains(&row.backlog_largest_seen), "{row:?}");
}

/// One worker that a queue keeps busy for 60 % of the time: from publishing to done it takes exponentially
/// long, with a mean of 1 / (5/s - 3/s), and two messages wait or are worked on less than the mean of
/// 0.6 / 0.4. One delivery in ten fails, and there is no second one.
#[test]
fn targets_on_messages_are_those_of_the_queue() {
    let source = "
fivenines: 1
run: {horizon: 2h, start: new}
services:
  shop: {operations: {buy: {takes: 1ms, calls: [{to: mail.publish}]}}}
  mailer:
    workers: 1
    takes_from: {queue: mail, operation: send}
    operations: {send: {takes: {exponential: {mean: 200ms}}, fails: 10%}}
queues: {mail: {takes: 0s, max_deliveries: 1, redelivers_after: 10min}}
workload: {users: {arrive: {poisson: 3/s}, journeys: {shop.buy: 100%}, patience: 10min}}
targets:
  - queue.mail.delivered >= 85%
  - queue.mail.dead <= 20%
  - queue.mail.lost <= 30%
  - queue.mail.full <= 30%
  - queue.mail.backlog <= 3
  - queue.mail.time.p50 <= 1s
  - queue.mail.time.p99 <= 1s
";
    let found = outcome(source, None).expect("it runs");
    let measured: Vec<f64> = found
        .targets
        .iter()
        .map(|row| row.measured.expect("there are messages").value)
        .collect();
    let in_time = 0.9 * (1.0 - f64::exp(-2.0));
    let exact = [0.9, 0.1, 0.0, 0.0, 1.5, in_time, in_time];
    // 690,000 messages; the backlog of neighbouring minutes is alike.
    for (index, (found, exact)) in measured.iter().zip(exact).enumerate() {
        let close = if index == 4 { 0.05 } else { 0.01 };
        assert!((found - exact).abs() < close, "{index}: {found} {exact}");
    }
    let verdicts: Vec<Verdict> = found.targets.iter().map(|row| row.verdict).collect();
    assert_eq!(verdicts[..6], [Verdict::Met; 6]);
    // One message in ten is never done.
    assert_eq!(verdicts[6], Verdict::Missed);
    assert_eq!(found.targets[6].shown, None);
    // ln(1 - 0.5 / 0.9) / -2, as one in ten is later than anything.
    let median = found.targets[5].shown.expect("most are done");
    assert!(
        (median / (2.25_f64.ln() / 2.0) - 1.0).abs() < 0.02,
        "{median}"
    );
    let text = report::summary(&found, None, report::Style::Plain);
    assert!(text.contains("Messages       mail, done p50"), "{text}");
    assert!(text.lines().count() <= 24, "{text}");
    let markdown = report::markdown(&found);
    assert!(
        markdown.contains("| mail: message done, p99 |"),
        "{markdown}"
    );
}
