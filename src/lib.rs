//! How available and how fast a design will be, why, and what would help.

pub mod analytic;
pub mod balance;
pub mod cli;
pub mod control;
pub mod engine;
pub mod estimate;
pub mod experiment;
pub mod failover;
pub mod health;
pub mod ids;
pub mod model;
pub mod orchestrate;
pub mod path;
pub mod random;
pub mod report;
pub mod resilience;
pub mod scenario;
pub mod stats;
pub mod time;
pub mod traffic;
