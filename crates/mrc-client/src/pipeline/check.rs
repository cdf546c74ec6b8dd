//! The one check of a value that was found: a hit's, a claim's, a stale copy's, a leader's. Nothing reaches a caller without it.

use bytes::Bytes;
use mrc_core::Mark;
use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, UnitWeighter};

use crate::call::Call;

/// Why bytes that were found under a key aren't this call's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Wrong {
    /// The entry of other params, whose types are others: as good as no entry.
    #[error("its params had other types")]
    OtherTypes,
    #[error("it has {bytes} bytes, and the limit is {limit}")]
    TooLarge { bytes: usize, limit: usize },
    #[error("it is no JSON array, or only a part of one")]
    NotRows,
}

/// Returns the value of a call, from the bytes that a store has under its key.
///
/// The check looks at both ends alone: only a decoder can tell what lies between them.
pub(super) fn value_of(mut found: Bytes, call: &Call, max_value: usize) -> Result<Bytes, Wrong> {
    let bare = call.without_mark(&found).ok_or(Wrong::OtherTypes)?.len();
    found.truncate(bare);
    if found.len() > max_value {
        return Err(Wrong::TooLarge { bytes: found.len(), limit: max_value });
    }
    call.accepts(&found)?;
    Ok(found)
}

/// The types that didn't fit, so that each is logged once and not at each call. The place is of names and numbers; a map's keys are names.
#[derive(Debug)]
pub(super) struct WrongTypes {
    told: Cache<u64, ()>,
    hasher: DefaultHashBuilder,
}

impl WrongTypes {
    /// How many are remembered.
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
    /// The value of an entry with the mark of this call's types, or without one where there is no doubt.
    fn without_mark<'a>(&self, found: &'a [u8]) -> Option<&'a [u8]> {
        let ours = self.mark.strip(found);
        // The order matters: a call of this process shows its types before it stores an entry.
        ours.or_else(|| self.types.as_ref().filter(|types| types.are_one()).and_then(|_| Mark::default().strip(found)))
    }

    /// Whether a value can be one of this call. A leader's is checked by this alone: its own caller gets it at any size.
    pub(super) fn accepts(&self, value: &[u8]) -> Result<(), Wrong> {
        if self.rows && !matches!(value, [b'[', .., b']']) {
            return Err(Wrong::NotRows);
        }
        Ok(())
    }
}
