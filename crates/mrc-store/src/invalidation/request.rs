//! The request of a drop, and the errors of an invalidation.

use std::fmt;
use std::sync::{Arc, Mutex};

use mrc_core::{EntryPattern, Params, PatternError, Tag, TagError};

use crate::error::StoreError;
use crate::lock::lock;
use crate::select::{Progress, Select};
use crate::tags::Tags;

/// The entries to drop: those with any of some params, or with all of them.
///
/// ```
/// use mrc_core::params;
/// use mrc_store::DropRequest;
///
/// let everything_of_a_store = DropRequest::any(params! { "StoreId" => 6 });
/// let only_its_open_orders = DropRequest::all(params! { "StoreId" => 6, "State" => "open" });
/// let how_many_would_go = DropRequest::any(params! { "StoreId" => 6 }).dry_run();
/// # let _ = (everything_of_a_store, only_its_open_orders, how_many_would_go);
/// ```
#[derive(Clone)]
#[must_use = "a request does nothing until a server or a client gets it"]
pub struct DropRequest {
    params: Params,
    all: bool,
    pub(crate) substring: bool,
    pub(crate) strategy: Strategy,
    pub(crate) dry_run: bool,
    on_progress: Option<OnProgress>,
}

type OnProgress = Arc<Mutex<dyn FnMut(Progress) + Send>>;

/// The way in which a drop finds its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Strategy {
    /// Reads every key: the cost grows with the keyspace. It reaches every entry, including those
    /// of the peers. Then it reads the index of tags for functions that used such entries. Default.
    #[default]
    Scan,
    /// Reads the index of tags: the cost grows with the dropped entries. It reaches only queries
    /// tagged by their params (`Query::tag_by_params`), and functions that used such a query.
    Index,
    /// Reads the index first, so that its entries are dropped early, and then works like
    /// [`Scan`](Self::Scan). If that first read of the index fails, the scan runs nevertheless.
    Both,
}

impl DropRequest {
    /// Selects the entries with at least one of the params, as both peers do by default.
    pub fn any(params: Params) -> Self {
        Self { params, all: false, substring: false, strategy: Strategy::Scan, dry_run: false, on_progress: None }
    }

    /// Selects the entries with every param: the peers' `requireAllMatch` / `require_all_match`.
    pub fn all(params: Params) -> Self {
        Self { all: true, ..Self::any(params) }
    }

    /// Finds `NAME=VALUE` anywhere in a key, as the peers do: `StoreId=6` then also drops
    /// `StoreId=66` and `MyStoreId=6`. Functions that used entries are still found by the whole
    /// param only. Default: whole segments only.
    pub fn substring(self) -> Self {
        Self { substring: true, ..self }
    }

    /// Sets how the drop finds entries. Default: [`Strategy::Scan`].
    pub fn strategy(self, strategy: Strategy) -> Self {
        Self { strategy, ..self }
    }

    /// Counts the entries by a scan, without functions that used them, and drops nothing.
    pub fn dry_run(self) -> Self {
        Self { dry_run: true, ..self }
    }

    /// Reports the progress after each page of keys.
    pub fn on_progress(self, tell: impl FnMut(Progress) + Send + 'static) -> Self {
        Self { on_progress: Some(Arc::new(Mutex::new(tell))), ..self }
    }

    /// Checks the request.
    ///
    /// # Errors
    /// - [`DropError::Pattern`]: no entries can be selected by these params.
    /// - [`DropError::SubstringByIndex`]: the index has whole params only.
    pub fn check(&self) -> Result<(), DropError> {
        self.pattern().map(drop)
    }

    /// Returns the params as tags in both peers' spellings. Returns none if they can't be used.
    pub fn tags(&self) -> Vec<Tag> {
        self.pattern().map(|pattern| pattern.tags().concat()).unwrap_or_default()
    }

    /// Returns the names of the params.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.params.iter().filter_map(|param| param.name.as_deref())
    }

    pub(super) fn tell(&self, progress: Progress) {
        if let Some(tell) = &self.on_progress {
            // The lock is poisoned if the listener panicked. It still gets the later reports.
            lock(tell)(progress);
        }
    }

    pub(crate) fn pattern(&self) -> Result<EntryPattern, DropError> {
        if self.substring && self.strategy == Strategy::Index {
            return Err(DropError::SubstringByIndex);
        }
        let pattern = if self.all { EntryPattern::all(&self.params) } else { EntryPattern::any(&self.params) };
        Ok(pattern?.substring(self.substring))
    }

    /// Returns the selections to read from the index.
    pub(crate) fn of_index(&self, pattern: &EntryPattern) -> Vec<Select> {
        let tags = pattern.tags();
        if self.all && tags.len() > Tags::MOST {
            // No entry has this many tags.
            return Vec::new();
        }
        if !self.all {
            return vec![Select::Any(tags.into_iter().flatten().collect())];
        }
        // All tags of an entry have the same spelling.
        let most = tags.iter().map(Vec::len).max().unwrap_or_default();
        let spelled = |at: usize| tags.iter().filter_map(|one| one.get(at).or(one.last()).cloned()).collect();
        (0..most).map(|at| Select::All(spelled(at))).collect()
    }

    pub(crate) fn scans(&self) -> bool {
        self.dry_run || self.strategy != Strategy::Index
    }
}

impl From<Params> for DropRequest {
    fn from(params: Params) -> Self {
        Self::any(params)
    }
}

impl fmt::Debug for DropRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DropRequest")
            .field("params", &self.params)
            .field("all", &self.all)
            .field("substring", &self.substring)
            .field("strategy", &self.strategy)
            .field("dry_run", &self.dry_run)
            .finish_non_exhaustive()
    }
}

/// An invalidation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DropError {
    /// No entries can be selected by these params; nothing was dropped.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// A tag can't be used; nothing was dropped.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// The index can't find a part of a param. Nothing was dropped.
    #[error("the index has whole params only: use Strategy::Scan to find NAME=VALUE anywhere in a key")]
    SubstringByIndex,
    /// The cache kept failing: entries to be dropped may still be served, at most until their TTL.
    #[error(
        "the drop stopped after {dropped} entries; others may still be served until their TTL ends: call it again; {source}"
    )]
    Interrupted {
        /// The number of dropped entries.
        dropped: u64,
        /// The error of the cache.
        source: StoreError,
    },
}

impl DropError {
    /// Returns whether the same call may succeed later. Dropping again does no harm.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Interrupted { source, .. } if source.is_retryable())
    }
}
