//! What to drop, and how.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use mrc_core::{EntryPattern, Params};

use super::error::DropError;
use crate::select::Select;
use crate::tags::Tags;

/// What to drop: the entries that have any of some params, or all of them.
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

/// How a drop finds its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Strategy {
    /// By looking at every key: the cost grows with the keyspace. It reaches every entry, also what the peers wrote. The index of tags is asked
    /// afterwards, for the functions that were made of such entries. Default.
    #[default]
    Scan,
    /// By the index of tags: the cost grows with what is dropped. It reaches the queries that were tagged by their params
    /// (`Query::tag_by_params`), the functions that were made of any query with such a param, and no others.
    Index,
    /// By the index first, and then as [`Scan`](Self::Scan): what is in the index is gone soon, and nothing is left out. Where the index fails
    /// first, the scan comes all the same.
    Both,
}

/// How far a drop has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// How many keys were looked at, of whatever kind and in the whole database; exact at the end of the scan. None by the index.
    pub scanned: u64,
    /// How many entries went; in a dry run, would go.
    pub dropped: u64,
}

impl DropRequest {
    /// The entries that have at least one of the params, as in both peers by default.
    pub fn any(params: Params) -> Self {
        Self { params, all: false, substring: false, strategy: Strategy::Scan, dry_run: false, on_progress: None }
    }

    /// The entries that have every one of the params: the peers' `requireAllMatch` / `require_all_match`.
    pub fn all(params: Params) -> Self {
        Self { all: true, ..Self::any(params) }
    }

    /// Takes `NAME=VALUE` anywhere in a key, as the peers do: `StoreId=6` then also drops `StoreId=66` and `MyStoreId=6`. Of the functions that
    /// were made of entries it reaches those of the whole param alone.
    /// Default: whole segments only.
    pub fn substring(self) -> Self {
        Self { substring: true, ..self }
    }

    /// How the entries are found. Default: [`Strategy::Scan`].
    pub fn strategy(self, strategy: Strategy) -> Self {
        Self { strategy, ..self }
    }

    /// Counts what would go, by a scan, and drops nothing. Functions that were made of such entries aren't counted.
    pub fn dry_run(self) -> Self {
        Self { dry_run: true, ..self }
    }

    /// Tells how far the drop has come, after each page of keys.
    pub fn on_progress(self, tell: impl FnMut(Progress) + Send + 'static) -> Self {
        Self { on_progress: Some(Arc::new(Mutex::new(tell))), ..self }
    }

    /// Whether it can be used.
    ///
    /// # Errors
    /// - [`DropError::Pattern`]: no entries can be selected by these params.
    /// - [`DropError::SubstringByIndex`]: the index knows whole params only.
    pub fn check(&self) -> Result<(), DropError> {
        self.pattern().map(drop)
    }

    /// The names of the params.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.params.iter().filter_map(|param| param.name.as_deref())
    }

    pub(super) fn tell(&self, progress: Progress) {
        if let Some(tell) = &self.on_progress {
            // A poisoned lock is a listener that panicked: it hears the rest all the same.
            tell.lock().unwrap_or_else(PoisonError::into_inner)(progress);
        }
    }

    pub(crate) fn pattern(&self) -> Result<EntryPattern, DropError> {
        if self.substring && self.strategy == Strategy::Index {
            return Err(DropError::SubstringByIndex);
        }
        let pattern = if self.all { EntryPattern::all(&self.params) } else { EntryPattern::any(&self.params) };
        Ok(pattern?.substring(self.substring))
    }

    /// What the index is asked for.
    pub(crate) fn of_index(&self, pattern: &EntryPattern) -> Vec<Select> {
        let tags = pattern.tags();
        if self.all && tags.len() > Tags::MOST {
            // No entry has so many.
            return Vec::new();
        }
        if !self.all {
            return vec![Select::Any(tags.into_iter().flatten().collect())];
        }
        // An entry has all of its tags in one spelling.
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
