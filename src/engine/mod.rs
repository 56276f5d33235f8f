//! Pending events: what is due next, in a total order. Knows times, payloads and nothing else.
//!
//! Two containers, because two kinds of event differ in what they cost. Events at arbitrary instants
//! go into the [`Agenda`]. Deadlines that always lie the same span ahead come in order by
//! themselves and go into the [`Rings`], one ring for each span, where they cost no comparison.

mod agenda;
mod rings;

pub use agenda::{Agenda, Due, PAYLOAD_LIMIT};
pub use rings::{Rings, Timer};
