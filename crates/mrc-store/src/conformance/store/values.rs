//! The rules of values and their TTLs.

use std::time::Duration;

use bytes::Bytes;

use super::{LONG, SHORT, TestedKey, token, until};
use crate::error::StoreError;
use crate::store::CacheStore;

/// Checks that a missing key has no value, TTL or claim, and nothing to remove.
pub async fn has_nothing_under_a_missing_key(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    key.holds(None, "of a missing key").await;
    assert_eq!(key.ttl().await, None, "{key}: a missing key has no life left");
    assert_eq!(key.remove().await, 0, "{key}: a missing key can't be removed");
    assert!(!key.fill(&token(), "1").await, "{key}: a fill without a claim must be refused");
    assert!(!key.release(&token()).await, "{key}: a release without a claim must return false");
    key.holds(None, "after a refused fill").await;
}

/// Checks that `put` stores a value, overwrites another, and strips spaces at its end.
pub async fn returns_what_was_put(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    key.put("[1]", LONG).await;
    key.holds(Some("[1]"), "after put").await;
    key.put(r#"{"a":" "}"#, LONG).await;
    key.holds(Some(r#"{"a":" "}"#), "after a second put").await;
    key.put("[2]  ", LONG).await;
    key.holds(Some("[2]"), "after put of a value with spaces at its end").await;
    key.remove().await;
}

/// Checks that empty values, the marks of claims, are refused with [`StoreError::EmptyValue`].
pub async fn refuses_empty_values(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    for empty in ["", " ", "   "] {
        let put = store.put(&key.name, empty.into(), LONG).await;
        assert!(matches!(put, Err(StoreError::EmptyValue)), "{key}: put of {empty:?} returned {put:?}");
        let claim = key.granted(LONG).await;
        let fill = store.fill(&key.name, &claim, empty.into(), LONG.into()).await;
        assert!(matches!(fill, Err(StoreError::EmptyValue)), "{key}: fill with {empty:?} returned {fill:?}");
        assert!(key.release(&claim).await, "{key}: a refused empty value must leave the claim as it was");
    }
}

/// Checks that values of 5 MB and bytes that aren't UTF-8 come back unchanged.
pub async fn keeps_large_and_binary_values(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let large: Bytes = (0..5_000_000_u32).map(|at| b'0' + (at % 10) as u8).collect();
    let binary: Bytes = (0..=255).collect();
    for value in [large, binary] {
        let claim = key.granted(LONG).await;
        let filled = key.must("fill", store.fill(&key.name, &claim, value.clone(), LONG.into()).await);
        assert!(filled, "{key}: a fill of {} bytes must be stored", value.len());
        let stored = key.get().await;
        assert!(stored == Some(value), "{key}: a value came back changed, with {:?} bytes", stored.map(|v| v.len()));
        key.remove().await;
    }
}

/// Checks that a TTL is reported in milliseconds, never exceeds the given TTL, and ends.
pub async fn ends_lives_to_the_millisecond(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let given = Duration::from_millis(600_500);
    key.put("1", given).await;
    let left = key.ttl().await;
    assert!(left.is_some_and(|left| left <= given && left > given / 2), "{key}: of {given:?} are left {left:?}");
    until("a life has milliseconds", || async { key.ttl().await.is_some_and(|left| left.subsec_millis() != 0) }).await;

    let claim = TestedKey::new(store, format!("{prefix}claim"));
    claim.granted(LONG).await;
    assert_eq!(claim.ttl().await, None, "{claim}: a claim is no value, so it has no life left");
    claim.remove().await;

    key.put("2", SHORT).await;
    until("a value is gone when its life ends", || async { key.get().await.is_none() }).await;
    assert_eq!(key.ttl().await, None, "{key}: a value that is gone has no life left");
    // Rounded up, because servers refuse 0.
    key.put("3", Duration::from_nanos(1)).await;
    until("a value is gone when its life ends", || async { key.get().await.is_none() }).await;
}
