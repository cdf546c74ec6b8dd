//! Invalidation: drops exactly the requested entries.
//!
//! [`MrcServer`] is for a service without a client: it calls it after a write to the database.
//! Usually used through the facade `mrc`.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mrc_core::EventListener;
#[cfg(feature = "redis")]
use mrc_store::StoreError;
use mrc_store::{CacheStore, Invalidator, Select};

pub use mrc_store::{DropError, DropRequest, Progress, Strategy};

/// Drops cached entries. Cheap to clone: clones share the connections. It connects at first use.
///
/// Call it after the commit of the write: an entry that is filled before the commit holds the old
/// rows.
///
/// ```no_run
/// # use mrc_core::params;
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let server = mrc_server::MrcServer::new("redis://:secret@localhost:6379")?;
/// let dropped = server.drop_outdated_cache(params! { "StoreId" => 6 }).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct MrcServer {
    invalidator: Invalidator,
    listeners: Vec<Arc<dyn EventListener>>,
}

impl MrcServer {
    /// Returns a server for Redis by URL: `redis://user:password@host:6379/0`, as for the client.
    ///
    /// # Errors
    /// [`StoreError::Config`]: the URL can't be used.
    #[cfg(feature = "redis")]
    pub fn new(url: &str) -> Result<Self, StoreError> {
        Ok(Self::with_store(mrc_store::RedisStore::new(mrc_store::RedisConfig::from_url(url)?)?))
    }

    /// Returns a server for the Redis of `MRC_REDIS_URL`, with the prefix of `MRC_REDIS_PREFIX`.
    ///
    /// # Errors
    /// [`StoreError::Config`]: the variable isn't set, or can't be used.
    #[cfg(feature = "redis")]
    pub fn from_env() -> Result<Self, StoreError> {
        Ok(Self::with_store(mrc_store::RedisStore::new(mrc_store::RedisConfig::from_env()?)?))
    }

    /// Returns a server for any store.
    pub fn with_store(store: impl CacheStore) -> Self {
        Self::with_shared_store(Arc::new(store))
    }

    /// Returns a server for a store that others use as well.
    pub fn with_shared_store(store: Arc<dyn CacheStore>) -> Self {
        Self { invalidator: Invalidator::new(store, Invalidator::DEADLINE), listeners: Vec::new() }
    }

    /// Sets how long a failed drop is tried again, as a whole, before it returns an error. Zero:
    /// one attempt. Default: 10 s.
    #[must_use]
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { invalidator: Invalidator::new(Arc::clone(self.invalidator.store()), deadline), ..self }
    }

    /// Adds a listener for drops, and for lost servers of the cache. May be called several times.
    #[must_use]
    pub fn on_event(mut self, listener: impl EventListener + 'static) -> Self {
        let listener: Arc<dyn EventListener> = Arc::new(listener);
        self.invalidator.store().listen(Arc::clone(&listener));
        self.listeners.push(listener);
        self
    }

    /// Drops entries that have any of these params, or match a [`DropRequest`]. Returns the number.
    ///
    /// The peers' `dropOutdatedCache` / `drop_outdated_cache`, but for whole segments, and only for
    /// keys that look like cached entries. It also drops the entries of cached functions that read
    /// such an entry, in every namespace of the store. It removes every such entry that was there
    /// when it began, and refuses every fill that was in flight then, which counts as an entry.
    /// While the cache fails, it tries again until the [`deadline`](Self::deadline).
    ///
    /// # Errors
    /// - [`DropError::Pattern`]: the params can't be used, and nothing was dropped.
    /// - [`DropError::Interrupted`]: the cache went on failing. Call it again.
    pub async fn drop_outdated_cache(&self, request: impl Into<DropRequest>) -> Result<u64, DropError> {
        self.invalidator.drop_outdated(&request.into(), &self.listeners).await
    }

    /// Invalidates the selected entries in the whole store, and returns their number. Selects by a
    /// tag, by any or all of several tags, by a glob of names, or everything.
    ///
    /// When it returns, no value that was read before it began is cached under such a tag. The cost
    /// grows with the entries that have the tag. While the cache fails, it tries again until the
    /// [`deadline`](Self::deadline).
    ///
    /// ```no_run
    /// # async fn example(server: mrc_server::MrcServer) -> Result<(), mrc_server::DropError> {
    /// use mrc_core::Tag;
    ///
    /// let dropped = server.invalidate(Tag::new("user:42")).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`DropError::Tag`]: a tag can't be used, and nothing was dropped.
    /// - [`DropError::Interrupted`]: the cache went on failing. Call it again.
    pub async fn invalidate(&self, select: impl Into<Select>) -> Result<u64, DropError> {
        self.invalidator.invalidate(&select.into(), &self.listeners).await
    }

    /// Closes all connections, of all clones. Later calls return errors.
    pub async fn close(&self) {
        self.invalidator.store().close().await;
    }
}

impl fmt::Debug for MrcServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MrcServer").field("invalidator", &self.invalidator).finish_non_exhaustive()
    }
}
