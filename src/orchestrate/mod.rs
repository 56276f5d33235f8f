//! What runs processes does when they end. Sans-IO: time and uniforms are arguments.

pub mod restart;
