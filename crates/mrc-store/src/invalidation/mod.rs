//! Invalidation: entries removed, exactly those that were asked for. A server, a client and a transaction all do it by this code.

mod error;
mod request;

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::future::try_join_all;
use mrc_core::{EntryPattern, Event, EventListener};

use crate::error::StoreError;
use crate::retry::Retries;
use crate::select::Select;
use crate::store::{CacheStore, ScanPattern};
use crate::walk::walk;

pub use error::DropError;
pub use request::{DropRequest, Progress, Strategy};

/// Invalidates entries of a store, and tries again what fails until a deadline passes.
#[derive(Debug, Clone)]
pub struct Invalidator {
    store: Arc<dyn CacheStore>,
    deadline: Duration,
}

impl Invalidator {
    /// The time for all attempts of one invalidation, where nothing else is set: 10 s.
    pub const DEADLINE: Duration = Duration::from_secs(10);

    /// Returns an invalidator of the store. `deadline` bounds all attempts of one invalidation together; with zero there is one attempt.
    pub fn new(store: Arc<dyn CacheStore>, deadline: Duration) -> Self {
        Self { store, deadline }
    }

    /// Returns the store.
    pub fn store(&self) -> &Arc<dyn CacheStore> {
        &self.store
    }

    /// Drops the entries that have the request's params, and returns how many went. `listener` hears of it.
    ///
    /// When it returns, every such entry that was there when it began is gone, and every fill in flight that began before is refused;
    /// a fill in flight counts as an entry. Dropping twice does no harm.
    ///
    /// # Errors
    /// - [`DropError::Pattern`], [`DropError::SubstringByIndex`]: the request can't be used, and nothing was dropped.
    /// - [`DropError::Interrupted`]: the cache went on failing. Call it again.
    pub async fn drop_outdated(&self, request: &DropRequest, listener: &dyn EventListener) -> Result<u64, DropError> {
        let pattern = request.pattern()?;
        let (mut progress, mut retries) = (Progress::default(), Retries::new(self.deadline));
        loop {
            // Keys that are gone stay counted; in a dry run nothing is gone.
            progress = Progress { scanned: 0, dropped: if request.dry_run { 0 } else { progress.dropped } };
            match self.drop_matching(&pattern, request, &mut progress, listener).await {
                Ok(()) => break,
                Err(error) if retries.again(&error, listener).await => {}
                Err(source) => return Err(DropError::Interrupted { dropped: progress.dropped, source }),
            }
        }
        if request.scans() {
            listener.on_event(&Event::Dropped { entries: progress.dropped, scanned: progress.scanned });
        }
        Ok(progress.dropped)
    }

    /// Removes the selected entries of the whole store, and returns how many went. `listener` hears of it.
    ///
    /// # Errors
    /// - [`DropError::Tag`]: a tag can't be used, and nothing was removed.
    /// - [`DropError::Interrupted`]: the cache went on failing. Call it again.
    pub async fn invalidate(&self, select: &Select, listener: &dyn EventListener) -> Result<u64, DropError> {
        select.check()?;
        let mut retries = Retries::new(self.deadline);
        loop {
            match select.remove_from(&*self.store, "", listener).await {
                Ok(entries) => return Ok(entries),
                Err(error) if retries.again(&error, listener).await => {}
                Err(source) => return Err(DropError::Interrupted { dropped: 0, source }),
            }
        }
    }

    async fn drop_matching(
        &self,
        pattern: &EntryPattern,
        request: &DropRequest,
        progress: &mut Progress,
        listener: &dyn EventListener,
    ) -> Result<(), StoreError> {
        let selects = request.of_index(pattern);
        if !request.scans() {
            progress.dropped += self.drop_by_index(&selects, listener).await?;
            return Ok(());
        }
        // The event of the scan counts all that went.
        let silent = |_: &Event<'_>| {};
        if request.strategy == Strategy::Both && !request.dry_run {
            // So that what is in the index is gone soon. Where it fails, the scan comes all the same, and the index is asked again after it.
            progress.dropped += self.drop_by_index(&selects, &silent).await.unwrap_or_default();
        }
        self.drop_by_scan(pattern, request, progress).await?;
        if !request.dry_run {
            // A function that is made of such an entry has the entry's params as tags, from its own claim on. So the index comes after the scan:
            // what was claimed before the clock ticks is listed or refused, and what is claimed later can't have found the entry any more.
            progress.dropped += self.drop_by_index(&selects, &silent).await?;
        }
        Ok(())
    }

    async fn drop_by_index(&self, selects: &[Select], listener: &dyn EventListener) -> Result<u64, StoreError> {
        let drops = selects.iter().map(|select| select.remove_from(&*self.store, "", listener));
        Ok(try_join_all(drops).await?.iter().sum())
    }

    async fn drop_by_scan(
        &self,
        pattern: &EntryPattern,
        request: &DropRequest,
        progress: &mut Progress,
    ) -> Result<(), StoreError> {
        let scan = pattern.needle().map_or(ScanPattern::All, ScanPattern::Containing);
        // A scan may return a key twice; what is dropped is gone the second time, what is only counted must be remembered.
        let (hasher, mut counted) = (RandomState::new(), HashSet::new());
        let mut pages = walk(&*self.store, &scan);
        while let Some((page, looked)) = pages.try_next().await? {
            progress.scanned = looked;
            let mut matching: Vec<Bytes> = page.into_iter().filter(|key| pattern.matches(key)).collect();
            if request.dry_run {
                matching.retain(|key| counted.insert(hasher.hash_one(key)));
            }
            progress.dropped += match matching.as_slice() {
                [] => 0,
                keys if request.dry_run => self.store.exist(keys).await?,
                keys => self.store.remove(keys).await?,
            };
            request.tell(*progress);
        }
        Ok(())
    }
}
