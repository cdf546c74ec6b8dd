//! The books of followers, in the store that they keep right: positions, leases, and the registry
//! of schemes, which says on which conditions on a table's rows entries depend.

use std::time::Duration;

use async_trait::async_trait;
use mrc_core::depends::SchemeName;

use crate::error::StoreError;
#[cfg(any(feature = "redis", feature = "memory"))]
use crate::protocol::REMEMBERED;
use crate::protocol::Token;
use crate::tags::Moment;

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

/// The registry of schemes, by which a follower of the database's log knows the tags that a changed
/// row ends.
///
/// A reader registers its schemes before it claims its key. A follower reads the registry after
/// readers see a change, and before it invalidates. So it knows the scheme of every read that
/// doesn't have the change.
///
/// A [fill](crate::CacheStore::fill) whose tags [are a scheme's](SchemeName::is_tag) is refused if
/// the scheme isn't registered, or was registered after the moment of its tag.
#[async_trait]
pub trait Schemes: Send + Sync {
    /// Registers schemes. Returns those that are refused, because their table has
    /// [`MOST_SCHEMES`] already. A scheme without columns is never refused.
    ///
    /// A registration lasts 5 minutes. A fill extends it to the life of its entry.
    async fn register(&self, schemes: &[SchemeName]) -> Result<Vec<SchemeName>, StoreError>;

    /// Returns the registry. Returns `None` if its version is still the `known` one.
    async fn registry(&self, known: Option<Moment>) -> Result<Option<Registry>, StoreError>;
}

/// The registered schemes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Registry {
    /// The moment of the first registration. Another one means that a registry was lost, by
    /// eviction or with the whole store. The clock's beginning if there is no registry.
    pub born: Moment,
    /// The moment of the last new registration.
    pub version: Moment,
    /// The schemes, in no order.
    pub schemes: Vec<SchemeName>,
}

/// The most schemes of a table.
pub const MOST_SCHEMES: usize = 64;

/// How long a registration lasts without fills: as long as a claim before it may still be filled.
#[cfg(any(feature = "redis", feature = "memory"))]
pub(crate) const REGISTERED: Duration = REMEMBERED;
