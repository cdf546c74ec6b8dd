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

/// Repeats a call to the cache until the cache is back, or takes writes again. The caller stops that
/// when the lease ends.
pub(crate) async fn patiently<T, F>(listener: &dyn EventListener, call: impl Fn() -> F) -> Result<T, FollowError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let (mut pause, mut causes) = (PAUSES.0, Causes::default());
    loop {
        let error = match call().await {
            Err(error) if passes(&error) => error,
            done => return Ok(done?),
        };
        listener.on_event(&Event::DropRetried { error: &error.to_string() });
        causes.log(&error);
        sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
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
