//! What callers do about failures. Sans-IO: time and uniforms are arguments.

pub mod backoff;
pub mod outlier;
mod passive;

pub use passive::Passive;
