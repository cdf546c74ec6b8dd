//! The source of an answer.

/// The source of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// The cache had the value.
    Cache,
    /// This call computed the value.
    Computed,
    /// Another call computed the value, and this call waited for it.
    Followed,
    /// The database failed or was too slow. The answer is the stale copy: the last value that was
    /// not invalidated. See
    /// [`MrcClientBuilder::stale_on_error`](crate::MrcClientBuilder::stale_on_error).
    Stale,
}

impl Source {
    /// Returns the name in lower case: `"cache"`, `"stale"`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cache => "cache",
            Self::Computed => "computed",
            Self::Followed => "followed",
            Self::Stale => "stale",
        }
    }
}
