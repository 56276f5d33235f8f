//! Claims about traffic: its rules one by one, queues against their closed forms, and what must
//! hold for any system.

use crate as fivenines;

mod answers;
mod any_system;
mod build;
mod calls;
mod case;
mod channels;
mod crowds;
mod deadlines;
mod disciplines;
mod engines;
mod forks;
mod messages;
mod network;
mod outliers;
mod probers;
mod queues;
mod rules;
mod stuck;
