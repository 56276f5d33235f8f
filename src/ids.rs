//! Typed identifiers and the tables they index, so that the wrong kind of id does not compile.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// A dense identifier: the index of a row in one kind of table.
pub trait Id: Copy + Eq + Ord + fmt::Debug {
    /// The id of row `index`.
    ///
    /// # Panics
    /// If `index` does not fit in 32 bits; the limits on scenario files keep every table far below.
    fn from_index(index: usize) -> Self;
    /// The row.
    fn index(self) -> usize;
}

macro_rules! define_ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);
        impl Id for $name {
            fn from_index(index: usize) -> Self {
                Self(u32::try_from(index).expect("scenario limits keep tables below 2^32 rows"))
            }
            fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

define_ids! {
    /// A failure domain.
    DomainId;
    /// A machine that fails and is repaired as one unit.
    NodeId;
    /// One running place: a replica of a service or cache, a member of a store, an instance of a balancer.
    SlotId;
    /// A service, cache or store: slots that serve the same operations.
    PoolId;
    /// A balancer (all of its instances).
    BalancerId;
    /// An operation of a pool.
    OperationId;
    /// A call site: one place in an operation or journey that calls an operation.
    CallId;
    /// Calls of one list that are made at the same time.
    ForkId;
    /// A journey.
    JourneyId;
    /// A stream of requests.
    WorkloadId;
    /// A fault as the file states it, e.g. `app.crash`, whatever it happens to.
    FaultId;
    /// One clock of a fault: the fault of one component, e.g. `app-3.crash`.
    ClockId;
    /// Something that operators do again and again, e.g. `app.maintenance`.
    CampaignId;
    /// The connections that a service keeps to one thing that it calls.
    ChannelId;
    /// A message queue.
    QueueId;
    /// A repair crew.
    CrewId;
    /// A group of people.
    PeopleId;
    /// A link of the network.
    LinkId;
}

/// A table indexed by one kind of id.
#[derive(Clone, Serialize, Deserialize)]
#[serde(
    transparent,
    bound(serialize = "T: Serialize", deserialize = "T: Deserialize<'de>")
)]
pub struct IdVec<I, T> {
    rows: Vec<T>,
    id: PhantomData<fn(I) -> I>,
}

impl<I: Id, T> IdVec<I, T> {
    /// An empty table.
    pub fn new() -> Self {
        Self::from_rows(Vec::new())
    }

    /// A table with these rows, in order.
    pub fn from_rows(rows: Vec<T>) -> Self {
        Self {
            rows,
            id: PhantomData,
        }
    }

    /// Appends a row and returns its id.
    pub fn push(&mut self, row: T) -> I {
        let id = I::from_index(self.rows.len());
        self.rows.push(row);
        id
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The ids, in order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = I> + ExactSizeIterator + use<I, T> {
        (0..self.rows.len()).map(I::from_index)
    }

    /// The rows, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.rows.iter()
    }

    /// Ids with their rows, in order.
    pub fn pairs(&self) -> impl DoubleEndedIterator<Item = (I, &T)> + ExactSizeIterator {
        self.rows
            .iter()
            .enumerate()
            .map(|(index, row)| (I::from_index(index), row))
    }

    /// The row, if there is one.
    pub fn get(&self, id: I) -> Option<&T> {
        self.rows.get(id.index())
    }

    /// The rows as a slice.
    pub fn as_slice(&self) -> &[T] {
        &self.rows
    }

    /// The rows as a mutable slice.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.rows
    }
}

impl<I, T: PartialEq> PartialEq for IdVec<I, T> {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows
    }
}

impl<I, T: Eq> Eq for IdVec<I, T> {}

impl<I: Id, T: Clone> IdVec<I, T> {
    /// `len` copies of `row`.
    pub fn filled(row: T, len: usize) -> Self {
        Self::from_rows(vec![row; len])
    }
}

impl<I: Id, T> Default for IdVec<I, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<I: Id, T> Index<I> for IdVec<I, T> {
    type Output = T;
    fn index(&self, id: I) -> &T {
        &self.rows[id.index()]
    }
}

impl<I: Id, T> IndexMut<I> for IdVec<I, T> {
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.rows[id.index()]
    }
}

impl<I: Id, T> FromIterator<T> for IdVec<I, T> {
    fn from_iter<R: IntoIterator<Item = T>>(rows: R) -> Self {
        Self::from_rows(rows.into_iter().collect())
    }
}

impl<'a, I: Id, T> IntoIterator for &'a IdVec<I, T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;
    fn into_iter(self) -> Self::IntoIter {
        self.rows.iter()
    }
}

impl<I: Id, T: fmt::Debug> fmt::Debug for IdVec<I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.rows).finish()
    }
}
