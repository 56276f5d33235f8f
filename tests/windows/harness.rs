//! Runs both methods on the same histories and compares what they find.

use fivenines::estimate::{Coalescence, GROUPS, GroupRunner, Plan, TrafficRecord};
use fivenines::model::{Load, Method, System};
use fivenines::path::Cause;
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
    /// By target: periods that miss its bound.
    pub(crate) periods: Vec<f64>,
    pub(crate) latency: WeightedHistogram,
}

/// Failed share of all groups, and the paired difference with its standard error, as shares.
pub(crate) struct Paired {
    pub(crate) share: f64,
    pub(crate) difference: f64,
    pub(crate) error: f64,
    /// Histories that each method ran.
    pub(crate) histories: f64,
    /// Share of the time that `windows` simulated request by request.
    pub(crate) simulated: f64,
    /// Differences of downtime in seconds, and of outages, with their standard errors.
    downtime: (f64, f64),
    outages: (f64, f64),
    /// Of each group: differences of failed requests by cause.
    causes: Vec<Vec<f64>>,
    /// Of each group: differences of how many periods miss the bound of each target on slices.
    periods: Vec<Vec<f64>>,
    pub(crate) exact: Found,
    pub(crate) windows: Found,
}

impl Paired {
    /// Failed share, downtime and outages agree within three standard errors. One of the failed share is at
    /// most 1 % of it. One of the downtime is at most 1 % in CI, and with a quarter of the histories 2 %.
    #[track_caller]
    pub(crate) fn agrees(&self) {
        self.agrees_within(if full() { 0.01 } else { 0.02 });
    }

    /// The same with another standard error of the downtime, where slices are bad by chance only.
    #[track_caller]
    pub(crate) fn agrees_within(&self, downtime_error: f64) {
        assert!(self.difference.abs() <= 3.0 * self.error, "failed share");
        assert!(z(self.downtime).abs() <= 3.0, "downtime");
        assert!(z(self.outages).abs() <= 3.0, "outages");
        assert!(self.error <= 0.01 * self.share, "too few histories");
        assert!(self.downtime_error() <= downtime_error, "too few histories");
    }

    /// Standard error of the difference of downtime, as a share of the downtime.
    pub(crate) fn downtime_error(&self) -> f64 {
        if self.downtime.1 == 0.0 {
            0.0
        } else {
            self.downtime.1 / self.exact.downtime_s
        }
    }

    /// So do failures of these causes together, where a standard error may be as large a part of them as `most`.
    /// Returns their share of all failures.
    #[track_caller]
    pub(crate) fn agrees_about(&self, name: &str, cause: impl Fn(usize) -> bool, most: f64) -> f64 {
        let of = |row: &[f64]| -> f64 {
            let rows = row.iter().enumerate();
            rows.filter(|(index, _)| cause(*index))
                .map(|(_, failed)| failed)
                .sum()
        };
        let differences: Vec<f64> = self.causes.iter().map(|row| of(row)).collect();
        let (found, exact) = (paired(&differences), of(&self.exact.by_cause));
        println!(
            "  {name}: {exact:.0} by exact, {:+.0} +- {:.0} ({:+.2} se, {:.2} %)",
            found.0,
            found.1,
            z(found),
            100.0 * found.1 / exact
        );
        assert!(z(found).abs() <= 3.0, "{name}");
        assert!(found.1 <= most * exact, "{name}: too few histories");
        exact / self.exact.failed
    }

    /// How many periods miss the bound of a target on slices agrees as well; there are that many at least.
    #[track_caller]
    pub(crate) fn agrees_about_periods(&self, target: usize, least: f64) {
        let differences: Vec<f64> = self.periods.iter().map(|row| row[target]).collect();
        let (found, exact) = (paired(&differences), self.exact.periods[target]);
        println!(
            "  target {target}: {exact} periods by exact, {:+} +- {:.1} ({:+.2} se)",
            found.0,
            found.1,
            z(found)
        );
        assert!(z(found).abs() <= 3.0, "target {target}");
        assert!(found.1 <= 0.01 * exact && exact >= least, "too few periods");
    }

    /// The same for each cause with at least one failure in fifty.
    #[track_caller]
    pub(crate) fn agrees_about_causes(&self, most: f64) {
        for (index, &failed) in self.exact.by_cause.iter().enumerate() {
            if failed >= 0.02 * self.exact.failed {
                let name = format!("{:?}", Cause::from_index(index));
                self.agrees_about(&name, |cause| cause == index, most);
            }
        }
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
            periods: Vec::new(),
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
        self.periods.resize(record.outages.periods.len(), 0.0);
        for (sum, missed) in self.periods.iter_mut().zip(&record.outages.periods) {
            *sum += missed.y;
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

/// Whether everything is simulated that CI simulates.
pub(crate) fn full() -> bool {
    std::env::var("FIVENINES_ORACLES").is_ok_and(|value| value == "full")
}

/// Seeds of the histories that are compared, all together: so many, and four times as many with
/// `FIVENINES_ORACLES=full`, as in CI, where standard errors are half of those under a plain `cargo test`.
pub(crate) fn seeds(count: u64) -> std::ops::Range<u64> {
    7..7 + if full() { 4 * count } else { count }
}

/// Both methods on so many histories, with a plan for `windows` that `mutate` has changed.
pub(crate) fn compare(system: &System, replications: u64, mutate: impl Fn(&mut Plan)) -> Paired {
    compare_seeds(system, 1, replications, mutate)
}

/// The same over several seeds: more histories of one seed share its samples of quiet time, so that the
/// error of these does not fall.
pub(crate) fn compare_seeds(
    system: &System,
    count: u64,
    replications: u64,
    mutate: impl Fn(&mut Plan),
) -> Paired {
    let load = Load::of(system);
    let plan = |method, seed| {
        let mut plan = Plan::new(system, &load, seed, method);
        plan.traffic_per_block = replications;
        plan
    };
    let run = |runner: &mut GroupRunner<'_>, group: u64| {
        let record = runner
            .run(0, group, replications, &|| false)
            .expect("nothing is lost");
        record.traffic.expect("every group has traffic")
    };
    let (mut exact, mut windows) = (Found::new(), Found::new());
    let (mut histories, mut window_s, mut covered_s) = (0, 0.0, 0.0);
    let (mut shares, mut downtimes, mut outages) = (Vec::new(), Vec::new(), Vec::new());
    let (mut causes, mut periods) = (Vec::new(), Vec::new());
    for seed in seeds(count) {
        let exact_plan = plan(Method::Exact, seed);
        let mut windows_plan = plan(Method::Windows, seed);
        windows_plan.heed(Coalescence::of(system, &windows_plan));
        mutate(&mut windows_plan);
        // What they find out about regimes holds for all groups.
        let mut one = GroupRunner::new(system, &windows_plan);
        let mut other = GroupRunner::new(system, &exact_plan);
        for group in 0..GROUPS.min(replications) {
            let (sampled, whole) = (run(&mut one, group), run(&mut other, group));
            histories += whole.replications;
            window_s += sampled.totals.window_s;
            covered_s += sampled.totals.covered_s;
            shares.push(windows.add(&sampled) - exact.add(&whole));
            let by_cause = |record: &TrafficRecord| record.totals.failed_by_cause.clone();
            let rows = by_cause(&sampled).into_iter().zip(by_cause(&whole));
            causes.push(rows.map(|(sampled, whole)| sampled - whole).collect());
            let rows = sampled.outages.periods.iter().zip(&whole.outages.periods);
            periods.push(rows.map(|(sampled, whole)| sampled.y - whole.y).collect());
            let (sampled, whole) = (&sampled.outages.downtime, &whole.outages.downtime);
            downtimes.push(sampled.y - whole.y);
            outages.push(sampled.x - whole.x);
        }
    }
    let units = shares.len() as f64;
    let share = exact.failed / exact.ended;
    let (difference, error) = paired(&shares);
    let (difference, error) = (difference / units, error / units);
    let (downtime, outages) = (paired(&downtimes), paired(&outages));
    println!(
        "failed {share:.4e}, difference {difference:+.2e} +- {error:.1e} ({:+.2} se, {:.2} % of \
         the share), {:.0} % in windows, downtime {:.0} s against {:.0} s ({:+.2} se, \
         1 se is {:.2} %), outages {:.0} against {:.0} ({:+.2} se, 1 se is {:.2} %)",
        difference / error,
        100.0 * error / share,
        100.0 * window_s / covered_s,
        windows.downtime_s,
        exact.downtime_s,
        z(downtime),
        100.0 * downtime.1 / exact.downtime_s,
        windows.outages,
        exact.outages,
        z(outages),
        100.0 * outages.1 / exact.outages,
    );
    Paired {
        share,
        difference,
        error,
        histories: histories as f64,
        simulated: window_s / covered_s,
        downtime,
        outages,
        causes,
        periods,
        exact,
        windows,
    }
}
