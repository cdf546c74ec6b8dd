//! The rules of keys: allowed texts, scans, removal.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::future::join_all;

use super::{LONG, TestedKey};
use crate::store::{CacheStore, ScanPattern};

/// More than two pages of any common size.
const MANY: usize = 2_500;

/// Checks that `remove` counts each key once, claims included, whatever else the list has.
pub async fn removes_and_counts(store: &dyn CacheStore, prefix: &str) {
    let keys: Vec<TestedKey<'_>> = (0..MANY).map(|number| TestedKey::new(store, format!("{prefix}{number}"))).collect();
    put_all(&keys).await;
    let claimed = TestedKey::new(store, format!("{prefix}claimed"));
    claimed.granted(LONG).await;
    let refreshed = TestedKey::new(store, format!("{prefix}0"));
    refreshed.granted_refresh(LONG).await;

    let missing = Bytes::from(format!("{prefix}missing"));
    let mut all: Vec<Bytes> = keys.iter().chain([&claimed]).map(TestedKey::bytes).collect();
    all.extend([missing, refreshed.bytes(), claimed.bytes()]);
    let removed = claimed.must("remove", store.remove(&all).await);
    assert_eq!(
        removed,
        MANY as u64 + 1,
        "{prefix}: how many keys were removed, of which one was claimed and one missing"
    );
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
    let keys: Vec<TestedKey<'_>> = (0..MANY).map(|number| TestedKey::new(store, format!("{prefix}{number}"))).collect();
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

    let pages: Vec<Vec<Bytes>> = claimed.must("scan", store.scan(&ScanPattern::All).try_collect().await);
    let found: BTreeSet<Bytes> = pages.concat().into_iter().collect();
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
        let found = keys.iter().take(1).map(|key| key.scan(&pattern));
        let found = join_all(found).await.concat().into_iter().collect();
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
