//! The rules of stale copies, which outlive their values for the time when the database fails.

use std::time::Duration;

use bytes::Bytes;

use super::{LONG, SHORT, TestedKey, until};
use crate::store::{CacheStore, Life, Terms};

fn life() -> Life {
    Life { stale: LONG, ..LONG.into() }
}

impl TestedKey<'_> {
    async fn exist(&self) -> u64 {
        self.must("exist", self.store.exist(&[self.bytes()]).await)
    }

    async fn has_copy(&self, value: Option<&'static str>, when: &str) {
        let copy = self.stale().await.map(|found| found.value);
        assert_eq!(copy, value.map(Bytes::from), "{self}: the copy {when}");
    }

    async fn filled_with_copy(&self, value: &'static str, life: Life) {
        let claim = self.granted_for(Terms::fill(LONG).copy(true)).await;
        assert!(self.fill_with(&claim, value, life).await, "{self}: a fill under its claim must be stored");
    }
}

/// Checks that a copy exists from the fill on, and not before.
pub async fn keeps_a_copy_beside_the_value(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    key.has_copy(None, "of a missing key").await;
    let claim = key.granted_for(Terms::fill(LONG).copy(true)).await;
    key.has_copy(None, "during the first fill").await;
    assert!(key.fill_with(&claim, "[1]", life()).await, "{key}: a fill under its claim must be stored");
    key.has_copy(Some("[1]"), "after the fill").await;
    key.holds(Some("[1]"), "after a fill with a copy").await;

    let refresh = key.granted_for(Terms::refresh(LONG).copy(true)).await;
    key.has_copy(Some("[1]"), "during a refresh").await;
    assert!(key.fill_with(&refresh, "[2]", life()).await, "{key}: the fill of a refresh must be stored");
    key.has_copy(Some("[2]"), "after a refresh").await;
    key.remove().await;
}

/// Checks that a copy outlives its value, during the next fill and after a failed read.
pub async fn keeps_a_copy_when_its_value_expires(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    key.filled_with_copy("[1]", Life { stale: LONG, ..SHORT.into() }).await;
    until("the value expires", || async { key.get().await.is_none() }).await;
    key.has_copy(Some("[1]"), "after the value's end").await;
    let claim = key.granted_for(Terms::fill(LONG).copy(true)).await;
    key.has_copy(Some("[1]"), "during the next fill").await;
    assert!(key.release(&claim).await, "{key}: a claim must be released by its token");
    key.has_copy(Some("[1]"), "after a read that failed").await;
    key.remove().await;
}

/// Checks that a copy expires.
pub async fn ends_the_life_of_a_copy(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    key.filled_with_copy("[1]", Life { stale: SHORT, ..Duration::from_millis(1).into() }).await;
    until("the copy expires", || async { key.stale().await.is_none() }).await;
    key.remove().await;
}

/// Checks that removing a key removes its copy, even if the value has expired.
pub async fn removes_a_copy_with_its_key(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    key.filled_with_copy("[1]", life()).await;
    assert_eq!(key.exist().await, 1, "{key}: an entry with its copy is one");
    assert_eq!(key.remove().await, 1, "{key}: an entry with its copy is one");
    key.has_copy(None, "after a removal").await;

    key.filled_with_copy("[1]", Life { stale: LONG, ..SHORT.into() }).await;
    until("the value expires", || async { key.get().await.is_none() }).await;
    assert_eq!(key.scan(&key.name).await, [key.bytes()], "{key}: a scan must return the key of a copy");
    assert_eq!(key.exist().await, 0, "{key}: a copy alone is no entry");
    assert_eq!(key.remove().await, 0, "{key}: a copy alone is no entry");
    key.has_copy(None, "after a removal of a copy alone").await;
    assert!(key.scan(&key.name).await.is_empty(), "{key}: a scan after a removal");

    key.filled_with_copy("[1]", life()).await;
    key.put("[2]", LONG).await;
    key.has_copy(None, "after a put").await;
    key.remove().await;
}

/// Checks that a fill refused because of an invalidation stores no copy.
pub async fn refuses_a_copy_after_a_removal(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    key.filled_with_copy("[1]", life()).await;
    let refresh = key.granted_for(Terms::refresh(LONG).copy(true)).await;
    key.remove().await;
    assert!(!key.fill_with(&refresh, "[1]", life()).await, "{key}: a refresh of what was removed must be refused");
    key.has_copy(None, "after a refused refresh").await;

    let claim = key.granted_for(Terms::fill(LONG).copy(true)).await;
    key.remove().await;
    assert!(!key.fill_with(&claim, "[1]", life()).await, "{key}: a fill of what was removed must be refused");
    key.has_copy(None, "after a refused fill").await;
}

/// Checks that a fill stores no copy unless its claim made one: an invalidation may intervene.
pub async fn makes_no_copy_without_a_claim_for_one(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let claim = key.granted(LONG).await;
    assert!(key.fill_with(&claim, "[1]", life()).await, "{key}: a fill under its claim must be stored");
    key.has_copy(None, "of a claim without one").await;
    key.remove().await;
}

/// Checks that releasing a claim removes its empty copy.
pub async fn releases_an_empty_copy(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let claim = key.granted_for(Terms::fill(LONG).copy(true)).await;
    key.release(&claim).await;
    assert!(key.scan(&key.name).await.is_empty(), "{key}: a released claim must leave nothing");
}
