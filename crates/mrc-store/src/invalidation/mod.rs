//! Invalidation, the same code for a server, a client and a transaction.

mod request;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use mrc_core::{EntryPattern, Event, EventListener};
use tokio::time::{Instant, sleep};

use crate::error::StoreError;
use crate::select::{Progress, Select, drop_matching};
use crate::store::{CacheStore, ScanPattern};

pub use request::{DropError, DropRequest, Strategy};

/// Invalidates entries of a store, and retries failures until a deadline passes.
#[derive(Debug, Clone)]
pub struct Invalidator {
    store: Arc<dyn CacheStore>,
    deadline: Duration,
}

impl Invalidator {
    /// The default time for all attempts of one invalidation: 10 s.
    pub const DEADLINE: Duration = Duration::from_secs(10);

    /// Returns an invalidator. `deadline` limits all attempts of one invalidation. Zero: one
    /// attempt.
    pub fn new(store: Arc<dyn CacheStore>, deadline: Duration) -> Self {
        Self { store, deadline }
    }

    /// Returns the store.
    pub fn store(&self) -> &Arc<dyn CacheStore> {
        &self.store
    }

    /// Drops the entries with the request's params, and returns their number. Emits to `listener`.
    ///
    /// When it returns, every such entry that existed at the call is removed, and every fill that
    /// began earlier is refused. A refused fill counts as an entry. Dropping twice does no harm.
    ///
    /// # Errors
    /// - [`DropError::Pattern`], [`DropError::SubstringByIndex`]: the request can't be used.
    ///   Nothing was dropped.
    /// - [`DropError::Interrupted`]: the cache kept failing. Call it again.
    pub async fn drop_outdated(&self, request: &DropRequest, listener: &dyn EventListener) -> Result<u64, DropError> {
        let pattern = request.pattern()?;
        let (mut progress, mut retries) = (Progress::default(), Retries::new(self.deadline));
        loop {
            // Removed entries stay counted in a retry. A dry run removes none.
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

    /// Removes the selected entries of the whole store, and returns how many. Emits to `listener`.
    ///
    /// # Errors
    /// - [`DropError::Tag`]: a tag can't be used, and nothing was removed.
    /// - [`DropError::Interrupted`]: the cache kept failing. Call it again.
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
        // The event of the scan counts all dropped entries.
        let silent = |_: &Event<'_>| {};
        if request.strategy == Strategy::Both && !request.dry_run {
            // Drops indexed entries early. Ignores errors, because the index is read again later.
            progress.dropped += self.drop_by_index(&selects, &silent).await.unwrap_or_default();
        }
        let scan = pattern.needle().map_or(ScanPattern::All, ScanPattern::Containing);
        let (matches, tell) = (|key: &[u8]| pattern.matches(key), |progress| request.tell(progress));
        drop_matching(&*self.store, &scan, matches, request.dry_run, progress, tell).await?;
        if !request.dry_run {
            // A function that used such an entry has the entry's params as tags from its own claim
            // on. Claims before the clock ticks are listed or refused. Later claims can't have read
            // the entry, because the scan has removed it: so the index comes after the scan.
            progress.dropped += self.drop_by_index(&selects, &silent).await?;
        }
        Ok(())
    }

    async fn drop_by_index(&self, selects: &[Select], listener: &dyn EventListener) -> Result<u64, StoreError> {
        let drops = selects.iter().map(|select| select.remove_from(&*self.store, "", listener));
        Ok(try_join_all(drops).await?.iter().sum())
    }
}

/// The first pause before the next attempt, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// The attempts of an invalidation, each from its beginning. They end with success, with an error
/// that can't be retried, or when the deadline would pass.
///
/// ```
/// # use std::time::Duration;
/// # use mrc_core::{EventListener, Tag};
/// # use mrc_store::{CacheStore, Retries, StoreError};
/// async fn invalidated(store: &dyn CacheStore, tag: Tag, listener: &dyn EventListener) -> Result<u64, StoreError> {
///     let mut retries = Retries::new(Duration::from_secs(10));
///     loop {
///         match store.invalidate(&[tag.clone()]).await {
///             Err(error) if retries.again(&error, listener).await => {}
///             outcome => return outcome,
///         }
///     }
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Retries {
    began: Instant,
    deadline: Duration,
    pause: Duration,
}

impl Retries {
    /// Starts the deadline. The first attempt begins now.
    pub fn new(deadline: Duration) -> Self {
        Self { began: Instant::now(), deadline, pause: PAUSES.0 }
    }

    /// Returns whether to retry. If so, it emits the error and waits for the next attempt.
    pub async fn again(&mut self, error: &StoreError, listener: &dyn EventListener) -> bool {
        if !error.is_retryable() || self.began.elapsed() + self.pause > self.deadline {
            return false;
        }
        let error = error.to_string();
        tracing::warn!(target: "mrc", error, "an invalidation failed, and is tried again");
        listener.on_event(&Event::DropRetried { error: &error });
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSES.1);
        true
    }
}
