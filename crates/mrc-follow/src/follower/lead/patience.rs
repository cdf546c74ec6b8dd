//! Waiting for the cache.

use std::time::Duration;

use mrc_core::{Event, EventListener};
use mrc_store::StoreError;
use tokio::time::sleep;

use crate::FollowError;
use crate::follower::shared::Inner;
use crate::passing::{Causes, passes};

/// The first pause after a failure, and the longest.
pub(super) const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Repeats calls to the cache until it is back, or takes writes again. The caller stops that when the lease ends.
pub(super) struct Patience<'a> {
    inner: &'a Inner,
    pause: Duration,
    causes: Causes,
}

impl<'a> Patience<'a> {
    pub(super) fn new(inner: &'a Inner) -> Self {
        Self { inner, pause: PAUSES.0, causes: Causes::default() }
    }

    /// Returns `None` after a pause if the call should be repeated.
    pub(super) async fn judge<T>(&mut self, done: Result<T, StoreError>) -> Result<Option<T>, FollowError> {
        let error = match done {
            Ok(done) => return Ok(Some(done)),
            Err(error) if passes(&error) => error,
            Err(error) => return Err(error.into()),
        };
        self.inner.listeners.on_event(&Event::DropRetried { error: &error.to_string() });
        self.causes.log(&error);
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSES.1);
        Ok(None)
    }
}
