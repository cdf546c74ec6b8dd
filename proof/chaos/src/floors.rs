//! The floor of a row: the newest version whose invalidation had returned before a call began.

use std::sync::atomic::{AtomicU32, Ordering};

/// The oldest version of each row that a call which begins now may still see.
#[derive(Debug)]
pub(crate) struct Floors(Vec<AtomicU32>);

impl Floors {
    pub(crate) fn new(items: u32) -> Self {
        Self((0..items).map(|_| AtomicU32::new(0)).collect())
    }

    pub(crate) fn of(&self, item: u32) -> u32 {
        self.0.get(item as usize).map_or(0, |floor| floor.load(Ordering::SeqCst))
    }

    /// Records that an invalidation has returned.
    pub(crate) fn raise(&self, item: u32, version: u32) {
        if let Some(floor) = self.0.get(item as usize) {
            floor.fetch_max(version, Ordering::SeqCst);
        }
    }
}
