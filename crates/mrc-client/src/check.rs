//! The one check of a value that was found: a hit's, a claim's, a stale copy's, a leader's. Nothing reaches a caller without it.

use bytes::Bytes;

use crate::call::Call;
use crate::fetch::Pipeline;

/// Why bytes that were found under a key aren't this call's value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Wrong {
    /// The entry of other params, whose types are others: as good as no entry.
    #[error("its params had other types")]
    OtherTypes,
    #[error("it has {bytes} bytes, and the limit is {limit}")]
    TooLarge { bytes: usize, limit: usize },
    #[error("it is no JSON array, or only a part of one")]
    NotRows,
}

impl Pipeline {
    /// The value of this call, from the bytes that a store had under its key.
    ///
    /// The check looks at the ends alone: only a decoder can tell what lies between them.
    pub(crate) fn value_of(&self, mut found: Bytes, call: &Call) -> Result<Bytes, Wrong> {
        let bare = call.mark.strip(&found).ok_or(Wrong::OtherTypes)?.len();
        found.truncate(bare);
        if found.len() > self.max_value {
            return Err(Wrong::TooLarge { bytes: found.len(), limit: self.max_value });
        }
        call.accepts(&found)?;
        Ok(found)
    }
}

impl Call {
    /// Whether a value can be one of this call. A leader's is checked by this alone: its own caller gets it at any size.
    pub(crate) fn accepts(&self, value: &[u8]) -> Result<(), Wrong> {
        if self.rows && !matches!(value, [b'[', .., b']']) {
            return Err(Wrong::NotRows);
        }
        Ok(())
    }
}
