//! Stores on one server, where one's prefix is the beginning of the other's.

use bytes::Bytes;
use futures_util::TryStreamExt;
use mrc_core::{Event, Tag};
use mrc_store::{CacheStore, Life, RedisStore, ScanPattern, Select, Terms};
use mrc_tests::Redis;

use super::{LONG, patient, token};

/// Every key of a filled entry with a copy and a tag, in a store with the prefix `app:`.
const ALL: [&str; 6] = [
    "app:k",
    "app:mrc:clk",
    "app:mrc:g:{app:k}",
    "app:mrc:l:{app:other}",
    "app:mrc:s:{app:k}",
    "app:mrc:t:{4618f47523e0904d5b29ffe6eaea8dfcbf9477a8}",
];

async fn keys(redis: &Redis) -> Vec<String> {
    let mut keys: Vec<String> = redis.cli(&["KEYS", "*"]).await.lines().map(str::to_owned).collect();
    keys.retain(|key| !key.is_empty());
    keys.sort();
    keys
}

fn with_prefix(redis: &Redis, prefix: &str) -> RedisStore {
    RedisStore::new(patient(&redis.url()).prefix(prefix)).unwrap()
}

async fn fill(store: &RedisStore, key: &str) {
    let (claim, since) = (token(), store.now().await.unwrap());
    store.claim(key, &claim, Terms::fill(LONG).copy(true)).await.unwrap();
    let life = Life::from(LONG).stale(LONG).tags([("a".into(), since)].into_iter().collect());
    assert!(store.fill(key, &claim, "[1]".into(), life).await.unwrap());
}

/// A user with the rights for the prefix alone reaches all of them.
#[tokio::test]
async fn every_key_begins_with_the_prefix() {
    let redis = Redis::start().await;
    let app = with_prefix(&redis, "app:");
    fill(&app, "k").await;
    app.claim("other", &token(), Terms::fill(LONG)).await.unwrap();
    redis.cli(&["DEL", "app:other"]).await;
    assert_eq!(keys(&redis).await, ALL);
}

#[tokio::test]
async fn the_shorter_prefix_reaches_entries_with_their_copies_and_leaves_the_books_alone() {
    let redis = Redis::start().await;
    let app = with_prefix(&redis, "app:");
    for prefix in ["", "a", "app"] {
        let outer = with_prefix(&redis, prefix);
        fill(&app, "k").await;
        // Only the copy is left, and shows the entry.
        redis.cli(&["DEL", "app:k"]).await;
        let found = outer.scan(&ScanPattern::All).try_collect::<Vec<_>>().await.unwrap().concat();
        if prefix == "app" {
            assert!(found.is_empty(), "a prefix without a colon leaves those of the one with it alone: {found:?}");
            continue;
        }
        assert_eq!(found, [Bytes::from("app:k".strip_prefix(prefix).unwrap())]);
        assert_eq!(outer.remove(&found).await.unwrap(), 0);
        assert_eq!(app.stale("k").await.unwrap(), None, "with the prefix {prefix:?}");

        fill(&app, "k").await;
        let listener = |_: &Event<'_>| {};
        assert_eq!(Select::Everything.remove_from(&outer, "", &listener).await.unwrap(), 1);
        assert_eq!(keys(&redis).await, [ALL[1], ALL[5]], "an index is no entry: without it an invalidation finds none");
    }
    fill(&app, "k").await;
    assert_eq!(app.invalidate(&[Tag::new("a")]).await.unwrap(), 1);
}
