//! The lease: of several followers of one name, one follows and the others stand by. The wait for a
//! cache that is away, which every caller of the cache needs.

use std::sync::Arc;
use std::time::Duration;

use mrc_core::{Event, EventListener};
use mrc_store::{CacheStore, Checkpoints, Lease, StoreError, Token};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::FollowError;

const RENEWALS: u32 = 4;

/// Returns the bookkeeping of a store. The builder has checked that the store has one.
pub(crate) fn books(store: &dyn CacheStore) -> Result<&dyn Checkpoints, StoreError> {
    store.as_checkpoints().ok_or_else(|| StoreError::Config("this store keeps no positions of followers".into()))
}

/// The lease of this follower, renewed in the background until it is dropped.
#[derive(Debug)]
pub(crate) struct HeldLease {
    pub(crate) owner: Token,
    until: watch::Receiver<Instant>,
    renewals: JoinHandle<()>,
}

impl HeldLease {
    /// Takes the lease as soon as it is free. `obstacle` tells a caller that stops waiting why: the
    /// last error of the cache, or `None` if another follower has the lease.
    pub(crate) async fn take(
        store: &Arc<dyn CacheStore>,
        name: &str,
        life: Duration,
        obstacle: &mut Option<StoreError>,
    ) -> Result<Self, StoreError> {
        let mut causes = Causes::default();
        loop {
            // A new token each time: an answer that was lost may have taken the lease for the old
            // one.
            let owner = Token::from_bits(rand::random());
            let asked = Instant::now();
            match books(&**store)?.lease(name, &owner, life).await {
                Ok(Lease::Ours) => return Ok(Self::renewed(store, name, owner, asked, life)),
                // Another's lease is free a little after its end. It may be renewed until then.
                Ok(Lease::Taken { left }) => {
                    *obstacle = None;
                    sleep(left.min(life / RENEWALS) + Duration::from_millis(1)).await;
                }
                Err(error) if passes(&error) => {
                    causes.log(&error);
                    *obstacle = Some(error);
                    sleep(life / RENEWALS).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn renewed(store: &Arc<dyn CacheStore>, name: &str, owner: Token, asked: Instant, life: Duration) -> Self {
        let (held, until) = watch::channel(asked + life);
        let (store, name, token) = (Arc::clone(store), name.to_owned(), owner.clone());
        let renewals = tokio::spawn(async move {
            loop {
                sleep(life / RENEWALS).await;
                // The life counts from before the call, so it ends here before it ends there.
                let asked = Instant::now();
                let Ok(books) = books(&*store) else { return };
                match timeout(life, books.lease(&name, &token, life)).await {
                    Ok(Ok(Lease::Ours)) => drop(held.send(asked + life)),
                    Ok(Ok(Lease::Taken { .. })) => return,
                    Ok(Err(_)) | Err(_) => {}
                }
                if *held.borrow() <= Instant::now() {
                    return;
                }
            }
        });
        Self { owner, until, renewals }
    }

    /// Waits until another follower may have the lease.
    pub(crate) async fn lost(&self) {
        while *self.until.borrow() > Instant::now() && !self.renewals.is_finished() {
            // A renewal may come meanwhile, or the renewals may end early. Those before are seen: a
            // clone would wait for none.
            let mut renewed = self.until.clone();
            let until = *renewed.borrow_and_update();
            let ends = tokio::time::sleep_until(until);
            tokio::select! { () = ends => {}, _ = renewed.changed() => {} }
        }
    }

    /// Ends the lease, so that another follower needn't wait for its end.
    pub(crate) async fn release(self, store: &dyn CacheStore, name: &str) {
        self.renewals.abort();
        if let Ok(books) = books(store) {
            // A lease that can't be ended ends by itself.
            let _ = books.end_lease(name, &self.owner).await;
        }
    }
}

impl Drop for HeldLease {
    fn drop(&mut self) {
        self.renewals.abort();
    }
}

/// Returns whether the same call may succeed later. A caller of a cache should hear that the cache
/// is full, but a follower that ends then invalidates nothing, and the entries are still served.
fn passes(error: &StoreError) -> bool {
    error.is_retryable() || error.refuses_writes()
}

/// Logs why the cache can't be used: a line for a cause, not for an attempt.
#[derive(Debug, Default)]
struct Causes {
    last: String,
}

impl Causes {
    fn log(&mut self, error: &StoreError) {
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

/// Repeats a call until the cache is back, or takes writes again. The end of the lease stops it.
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
    use std::pin::pin;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Context, Wake, Waker};

    use mrc_store::MemoryStore;

    use super::*;

    struct Wakes(AtomicU32);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_that_was_renewed_is_waited_for_without_a_busy_loop() {
        let store: Arc<dyn CacheStore> = Arc::new(MemoryStore::new());
        let life = Duration::from_secs(4);
        let lease = HeldLease::take(&store, "a", life, &mut None).await.unwrap();
        sleep(life * 3).await;
        let wakes = Arc::new(Wakes(AtomicU32::new(0)));
        let waker = Waker::from(Arc::clone(&wakes));
        let mut lost = pin!(lease.lost());
        assert!(lost.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        assert_eq!(wakes.0.load(Ordering::Relaxed), 0, "a future that waits wakes nobody at once");
        sleep(life / RENEWALS * 2).await;
        assert!(lost.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        assert!(wakes.0.load(Ordering::Relaxed) <= 2, "a renewal wakes it once");
    }

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
