//! Bad input at the facade: each error names the fault, and none shows the password.

use std::error::Error as StdError;

use mrc::config::MrcConfig;
use mrc::{DropRequest, MrcClient, MrcServer, params};
use mrc_tests::Redis;

use super::support::*;

const SECRET: &str = "hunter2";

/// Returns all that a log may show of an error.
fn text(error: &(dyn StdError + 'static)) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!(" {error} {error:?}");
        source = error.source();
    }
    assert!(!text.contains(SECRET), "{text}");
    text
}

fn check(url: &str, expect: &str, error: &(dyn StdError + 'static)) {
    let shown = text(error);
    assert!(shown.contains(expect), "{url}: {shown}");
}

#[test]
fn urls_of_redis() {
    for (url, expect) in [
        ("", "begin with a scheme"),
        ("localhost:6379", "begin with a scheme"),
        ("http://:hunter2@localhost", "scheme must be redis"),
        ("mysql://shop:hunter2@localhost/shop", "scheme must be redis"),
        ("redis://:hunter2@localhost:port", "port"),
        ("redis://:hunter2@localhost:65536", "port"),
        ("redis://:hunter2@localhost:-1", "port"),
        ("redis://:hunter2@", "host"),
        ("redis://:hunter2@localhost/shop", "database"),
        ("redis://:hunter2@localhost/-1", "database"),
        ("redis://:hunter2@localhost/256", "database"),
        ("redis://:hunter2@localhost?timeout=5", "unknown parameter"),
        ("redis://:hunter2@localhost?password=hunter2", "unknown parameter"),
        ("redis://:hunter2#x@localhost", "%23"),
        ("redis://:hunter2/x@localhost", "%2F"),
        ("redis://:hunter2?x@localhost", "%3F"),
        ("redis-cluster://:hunter2@localhost/1", "cluster"),
        ("redis-sentinel://:hunter2@localhost", "sentinelServiceName"),
    ] {
        check(url, expect, &MrcClient::builder().redis(url).build().unwrap_err());
        check(url, expect, &MrcServer::new(url).unwrap_err());
    }
}

#[test]
fn urls_of_mysql() {
    for (url, expect) in [
        ("", "mysql://user:password@host:3306/database"),
        ("localhost:3306", "mysql://user:password@host:3306/database"),
        ("postgres://shop:hunter2@localhost/shop", "scheme"),
        ("redis://:hunter2@localhost", "scheme"),
        ("mysql://shop:hunter2@localhost:port/shop", "port"),
        ("mysql://shop:hunter2@localhost:65536/shop", "port"),
        ("mysql://shop:hunter2@localhost/shop?pool_max=many", "`pool_max`"),
        ("mysql://shop:hunter2@localhost/shop?pool_max=0", "pool_max"),
        ("mysql://shop:hunter2@localhost/shop?pool_min=20&pool_max=10", "pool_min"),
        ("mysql://shop:hunter2@localhost/shop?query_timeout=soon", "`query_timeout`"),
        ("mysql://shop:hunter2@localhost/shop?query_timeout=0", "query_timeout"),
        ("mysql://shop:hunter2@localhost/shop?charset=utf8", "`charset`"),
        ("mysql://shop:hunter2@localhost/shop?tls=maybe", "`tls`"),
        ("mysql://shop:hunter2@localhost/shop?tls_ca=/no/such/file", "/no/such/file"),
        ("mysql://shop:hunter2#x@localhost/shop", "percent-encoded"),
    ] {
        let builder = MrcClient::builder().redis("redis://localhost").mysql(url);
        check(url, expect, &builder.build().unwrap_err());
    }
}

#[test]
fn settings() {
    let built = |change: fn(&mut MrcConfig)| {
        let mut config = MrcConfig::default();
        config.redis = Some("redis://:hunter2@localhost".into());
        change(&mut config);
        MrcClient::builder().config(config).build()
    };
    assert!(built(|_| {}).is_ok());
    for change in [1.0, -0.1, f64::NAN] {
        let jitter = || MrcClient::builder().redis("redis://:hunter2@localhost").jitter(change).build();
        check("jitter", "fraction", &jitter().unwrap_err());
    }
    check("lease", "lease", &built(|config| config.settings.lease = std::time::Duration::ZERO).unwrap_err());
    check("redis", ".redis(", &built(|config| config.redis = None).unwrap_err());
    let reserved = MrcClient::builder().redis_config(patient("redis://localhost").prefix("mrc:x")).build();
    check("prefix", "reserved", &reserved.unwrap_err());
}

#[test]
fn nothing_that_prints_itself_shows_the_password() {
    let builder =
        || MrcClient::builder().redis("redis://shop:hunter2@localhost").mysql("mysql://shop:hunter2@localhost/shop");
    let server = MrcServer::new("redis://shop:hunter2@localhost").unwrap();
    let client = builder().build().unwrap();
    for shown in
        [format!("{:?}", builder()), format!("{client:?}"), format!("{server:?}"), format!("{:?}", client.store())]
    {
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

#[tokio::test]
async fn passwords_that_are_wrong() {
    let redis = Redis::with_args(&["--requirepass", "right"]).await;
    let shop = Shop::open().await;
    let url = format!("redis://:{SECRET}@127.0.0.1:{}", redis.port());
    let events = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let heard = std::sync::Arc::clone(&events);
    let client = MrcClient::builder()
        .redis(&url)
        .mysql(shop.database.url())
        .on_event(move |event: &mrc::Event<'_>| *heard.lock().unwrap() += &format!("{event:?}"))
        .build()
        .unwrap();
    assert_eq!(version(&ask(&client, 1).await.unwrap()), 1);
    check("read", "WRONGPASS", &client.read_from_cache(SQL, params! { "Id" => 1 }).await.unwrap_err());
    let drop = DropRequest::any(params! { "Id" => 1 });
    check("drop", "WRONGPASS", &MrcServer::new(&url).unwrap().drop_outdated_cache(drop).await.unwrap_err());
    let events = events.lock().unwrap().clone();
    assert!(events.contains("WRONGPASS") && !events.contains(SECRET), "{events}");

    let mysql = shop.database.url().replace(":secret@", ":hunter2@");
    let client = shop.builder().mysql(mysql).build().unwrap();
    let error = ask(&client, 1).await.unwrap_err();
    check("mysql", "1045", &error);
    assert!(!error.is_retryable() && !shop.has_key(1).await);
}

#[tokio::test]
async fn a_closed_client_returns_its_own_error() {
    let shop = Shop::open().await;
    shop.ask(1).await;
    shop.client.clone().close().await;
    let params = params! { "Id" => 1 };
    check("query", "closed", &shop.client.query_with_cache(SQL, &params, HOUR).await.unwrap_err());
    check("read", "closed", &shop.client.read_from_cache(SQL, &params).await.unwrap_err());
    check("write", "closed", &shop.client.write_to_cache(SQL, &1, &params, HOUR).await.unwrap_err());
}
