//! Distributions: which parameters go together, and what is wrong with them where they stand.

use crate::random::{Dist, DistError};
use crate::scenario::place::Place;
use crate::scenario::problem::Problem;
use crate::scenario::read::{At, Opt};
use crate::scenario::schema::{Lognormal, Shape, SpanDist};
use crate::scenario::units::Span;

/// The distribution that `form`, at `place`, states; `None` if it is wrong, which has been noted.
pub(super) fn make(form: &SpanDist, place: Place, problems: &mut Vec<Problem>) -> Option<Dist> {
    let before = problems.len();
    let mut maker = Maker { place, problems };
    let made = match form {
        SpanDist::Constant(span) => Some(Dist::constant(span.secs())),
        SpanDist::Shape(shape) => maker.shape(shape),
    };
    match made {
        Some(Ok(dist)) if dist.mean().is_finite() => (problems.len() == before).then_some(dist),
        Some(Ok(_)) => {
            problems.push(
                Problem::at(place, "this distribution has no finite mean")
                    .help("its tail is so heavy that no average over time would settle"),
            );
            None
        }
        Some(Err(error)) => {
            problems.push(Problem::at(place, error.to_string()));
            None
        }
        None => None,
    }
}

type Made = Option<Result<Dist, DistError>>;

struct Maker<'p> {
    place: Place,
    problems: &'p mut Vec<Problem>,
}

impl Maker<'_> {
    fn problem(&mut self, place: Place, message: impl Into<String>, help: &str) {
        self.problems.push(Problem::at(place, message).help(help));
    }

    /// The parameters must be exactly `wanted`; the names of those `given` are known. Says which
    /// sets there are.
    fn neither(&mut self, given: &[&str], sets: &str) -> Made {
        let message = if given.is_empty() {
            "this distribution has no parameters".to_owned()
        } else {
            let given: Vec<String> = given.iter().map(|name| format!("`{name}`")).collect();
            match given.as_slice() {
                [one] => format!("{one} alone does not fix this distribution"),
                several => format!(
                    "these parameters do not go together: {}",
                    several.join(", ")
                ),
            }
        };
        self.problem(self.place, message, &format!("give {sets}"));
        None
    }

    /// A span above zero.
    fn above_zero(&mut self, at: &At<Span>, name: &str) -> Option<f64> {
        let span = at.get()?;
        if span.is_zero() {
            self.problem(at.place, format!("`{name}` is 0"), "it must be longer than 0s; for no time at all write `0s` instead of the distribution");
            return None;
        }
        Some(span.secs())
    }

    /// A number above zero.
    fn number(&mut self, at: &At<f64>, name: &str) -> Option<f64> {
        let number = *at.get()?;
        if number > 0.0 {
            return Some(number);
        }
        self.problem(
            at.place,
            format!("`{name}` is {number}"),
            "it must be above 0",
        );
        None
    }

    fn shape(&mut self, shape: &Shape) -> Made {
        match shape {
            Shape::Exponential(p) => match &p.mean {
                Some(mean) => Some(Dist::exponential(self.above_zero(mean, "mean")?)),
                None => self.neither(&[], "`mean`"),
            },
            Shape::Weibull(p) => match (&p.shape, &p.mean, &p.scale) {
                (Some(shape), Some(mean), None) => {
                    let (shape, mean) =
                        (self.number(shape, "shape"), self.above_zero(mean, "mean"));
                    Some(Dist::weibull_mean(shape?, mean?))
                }
                (Some(shape), None, Some(scale)) => {
                    let (shape, scale) =
                        (self.number(shape, "shape"), self.above_zero(scale, "scale"));
                    Some(Dist::weibull_scale(shape?, scale?))
                }
                _ => self.neither(
                    &given(&[
                        ("shape", p.shape.is_some()),
                        ("mean", p.mean.is_some()),
                        ("scale", p.scale.is_some()),
                    ]),
                    "`shape` and `mean`, or `shape` and `scale`",
                ),
            },
            Shape::Lognormal(p) => self.lognormal(p),
            Shape::Gamma(p) => match (&p.shape, &p.mean, &p.scale) {
                (Some(shape), Some(mean), None) => {
                    let (shape, mean) =
                        (self.number(shape, "shape"), self.above_zero(mean, "mean"));
                    Some(Dist::gamma_mean(shape?, mean?))
                }
                (Some(shape), None, Some(scale)) => {
                    let (shape, scale) =
                        (self.number(shape, "shape"), self.above_zero(scale, "scale"));
                    Some(Dist::gamma_scale(shape?, scale?))
                }
                _ => self.neither(
                    &given(&[
                        ("shape", p.shape.is_some()),
                        ("mean", p.mean.is_some()),
                        ("scale", p.scale.is_some()),
                    ]),
                    "`shape` and `mean`, or `shape` and `scale`",
                ),
            },
            Shape::Erlang(p) => match (&p.k, &p.mean) {
                (Some(k), Some(mean)) => {
                    if k.get() == Some(&0) {
                        self.problem(
                            k.place,
                            "`k` is 0",
                            "an Erlang distribution has at least 1 stage",
                        );
                        return None;
                    }
                    Some(Dist::erlang_mean(*k.get()?, self.above_zero(mean, "mean")?))
                }
                (k, mean) => self.neither(
                    &given(&[("k", k.is_some()), ("mean", mean.is_some())]),
                    "`k` and `mean`",
                ),
            },
            Shape::Uniform(p) => match (&p.min, &p.max) {
                (Some(min), Some(max)) => {
                    let (low, high) = (*min.get()?, *max.get()?);
                    if low > high {
                        self.problem(max.place, "`max` is less than `min`", "exchange them?");
                        return None;
                    }
                    Some(if low == high {
                        Dist::constant(low.secs())
                    } else {
                        Dist::uniform(low.secs(), high.secs())
                    })
                }
                (min, max) => self.neither(
                    &given(&[("min", min.is_some()), ("max", max.is_some())]),
                    "`min` and `max`",
                ),
            },
            Shape::Mixture(parts) => {
                let mut mixed = Vec::new();
                let mut sum = 0.0;
                let mut whole = true;
                for part in parts {
                    let Some(form) = part.get() else {
                        whole = false;
                        continue;
                    };
                    let share = self.part(&form.share, part.place, "share");
                    let of = self.part(&form.of, part.place, "of");
                    let dist = of.and_then(|(place, of)| make(of, place, self.problems));
                    if let Some((place, share)) = share {
                        if share.0 <= 0.0 {
                            self.problem(place, "a part with a share of 0%", "leave it out");
                        }
                        sum += share.0;
                    }
                    match (share, dist) {
                        (Some((_, share)), Some(dist)) => mixed.push((share.0, dist)),
                        _ => whole = false,
                    }
                }
                if parts.is_empty() {
                    self.problem(
                        self.place,
                        "a mixture of nothing",
                        "name at least one part, such as {share: 100%, of: 30s}",
                    );
                    return None;
                }
                if whole && (sum - 1.0).abs() > 1e-9 {
                    self.problem(
                        self.place,
                        format!("the shares of this mixture sum to {}", per_cent(sum)),
                        "they must sum to 100%",
                    );
                    return None;
                }
                whole.then(|| Dist::mixture(mixed))
            }
            Shape::Heartbeat(p) => match (&p.every, &p.dead_after) {
                (Some(every), Some(dead_after)) => {
                    let period = self.above_zero(every, "every");
                    let after = dead_after.get()?.secs();
                    let period = period?;
                    if after < period {
                        self.problem(
                            dead_after.place,
                            "`dead_after` is shorter than `every`",
                            "it would be over before the next heartbeat can come",
                        );
                        return None;
                    }
                    Some(Dist::uniform(after - period, after))
                }
                (every, dead_after) => self.neither(
                    &given(&[
                        ("every", every.is_some()),
                        ("dead_after", dead_after.is_some()),
                    ]),
                    "`every` and `dead_after`",
                ),
            },
            Shape::People(_) => {
                self.problem(
                    self.place,
                    "people are no distribution",
                    "`people` can stand in `lasts`, `noticed_in` and `on_failure`, for the whole of it; write a distribution here",
                );
                None
            }
            Shape::Empirical(values) => {
                if values.is_empty() {
                    self.problem(
                        self.place,
                        "no values",
                        "name at least one, such as [30s, 45s, 2m]",
                    );
                    return None;
                }
                let secs: Option<Vec<f64>> =
                    values.iter().map(|at| Some(at.get()?.secs())).collect();
                Some(Dist::empirical(secs?))
            }
        }
    }

    fn lognormal(&mut self, p: &Lognormal) -> Made {
        let given = given(&[
            ("median", p.median.is_some()),
            ("p95", p.p95.is_some()),
            ("mean", p.mean.is_some()),
            ("mu", p.mu.is_some()),
            ("sigma", p.sigma.is_some()),
        ]);
        match given.as_slice() {
            ["median", "p95"] => {
                let (median, p95) = (p.median.as_ref()?, p.p95.as_ref()?);
                let (low, high) = (
                    self.above_zero(median, "median"),
                    self.above_zero(p95, "p95"),
                );
                let (low, high) = (low?, high?);
                if high <= low {
                    self.problem(p95.place, "`p95` is not above `median`", "95% stay below `p95` and half below `median`: exchange them? (what does not vary is written `90s`)");
                    return None;
                }
                Some(Dist::lognormal_median_p95(low, high))
            }
            ["median", "sigma"] => {
                let median = self.above_zero(p.median.as_ref()?, "median");
                let sigma = self.number(p.sigma.as_ref()?, "sigma");
                Some(Dist::lognormal_median_sigma(median?, sigma?))
            }
            ["mean", "sigma"] => {
                let mean = self.above_zero(p.mean.as_ref()?, "mean");
                let sigma = self.number(p.sigma.as_ref()?, "sigma");
                Some(Dist::lognormal_mean_sigma(mean?, sigma?))
            }
            ["mu", "sigma"] => {
                let sigma = self.number(p.sigma.as_ref()?, "sigma");
                Some(Dist::lognormal(*p.mu.as_ref()?.get()?, sigma?))
            }
            _ => self.neither(
                &given,
                "`median` and `p95`, `median` and `sigma`, `mean` and `sigma`, or `mu` and `sigma`",
            ),
        }
    }

    fn part<'f, T>(
        &mut self,
        field: &'f Opt<T>,
        owner: Place,
        name: &str,
    ) -> Option<(Place, &'f T)> {
        match field {
            Some(at) => at.get().map(|value| (at.place, value)),
            None => {
                self.problem(
                    owner,
                    format!("`{name}` is missing"),
                    "a part is written {share: 90%, of: 30s}",
                );
                None
            }
        }
    }
}

/// The names of the parameters that are there.
fn given<'n>(parameters: &[(&'n str, bool)]) -> Vec<&'n str> {
    parameters
        .iter()
        .filter(|(_, there)| *there)
        .map(|&(name, _)| name)
        .collect()
}

/// A share as per cent, without the noise of binary fractions.
pub(super) fn per_cent(share: f64) -> String {
    format!("{}%", (share * 1e11).round() / 1e9)
}
