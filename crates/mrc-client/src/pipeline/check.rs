//! The one check of every found value: a hit's, a claim's, a stale copy's, a leader's.

use bytes::Bytes;
use mrc_core::Mark;
use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, UnitWeighter};

use crate::call::Call;

/// The reason why bytes that were found under a key aren't this call's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Wrong {
    /// The entry of params of other types: as good as no entry.
    #[error("its params had other types")]
    OtherTypes,
    #[error("it has {bytes} bytes, and the limit is {limit}")]
    TooLarge { bytes: usize, limit: usize },
    #[error("it is no JSON array, or only a part of one")]
    NotRows,
}

/// Returns a call's value from the bytes that a store has under its key.
///
/// Checks both ends only: a decoder alone can check the bytes between them.
pub(super) fn value_of(mut found: Bytes, call: &Call, max_value: usize) -> Result<Bytes, Wrong> {
    let bare = call.without_mark(&found).ok_or(Wrong::OtherTypes)?.len();
    found.truncate(bare);
    if found.len() > max_value {
        return Err(Wrong::TooLarge { bytes: found.len(), limit: max_value });
    }
    call.accepts(&found)?;
    Ok(found)
}

/// The types that didn't fit, so that each is logged once, not at each call. A place consists of
/// names and numbers; the keys of a map count as names.
#[derive(Debug)]
pub(super) struct WrongTypes {
    told: Cache<u64, ()>,
    hasher: DefaultHashBuilder,
}

impl WrongTypes {
    const MOST: u64 = 1_000;

    pub(super) fn new() -> Self {
        Self { told: Cache::with_weighter(10, Self::MOST, UnitWeighter), hasher: DefaultHashBuilder::default() }
    }

    pub(super) fn tell(&self, asked_for: &'static str, at: &str, why: Option<&str>) {
        let known = self.hasher.hash_one((asked_for, at));
        if self.told.get(&known).is_none() {
            self.told.insert(known, ());
            tracing::warn!(
                target: "mrc",
                asked_for,
                at,
                why,
                "values in the cache are of another type than this caller asks for: they stay, and the caller goes without the cache"
            );
        }
    }
}

impl Call {
    /// Returns the value of an entry with this call's mark, or without one if all types are one.
    fn without_mark<'a>(&self, found: &'a [u8]) -> Option<&'a [u8]> {
        let ours = self.mark.strip(found);
        // The order matters: a call of this process notes its types before it stores an entry.
        ours.or_else(|| self.types.as_ref().filter(|types| types.are_one()).and_then(|_| Mark::default().strip(found)))
    }

    /// Checks whether a value can be this call's. A leader's value passes this check alone, since
    /// its own caller gets it at any size.
    pub(super) fn accepts(&self, value: &[u8]) -> Result<(), Wrong> {
        if self.rows && !matches!(value, [b'[', .., b']']) {
            return Err(Wrong::NotRows);
        }
        Ok(())
    }
}
