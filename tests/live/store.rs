//! The stores, on real servers of every kind.

mod bounded;
mod cluster;
mod events;
mod failures;
mod foreign;
mod kinds;
mod moving;
mod prefixes;
mod rights;
mod tags;
mod wire;

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use mrc_store::{RedisConfig, RedisStore, StoreError, Token};

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
