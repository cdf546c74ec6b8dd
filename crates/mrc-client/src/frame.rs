//! The scope of a task: the entry that its function computes, and how its calls use the cache.

use std::future::Future;
use std::sync::{Arc, Mutex};

use mrc_core::{Event, EventListener, Stats, Ttl};
use tokio::task_local;

use crate::inherited::{Carried, StoreId};
use crate::mode::Mode;
use crate::source::Source;
use mrc_store::lock;

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
        self.with(|said| said.clone())
    }

    fn with<T>(&self, change: impl FnOnce(&mut Said) -> T) -> T {
        // A poisoned lock is whole: no code that can panic runs under it.
        change(&mut lock(&self.said))
    }
}

fn current() -> Scope {
    SCOPE.try_with(Clone::clone).unwrap_or_default()
}

/// Changes the settings of the running function's entry. Does nothing outside of a computation.
pub(crate) fn with_said<T>(change: impl FnOnce(&mut Said) -> T) -> Option<T> {
    SCOPE.try_with(|scope| scope.frame.as_ref().map(|frame| frame.with(change))).ok().flatten()
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
    with_said(|said| said.tags.lose());
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

/// Returns the key of the entry that is being computed. Returns `None` outside of a computation,
/// and in one of several entries.
pub(crate) fn key() -> Option<String> {
    let key = |scope: &Scope| match &*scope.frame.as_ref()?.keys {
        [key] => Some(key.to_string()),
        _ => None,
    };
    SCOPE.try_with(key).ok().flatten()
}

// No `async fn` here: it would hold `work` twice, and unoptimised tests would need a large stack.

pub(crate) fn in_mode<F: Future>(mode: Mode, work: F) -> impl Future<Output = F::Output> {
    SCOPE.scope(Scope { mode, ..current() }, work)
}

pub(crate) fn counted<F: Future>(stats: &Arc<Stats>, work: F) -> impl Future<Output = F::Output> + use<F> {
    let mut scope = current();
    scope.stats.push(Arc::clone(stats));
    SCOPE.scope(scope, work)
}

pub(crate) fn noting_source<F: Future>(
    noted: &Arc<Mutex<Option<Source>>>,
    work: F,
) -> impl Future<Output = F::Output> + use<F> {
    SCOPE.scope(Scope { source: Some(Arc::clone(noted)), ..current() }, work)
}
