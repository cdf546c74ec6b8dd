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

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use mrc_core::{Event, EventListener, Stats, Tag, Ttl};
use mrc_store::{INVALIDATION_LIMIT, Moment, Tags};
use tokio::task::JoinHandle;
use tokio::task_local;

use crate::answer::{Answer, Source};

task_local! {
    static SCOPE: Scope;
}

/// How the calls of a task use the cache: see [`with_mode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Mode {
    /// What is there is taken, what isn't is computed and stored. Default.
    #[default]
    Normal,
    /// What is there is taken; what isn't is [`Error::Missed`](crate::Error::Missed), and nothing runs.
    ReadOnly,
    /// What is there is taken; what isn't is computed, and not stored.
    Peek,
    /// Nothing is taken: everything is computed, and stored in the place of what was there.
    Refresh,
    /// The cache is left alone.
    Off,
}

impl Mode {
    /// Whether what is in the cache may be replaced.
    pub(crate) fn stores(self) -> bool {
        matches!(self, Self::Normal | Self::Refresh)
    }
}

#[derive(Debug, Clone, Default)]
struct Scope {
    frame: Option<Arc<Frame>>,
    mode: Mode,
    stats: Vec<Arc<Stats>>,
    /// Where the source of the last answer is noted.
    source: Option<Arc<Mutex<Option<Source>>>>,
}

/// The entry that is being computed.
#[derive(Debug)]
pub(crate) struct Frame {
    store: StoreId,
    key: Box<str>,
    /// The entry whose function called this one's.
    outer: Option<Arc<Frame>>,
    said: Mutex<Said>,
}

/// What a function said about its entry.
#[derive(Debug, Clone, Default)]
pub(crate) struct Said {
    pub(crate) tags: Carried,
    pub(crate) ttl: Option<Ttl>,
    /// The result isn't to be stored.
    pub(crate) skipped: bool,
}

/// Tags on their way to an entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Carried {
    tags: BTreeMap<Tag, Since>,
    /// An entry was read whose tags are lost: nobody could invalidate what is made of it.
    lost: bool,
}

/// From when on an invalidation of a tag counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    /// From when the entry was claimed.
    Claim,
    /// From an earlier moment of the store with this number.
    Moment(StoreId, Moment),
    /// From moments of several stores.
    Several,
}

impl Since {
    fn earlier(self, other: Self) -> Self {
        match (self, other) {
            (Self::Claim, since) | (since, Self::Claim) => since,
            (Self::Moment(store, one), Self::Moment(same, another)) if store == same => {
                Self::Moment(store, one.min(another))
            }
            _ => Self::Several,
        }
    }
}

/// Tells stores apart: moments of two can't be compared.
pub(crate) type StoreId = usize;

impl Carried {
    /// Tags that count from the claim of their entry on.
    pub(crate) fn of(tags: impl IntoIterator<Item = Tag>) -> Self {
        Self { tags: tags.into_iter().map(|tag| (tag, Since::Claim)).collect(), lost: false }
    }

    /// The tags of an entry that was found in a store. None: it has some, and they are lost.
    pub(crate) fn found(store: StoreId, tags: Option<Tags>) -> Self {
        let lost = tags.is_none();
        let tags = tags.into_iter().flatten();
        Self { tags: tags.map(|(tag, since)| (tag, Since::Moment(store, since))).collect(), lost }
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &Tag> {
        self.tags.keys()
    }

    /// Adds others; of two moments the earlier counts.
    pub(crate) fn add(&mut self, others: &Self) {
        self.lost |= others.lost;
        for (tag, since) in &others.tags {
            self.tags.entry(tag.clone()).and_modify(|known| *known = known.earlier(*since)).or_insert(*since);
        }
    }

    /// The tags as an entry has them that was claimed at this moment.
    ///
    /// A value that was hit while the entry was computed may have been about to be removed by an invalidation that began before the claim.
    /// So its own moment counts; one that is longer ago than an invalidation can take says no more than that.
    pub(crate) fn at(&self, store: StoreId, claimed: Moment) -> Tags {
        let earliest = claimed.earlier(INVALIDATION_LIMIT);
        let since = |since: &Since| match since {
            Since::Claim => claimed,
            Since::Moment(of, moment) if *of == store => (*moment).clamp(earliest, claimed),
            Since::Moment(..) | Since::Several => earliest,
        };
        self.tags.iter().map(|(tag, from)| (tag.clone(), since(from))).collect()
    }
}

impl Frame {
    pub(crate) fn new(store: StoreId, key: &str) -> Arc<Self> {
        Arc::new(Self { store, key: key.into(), outer: current().frame, said: Mutex::default() })
    }

    /// Runs the computation of the entry.
    pub(crate) async fn run<T>(self: &Arc<Self>, work: impl Future<Output = T>) -> T {
        // The answers that the function reads aren't the one of the call that it is computed for.
        let scope = Scope { frame: Some(Arc::clone(self)), source: None, ..current() };
        SCOPE.scope(scope, work).await
    }

    pub(crate) fn said(&self) -> Said {
        self.with(|said| said.clone())
    }

    fn with<T>(&self, change: impl FnOnce(&mut Said) -> T) -> T {
        // A poisoned lock is whole: no code that can panic runs under it.
        change(&mut self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn current() -> Scope {
    SCOPE.try_with(Clone::clone).unwrap_or_default()
}

fn with_frame<T>(change: impl FnOnce(&mut Said) -> T) -> Option<T> {
    SCOPE.try_with(|scope| scope.frame.as_ref().map(|frame| frame.with(change))).ok().flatten()
}

/// How the call that is about to be made uses the cache, and whether an entry is being computed that wants its tags.
pub(crate) fn at_hand() -> (Mode, bool) {
    SCOPE.try_with(|scope| (scope.mode, scope.frame.is_some())).unwrap_or_default()
}

/// Whether this task is computing the entry already: a call that waited for it would wait for itself.
pub(crate) fn is_computing(store: StoreId, key: &str) -> bool {
    let is_it = |scope: &Scope| {
        let mut frames = std::iter::successors(scope.frame.as_ref(), |frame| frame.outer.as_ref());
        frames.any(|frame| frame.store == store && *frame.key == *key)
    };
    SCOPE.try_with(is_it).unwrap_or_default()
}

/// Gives the tags of an entry that was read, if they were looked at, to the one that is being computed.
pub(crate) fn inherit(tags: Option<&Carried>) {
    if let Some(tags) = tags {
        with_frame(|said| said.tags.add(tags));
    }
}

/// A value was read whose tags nobody knows: nothing that is made of it may be stored.
pub(crate) fn lose_tags() {
    with_frame(|said| said.tags.lost = true);
}

/// Notes the source of an answer where the task asks for it.
pub(crate) fn answered(source: Source) {
    let _ = SCOPE.try_with(|scope| {
        if let Some(noted) = &scope.source {
            *noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(source);
        }
    });
}

/// The answer of a call, whose source is noted where the task asks for it.
pub(crate) fn noted(answer: Answer) -> Answer {
    answered(answer.source());
    answer
}

/// Counts an event where the task counts.
pub(crate) fn count(event: &Event<'_>) {
    let _ = SCOPE.try_with(|scope| {
        scope.stats.iter().for_each(|stats| stats.on_event(event));
    });
}

/// Adds a tag to the entry that is being computed. Outside of a computation it does nothing.
///
/// It may come at any time before the function returns, after the data was read too: an invalidation in between isn't lost.
pub fn tag(tag: impl Into<Tag>) {
    tags([tag]);
}

/// Adds several tags: see [`tag`](fn@tag).
pub fn tags<T: Into<Tag>>(tags: impl IntoIterator<Item = T>) {
    let tags = Carried::of(tags.into_iter().map(Into::into));
    inherit(Some(&tags));
}

/// Sets the TTL of the entry that is being computed, instead of the one that the call asked for.
pub fn set_ttl(ttl: impl Into<Ttl>) {
    let ttl = ttl.into();
    with_frame(|said| said.ttl = Some(ttl));
}

/// Keeps the result of the function that is running out of the cache. Its callers get it all the same.
pub fn skip() {
    with_frame(|said| said.skipped = true);
}

/// The key of the entry that is being computed. None: none is.
pub fn key() -> Option<String> {
    SCOPE.try_with(|scope| scope.frame.as_ref().map(|frame| frame.key.to_string())).ok().flatten()
}

/// The tags that the entry that is being computed has so far, in the order of their names.
pub fn current_tags() -> Vec<Tag> {
    with_frame(|said| said.tags.names().cloned().collect()).unwrap_or_default()
}

/// Spawns a task that belongs to this scope: what it tags and reads counts as if it were done here, its calls use the cache in the same
/// mode, and are counted by the same statistics. What comes after the function has returned is lost: await the task.
pub fn spawn<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(carried(work))
}

/// The same work, in the scope of whoever calls.
pub(crate) fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    SCOPE.scope(current(), work)
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
    SCOPE.scope(Scope { mode, ..current() }, work).await
}

/// Runs `work`, and counts what its calls do with any cache, besides the cache's own [`Stats`] and those of scopes around this one.
pub async fn with_stats<F: Future>(stats: &Arc<Stats>, work: F) -> F::Output {
    let mut scope = current();
    scope.stats.push(Arc::clone(stats));
    SCOPE.scope(scope, work).await
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
    let noted = Arc::new(Mutex::new(None));
    let scope = Scope { source: Some(Arc::clone(&noted)), ..current() };
    let output = SCOPE.scope(scope, work).await;
    let source = *noted.lock().unwrap_or_else(PoisonError::into_inner);
    (output, source)
}

/// How the calls of this task use the cache.
pub fn mode() -> Mode {
    at_hand().0
}
