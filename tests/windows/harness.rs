//! Runs both methods on the same histories and compares what they find.

use fivenines::estimate::{GROUPS, GroupRunner, Plan, Sums, TrafficRecord};
use fivenines::model::{Load, Method, System};
use fivenines::scenario;
use fivenines::stats::WeightedHistogram;

pub(crate) fn system(source: &str) -> System {
    match scenario::load(source.as_bytes(), "test.yaml") {
        Ok(loaded) => loaded.system,
        Err(problems) => panic!("{}", problems.render(false)),
    }
}

/// What one method found, over all groups.
pub(crate) struct Found {
    pub(crate) failed: f64,
    pub(crate) ended: f64,
    pub(crate) downtime_s: f64,
    pub(crate) outages: f64,
    pub(crate) by_cause: Vec<f64>,
    pub(crate) latency: WeightedHistogram,
}

/// Failed share of all groups, and the paired difference with its standard error, as shares.
pub(crate) struct Paired {
    pub(crate) share: f64,
    pub(crate) difference: f64,
    pub(crate) error: f64,
    /// Share of the time that `windows` simulated request by request.
    pub(crate) simulated: f64,
    /// Differences of downtime and of outages, in standard errors.
    pub(crate) downtime_z: f64,
    pub(crate) outages_z: f64,
    /// Standard error of the difference of downtime, as a share of the downtime.
    pub(crate) downtime_error: f64,
    pub(crate) exact: Found,
    pub(crate) windows: Found,
}

impl Paired {
    pub(crate) fn agrees(&self) -> bool {
        self.difference.abs() <= 3.0 * self.error
            && self.downtime_z.abs() <= 3.0
            && self.outages_z.abs() <= 3.0
    }
}

impl Found {
    fn new() -> Self {
        Self {
            failed: 0.0,
            ended: 0.0,
            downtime_s: 0.0,
            outages: 0.0,
            by_cause: Vec::new(),
            latency: WeightedHistogram::new(),
        }
    }

    /// Adds a group; returns its failed share.
    fn add(&mut self, record: &TrafficRecord) -> f64 {
        let totals = &record.totals;
        let failed: f64 = totals.journeys.iter().map(|journey| journey.failed).sum();
        let ended: f64 = totals.journeys.iter().map(|journey| journey.ended()).sum();
        self.failed += failed;
        self.ended += ended;
        self.downtime_s += record.outages.downtime.y;
        self.outages += record.outages.downtime.x;
        self.by_cause.resize(totals.failed_by_cause.len(), 0.0);
        for (sum, failed) in self.by_cause.iter_mut().zip(&totals.failed_by_cause) {
            *sum += failed;
        }
        for journey in &totals.journeys {
            self.latency.merge(&journey.latency);
        }
        failed / ended
    }
}

/// The sum of paired differences and its standard error.
pub(crate) fn paired(differences: &[f64]) -> (f64, f64) {
    let n = differences.len() as f64;
    let sum = differences.iter().sum::<f64>();
    let squares: f64 = differences
        .iter()
        .map(|difference| (difference - sum / n).powi(2))
        .sum();
    (sum, (squares * n / (n - 1.0)).sqrt())
}

/// A difference in its own standard errors; 0 if there is no difference at all.
pub(crate) fn z((difference, error): (f64, f64)) -> f64 {
    if difference == 0.0 {
        0.0
    } else {
        difference / error
    }
}

pub(crate) fn compare(system: &System, replications: u64, mutate: impl Fn(&mut Plan)) -> Paired {
    let load = Load::of(system);
    let plan = |method| {
        let mut plan = Plan::new(system, &load, 7, method);
        plan.traffic_per_block = replications;
        plan
    };
    let exact = plan(Method::Exact);
    let mut windows = plan(Method::Windows);
    mutate(&mut windows);
    let mut differences = Sums::default();
    let (mut found_exact, mut found_windows) = (Found::new(), Found::new());
    let (mut window_s, mut covered_s) = (0.0, 0.0);
    let (mut downtimes, mut outages) = (Vec::new(), Vec::new());
    let run = |plan: &Plan, group: u64| {
        let record = GroupRunner::new(system, plan)
            .run(0, group, replications, &|| false)
            .expect("nothing is lost");
        record.traffic.expect("every group has traffic")
    };
    for group in 0..GROUPS.min(replications) {
        let sampled = run(&windows, group);
        let whole = run(&exact, group);
        window_s += sampled.totals.window_s;
        covered_s += sampled.totals.covered_s;
        let difference = found_windows.add(&sampled) - found_exact.add(&whole);
        // Shifted by one: the sums are made for figures that are not negative.
        differences.push(difference + 1.0, 1.0);
        let (sampled, whole) = (&sampled.outages.downtime, &whole.outages.downtime);
        downtimes.push(sampled.y - whole.y);
        outages.push(sampled.x - whole.x);
    }
    let mean = differences.mean(differences.n, f64::INFINITY, 0.95);
    // The half width is 2.04 standard errors with 31 degrees of freedom.
    let error = (mean.high - mean.low) / 2.0 / 2.0395;
    let share = found_exact.failed / found_exact.ended;
    let difference = mean.value - 1.0;
    let (downtime, outages) = (paired(&downtimes), paired(&outages));
    println!(
        "failed {share:.4e}, difference {difference:+.2e} +- {error:.1e} ({:+.2} se, {:.2} % of \
         the share), {:.0} % in windows, downtime {:.0} s against {:.0} s ({:+.2} se, \
         1 se is {:.2} %), outages {:.0} against {:.0} ({:+.2} se)",
        difference / error,
        100.0 * error / share,
        100.0 * window_s / covered_s,
        found_windows.downtime_s,
        found_exact.downtime_s,
        z(downtime),
        100.0 * downtime.1 / found_exact.downtime_s,
        found_windows.outages,
        found_exact.outages,
        z(outages),
    );
    Paired {
        share,
        difference,
        error,
        simulated: window_s / covered_s,
        downtime_z: z(downtime),
        outages_z: z(outages),
        downtime_error: downtime.1 / found_exact.downtime_s,
        exact: found_exact,
        windows: found_windows,
    }
}
