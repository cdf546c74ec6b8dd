//! The server: what a service calls after it has written.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mrc_core::{Event, EventListener};
#[cfg(feature = "redis")]
use mrc_store::StoreError;
use mrc_store::{CacheStore, DropError, DropRequest, Invalidator, Select};

/// Drops cached entries. Cheap to clone: all clones share the connections. It connects at first use.
///
/// Call it after the write is committed: an entry that is filled between the drop and the commit holds the old rows.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use mrc_core::params;
/// use mrc_server::MrcServer;
///
/// let server = MrcServer::new("redis://:secret@localhost:6379")?;
/// let dropped = server.drop_outdated_cache(params! { "StoreId" => 6 }).await?;
/// println!("{dropped} entries went");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MrcServer {
    invalidator: Invalidator,
    listeners: Listeners,
}

impl MrcServer {
    /// A server for the Redis of this URL: `redis://user:password@host:6379/0`, as the client takes it.
    ///
    /// # Errors
    /// When the URL can't be used.
    #[cfg(feature = "redis")]
    pub fn new(url: &str) -> Result<Self, StoreError> {
        Ok(Self::with_store(mrc_store::RedisStore::new(mrc_store::RedisConfig::from_url(url)?)?))
    }

    /// A server for the Redis of `MRC_REDIS_URL`.
    ///
    /// # Errors
    /// When the variable isn't there, or can't be used.
    #[cfg(feature = "redis")]
    pub fn from_env() -> Result<Self, StoreError> {
        match std::env::var("MRC_REDIS_URL") {
            Ok(url) => Self::new(&url),
            Err(_) => Err(StoreError::Config("MRC_REDIS_URL is not set: it must be the URL of Redis".into())),
        }
    }

    /// A server for any store.
    pub fn with_store(store: impl CacheStore) -> Self {
        Self::with_shared_store(Arc::new(store))
    }

    /// A server for a store that others use as well.
    pub fn with_shared_store(store: Arc<dyn CacheStore>) -> Self {
        Self { invalidator: Invalidator::new(store, Invalidator::DEADLINE), listeners: Listeners::default() }
    }

    /// How long a drop that failed is tried again, as a whole, before the caller is told. Zero: not at all. Default: 10 s.
    #[must_use]
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { invalidator: Invalidator::new(Arc::clone(self.invalidator.store()), deadline), ..self }
    }

    /// Tells a listener what was dropped, and which server of the cache is lost. May be called several times.
    #[must_use]
    pub fn on_event(mut self, listener: impl EventListener + 'static) -> Self {
        let listener: Arc<dyn EventListener> = Arc::new(listener);
        self.invalidator.store().listen(Arc::clone(&listener));
        self.listeners.0.push(listener);
        self
    }

    /// Drops the entries that have any of these params, or what a [`DropRequest`] says, and returns how many went.
    ///
    /// The peers' `dropOutdatedCache` / `drop_outdated_cache`, but for whole segments, and only keys that look like cached entries. It also
    /// drops the entries of cached functions that read such an entry, in every namespace of the store; a peer's own drop can't reach those.
    /// When it returns, every such entry that was there when it began is gone, and every fill in flight that began before is refused;
    /// a fill in flight counts as an entry. Where the cache fails, the whole drop is tried again until the [`deadline`](Self::deadline):
    /// dropping twice does no harm.
    ///
    /// # Errors
    /// [`DropError::Pattern`] before anything is dropped; [`DropError::Interrupted`] when the cache went on failing: call it again.
    pub async fn drop_outdated_cache(&self, request: impl Into<DropRequest>) -> Result<u64, DropError> {
        self.invalidator.drop_outdated(&request.into(), &self.listeners).await
    }

    /// Removes what is selected, in the whole store, and returns how many entries went: those with a tag, with any or all of several, those
    /// whose names match a glob, or everything.
    ///
    /// When it returns, no value that was read before it began is in the cache under such a tag. Its cost is that of the entries which have
    /// the tag. Where the cache fails, it is tried again until the [`deadline`](Self::deadline).
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
    /// [`DropError::Tag`] before anything is dropped; [`DropError::Interrupted`] when the cache went on failing: call it again.
    pub async fn invalidate(&self, select: impl Into<Select>) -> Result<u64, DropError> {
        self.invalidator.invalidate(&select.into(), &self.listeners).await
    }

    /// Closes all connections, of all clones. Calls after that are errors.
    pub async fn close(&self) {
        self.invalidator.store().close().await;
    }
}

/// Whoever listens to a server.
#[derive(Clone, Default)]
struct Listeners(Vec<Arc<dyn EventListener>>);

impl EventListener for Listeners {
    fn on_event(&self, event: &Event<'_>) {
        self.0.iter().for_each(|listener| listener.on_event(event));
    }
}

impl fmt::Debug for MrcServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MrcServer").field("invalidator", &self.invalidator).finish_non_exhaustive()
    }
}
