//! The errors of an invalidation.

use mrc_core::{PatternError, TagError};

use crate::error::StoreError;

/// An invalidation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DropError {
    /// No entries can be selected by these params; nothing was dropped.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// A tag can't be used; nothing was dropped.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// The index can't find a part of a param. Nothing was dropped.
    #[error("the index has whole params only: use Strategy::Scan to find NAME=VALUE anywhere in a key")]
    SubstringByIndex,
    /// The cache kept failing: entries to be dropped may still be served, at most until their TTL.
    #[error(
        "the drop stopped after {dropped} entries; others may still be served until their TTL ends: call it again; {source}"
    )]
    Interrupted {
        /// The number of dropped entries.
        dropped: u64,
        /// The error of the cache.
        source: StoreError,
    },
}

impl DropError {
    /// Returns whether the same call may succeed later. Dropping again does no harm.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Interrupted { source, .. } if source.is_retryable())
    }
}
