//! The bookkeeping of a follower, in the store that it keeps right: its position and its lease.

use std::time::Duration;

use async_trait::async_trait;

use crate::error::StoreError;
use crate::protocol::Token;

/// How long a position is kept that nobody writes any more: 30 days.
#[cfg(any(feature = "redis", feature = "memory"))]
pub(crate) const POSITION_KEPT: Duration = Duration::from_secs(30 * 86_400);

/// The bookkeeping of followers: processes that invalidate what a database's log says has changed.
///
/// The position lies in the store that it speaks of. A store that loses its newest writes loses the
/// position with them, and the follower invalidates again from there.
#[async_trait]
pub trait Checkpoints: Send + Sync {
    /// Returns the position of the follower of this name. Returns `None` if there is none.
    async fn checkpoint(&self, name: &str) -> Result<Option<Checkpoint>, StoreError>;

    /// Replaces the position `from` by another one, if `owner` has the lease and the position is
    /// still `from`. `None` stands for no position.
    ///
    /// A store that may have lost writes since `from` doesn't: it returns [`Advance::Differs`] with
    /// `from` or an older position.
    ///
    /// A repeated call that has the same new position does no harm.
    async fn advance(
        &self,
        name: &str,
        owner: &Token,
        from: Option<&str>,
        to: Reached<'_>,
    ) -> Result<Advance, StoreError>;

    /// Takes or renews the lease for `life` (rounded up to milliseconds).
    async fn lease(&self, name: &str, owner: &Token, life: Duration) -> Result<Lease, StoreError>;

    /// Ends the lease, if it is the owner's.
    async fn end_lease(&self, name: &str, owner: &Token) -> Result<(), StoreError>;
}

/// How far a follower is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached<'a> {
    /// The position.
    pub position: &'a str,
    /// The time since the newest commit up to the position. Zero if there is no newer one.
    pub lag: Duration,
    /// Whether it invalidates the tags of registered [`Schemes`](crate::Schemes).
    pub by_schemes: bool,
}

impl<'a> Reached<'a> {
    /// Returns the progress of a follower that has caught up, and goes by rules alone.
    pub fn at(position: &'a str) -> Self {
        Self { position, lag: Duration::ZERO, by_schemes: false }
    }
}

/// A stored position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The position, as the follower wrote it.
    pub position: String,
    /// The time since it was written.
    pub age: Duration,
    /// The time from the newest commit up to the position to the writing.
    pub lag: Duration,
    /// Whether the follower invalidates the tags of registered [`Schemes`](crate::Schemes).
    pub by_schemes: bool,
    /// The owner of the lease. `None` if no follower runs.
    pub leader: Option<String>,
}

/// The outcome of [`Checkpoints::advance`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advance {
    /// The new position is stored.
    Done,
    /// The store has this position, and keeps it: it went back, or may have lost what was removed
    /// since, or has lost the position (`None`). Everything after it must be invalidated again.
    Differs(Option<String>),
    /// Another follower has the lease, or nobody has.
    NoLease,
}

/// The outcome of [`Checkpoints::lease`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// The caller has the lease.
    Ours,
    /// Another follower has it.
    Taken {
        /// The time until it ends.
        left: Duration,
    },
}
