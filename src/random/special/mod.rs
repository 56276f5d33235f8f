//! Special functions that stay accurate far out in both tails.
//!
//! Reliability lives in tails: a clock that is three repair times old, an interval at level
//! 1 - 0.05/(m k (k+1)). The usual route over `1 - cdf` has no digits left there, so everything here
//! works with the cumulative hazard -ln(sf), which is exact to rounding from 1e-300 to 1e300.

mod gamma;
mod normal;

pub(crate) use gamma::{Gamma, ln_gamma_rest, ln_one_plus_minus};
pub(crate) use normal::{normal_cumulative_hazard, normal_inverse_hazard, normal_quantile_of_sf};
