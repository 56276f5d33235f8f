//! Parallel work whose results are taken up in order of index as soon as their turn comes, so that
//! memory holds a few results for each thread and never all of them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many results of each thread may wait for their turn.
const AHEAD: u64 = 2;

struct Line<T, E, F> {
    /// The next index to work on.
    free: u64,
    /// The index after the last to work on.
    end: u64,
    /// The next index to be taken up.
    turn: u64,
    waiting: BTreeMap<u64, Result<T, E>>,
    error: Option<(u64, E)>,
    take: F,
}

struct Shared<T, E, F> {
    line: Mutex<Line<T, E, F>>,
    moved: Condvar,
}

/// Works on every index of `indices` on all threads of the current pool, each with its own state
/// from `begin`, and hands the results to `take` in order of index. What `take` sees does not depend
/// on the number of threads.
///
/// # Errors
/// The first error in order of index, with its index; what came before it has been taken up, nothing
/// after it is.
///
/// # Panics
/// If `work` or `take` panics.
pub(super) fn in_order<S, T: Send, E: Send>(
    indices: Range<u64>,
    begin: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, u64) -> Result<T, E> + Sync,
    take: impl FnMut(u64, T) + Send,
) -> Result<(), (u64, E)> {
    let shared = Shared {
        line: Mutex::new(Line {
            free: indices.start,
            end: indices.end,
            turn: indices.start,
            waiting: BTreeMap::new(),
            error: None,
            take,
        }),
        moved: Condvar::new(),
    };
    let ahead = AHEAD * rayon::current_num_threads() as u64;
    rayon::broadcast(|_| {
        let _leaving = Leaving(&shared);
        let mut state = None;
        while let Some(index) = shared.next(ahead) {
            let result = work(state.get_or_insert_with(&begin), index);
            shared.put(index, result);
        }
    });
    let line = shared.line.into_inner();
    match line.unwrap_or_else(PoisonError::into_inner).error {
        None => Ok(()),
        Some(error) => Err(error),
    }
}

impl<T, E, F: FnMut(u64, T)> Shared<T, E, F> {
    /// The next index, once it is not too far ahead. Whoever works on the one whose turn it is never
    /// waits here, so somebody always moves.
    fn next(&self, ahead: u64) -> Option<u64> {
        let mut line = self.lock();
        while line.free < line.end && line.free >= line.turn + ahead {
            line = self
                .moved
                .wait(line)
                .expect("a panic in another thread ends this one");
        }
        if line.free >= line.end {
            return None;
        }
        line.free += 1;
        Some(line.free - 1)
    }

    fn put(&self, index: u64, result: Result<T, E>) {
        let mut line = self.lock();
        let line = &mut *line;
        if result.is_err() {
            line.end = line.end.min(index);
        }
        line.waiting.insert(index, result);
        while line.error.is_none()
            && let Some(result) = line.waiting.remove(&line.turn)
        {
            match result {
                Ok(value) => {
                    (line.take)(line.turn, value);
                    line.turn += 1;
                }
                Err(error) => {
                    line.error = Some((line.turn, error));
                    line.waiting.clear();
                }
            }
        }
        self.moved.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Line<T, E, F>> {
        self.line
            .lock()
            .expect("a panic in another thread ends this one")
    }
}

/// Lets nobody wait for a thread that panicked.
struct Leaving<'a, T, E, F>(&'a Shared<T, E, F>);

impl<T, E, F> Drop for Leaving<'_, T, E, F> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let line = self.0.line.lock();
            line.unwrap_or_else(PoisonError::into_inner).end = 0;
            self.0.moved.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn pool(threads: usize) -> rayon::ThreadPool {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("threads can be made")
    }

    #[test]
    fn results_are_taken_up_in_order_and_few_wait() {
        for threads in [1, 2, 8] {
            let (made, taken) = (AtomicU64::new(0), AtomicU64::new(0));
            let mut seen = Vec::new();
            let done = pool(threads).install(|| {
                in_order(
                    3..200,
                    || (),
                    |(), index| {
                        made.fetch_add(1, Ordering::SeqCst);
                        // The first is the slowest, so that the others run ahead.
                        if index == 3 {
                            std::thread::sleep(std::time::Duration::from_millis(20));
                        }
                        Ok::<u64, ()>(index * index)
                    },
                    |index, square| {
                        let held =
                            made.load(Ordering::SeqCst) - taken.fetch_add(1, Ordering::SeqCst);
                        assert!(held <= (AHEAD + 1) * threads as u64, "{held} held");
                        seen.push((index, square));
                    },
                )
            });
            assert_eq!(done, Ok(()));
            assert!(
                seen.into_iter()
                    .eq((3..200).map(|index| (index, index * index)))
            );
        }
    }

    #[test]
    fn the_first_error_in_order_ends_it_and_nothing_after_it_is_taken_up() {
        for threads in [1, 2, 8] {
            let mut seen = Vec::new();
            let done = pool(threads).install(|| {
                in_order(
                    0..100,
                    || (),
                    |(), index| match index {
                        20 => {
                            std::thread::sleep(std::time::Duration::from_millis(5));
                            Err("first")
                        }
                        21.. => Err("later"),
                        _ => Ok(()),
                    },
                    |index, ()| seen.push(index),
                )
            });
            assert_eq!(done, Err((20, "first")));
            assert!(seen.into_iter().eq(0..20));
        }
    }

    #[test]
    fn a_panic_is_passed_on_and_nobody_waits_for_ever() {
        let caught = std::panic::catch_unwind(|| {
            pool(4).install(|| {
                in_order(
                    0..1_000,
                    || (),
                    |(), index| {
                        assert_ne!(index, 5);
                        Ok::<(), ()>(())
                    },
                    |_, ()| {},
                )
            })
        });
        assert!(caught.is_err());
    }
}
