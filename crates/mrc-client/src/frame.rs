//! The scope of a task: the entry that its function computes, and how its calls use the cache.

use std::future::Future;
use std::sync::{Arc, Mutex};

use mrc_core::{Event, EventListener, Stats, Ttl};
use mrc_store::lock;
use tokio::task_local;

use crate::inherited::{Carried, StoreId};
use crate::mode::Mode;
use crate::source::Source;

task_local! {
    pub(crate) static SCOPE: Scope;
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    pub(crate) frame: Option<Arc<Frame>>,
    pub(crate) mode: Mode,
    pub(crate) stats: Vec<Arc<Stats>>,
    /// Where the source of the last answer is noted.
    pub(crate) source: Option<Arc<Mutex<Option<Source>>>>,
}

#[derive(Debug)]
pub(crate) struct Frame {
    store: StoreId,
    /// The entry that is computed, or those of a batch.
    pub(crate) keys: Box<[Box<str>]>,
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

    /// Runs a function in this frame. If it fails, its caller's entry inherits its tags: what the
    /// caller makes of the error depends on the same data.
    pub(crate) async fn run<T, E>(self: &Arc<Self>, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        // The function's reads must not count as the answer to its own caller.
        let scope = Scope { frame: Some(Arc::clone(self)), source: None, ..current() };
        let outcome = SCOPE.scope(scope, work).await;
        outcome.inspect_err(|_| inherit(Some(&self.said().tags)))
    }

    pub(crate) fn said(&self) -> Said {
        lock(&self.said).clone()
    }
}

pub(crate) fn current() -> Scope {
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
