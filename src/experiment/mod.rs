//! Many replications: pilot, plan, blocks, looks; the outcome as plain data.

pub mod outcome;
