//! What single parts of the language and the program do, each in a file of its own: one program of tests,
//! so that it is built once.

#[path = "features/brackets.rs"]
mod brackets;
#[path = "features/break_even.rs"]
mod break_even;
#[path = "features/coupled.rs"]
mod coupled;
#[path = "features/ejection.rs"]
mod ejection;
#[path = "features/externals.rs"]
mod externals;
#[path = "features/folder.rs"]
mod folder;
#[path = "features/library.rs"]
mod library;
#[path = "features/losses.rs"]
mod losses;
#[path = "features/measures.rs"]
mod measures;
#[path = "features/mesh.rs"]
mod mesh;
#[path = "features/passive.rs"]
mod passive;
#[path = "features/queues.rs"]
mod queues;
#[path = "features/ranges.rs"]
mod ranges;
#[path = "features/rare.rs"]
mod rare;
#[path = "features/recovery.rs"]
mod recovery;
#[path = "features/reference.rs"]
mod reference;
#[path = "features/refill.rs"]
mod refill;
#[path = "features/resume.rs"]
mod resume;
#[path = "features/shards.rs"]
mod shards;
#[path = "features/traces.rs"]
mod traces;
#[path = "features/warnings.rs"]
mod warnings;
