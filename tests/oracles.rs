//! Exactly solved cases, run through the program as a user would run it.
//!
//! Each scenario in `tests/oracles/` has a closed form or a numerically exact solution (sources in
//! `tests/oracles/README.md`). For each quantity and each of the seeds 1 to 20, none skipped (1 to
//! `full_seeds` where a case states it, as its runs are long; a plain `cargo test` runs the first, by the same rule),
//! `z = (simulated - exact) / sqrt(se^2 + (0.1 % of the value)^2)` must lie within 4, the standard
//! error must be as small as the case demands, and the root mean square of all z must lie within
//! 0.8 and 1.2: intervals that are honest, neither too narrow nor too wide.
//!
//! With about 3,100 values of z, the chance that a correct program has one beyond 4 is 18 %; the
//! seeds are fixed, so the outcome is too.

#![expect(clippy::print_stdout, reason = "the figures belong beside a verdict")]

use serde_json::Value;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Seeds with `FIVENINES_ORACLES=full`, as in CI.
const SEEDS: u64 = 20;

/// Seeds under a plain `cargo test`, unless a case states its own `seeds`: each run is held to the same
/// rule, there are fewer.
const FEW_SEEDS: u64 = 1;

struct Job {
    file: String,
    seed: u64,
    replications: u64,
    quantities: Vec<Value>,
}

#[derive(Debug)]
struct Score {
    name: String,
    z: f64,
    /// Standard error over the value, and what is allowed.
    se: f64,
    allowed: f64,
}

fn full() -> bool {
    std::env::var("FIVENINES_ORACLES").is_ok_and(|value| value == "full")
}

fn jobs() -> Vec<Job> {
    let text = std::fs::read_to_string("tests/oracles/cases.json").expect("the list of cases");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("valid JSON");
    let mut jobs = Vec::new();
    for case in &cases {
        let replications = case["replications"].as_u64().expect("a number");
        let seeds = if full() {
            case["full_seeds"].as_u64().unwrap_or(SEEDS)
        } else {
            case["seeds"].as_u64().unwrap_or(FEW_SEEDS)
        };
        for seed in 1..=seeds {
            jobs.push(Job {
                file: case["file"].as_str().expect("a file").to_owned(),
                seed,
                replications,
                quantities: case["quantities"].as_array().expect("a list").clone(),
            });
        }
    }
    // Long ones first, so that both threads end at about the same time.
    jobs.sort_by_key(|job| std::cmp::Reverse(job.replications));
    jobs
}

fn run(job: &Job) -> Value {
    let path = Path::new("tests/oracles").join(format!("{}.yaml", job.file));
    let output = Command::new(env!("CARGO_BIN_EXE_fivenines"))
        .args(["run", "--json", "--quiet", "--threads", "1"])
        .args(["--seed", &job.seed.to_string()])
        .args(["--replications", &job.replications.to_string()])
        .args([
            "--out",
            &format!(
                "{}/oracle-{}-{}",
                env!("CARGO_TARGET_TMPDIR"),
                job.file,
                job.seed
            ),
        ])
        .arg(&path)
        .output()
        .expect("the program starts");
    assert!(
        output.status.success(),
        "{} seed {}: {}",
        job.file,
        job.seed,
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("result.json on standard output")
}

/// Half widths of intervals in standard errors: Student with 31 degrees of freedom where the units
/// are the 32 groups of a block, normal where they are thousands of replications.
fn width(at: &str, confidence: f64) -> f64 {
    let p = 0.5 + confidence / 2.0;
    if at.starts_with("/structural") || at.contains("downtime") {
        Normal::standard().inverse_cdf(p)
    } else {
        StudentsT::new(0.0, 1.0, 31.0)
            .expect("valid")
            .inverse_cdf(p)
    }
}

fn score(job: &Job, result: &Value, quantity: &Value) -> Score {
    let at = quantity["at"].as_str().expect("a pointer");
    let name = format!("{}{at} seed {}", job.file, job.seed);
    let estimate = result
        .pointer(at)
        .unwrap_or_else(|| panic!("{name}: no such figure"));
    let part = |key: &str| {
        estimate[key]
            .as_f64()
            .unwrap_or_else(|| panic!("{name}: no {key} in {estimate}"))
    };
    let (mut value, low, high) = (part("value"), part("low"), part("high"));
    let exact = quantity["exact"].as_f64().expect("a number");
    if quantity["complement"].as_bool() == Some(true) {
        value = 1.0 - value;
    }
    let kind = if job.file.starts_with("avail") || job.file.starts_with("rare") {
        "/structural"
    } else {
        at
    };
    let se = (high - low) / 2.0 / width(kind, part("confidence"));
    Score {
        name,
        z: (value - exact) / se.hypot(0.001 * exact),
        se: se / exact,
        allowed: quantity["se"].as_f64().expect("a number"),
    }
}

#[test]
fn every_exact_solution_is_met_on_every_seed() {
    let jobs = jobs();
    let next = AtomicUsize::new(0);
    let scores = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = run(job);
                    let found: Vec<Score> = job
                        .quantities
                        .iter()
                        .map(|row| score(job, &result, row))
                        .collect();
                    scores.lock().expect("no thread panicked").extend(found);
                }
            });
        }
    });
    let mut scores = scores.into_inner().expect("no thread panicked");
    scores.sort_by(|a, b| b.z.abs().total_cmp(&a.z.abs()));
    let rms =
        (scores.iter().map(|score| score.z * score.z).sum::<f64>() / scores.len() as f64).sqrt();
    let wide: Vec<&Score> = scores
        .iter()
        .filter(|score| score.se > score.allowed)
        .collect();
    println!(
        "{} values, rms(z) {rms:.3}, largest {:.2} ({})",
        scores.len(),
        scores[0].z,
        scores[0].name
    );
    println!("nearest to the standard error that is allowed:");
    let mut near: Vec<&Score> = scores.iter().collect();
    near.sort_by(|a, b| (b.se / b.allowed).total_cmp(&(a.se / a.allowed)));
    for score in near.iter().take(20) {
        println!("  {:.3} of it: {}", score.se / score.allowed, score.name);
    }
    assert!(
        wide.is_empty(),
        "standard errors too large: {:#?}",
        &wide[..wide.len().min(10)]
    );
    assert!(
        scores[0].z.abs() < 4.0,
        "off by more than noise: {:#?}",
        &scores[..5]
    );
    assert!(
        (0.8..=1.2).contains(&rms),
        "rms(z) is {rms}: the intervals are not honest"
    );
}
