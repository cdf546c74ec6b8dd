//! The floor: the oldest versions that may still be anywhere. Only the invariant uses it.

use crate::state::redis::{Value, Version};

/// The row's version at the start of the newest returned invalidation, for the invariant alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Floor {
    /// The floor of invalidations that are about every value.
    pub(crate) all: Version,
    /// The floor of invalidations that are about the tag.
    pub(crate) tagged: Version,
}

impl Floor {
    /// Returns whether such a value may exist.
    pub(crate) fn allows(self, value: Value) -> bool {
        value.version >= self.all && (value.version >= self.tagged || !value.depends)
    }
}
