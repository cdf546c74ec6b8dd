//! Listeners receive each loss and each return once, with calls and without.

use std::sync::Arc;

use mrc_core::Event;
use mrc_store::{CacheStore, RedisConfig, RedisStore, StoreError};
use mrc_tests::{Mode, Proxy, Redis, free_port};
use tokio::sync::watch;

use super::{LONG, SECOND, alone, eventually, store};

pub(super) struct Heard(watch::Receiver<Vec<(String, String)>>);

impl Heard {
    pub(super) fn by(store: &impl CacheStore) -> Self {
        let (sender, receiver) = watch::channel(Vec::new());
        store.listen(Arc::new(move |event: &Event<'_>| {
            let (Event::ServerLost { server, .. } | Event::ServerBack { server, .. }) = event else { return };
            sender.send_modify(|all| all.push((event.name().to_owned(), (*server).to_owned())));
        }));
        Self(receiver)
    }

    /// Waits for as many events. Checks that they are these, and no more.
    pub(super) async fn is(&self, expect: &[(&str, &str)]) {
        let mut events = self.0.clone();
        let events = events.wait_for(|events| events.len() >= expect.len()).await.unwrap().clone();
        let events: Vec<(&str, &str)> = events.iter().map(|(name, server)| (name.as_str(), server.as_str())).collect();
        assert_eq!(events, expect);
    }
}

#[tokio::test]
async fn a_server_that_is_killed_and_comes_back() {
    let redis = Redis::start().await;
    let wire = Proxy::to(redis.port()).await;
    let server = format!("127.0.0.1:{}", wire.port());
    let store = store(&format!("redis://{server}"));
    let heard = Heard::by(&store);
    store.put("k", "1".into(), LONG).await.unwrap();
    heard.is(&[]).await;
    for round in 0..2 {
        let lost_and_back = [("server_lost", server.as_str()), ("server_back", server.as_str())];
        let before = lost_and_back.repeat(round);
        wire.reset();
        redis.kill().await;
        heard.is(&[&before[..], &lost_and_back[..1]].concat()).await;
        // The store reconnects without a call. Neither an attempt nor a call is a further loss.
        while wire.connections() < 4 {
            tokio::task::yield_now().await;
        }
        for _ in 0..100 {
            assert!(matches!(store.get("k").await, Err(StoreError::Unavailable(_))));
        }
        heard.is(&[&before[..], &lost_and_back[..1]].concat()).await;
        redis.restart().await;
        heard.is(&[&before[..], &lost_and_back].concat()).await;
        assert_eq!(store.get("k").await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_server_that_stands_still_and_goes_on() {
    let redis = Redis::start().await;
    let server = format!("127.0.0.1:{}", redis.port());
    let config = RedisConfig::new("127.0.0.1", redis.port()).command_timeout(SECOND).connect_timeout(SECOND);
    let store = RedisStore::new(config).unwrap();
    let heard = Heard::by(&store);
    eventually(|| store.get("k")).await;
    redis.pause().await;
    while !matches!(store.get("k").await, Err(StoreError::Unavailable(_))) {}
    heard.is(&[("server_lost", &server)]).await;
    redis.resume().await;
    heard.is(&[("server_lost", &server), ("server_back", &server)]).await;
    assert_eq!(store.get("k").await.unwrap(), None);
}

#[tokio::test]
async fn a_server_that_was_never_there() {
    let wire = Proxy::to(free_port()).await;
    let server = format!("127.0.0.1:{}", wire.port());
    let store = store(&format!("redis://{server}"));
    let heard = Heard::by(&store);
    while wire.connections() < 4 {
        assert!(matches!(store.get("k").await, Err(StoreError::Unavailable(_))));
        tokio::task::yield_now().await;
    }
    heard.is(&[("server_lost", &server)]).await;
}

#[tokio::test]
async fn a_store_that_is_closed_lost_nothing() {
    let (redis, store) = alone().await;
    let heard = Heard::by(&store);
    store.get("k").await.unwrap();
    store.close().await;
    redis.kill().await;
    assert!(matches!(store.get("k").await, Err(StoreError::Closed)));
    heard.is(&[]).await;
}

#[tokio::test]
async fn a_listener_may_use_the_store() {
    let redis = Redis::start().await;
    let wire = Proxy::to(redis.port()).await;
    let store = Arc::new(store(&format!("redis://127.0.0.1:{}", wire.port())));
    let (weak, (sender, mut heard)) = (Arc::downgrade(&store), watch::channel(0));
    store.listen(Arc::new(move |_: &Event<'_>| {
        // Under a lock of the store this would never end.
        weak.upgrade().unwrap().listen(Arc::new(|_: &Event<'_>| {}));
        sender.send_modify(|count| *count += 1);
    }));
    store.get("k").await.unwrap();
    wire.set(Mode::Close);
    wire.cut();
    heard.wait_for(|count| *count == 1).await.unwrap();
    wire.set(Mode::Pass);
    heard.wait_for(|count| *count == 2).await.unwrap();
    store.get("k").await.unwrap();
}
