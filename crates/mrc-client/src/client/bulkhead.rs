//! The bulkhead: a limit on a process's queries, so that a cold cache doesn't drown the database.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::{Error, Result};

/// Limits the queries that run and those that wait, and refuses all others.
///
/// Limits queries only: a function may run queries, and must not block the queries that it needs.
#[derive(Debug)]
pub(crate) struct Bulkhead {
    running: Semaphore,
    waiting: AtomicUsize,
    most_waiting: usize,
}

impl Bulkhead {
    pub(crate) fn new(running: usize, most_waiting: usize) -> Self {
        let running = Semaphore::new(running.min(Semaphore::MAX_PERMITS));
        Self { running, waiting: AtomicUsize::new(0), most_waiting }
    }

    /// Waits for a turn, unless the queue is full. Dropping the turn ends it.
    pub(crate) async fn turn(&self) -> Result<SemaphorePermit<'_>> {
        let overloaded = |waiting| Error::Overloaded { waiting };
        if let Ok(turn) = self.running.try_acquire() {
            return Ok(turn);
        }
        let _place = Place(&self.waiting);
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        if before >= self.most_waiting {
            return Err(overloaded(before));
        }
        self.running.acquire().await.map_err(|_| overloaded(0))
    }
}

/// A place in the queue. Dropping it, also by cancelling the caller, gives it up.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_cancelled_caller_frees_its_place() {
        let bulkhead = Bulkhead::new(1, 1);
        let first = bulkhead.turn().await.unwrap();
        for _ in 0..3 {
            assert!(bulkhead.turn().now_or_never().is_none());
        }
        drop(first);
        assert!(bulkhead.turn().await.is_ok());
    }
}
