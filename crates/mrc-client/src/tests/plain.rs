//! Plain values take the path of all others: its tags, modes, limits and events.

use mrc_core::{Tag, params};
use mrc_store::CacheStore;

use super::support::*;
use crate::scope::{self, Mode};
use crate::{Error, Query};

impl Fixture {
    async fn write(&self, query: impl Into<Query<'_>>) -> bool {
        self.client.write_to_cache(query, &[7], params! { "Id" => 1 }, HOUR).await.unwrap()
    }

    async fn read(&self) -> Option<bytes::Bytes> {
        let answer = self.client.read_from_cache(SQL, params! { "Id" => 1 }).await.unwrap();
        answer.map(crate::Answer::into_bytes)
    }
}

#[tokio::test]
async fn a_written_value_has_the_tags_of_its_query() {
    let it = Fixture::new(Database::open());
    for tag in ["orders", "Id=1"] {
        assert!(it.write(Query::new(SQL).tag("orders").tag_by_params()).await);
        assert_eq!(it.read().await.unwrap(), "[7]");
        assert_eq!(it.store.memory.invalidate(&[Tag::new(tag)]).await.unwrap(), 1, "{tag}");
        assert_eq!(it.read().await, None, "{tag}");
    }
    let refused = it.client.write_to_cache(Query::new(SQL).tag(""), &1, params! { "Id" => 1 }, HOUR).await;
    assert!(matches!(refused, Err(Error::Tag(_))));
}

#[tokio::test]
async fn reads_and_writes_keep_to_the_mode() {
    let it = Fixture::new(Database::open());
    for mode in [Mode::Off, Mode::Peek, Mode::ReadOnly] {
        assert!(!scope::with_mode(mode, it.write(SQL)).await, "{mode:?}");
    }
    assert_eq!(it.read().await, None);
    assert!(scope::with_mode(Mode::Refresh, it.write(SQL)).await);
    for (mode, there) in [(Mode::Off, false), (Mode::Refresh, false), (Mode::Peek, true), (Mode::ReadOnly, true)] {
        assert_eq!(scope::with_mode(mode, it.read()).await.is_some(), there, "{mode:?}");
    }
}

#[tokio::test]
async fn reads_and_writes_emit_what_calls_do_and_keep_to_the_limit() {
    let it = Fixture::with(Database::open(), Spy::new(), |builder| builder.max_value(3));
    assert_eq!(it.read().await, None);
    assert!(it.write(SQL).await);
    assert_eq!(it.read().await.unwrap(), "[7]");
    assert_eq!(it.events(), ["Miss", "Filled", "Hit"]);
    let large = it.client.write_to_cache(SQL, &[70], params! { "Id" => 1 }, HOUR).await.unwrap();
    assert!(!large);
    assert_eq!(it.events()[3..], ["Bypassed TooLarge"]);
    assert_eq!(it.read().await.unwrap(), "[7]");
}

#[tokio::test]
async fn a_cache_that_fails_is_an_error() {
    let it = Fixture::new(Database::open());
    *it.store.failing.lock().unwrap() = Some("all");
    let params = params! { "Id" => 1 };
    assert!(matches!(it.client.read_from_cache(SQL, &params).await, Err(Error::Store(_))));
    for query in [Query::new(SQL), Query::new(SQL).tag("t")] {
        assert!(matches!(it.client.write_to_cache(query, &1, &params, HOUR).await, Err(Error::Store(_))));
    }
}
