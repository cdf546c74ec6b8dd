//! The stores, on real servers of every kind.

mod bounded;
mod cluster;
mod events;
mod failures;
mod foreign;
mod kinds;
mod rights;
mod tags;
mod wire;

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use mrc_store::{RedisConfig, RedisStore, StoreError, Token};
use mrc_tests::{Proxy, Redis};

const LONG: Duration = Duration::from_secs(600);
const SECOND: Duration = Duration::from_secs(1);

/// Returns a store at this URL with limits for slow machines: these tests don't check times.
fn store(url: &str) -> RedisStore {
    RedisStore::new(patient(url)).unwrap()
}

fn patient(url: &str) -> RedisConfig {
    let patience = Duration::from_secs(20);
    RedisConfig::from_url(url).unwrap().command_timeout(patience).connect_timeout(patience)
}

/// Returns a server of the test's own, and a store on it.
async fn alone() -> (Redis, RedisStore) {
    let redis = Redis::start().await;
    let store = store(&redis.url());
    (redis, store)
}

/// Returns a server of the test's own, and a store on it through a proxy that shows its commands.
async fn watched() -> (Redis, Proxy, RedisStore) {
    let redis = Redis::start().await;
    let wire = Proxy::to(redis.port()).await;
    let store = store(&format!("redis://127.0.0.1:{}", wire.port()));
    (redis, wire, store)
}

fn token() -> Token {
    Token::from_bits(rand::random())
}

fn keys<T: AsRef<str>>(names: &[T]) -> Vec<Bytes> {
    names.iter().map(|name| Bytes::copy_from_slice(name.as_ref().as_bytes())).collect()
}

/// Repeats a call until it succeeds, as long as it fails like a store that is cut off.
async fn eventually<T, F: Future<Output = Result<T, StoreError>>>(mut call: impl FnMut() -> F) -> T {
    loop {
        match call().await {
            Ok(value) => return value,
            Err(StoreError::Unavailable(_) | StoreError::Timeout(_)) => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Err(other) => panic!("{other}"),
        }
    }
}
