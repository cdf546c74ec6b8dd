//! The types that the params of a text have had in this process.
//!
//! An entry without a mark may be a peer's, and the peers mark no types. While all calls of a text
//! have one type a placeholder, so do the peers' calls, and such an entry is this text's. Once
//! types differ, an entry is taken by its mark alone.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use mrc_core::TextHash;
use quick_cache::sync::Cache;

/// The number of texts that are remembered, for all clients of the process together.
const TEXTS: usize = 50_000;
const NONE: u64 = 0;
const SEVERAL: u64 = u64::MAX;

static SEEN: LazyLock<Cache<TextHash, Arc<Types>>> = LazyLock::new(|| Cache::new(TEXTS));

#[derive(Debug, Default)]
pub(crate) struct Types(AtomicU64);

impl Types {
    pub(crate) fn of(hash: &TextHash) -> Arc<Self> {
        let made = SEEN.get_or_insert_with(hash, || Ok::<_, std::convert::Infallible>(Arc::default()));
        made.unwrap_or_default()
    }

    pub(crate) fn see(&self, types: u64) {
        let first = self.0.compare_exchange(NONE, types, Ordering::SeqCst, Ordering::SeqCst);
        if first.is_err_and(|seen| seen != types) {
            self.0.store(SEVERAL, Ordering::SeqCst);
        }
    }

    pub(crate) fn are_one(&self) -> bool {
        self.0.load(Ordering::SeqCst) != SEVERAL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_one_until_they_differ() {
        let hash = TextHash::of("SELECT 'types_are_one_until_they_differ'");
        let types = Types::of(&hash);
        types.see(7);
        types.see(7);
        assert!(types.are_one());
        Types::of(&hash).see(8);
        Types::of(&hash).see(7);
        assert!(!types.are_one(), "another client of this process has asked otherwise");
    }
}
