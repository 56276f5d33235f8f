//! Statistical tests of the distributions: what is drawn follows the law it is named after.
//!
//! Seeds are fixed, so a test passes or fails for good. Each Kolmogorov-Smirnov test rejects a true
//! law with probability 1e-5 over seeds; there are fewer than 100 of them, so a change of the
//! generator alone fails this file with probability below 1e-3.

#[path = "statistical/extremes.rs"]
mod extremes;
#[path = "statistical/ks.rs"]
mod ks;
#[path = "statistical/laws.rs"]
mod laws;
#[path = "statistical/stability.rs"]
mod stability;
