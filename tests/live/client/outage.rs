//! Redis fails in every way: the database answers, an event says why, and the cache recovers. The
//! database stops, and the stale copy of the last value that was not invalidated replaces it.

use std::time::Duration;

use mrc::config::RedisConfig;
use mrc::{Answer, Error, MrcClient, Source, params};
use mrc_tests::{Database, Listener, Mode, Proxy, Redis, free_port};

use super::support::*;

struct Failing {
    database: Database,
    heard: Heard,
    client: MrcClient,
}

impl Failing {
    async fn with(redis: RedisConfig) -> Self {
        let (database, heard) = (Database::create().await, Heard::default());
        database.execute(ITEMS).await;
        let client =
            MrcClient::builder().redis_config(redis).mysql(database.url()).on_event(heard.clone()).build().unwrap();
        Self { database, heard, client }
    }

    async fn write(&self, version: u32) {
        self.database.execute(&format!("UPDATE items SET version = {version}")).await;
    }

    /// Checks that the next answers come from the database, with its present data.
    async fn answers_without_the_cache(&self, event: &str) {
        for version_now in [5, 6] {
            self.write(version_now).await;
            self.heard.take();
            let answer = ask(&self.client, 3).await.unwrap();
            assert_eq!((version(&answer), answer.source()), (u64::from(version_now), Source::Computed));
            let heard = self.heard.take();
            assert!(matches!(&heard[..], [only] if only.starts_with(event)), "{heard:?}");
        }
    }

    /// Waits until an answer comes from the cache, and checks it.
    async fn caches_again(&self) {
        self.write(7).await;
        until(async || {
            let answer = ask(&self.client, 2).await.unwrap();
            assert_eq!(version(&answer), 7);
            answer.is_hit()
        })
        .await;
    }
}

#[tokio::test]
async fn down_at_the_start() {
    let redis = Redis::start().await;
    redis.kill().await;
    let it = Failing::with(impatient(redis.port())).await;
    it.answers_without_the_cache("Bypassed StoreFailed get").await;
    redis.restart().await;
    it.caches_again().await;
}

#[tokio::test]
async fn killed_in_between() {
    let redis = Redis::start().await;
    let it = Failing::with(patient(&redis.url())).await;
    ask(&it.client, 1).await.unwrap();
    assert!(ask(&it.client, 1).await.unwrap().is_hit());
    for _ in 0..2 {
        redis.kill().await;
        it.answers_without_the_cache("Bypassed StoreFailed get").await;
        redis.restart().await;
        it.caches_again().await;
    }
}

#[tokio::test]
async fn standing_still() {
    let redis = Redis::start().await;
    let it = Failing::with(impatient(redis.port())).await;
    it.caches_again().await;
    redis.pause().await;
    it.answers_without_the_cache("Bypassed StoreFailed get").await;
    redis.resume().await;
    it.caches_again().await;
}

#[tokio::test]
async fn something_that_is_no_redis() {
    let listeners = [
        Listener::silent().await,
        Listener::closing().await,
        Listener::garbage("HTTP/1.1 400 Bad Request\r\n\r\n").await,
    ];
    for listener in listeners {
        let it = Failing::with(impatient(listener.port())).await;
        it.answers_without_the_cache("Bypassed StoreFailed get").await;
    }
    let it = Failing::with(impatient(free_port())).await;
    it.answers_without_the_cache("Bypassed StoreFailed get").await;
}

#[tokio::test]
async fn a_wire_that_breaks_and_heals() {
    let garbage = || Mode::Garbage(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec());
    let redis = Redis::start().await;
    let wire = Proxy::to(redis.port()).await;
    let it = Failing::with(impatient(wire.port())).await;
    it.caches_again().await;
    for mode in [Mode::Close, garbage(), Mode::HoldAnswers, Mode::Hold] {
        wire.set(mode);
        it.answers_without_the_cache("Bypassed StoreFailed get").await;
        wire.set(Mode::Pass);
        assert_eq!(redis.cli(&["FLUSHALL"]).await, "OK");
        it.caches_again().await;
    }
}

/// The claim fails, after the GET still found an answer.
#[tokio::test]
async fn a_claim_that_is_refused() {
    let redis = Redis::start().await;
    // This user may only read.
    redis.cli(&["ACL", "SETUSER", "reader", "on", ">pw", "~*", "+get", "+hello", "+ping", "+client", "+info"]).await;
    let it = Failing::with(patient(&redis.url()).username("reader").password("pw")).await;
    it.answers_without_the_cache("Bypassed StoreFailed claim").await;
    assert_eq!(redis.cli(&["DBSIZE"]).await, "0");
}

/// The fill fails, after the value was computed.
#[tokio::test]
async fn a_fill_that_fails() {
    let redis = Redis::start().await;
    let wire = Proxy::to(redis.port()).await;
    let it = Failing::with(impatient(wire.port())).await;
    it.caches_again().await;
    for mode in [Mode::Close, Mode::HoldAnswers] {
        it.heard.take();
        let made = async || {
            wire.set(mode.clone());
            Ok::<_, mrc::Error>(7)
        };
        let value: u32 = guarded(it.client.with_cache(made, "seven", params! {}, HOUR)).await.unwrap();
        assert_eq!(value, 7);
        assert_eq!(it.heard.take(), ["Miss", "Bypassed StoreFailed fill"]);
        wire.set(Mode::Pass);
        assert_eq!(redis.cli(&["FLUSHALL"]).await, "OK");
        it.caches_again().await;
    }
}

/// A full Redis answers every write with an error, but still serves its entries.
#[tokio::test]
async fn a_redis_without_memory() {
    let redis = Redis::start().await;
    let it = Failing::with(patient(&redis.url())).await;
    ask(&it.client, 1).await.unwrap();
    assert_eq!(redis.cli(&["CONFIG", "SET", "maxmemory", "1"]).await, "OK");
    it.answers_without_the_cache("Bypassed StoreFailed claim").await;
    assert!(ask(&it.client, 1).await.unwrap().is_hit());
    assert_eq!(redis.cli(&["CONFIG", "SET", "maxmemory", "0"]).await, "OK");
    it.caches_again().await;
}

#[tokio::test]
async fn a_redis_that_has_become_a_replica() {
    let redis = Redis::start().await;
    let it = Failing::with(patient(&redis.url())).await;
    it.caches_again().await;
    assert_eq!(redis.cli(&["REPLICAOF", "127.0.0.1", &free_port().to_string()]).await, "OK");
    // A server that refuses writes is left at once, as its role may have moved.
    it.answers_without_the_cache("Bypassed StoreFailed").await;
    assert_eq!(redis.cli(&["REPLICAOF", "NO", "ONE"]).await, "OK");
    it.caches_again().await;
}

#[tokio::test]
async fn a_wrong_password() {
    let redis = Redis::with_args(&["--requirepass", "right"]).await;
    let it = Failing::with(impatient(redis.port()).password("s3cret")).await;
    it.answers_without_the_cache("Bypassed StoreFailed get").await;
    let health = it.client.health().await;
    assert!(health.is_ready() && !health.is_whole(), "{health}");
    let text = format!("{health} {health:?} {:?}", it.client);
    assert!(text.contains("WRONGPASS") && !text.contains("s3cret"), "{text}");
    assert_eq!(redis.cli(&["CONFIG", "SET", "requirepass", "s3cret"]).await, "OK");
    it.caches_again().await;
}

/// Fills a value that expires at once, and waits for that.
async fn expire(shop: &Shop, client: &MrcClient, id: u32) {
    let life = Duration::from_millis(50);
    assert_eq!(version(&client.query_with_cache(SQL, params! { "Id" => id }, life).await.unwrap()), 1);
    until(async || !shop.has_key(id).await).await;
    shop.heard.take();
}

fn is_stale(answer: &Answer) {
    assert_eq!((version(answer), answer.source(), answer.is_hit()), (1, Source::Stale, false));
}

#[tokio::test]
async fn a_stale_copy_is_served_until_it_is_dropped_or_the_database_is_back() {
    let (shop, mysql) = (Shop::open().await, own_items().await);
    let client = shop.builder().mysql(mysql.url("own")).stale_on_error(HOUR).jitter(0.0).build().unwrap();
    for id in 1..=2 {
        expire(&shop, &client, id).await;
        let copy = format!("{}mrc:s:{{{}}}", shop.prefix, shop.key(id));
        assert_eq!(shop.keys(id).await, [copy.as_str()]);
        let left: u64 = shop.redis.cli(&["PTTL", &copy]).await.parse().unwrap();
        assert!((1..=3_600_050).contains(&left), "{left}");
    }
    mysql.kill().await;
    for id in [1, 1, 2] {
        is_stale(&ask(&client, id).await.unwrap());
        assert_eq!(shop.heard.take(), ["Miss", "Failed", "Stale"]);
    }
    let never_read = ask(&client, 3).await.unwrap_err();
    assert!(matches!(never_read, Error::Database(_)), "{never_read:?}");

    shop.server().drop_outdated_cache(params! { "Id" => 2 }).await.unwrap();
    assert_eq!(shop.keys(2).await, [""; 0]);
    let dropped = ask(&client, 2).await.unwrap_err();
    assert!(matches!(dropped, Error::Database(_)) && dropped.is_retryable(), "{dropped:?}");
    is_stale(&ask(&client, 1).await.unwrap());

    mysql.restart().await;
    mysql.execute("UPDATE own.items SET version = 2").await;
    until(async || version(&ask(&client, 1).await.unwrap()) == 2).await;
    assert!(ask(&client, 1).await.unwrap().is_hit());
}

#[tokio::test]
async fn a_slow_query_continues_after_the_stale_copy_is_served() {
    let shop = Shop::open().await;
    let wire = Proxy::to(shop.database.port()).await;
    let mysql = shop.mysql_config().port(wire.port());
    let builder = shop.builder().mysql_config(mysql).stale_on_error(HOUR).stale_after(Duration::from_secs(1));
    let client = builder.build().unwrap();
    expire(&shop, &client, 1).await;
    shop.write(2).await;
    wire.set(Mode::Hold);
    for _ in 0..2 {
        is_stale(&ask(&client, 1).await.unwrap());
    }
    assert_eq!(shop.heard.take(), ["Miss", "Stale", "Stale"], "one query for both");
    wire.set(Mode::Pass);
    until(async || shop.heard.take() == ["Filled"]).await;
    let answer = ask(&client, 1).await.unwrap();
    assert_eq!((version(&answer), answer.source()), (2, Source::Cache));
}

#[tokio::test]
async fn a_redis_that_has_lost_the_scripts() {
    let redis = Redis::start().await;
    let it = Failing::with(patient(&redis.url())).await;
    for id in 1..=3 {
        assert_eq!(redis.cli(&["SCRIPT", "FLUSH"]).await, "OK");
        assert_eq!(ask(&it.client, id).await.unwrap().source(), Source::Computed);
        assert!(ask(&it.client, id).await.unwrap().is_hit());
        assert_eq!(it.heard.take(), ["Miss", "Filled", "Hit"]);
    }
    // The same between a claim and its fill.
    let made = async || {
        redis.cli(&["SCRIPT", "FLUSH"]).await;
        Ok::<_, mrc::Error>(7)
    };
    let value: u32 = it.client.with_cache(made, "seven", params! {}, HOUR).await.unwrap();
    assert_eq!((value, it.heard.take()), (7, vec!["Miss".to_owned(), "Filled".to_owned()]));
}
