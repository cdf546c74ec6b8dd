//! The rules of concurrent calls.

use std::future::poll_fn;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;

use bytes::Bytes;
use futures_util::future::{join, join_all};

use super::{LONG, TestedKey, token};
use crate::store::{CacheStore, Claim};

/// Checks that one of 64 concurrent claims is granted.
pub async fn grants_one_of_many_claims(store: &dyn CacheStore, prefix: &str) {
    for round in 0..10 {
        let key = TestedKey::new(store, format!("{prefix}{round}"));
        let claims = join_all((0..64).map(|_| async { key.claim(&token(), LONG).await })).await;
        let granted = claims.iter().filter(|claim| **claim == Claim::Granted).count();
        assert_eq!(granted, 1, "{key}: how many of 64 claims at once were granted");
        let busy = claims.iter().filter(|claim| matches!(claim, Claim::Busy { .. })).count();
        assert_eq!(busy, 63, "{key}: how many of 64 claims at once were Busy");
        key.remove().await;
    }
}

/// Checks that a fill claimed before an invalidation leaves nothing behind, in either order.
pub async fn leaves_nothing_after_an_invalidation(store: &dyn CacheStore, prefix: &str) {
    for round in 0..100 {
        let key = TestedKey::new(store, format!("{prefix}{round}"));
        if round % 2 == 1 {
            key.put("\"old\"", LONG).await;
        }
        let claim = key.granted_refresh(LONG).await;
        race(key.fill(&claim, "\"stale\""), key.remove()).await;
        key.holds(None, "after an invalidation and a fill from before it").await;
    }
}

/// Checks with random order that after an invalidation nobody hits an earlier value.
pub async fn never_hits_what_was_invalidated(store: &dyn CacheStore, prefix: &str) {
    let (key, row, done) = (TestedKey::new(store, prefix), Row::default(), AtomicBool::new(false));
    let writer = async {
        for version in 1..=100 {
            row.write(version, key.remove()).await;
        }
        done.store(true, Ordering::SeqCst);
    };
    let readers = (0..4).map(|_| async {
        while !done.load(Ordering::SeqCst) {
            let oldest = row.oldest();
            if let Some(hit) = key.get().await {
                key.is_fresh(&hit, oldest);
                pause().await;
                continue;
            }
            let token = token();
            if key.claim(&token, LONG).await == Claim::Granted {
                let value = row.value();
                pause().await;
                key.fill_with(&token, value, LONG).await;
            }
            pause().await;
        }
    });
    join(writer, join_all(readers)).await;
    key.remove().await;
}

/// A row of a database. Its value is its version.
#[derive(Default)]
pub(super) struct Row {
    version: AtomicU64,
    invalidated: AtomicU64,
}

impl Row {
    /// Writes a version and invalidates its entries.
    pub(super) async fn write<T>(&self, version: u64, invalidation: impl Future<Output = T>) {
        pause().await;
        self.version.store(version, Ordering::SeqCst);
        pause().await;
        invalidation.await;
        self.invalidated.store(version, Ordering::SeqCst);
    }

    pub(super) fn value(&self) -> Bytes {
        self.version.load(Ordering::SeqCst).to_string().into()
    }

    /// Returns the oldest version that a hit may have from now on.
    pub(super) fn oldest(&self) -> u64 {
        self.invalidated.load(Ordering::SeqCst)
    }
}

impl TestedKey<'_> {
    pub(super) fn is_fresh(&self, hit: &[u8], oldest: u64) {
        let version: Option<u64> = std::str::from_utf8(hit).ok().and_then(|text| text.parse().ok());
        assert!(version >= Some(oldest), "{self}: after the invalidation of {oldest} a reader hit {version:?}");
    }
}

/// Runs both steps at once, in random order.
pub(super) async fn race<T>(one: impl Future<Output = T>, other: impl Future<Output = u64>) {
    let one = async {
        pause().await;
        one.await;
    };
    let other = async {
        pause().await;
        other.await;
    };
    join(one, other).await;
}

/// Yields to the other tasks, a random number of times.
pub(super) async fn pause() {
    let mut turns = RandomState::new().build_hasher().finish() % 4;
    poll_fn(|cx| {
        if turns == 0 {
            return Poll::Ready(());
        }
        turns -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
