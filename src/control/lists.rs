//! Many short lists in one allocation: what belongs to each row of a table.

/// `lists.of(row)` is the list of that row.
#[derive(Clone, Debug)]
pub(super) struct Lists<T> {
    ends: Vec<u32>,
    items: Vec<T>,
}

impl<T: Copy> Lists<T> {
    /// One list for each row, in order.
    pub(super) fn new(rows: &[Vec<T>]) -> Self {
        let mut ends = vec![0];
        let mut items = Vec::new();
        for row in rows {
            items.extend_from_slice(row);
            ends.push(items.len() as u32);
        }
        Self { ends, items }
    }

    /// Whether all lists are empty.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The list of `row`.
    #[inline]
    pub(super) fn of(&self, row: usize) -> &[T] {
        &self.items[self.ends[row] as usize..self.ends[row + 1] as usize]
    }
}
