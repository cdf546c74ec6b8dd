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

use mrc_core::{Stats, Tag, Ttl};
use mrc_store::lock;
use tokio::task::JoinHandle;

use crate::frame::{SCOPE, Scope, at_hand, carried, current, inherit, with_said};
use crate::inherited::Carried;
pub use crate::mode::Mode;
use crate::source::Source;

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
