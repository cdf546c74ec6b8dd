//! Where an answer came from.

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// The cache had it.
    Cache,
    /// It was computed for this call.
    Computed,
    /// It was computed for another call, which this one waited for.
    Followed,
    /// The database failed or was too slow: it is the last value that was not invalidated, kept beyond its TTL. See
    /// [`MrcClientBuilder::stale_on_error`](crate::MrcClientBuilder::stale_on_error).
    Stale,
}

impl Source {
    /// In lower case: `"cache"`, `"stale"`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cache => "cache",
            Self::Computed => "computed",
            Self::Followed => "followed",
            Self::Stale => "stale",
        }
    }
}
