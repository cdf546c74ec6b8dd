//! The failures of the cache that pass without a person, and the wait for their end.

use std::time::Duration;

use mrc_core::{Event, EventListener};
use mrc_store::StoreError;
use tokio::time::sleep;

use crate::FollowError;

/// Returns whether the same call may succeed later. A caller of a cache should hear that the cache
/// is full, but a follower that ends then invalidates nothing, and the entries are still served.
pub(crate) fn passes(error: &StoreError) -> bool {
    error.is_retryable() || error.refuses_writes()
}

/// Logs why the cache can't be used: a line for a cause, not for an attempt.
#[derive(Debug, Default)]
pub(crate) struct Causes {
    last: String,
}

impl Causes {
    pub(crate) fn log(&mut self, error: &StoreError) {
        let text = error.to_string();
        if self.last == text {
            return;
        }
        if error.is_retryable() {
            tracing::warn!(target: "mrc", error = text, "the cache is away: the follower tries until it is back");
        } else {
            tracing::warn!(target: "mrc", error = text, "the cache refuses writes: the follower tries until it takes them");
        }
        self.last = text;
    }
}

/// The first pause after a failure, and the longest.
pub(crate) const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Repeats calls to the cache until it is back, or takes writes again. The caller stops that when
/// the lease ends.
pub(crate) struct Patience<'a> {
    listener: &'a dyn EventListener,
    pause: Duration,
    causes: Causes,
}

impl<'a> Patience<'a> {
    pub(crate) fn new(listener: &'a dyn EventListener) -> Self {
        Self { listener, pause: PAUSES.0, causes: Causes::default() }
    }

    /// Returns `None` after a pause if the call should be repeated.
    pub(crate) async fn judge<T>(&mut self, done: Result<T, StoreError>) -> Result<Option<T>, FollowError> {
        let error = match done {
            Ok(done) => return Ok(Some(done)),
            Err(error) if passes(&error) => error,
            Err(error) => return Err(error.into()),
        };
        self.listener.on_event(&Event::DropRetried { error: &error.to_string() });
        self.causes.log(&error);
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSES.1);
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_that_is_away_or_refuses_writes_is_waited_for() {
        let check = |answer: &'static str, expect: bool| {
            assert_eq!(passes(&StoreError::Refused(answer.into())), expect, "{answer}");
        };
        check("OOM command not allowed when used memory > 'maxmemory'. script: 1f, on @user_script:6.", true);
        check("ERR Error running script (call to f_1f): @user_script:6: -OOM command not allowed when", true);
        check("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist", true);
        check("NOPERM this user has no permissions", false);
        check("WRONGTYPE Operation against a key", false);
        assert!(passes(&StoreError::Unavailable("the connection broke".into())));
        assert!(!passes(&StoreError::Config("no host".into())));
    }
}
