//! What an invalidation can fail with.

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
    /// A part of a param, by the index; nothing was dropped.
    #[error("the index knows whole params only: to find NAME=VALUE anywhere in a key takes Strategy::Scan")]
    SubstringByIndex,
    /// The cache went on failing: entries that should go may still be there, at most until their TTL ends.
    #[error(
        "the drop stopped after {dropped} entries; others may still be served until their TTL ends: call it again; {source}"
    )]
    Interrupted {
        /// How many entries went.
        dropped: u64,
        /// The error of the cache.
        source: StoreError,
    },
}

impl DropError {
    /// Whether the same call may succeed later, as it is. Dropping again does no harm.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Interrupted { source, .. } if source.is_retryable())
    }
}
