//! The results of a readiness probe.

use std::time::Duration;

use mrc::config::MySqlConfig;
use mrc::errors::{ExecuteError, StoreError};
use mrc::{Error, Health, MrcClient};
use mrc_tests::{Redis, SqlServer};

use super::support::*;

/// Returns the client's health, after a check that it shows no password.
async fn health(client: &MrcClient) -> Health {
    let health = guarded(client.health()).await;
    let text = format!("{health} {health:?}");
    assert!(!text.contains("s3cret") && !text.contains("secret"), "{text}");
    health
}

#[tokio::test]
async fn the_cache_and_the_database_are_reported_separately() {
    let (redis, mysql) = (Redis::with_args(&["--requirepass", "s3cret"]).await, SqlServer::start().await);
    let limit = Duration::from_millis(300);
    let client = MrcClient::builder()
        .redis_config(impatient(redis.port()).password("s3cret"))
        .mysql_config(MySqlConfig::from_url(&mysql.url("")).unwrap().connect_timeout(limit).acquire_timeout(limit))
        .build()
        .unwrap();
    let whole = async || until(async || health(&client).await.is_whole()).await;
    whole().await;
    let up = health(&client).await.to_string();
    assert!(up.starts_with("cache: up (") && up.contains("), database: up ("), "{up}");

    for standing_still in [false, true] {
        if standing_still {
            redis.pause().await;
        } else {
            redis.kill().await;
        }
        let without = health(&client).await;
        assert!(without.is_ready() && !without.is_whole(), "{without}");
        assert!(without.to_string().starts_with("cache: down ("), "{without}");
        assert!(matches!(&without.cache, Err(Error::Store(error)) if error.is_retryable()), "{without:?}");
        if standing_still {
            redis.resume().await;
        } else {
            redis.restart().await;
        }
        whole().await;
    }

    mysql.kill().await;
    let without = health(&client).await;
    assert!(!without.is_ready() && !without.is_whole() && without.cache.is_ok(), "{without}");
    assert!(without.to_string().contains("database: down ("), "{without}");
    assert!(
        matches!(&without.database, Some(Err(Error::Database(error))) if matches!(**error, ExecuteError::Unavailable(_))),
        "{without:?}"
    );
    redis.kill().await;
    let neither = health(&client).await;
    assert!(
        matches!(&neither.cache, Err(Error::Store(error)) if matches!(**error, StoreError::Unavailable(_)))
            && !neither.is_ready(),
        "{neither:?}"
    );
    mysql.restart().await;
    until(async || health(&client).await.is_ready()).await;
    redis.restart().await;
    whole().await;
}
