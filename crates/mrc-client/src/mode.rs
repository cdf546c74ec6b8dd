//! How a call uses the cache.

/// How the calls of a task use the cache: see [`scope::with_mode`](crate::scope::with_mode).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Mode {
    /// Uses the cached value; computes and stores a missing value. Default.
    #[default]
    Normal,
    /// Uses the cached value; a miss is [`Error::Missed`](crate::Error::Missed), and nothing runs.
    ReadOnly,
    /// Uses the cached value; computes a missing value, and doesn't store it.
    Peek,
    /// Ignores the cached value: computes each value, and replaces the cached value.
    Refresh,
    /// Bypasses the cache.
    Off,
}

impl Mode {
    pub(crate) fn stores(self) -> bool {
        matches!(self, Self::Normal | Self::Refresh)
    }
}
