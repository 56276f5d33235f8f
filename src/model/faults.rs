//! What happens to components, and when.

use crate::ids::{DomainId, FaultId, NodeId, SlotId};
use crate::random::Dist;

/// A fault as the file states it.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Its name, `<component>.<kind>`, e.g. `app.crash` or `north-a.power`.
    pub name: String,
    /// What happens.
    pub kind: FaultKind,
    /// From the end of one to the start of the next, seconds (a time to failure).
    pub every: Dist,
    /// From its start to its end, seconds. The component may need longer until it serves again.
    pub lasts: Dist,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// The component stops. A slot's process ends and refuses connections; a node takes everything
    /// on it down without a word.
    Crash,
    /// A domain cannot be reached from outside, nor reach out; what is inside lives on.
    Isolated,
    /// Everything in a domain stops without a word, and starts again when power is back.
    Power,
    /// A shock from outside that starts faults of several components at once, and is itself over at
    /// once (see [`CommonCause`](super::CommonCause)).
    Common,
}

/// What a fault clock belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    /// A slot.
    Slot(SlotId),
    /// A machine.
    Node(NodeId),
    /// A domain.
    Domain(DomainId),
    /// No single one: a common cause, by its row in [`Care::commons`](super::Care::commons).
    Common(u32),
}

/// The fault of one component: an alternating renewal process of its own.
#[derive(Clone, Debug)]
pub struct FaultClock {
    /// Which fault.
    pub fault: FaultId,
    /// What it happens to.
    pub component: Component,
    /// `<component>.<kind>`, e.g. `app-3.crash`; the key of its random streams.
    pub name: String,
}
