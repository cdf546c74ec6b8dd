//! The events of a listener, in order.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mrc::{Event, MrcClient, Source, params};
use mrc_tests::Redis;

use super::support::*;

#[tokio::test]
async fn a_miss_a_hit_and_a_bypass() {
    let shop = Shop::open().await;
    shop.ask(1).await;
    assert_eq!(shop.heard.take(), ["Miss", "Filled"]);
    shop.ask(1).await;
    assert_eq!(shop.heard.take(), ["Hit"]);

    let sql = "SELECT ? AS store, ? AS state";
    let ambiguous = params! { "Store" => "1_State=open", "State" => "x" };
    let answer = shop.client.query_with_cache(sql, &ambiguous, HOUR).await.unwrap();
    assert_eq!(answer.as_str().unwrap(), r#"[{"store":"1_State=open","state":"x"}]"#);
    assert_eq!(shop.heard.take(), ["Bypassed Ambiguous"]);
    let key = format!("{}{}", shop.prefix, shop.client.key(sql, &ambiguous).unwrap());
    assert_eq!(shop.redis.cli(&["EXISTS", &key]).await, "0");
}

#[tokio::test]
async fn a_fill_emits_its_size_and_its_ttl() {
    let shop = Shop::open().await;
    let fills = Arc::new(Mutex::new(Vec::new()));
    let filled = Arc::clone(&fills);
    let client = shop
        .builder()
        .jitter(0.0)
        .on_event(move |event: &Event<'_>| {
            if let Event::Filled { key, ttl, bytes, .. } = event {
                filled.lock().unwrap().push(((*key).to_owned(), *ttl, *bytes));
            }
        })
        .build()
        .unwrap();
    let answer = ask(&client, 1).await.unwrap();
    let key = client.key(SQL, params! { "Id" => 1 }).unwrap().into_string();
    assert_eq!(*fills.lock().unwrap(), [(key, HOUR, answer.as_bytes().len())]);
}

#[tokio::test]
async fn a_drop_reports_the_number_of_dropped_entries() {
    let shop = Shop::open().await;
    for id in 1..=3 {
        shop.ask(id).await;
    }
    let server = shop.server().on_event(shop.heard.clone());
    shop.heard.take();
    assert_eq!(server.drop_outdated_cache(params! { "Id" => 2 }).await.unwrap(), 1);
    assert_eq!(shop.heard.take(), ["Dropped"]);
    shop.ask(2).await;
    shop.ask(3).await;
    assert_eq!(shop.heard.take(), ["Miss", "Filled", "Hit"]);
}

#[tokio::test]
async fn a_function_is_cached_as_a_query_is() {
    let shop = Shop::open().await;
    let ttl = Duration::from_secs(60);
    for _ in 0..2 {
        let made = async || Ok::<_, mrc::Error>(vec![1.5, 1e21]);
        let report: Vec<f64> = shop.client.with_cache(made, "report_v1", params! { "Id" => 1 }, ttl).await.unwrap();
        assert_eq!(report, [1.5, 1e21]);
    }
    assert_eq!(shop.heard.take(), ["Miss", "Filled", "Hit"]);
    let read = shop.client.read_from_cache("report_v1", params! { "Id" => 1 }).await.unwrap().unwrap();
    assert_eq!((read.as_str().unwrap(), read.source()), ("[1.5,1e+21]", Source::Cache));
}

#[tokio::test]
async fn a_lost_server_and_its_return() {
    let redis = Redis::start().await;
    let (sender, mut servers) = tokio::sync::watch::channel(Vec::new());
    let client = MrcClient::builder()
        .redis(redis.url())
        .on_event(move |event: &Event<'_>| {
            if let Event::ServerLost { server, .. } | Event::ServerBack { server, .. } = event {
                sender.send_modify(|all| all.push((event.name(), (*server).to_owned())));
            }
        })
        .build()
        .unwrap();
    assert!(client.health().await.is_whole());
    redis.kill().await;
    // No call is needed for it.
    guarded(servers.wait_for(|all| !all.is_empty())).await.unwrap();
    assert!(!client.health().await.is_whole());
    redis.restart().await;
    guarded(servers.wait_for(|all| all.len() > 1)).await.unwrap();
    let server = format!("127.0.0.1:{}", redis.port());
    assert_eq!(*servers.borrow(), [("server_lost", server.clone()), ("server_back", server)]);
    assert!(client.health().await.is_whole());
}
