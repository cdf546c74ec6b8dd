//! What a function that is being cached may say about its entry, and how calls of a task use the cache.
//!
//! While the cache runs a function, [`tag`] adds tags to the entry that will hold its result, and the tags of every entry that it reads
//! become its own: of queries and functions, computed or hit, of any namespace. Whoever invalidates one of them removes both.
//!
//! A scope belongs to a task. A task that is spawned starts without one; [`spawn`] hands it on:
//!
//! ```no_run
//! # async fn example() {
//! let part = mrc_client::scope::spawn(async {
//!     mrc_client::scope::tag("user:42"); // a tag of the entry that its parent computes
//! });
//! # part.await.ok();
//! # }
//! ```

use std::future::Future;
use std::sync::{Arc, PoisonError};

use mrc_core::{Stats, Tag, Ttl};
use tokio::task::JoinHandle;

use crate::frame;
use crate::inherited::Carried;
use crate::source::Source;

pub use crate::mode::Mode;

/// Adds a tag to the entry that is being computed. Outside of a computation it does nothing.
///
/// It may come at any time before the function returns, after the data was read too: an invalidation in between isn't lost.
pub fn tag(tag: impl Into<Tag>) {
    tags([tag]);
}

/// Adds several tags: see [`tag`](fn@tag).
pub fn tags<T: Into<Tag>>(tags: impl IntoIterator<Item = T>) {
    let tags = Carried::of(tags.into_iter().map(Into::into));
    frame::inherit(Some(&tags));
}

/// Sets the TTL of the entry that is being computed, instead of the one that the call asked for.
pub fn set_ttl(ttl: impl Into<Ttl>) {
    let ttl = ttl.into();
    frame::with_said(|said| said.ttl = Some(ttl));
}

/// Keeps the result of the function that is running out of the cache. Its callers get it all the same.
pub fn skip() {
    frame::with_said(|said| said.skipped = true);
}

/// The key of the entry that is being computed. None: none is.
pub fn key() -> Option<String> {
    frame::key()
}

/// The tags that the entry that is being computed has so far, in the order of their names.
pub fn current_tags() -> Vec<Tag> {
    frame::with_said(|said| said.tags.names().cloned().collect()).unwrap_or_default()
}

/// Spawns a task that belongs to this scope: what it tags and reads counts as if it were done here, its calls use the cache in the same
/// mode, and are counted by the same statistics. What comes after the function has returned is lost: await the task.
pub fn spawn<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(frame::carried(work))
}

/// Runs `work`, whose calls use the cache in this mode; those of tasks that it spawns only with [`spawn`].
///
/// ```no_run
/// # async fn example(cache: mrc_client::Cache) -> Result<(), mrc_client::Error> {
/// use mrc_client::scope::{self, Mode};
///
/// let fresh: u64 = scope::with_mode(Mode::Refresh, cache.get_or("answer", async || 42)).await;
/// # Ok(())
/// # }
/// ```
pub async fn with_mode<F: Future>(mode: Mode, work: F) -> F::Output {
    frame::in_mode(mode, work).await
}

/// Runs `work`, and counts what its calls do with any cache, besides the cache's own [`Stats`] and those of scopes around this one.
pub async fn with_stats<F: Future>(stats: &Arc<Stats>, work: F) -> F::Output {
    frame::counted(stats, work).await
}

/// Runs `work`, and returns its output with the [`Source`] of its last call that any cache, client or `#[cached]` function answered.
/// The source is `None` if no call was answered.
///
/// It works with every way of reading, typed ones too. The calls that a cached function makes while it is computed don't count, nor do
/// those of tasks that `work` spawns without [`spawn`](fn@spawn).
///
/// ```no_run
/// # async fn example(client: mrc_client::MrcClient) -> Result<(), mrc_client::Error> {
/// # #[derive(serde::Deserialize)] struct Order { id: u64 }
/// use mrc_client::{Source, scope};
/// use mrc_core::params;
///
/// let sql = "SELECT id FROM orders WHERE store_id = ?";
/// let (orders, source) = scope::with_source(client.rows_with_cache::<Order>(sql, params! { "StoreId" => 6 }, 60)).await;
/// if source == Some(Source::Stale) {
///     println!("{} orders, perhaps outdated", orders?.len());
/// }
/// # Ok(()) }
/// ```
pub async fn with_source<F: Future>(work: F) -> (F::Output, Option<Source>) {
    let noted = Arc::default();
    let output = frame::noting_source(&noted, work).await;
    let source = *noted.lock().unwrap_or_else(PoisonError::into_inner);
    (output, source)
}

/// How the calls of this task use the cache.
pub fn mode() -> Mode {
    frame::at_hand().0
}
