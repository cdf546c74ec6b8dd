//! The registry of schemes: which conditions on a table's rows entries depend on.

#[cfg(any(feature = "redis", feature = "memory"))]
use std::time::Duration;

use async_trait::async_trait;
use mrc_core::depends::SchemeName;

use crate::error::StoreError;
#[cfg(any(feature = "redis", feature = "memory"))]
use crate::protocol::REMEMBERED;
use crate::tags::Moment;

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
