//! Retries of a failed invalidation, each from its beginning.

use std::time::Duration;

use mrc_core::{Event, EventListener};
use tokio::time::{Instant, sleep};

use crate::error::StoreError;

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
