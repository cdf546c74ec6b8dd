//! The settings that a cached function makes for its entry, and the mode of a task's calls.
//!
//! While the cache runs a function, [`tag`] adds tags to the entry of its result. The entry also
//! inherits the tags of every entry that the function reads: of queries and functions, computed or
//! hit, of any namespace. Invalidating such a tag removes both entries.
//!
//! A scope belongs to a task. A spawned task starts without a scope; [`spawn`] hands it on:
//!
//! ```no_run
//! # async fn example() {
//! // A tag of the entry that its parent computes.
//! let part = mrc_client::scope::spawn(async { mrc_client::scope::tag("user:42") });
//! # part.await.ok(); }
//! ```

use std::future::Future;
use std::sync::{Arc, Mutex};

use mrc_core::{Event, EventListener, Stats, Tag, Ttl};
use mrc_store::lock;
use tokio::task::JoinHandle;
use tokio::task_local;

use crate::inherited::{Carried, StoreId};
use crate::source::Source;

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

/// Adds a tag to the entry that is being computed. Does nothing outside of a computation.
///
/// Call it at any time until the function returns: an invalidation in between still counts.
pub fn tag(tag: impl Into<Tag>) {
    tags([tag]);
}

/// Adds several tags: see [`tag`](fn@tag).
pub fn tags<T: Into<Tag>>(tags: impl IntoIterator<Item = T>) {
    let tags = Carried::of(tags.into_iter().map(Into::into));
    inherit(Some(&tags));
}

/// Sets the TTL of the entry that is being computed. Overrides the TTL of the call.
pub fn set_ttl(ttl: impl Into<Ttl>) {
    let ttl = ttl.into();
    with_said(|said| said.ttl = Some(ttl));
}

/// Keeps the result of the running function out of the cache. Its callers still get it.
pub fn skip() {
    with_said(|said| said.skipped = true);
}

/// Returns the key of the entry that is being computed. Returns `None` outside of a computation,
/// and in one of several entries.
pub fn key() -> Option<String> {
    let key = |scope: &Scope| match &*scope.frame.as_ref()?.keys {
        [key] => Some(key.to_string()),
        _ => None,
    };
    SCOPE.try_with(key).ok().flatten()
}

/// Returns the current tags of the entry that is being computed, sorted by name.
pub fn current_tags() -> Vec<Tag> {
    with_said(|said| said.tags.names().cloned().collect()).unwrap_or_default()
}

/// Spawns a task that belongs to this scope. The task's tags and reads count as the function's own,
/// and its calls have the same mode and statistics. Await it: later tags are lost.
pub fn spawn<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(carried(work))
}

/// Runs `work`, whose calls use the cache in this mode. Tasks that it spawns need [`spawn`].
///
/// ```no_run
/// # use mrc_client::scope::{self, Mode};
/// # async fn example(cache: mrc_client::Cache) {
/// let fresh: u64 = scope::with_mode(Mode::Refresh, cache.get_or("answer", async || 42)).await;
/// # }
/// ```
pub async fn with_mode<F: Future>(mode: Mode, work: F) -> F::Output {
    SCOPE.scope(Scope { mode, ..current() }, work).await
}

/// Runs `work`, and counts its calls to any cache. Each cache's own [`Stats`] and the scopes around
/// this one count them too.
pub async fn with_stats<F: Future>(stats: &Arc<Stats>, work: F) -> F::Output {
    let mut scope = current();
    scope.stats.push(Arc::clone(stats));
    SCOPE.scope(scope, work).await
}

/// Runs `work`, and returns its output with the [`Source`] of its last answer from any cache,
/// client or `#[cached]` function. The source is `None` if no call was answered.
///
/// Calls that a cached function makes while it is computed don't count. Nor do those of tasks that
/// `work` spawns without [`spawn`](fn@spawn).
///
/// ```no_run
/// # async fn example(client: mrc_client::MrcClient) -> Result<(), mrc_client::Error> {
/// # #[derive(serde::Deserialize)] struct Order { id: u64 }
/// use mrc_client::{Source, scope};
/// use mrc_core::params;
///
/// let orders = client.rows_with_cache::<Order>("SELECT id FROM orders", params! {}, 60);
/// let (orders, source) = scope::with_source(orders).await;
/// if source == Some(Source::Stale) {
///     println!("{} orders, perhaps outdated", orders?.len());
/// }
/// # Ok(()) }
/// ```
pub async fn with_source<F: Future>(work: F) -> (F::Output, Option<Source>) {
    let noted = Arc::<Mutex<_>>::default();
    let output = SCOPE.scope(Scope { source: Some(Arc::clone(&noted)), ..current() }, work).await;
    let source = *lock(&noted);
    (output, source)
}

/// Returns how the calls of this task use the cache.
pub fn mode() -> Mode {
    at_hand().0
}

task_local! {
    static SCOPE: Scope;
}

#[derive(Debug, Clone, Default)]
struct Scope {
    frame: Option<Arc<Frame>>,
    mode: Mode,
    stats: Vec<Arc<Stats>>,
    /// Where the source of the last answer is noted.
    source: Option<Arc<Mutex<Option<Source>>>>,
}

#[derive(Debug)]
pub(crate) struct Frame {
    store: StoreId,
    /// The entry that is computed, or those of a batch.
    keys: Box<[Box<str>]>,
    /// The entry whose function called this entry's function.
    outer: Option<Arc<Frame>>,
    said: Mutex<Said>,
}

/// The settings that a function made for its entry.
#[derive(Debug, Clone, Default)]
pub(crate) struct Said {
    pub(crate) tags: Carried,
    pub(crate) ttl: Option<Ttl>,
    /// Whether the result isn't stored.
    pub(crate) skipped: bool,
}

impl Frame {
    pub(crate) fn new<'a>(store: StoreId, keys: impl IntoIterator<Item = &'a str>) -> Arc<Self> {
        let keys = keys.into_iter().map(Into::into).collect();
        Arc::new(Self { store, keys, outer: current().frame, said: Mutex::default() })
    }

    pub(crate) async fn run<T>(self: &Arc<Self>, work: impl Future<Output = T>) -> T {
        // The function's reads must not count as the answer to its own caller.
        let scope = Scope { frame: Some(Arc::clone(self)), source: None, ..current() };
        SCOPE.scope(scope, work).await
    }

    pub(crate) fn said(&self) -> Said {
        lock(&self.said).clone()
    }
}

fn current() -> Scope {
    SCOPE.try_with(Clone::clone).unwrap_or_default()
}

/// Changes the settings of the running function's entry. Does nothing outside of a computation.
pub(crate) fn with_said<T>(change: impl FnOnce(&mut Said) -> T) -> Option<T> {
    SCOPE.try_with(|scope| scope.frame.as_ref().map(|frame| change(&mut lock(&frame.said)))).ok().flatten()
}

/// Returns the mode of the next call, and whether an entry is being computed that wants its tags.
pub(crate) fn at_hand() -> (Mode, bool) {
    SCOPE.try_with(|scope| (scope.mode, scope.frame.is_some())).unwrap_or_default()
}

/// Returns whether this task already computes the entry: a call that waited would wait for itself.
pub(crate) fn is_computing(store: StoreId, key: &str) -> bool {
    let is_it = |scope: &Scope| {
        let mut frames = std::iter::successors(scope.frame.as_ref(), |frame| frame.outer.as_ref());
        frames.any(|frame| frame.store == store && frame.keys.iter().any(|known| **known == *key))
    };
    SCOPE.try_with(is_it).unwrap_or_default()
}

/// Adds the tags of an entry that was read, if known, to the entry that is being computed.
pub(crate) fn inherit(tags: Option<&Carried>) {
    if let Some(tags) = tags {
        with_said(|said| said.tags.add(tags));
    }
}

/// Notes that a value with unknown tags was read: no entry that reads it may be stored.
pub(crate) fn lose_tags() {
    with_said(|said| said.tags.lost = true);
}

pub(crate) fn answered(source: Source) {
    let _ = SCOPE.try_with(|scope| {
        if let Some(noted) = &scope.source {
            *lock(noted) = Some(source);
        }
    });
}

pub(crate) fn count(event: &Event<'_>) {
    let _ = SCOPE.try_with(|scope| {
        scope.stats.iter().for_each(|stats| stats.on_event(event));
    });
}

pub(crate) fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    SCOPE.scope(current(), work)
}
