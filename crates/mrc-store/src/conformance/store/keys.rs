//! The rules of values and their TTLs, and of keys: allowed texts, scans, removal.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;

use super::{LONG, SHORT, TestedKey, keys, token, until};
use crate::error::StoreError;
use crate::store::{CacheStore, ScanPattern};

/// More than two pages of any common size.
const MANY: usize = 2_500;

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
        let filled = key.fill_with(&claim, value.clone(), LONG).await;
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

/// Checks that `remove` counts each key once, claims included, whatever else the list has.
pub async fn removes_and_counts(store: &dyn CacheStore, prefix: &str) {
    let keys = keys(store, prefix, MANY);
    put_all(&keys).await;
    let claimed = TestedKey::new(store, format!("{prefix}claimed"));
    claimed.granted(LONG).await;
    let refreshed = TestedKey::new(store, format!("{prefix}0"));
    refreshed.granted_refresh(LONG).await;

    let missing = Bytes::from(format!("{prefix}missing"));
    let mut all: Vec<Bytes> = keys.iter().chain([&claimed]).map(TestedKey::bytes).collect();
    all.extend([missing, refreshed.bytes(), claimed.bytes()]);
    let removed = claimed.must("remove", store.remove(&all).await);
    assert_eq!(removed, MANY as u64 + 1, "{prefix}: how many keys were removed, one of them claimed and one missing");
    let again = claimed.must("remove", store.remove(&all).await);
    assert_eq!(again, 0, "{prefix}: how many keys were removed a second time");
    assert_eq!(claimed.must("remove", store.remove(&[]).await), 0, "{prefix}: how many keys an empty list removes");
    assert!(claimed.scan(prefix).await.is_empty(), "{prefix}: a scan must find nothing after all was removed");
}

/// Checks keys with spaces, braces, newlines, NUL, letters of any language, and great length.
pub async fn takes_any_text_as_a_key(store: &dyn CacheStore, prefix: &str) {
    let long = "k".repeat(10_000);
    let odd = [
        "a b", " ", "{", "}", "{}", "}{", "{a}", "{a}b", "a{b}c{d}", "{{a}}", "a\nb\r\n", "a\0b", "\"'\\", "*",
        "[a-z]", "ключ", "鍵", "🔑", "é", "%00", "a:b:c", "mrc:l:", &long,
    ];
    for name in odd {
        let key = TestedKey::new(store, format!("{prefix}{name}"));
        let claim = key.granted(LONG).await;
        assert!(key.scan(&key.name).await.contains(&key.bytes()), "{key}: a scan must find a claim");
        assert!(key.fill(&claim, "[1]").await, "{key}: a fill under its claim must be stored");
        let refresh = key.granted_refresh(LONG).await;
        assert!(key.release(&refresh).await, "{key}: a refresh that stands can be released");
        key.holds(Some("[1]"), "after a fill and a refresh").await;
        assert!(key.ttl().await > Some(Duration::ZERO), "{key}: a value has a life");
        assert_eq!(key.remove().await, 1, "{key}: how many keys were removed");
        key.holds(None, "after a removal").await;
    }
}

/// Checks that a scan returns every matching key, claims included, and no bookkeeping of claims.
pub async fn scans_everything_that_matches(store: &dyn CacheStore, prefix: &str) {
    let keys = keys(store, prefix, MANY);
    put_all(&keys).await;
    let claimed = TestedKey::new(store, format!("{prefix}claimed"));
    claimed.granted(LONG).await;
    let in_braces = TestedKey::new(store, format!("{prefix}{{claimed}}"));
    in_braces.granted(LONG).await;

    let expected: BTreeSet<Bytes> = keys.iter().chain([&claimed, &in_braces]).map(TestedKey::bytes).collect();
    let found: BTreeSet<Bytes> = claimed.scan(prefix).await.into_iter().collect();
    check(&found, &expected, prefix);
    let two = BTreeSet::from([claimed.bytes(), in_braces.bytes()]);
    let found = claimed.scan(&format!("{prefix}claimed")).await;
    check(&found.into_iter().collect(), &BTreeSet::from([claimed.bytes()]), "a scan for one claim");

    let found: BTreeSet<Bytes> = claimed.scan_for(&ScanPattern::All).await.into_iter().collect();
    assert!(found.is_superset(&expected), "a scan for every key must return those of {prefix:?}");
    // The name of a lease contains the key.
    let about: BTreeSet<Bytes> =
        found.into_iter().filter(|key| contains(key, &claimed) || contains(key, &in_braces)).collect();
    check(&about, &two, "a scan for every key must leave out the bookkeeping of claims");

    let all: Vec<Bytes> = expected.into_iter().collect();
    claimed.must("remove", store.remove(&all).await);
}

/// Checks that in a pattern every letter stands for itself.
pub async fn scans_literally(store: &dyn CacheStore, prefix: &str) {
    let names = [
        "a*b", "a?b", "a[b]c", "a[^b]c", "a[a-z]c", r"a\b", r"a\*b", "aXb", "abc", "a^c", "a*", "*", "?", "ab", "a{b}",
    ];
    let keys: Vec<TestedKey<'_>> = names.iter().map(|name| TestedKey::new(store, format!("{prefix}{name}"))).collect();
    put_all(&keys).await;
    for name in names {
        let pattern = format!("{prefix}{name}");
        let expected = keys.iter().filter(|key| key.name.contains(&pattern)).map(TestedKey::bytes).collect();
        let found = keys[0].scan(&pattern).await.into_iter().collect();
        check(&found, &expected, &format!("a scan for {pattern:?}"));
    }
    let all: Vec<Bytes> = keys.iter().map(TestedKey::bytes).collect();
    let _ = store.remove(&all).await;
}

/// Checks that a scan for a beginning omits keys that only contain the text.
pub async fn scans_what_begins(store: &dyn CacheStore, prefix: &str) {
    let begins = format!("{prefix}a*");
    let names = ["a*", "a*b", "a**", "a*{b}", "a", "ab", "b"].map(|name| format!("{prefix}{name}"));
    let inside = [format!("{prefix}b{begins}"), format!("{prefix}{begins}")];
    let keys: Vec<TestedKey<'_>> = names.into_iter().chain(inside).map(|name| TestedKey::new(store, name)).collect();
    put_all(&keys).await;
    let claimed = TestedKey::new(store, format!("{begins}{{claimed}}"));
    claimed.granted(LONG).await;
    let all = || keys.iter().chain([&claimed]);
    let expected = all().filter(|key| key.name.starts_with(&begins)).map(TestedKey::bytes).collect();
    let found = claimed.scan_for(&ScanPattern::Beginning(begins.clone())).await;
    check(&found.into_iter().collect(), &expected, &format!("a scan for what begins with {begins:?}"));
    let all: Vec<Bytes> = all().map(TestedKey::bytes).collect();
    let found = claimed.scan_for(&ScanPattern::Beginning(prefix.into())).await;
    check(&found.into_iter().collect(), &all.iter().cloned().collect(), "a scan for what begins with the prefix");
    claimed.must("remove", store.remove(&all).await);
}

async fn put_all(keys: &[TestedKey<'_>]) {
    for some in keys.chunks(250) {
        join_all(some.iter().map(|key| key.put("1", LONG))).await;
    }
}

fn contains(bytes: &[u8], key: &TestedKey<'_>) -> bool {
    let name = key.name.as_bytes();
    bytes.windows(name.len()).any(|window| window == name)
}

/// Names only the first few missing or surplus keys, because all would fill the screen.
fn check(found: &BTreeSet<Bytes>, expected: &BTreeSet<Bytes>, rule: &str) {
    let missing: Vec<_> = expected.difference(found).take(3).collect();
    let surplus: Vec<_> = found.difference(expected).take(3).collect();
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "{rule}: a scan missed {missing:?} and returned {surplus:?} besides"
    );
}
