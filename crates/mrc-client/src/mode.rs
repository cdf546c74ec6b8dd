//! How a call uses the cache.

/// How the calls of a task use the cache: see [`scope::with_mode`](crate::scope::with_mode).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Mode {
    /// What is there is taken, what isn't is computed and stored. Default.
    #[default]
    Normal,
    /// What is there is taken; what isn't is [`Error::Missed`](crate::Error::Missed), and nothing runs.
    ReadOnly,
    /// What is there is taken; what isn't is computed, and not stored.
    Peek,
    /// Nothing is taken: everything is computed, and stored in the place of what was there.
    Refresh,
    /// The cache is left alone.
    Off,
}

impl Mode {
    /// Whether what is in the cache may be replaced.
    pub(crate) fn stores(self) -> bool {
        matches!(self, Self::Normal | Self::Refresh)
    }
}
