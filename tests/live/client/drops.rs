//! Invalidation at the facade removes exactly the requested entries, and no others.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mrc::errors::{DropError, PatternError};
use mrc::key::Value;
use mrc::store::{RedisStore, Strategy};
use mrc::{DropRequest, Event, MrcClient, MrcServer, Params, Query, params};
use mrc_tests::{Redis, RedisCluster, unique};

use super::support::*;

const ORDERS: &str = "SELECT id FROM items WHERE id = ? AND version = ?";

async fn cached(client: &MrcClient, params: &Params) -> bool {
    client.read_from_cache(ORDERS, params).await.unwrap().is_some()
}

/// Fills entries of stores 1 to 3 with states 1 and 2.
async fn fill(client: &MrcClient) -> Vec<Params> {
    let all: Vec<Params> =
        (1..=3).flat_map(|store| (1..=2).map(move |state| params! { "StoreId" => store, "State" => state })).collect();
    for params in &all {
        client.query_with_cache(ORDERS, params, HOUR).await.unwrap();
    }
    all
}

fn number(params: &Params, at: usize) -> i64 {
    match params.values().nth(at) {
        Some(Value::Int(number)) => *number,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn any_or_all_of_the_params() {
    let shop = Shop::open().await;
    let server = shop.server();
    let all = fill(&shop.client).await;
    let pairs = params! { "StoreId" => 1, "State" => 2 };

    assert_eq!(server.drop_outdated_cache(DropRequest::all(pairs.clone())).await.unwrap(), 1);
    for params in &all {
        assert_eq!(cached(&shop.client, params).await, (number(params, 0), number(params, 1)) != (1, 2), "{params:?}");
    }
    assert_eq!(server.drop_outdated_cache(DropRequest::any(pairs.clone())).await.unwrap(), 3);
    for params in &all {
        assert_eq!(cached(&shop.client, params).await, number(params, 0) != 1 && number(params, 1) != 2, "{params:?}");
    }
    assert_eq!(server.drop_outdated_cache(pairs).await.unwrap(), 0);
}

#[tokio::test]
async fn prefixes_are_apart() {
    let (one, other) = (Shop::open().await, Shop::open().await);
    let (client, beside) = (&one.client, other.builder().mysql(one.database.url()).build().unwrap());
    let all = fill(client).await;
    for params in &all {
        assert!(!cached(&beside, params).await);
    }
    fill(&beside).await;
    assert_eq!(one.server().drop_outdated_cache(params! { "StoreId" => 1 }).await.unwrap(), 2);
    for params in &all {
        assert_eq!(cached(client, params).await, number(params, 0) != 1);
        assert!(cached(&beside, params).await);
    }
}

#[tokio::test]
async fn a_drop_among_twenty_thousand_entries_leaves_foreign_keys() {
    let redis = Redis::start().await;
    let hash = "d6f3536ac027efd4916a172a39156f97c989bfd3";
    let entries = "for store = 0, 199 do for id = 0, 99 do \
                   redis.call('SET', 'StoreId=' .. store .. '_Id=' .. id .. '_' .. ARGV[1], '[]', 'EX', 600) end end";
    redis.cli(&["EVAL", entries, "0", hash]).await;
    let foreign = "for i = 1, 300 do redis.call('SET', 'session:StoreId=6_' .. i, 'x') \
                   redis.call('HSET', 'StoreId=6_' .. i, 'a', 'b') end";
    redis.cli(&["EVAL", foreign, "0"]).await;
    assert_eq!(redis.cli(&["DBSIZE"]).await, "20600");

    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let request =
        DropRequest::any(params! { "StoreId" => 6 }).on_progress(move |so_far| tell.lock().unwrap().push(so_far));
    let server = MrcServer::with_store(RedisStore::new(patient(&redis.url())).unwrap());
    assert_eq!(server.drop_outdated_cache(request).await.unwrap(), 100);

    assert_eq!(redis.cli(&["DBSIZE"]).await, "20500", "where nobody uses tags, the index writes nothing");
    assert_eq!(redis.cli(&["KEYS", "StoreId=6_Id=*"]).await, "");
    let count = |keys: String| keys.lines().count();
    assert_eq!(count(redis.cli(&["KEYS", "session:*"]).await), 300);
    assert_eq!(count(redis.cli(&["KEYS", "StoreId=6_*"]).await), 300);
    assert_eq!(count(redis.cli(&["KEYS", "StoreId=66_*"]).await), 100);

    let told = told.lock().unwrap();
    assert!(told.len() > 10, "told only {} times", told.len());
    assert!(told.windows(2).all(|pair| pair[0].scanned <= pair[1].scanned && pair[0].dropped <= pair[1].dropped));
    assert_eq!(told.last().unwrap().dropped, 100);
    assert_eq!(told.last().unwrap().scanned, 20_600, "the server looks at every key, and returns few");
}

/// A stale copy is no entry, neither beside its value nor alone.
#[tokio::test]
async fn copies_are_not_counted() {
    let shop = Shop::open().await;
    let client = shop.client.with_stale_on_error(HOUR);
    let params = || params! { "StoreId" => 1, "State" => 1 };
    client.query_with_cache(ORDERS, params(), HOUR).await.unwrap();
    let drop = async |request: DropRequest| shop.server().drop_outdated_cache(request).await.unwrap();
    assert_eq!(drop(DropRequest::any(params()).dry_run()).await, 1);
    assert_eq!(drop(DropRequest::any(params())).await, 1);

    client.query_with_cache(ORDERS, params(), HOUR).await.unwrap();
    let keys = shop.redis.cli(&["KEYS", &format!("{}StoreId=*", shop.prefix)]).await;
    shop.redis.cli(&["DEL", keys.trim()]).await;
    let name = format!("{}mrc:s:*", shop.prefix);
    let copies = async || shop.redis.cli(&["KEYS", &name]).await;
    assert_ne!(copies().await, "");
    assert_eq!(drop(DropRequest::any(params()).dry_run()).await, 0);
    assert_eq!(drop(DropRequest::any(params())).await, 0);
    assert_eq!(copies().await, "", "it goes all the same");
}

/// This holds for every strategy, also on a full server.
#[tokio::test]
async fn a_full_redis_is_invalidated_by_each_strategy() {
    let redis = Redis::start().await;
    let shop = Shop::on(redis.clone()).await;
    let params = || params! { "StoreId" => 1, "State" => 1 };
    for strategy in [Strategy::Scan, Strategy::Index, Strategy::Both] {
        redis.cli(&["CONFIG", "SET", "maxmemory", "0"]).await;
        shop.client.query_with_cache(Query::new(ORDERS).tag_by_params(), params(), HOUR).await.unwrap();
        assert!(cached(&shop.client, &params()).await);
        redis.cli(&["CONFIG", "SET", "maxmemory", "1"]).await;
        let request = DropRequest::any(params! { "StoreId" => 1 }).strategy(strategy);
        assert_eq!(
            shop.server().deadline(Duration::ZERO).drop_outdated_cache(request).await.unwrap(),
            1,
            "{strategy:?}"
        );
        assert!(!cached(&shop.client, &params()).await, "{strategy:?}");
    }
}

#[tokio::test]
async fn values_with_glob_characters_are_literal() {
    let shop = Shop::open().await;
    let sql = "SELECT ? AS s";
    let values = ["*", "a", "[a-z]", "?", "a?c", "abc", r"\", r"\*", "{x}", "é🚀", "a_b", "^"];
    for value in values {
        shop.client.query_with_cache(sql, params! { "S" => value }, HOUR).await.unwrap();
    }
    for (at, value) in values.into_iter().enumerate() {
        assert_eq!(shop.server().drop_outdated_cache(params! { "S" => value }).await.unwrap(), 1, "{value}");
        for later in &values[at + 1..] {
            assert!(
                shop.client.read_from_cache(sql, params! { "S" => *later }).await.unwrap().is_some(),
                "{value} {later}"
            );
        }
    }
}

#[tokio::test]
async fn every_primary_of_a_cluster() {
    let cluster = RedisCluster::shared().await;
    let (store, other) = (unique("StoreId"), unique("Other"));
    let client = MrcClient::builder().redis_config(patient(&cluster.url())).build().unwrap();
    let params = |at: u32, id: u32| Params::new().with(store.clone(), at).with(other.clone(), id);
    for id in 0..60 {
        for at in [6, 66] {
            client.write_to_cache("SELECT 1", &id, params(at, id), HOUR).await.unwrap();
        }
    }
    for node in cluster.nodes() {
        assert_ne!(node.cli(&["KEYS", &format!("{store}=6_*")]).await, "", "the test must reach every node");
    }
    let server = MrcServer::with_store(RedisStore::new(patient(&cluster.url())).unwrap());
    let request = || DropRequest::from(Params::new().with(store.clone(), 6));
    assert_eq!(server.drop_outdated_cache(request().dry_run()).await.unwrap(), 60);
    assert_eq!(server.drop_outdated_cache(request()).await.unwrap(), 60);
    for id in 0..60 {
        assert!(client.read_from_cache("SELECT 1", params(6, id)).await.unwrap().is_none());
    }
    assert_eq!(server.drop_outdated_cache(Params::new().with(store.clone(), 66)).await.unwrap(), 60);
}

#[tokio::test]
async fn the_whole_path_on_a_cluster() {
    let (shop, cluster) = (Shop::open().await, RedisCluster::shared().await);
    let config = || patient(&cluster.url()).prefix(&shop.prefix);
    let client = shop.builder().redis_config(config()).build().unwrap();
    let server = MrcServer::with_store(RedisStore::new(config()).unwrap());
    for id in 1..=20 {
        assert!(!ask(&client, id).await.unwrap().is_hit());
    }
    shop.write(2).await;
    for id in 1..=20 {
        let hit = ask(&client, id).await.unwrap();
        assert_eq!((hit.is_hit(), version(&hit)), (true, 1));
        assert_eq!(server.drop_outdated_cache(params! { "Id" => id }).await.unwrap(), 1);
        assert_eq!(version(&ask(&client, id).await.unwrap()), 2);
    }
}

#[tokio::test]
async fn a_drop_without_params_is_refused_before_it_drops() {
    let shop = Shop::open().await;
    shop.ask(1).await;
    let refused = async |request: DropRequest| shop.server().drop_outdated_cache(request).await.unwrap_err();
    for request in
        [DropRequest::any(params! {}), DropRequest::all(params! {}), DropRequest::all(params! {}).substring()]
    {
        assert!(matches!(refused(request).await, DropError::Pattern(PatternError::Empty)));
    }
    let unnamed = refused(Params::new().with_unnamed(1).into()).await;
    assert!(matches!(unnamed, DropError::Pattern(PatternError::Unnamed { position: 1 })));
    assert!(matches!(
        refused(params! { "a=b" => 1 }.into()).await,
        DropError::Pattern(PatternError::NameWithEquals { .. })
    ));
    assert!(shop.ask(1).await.is_hit());
}

#[tokio::test]
async fn a_lost_redis_is_an_error() {
    let redis = Redis::start().await;
    let server = MrcServer::with_store(RedisStore::new(impatient(redis.port())).unwrap());
    assert_eq!(server.drop_outdated_cache(params! { "Id" => 1 }).await.unwrap(), 0);
    redis.kill().await;
    let impatient = server.clone().deadline(Duration::ZERO);
    let error = guarded(impatient.drop_outdated_cache(params! { "Id" => 1 })).await.unwrap_err();
    assert!(matches!(error, DropError::Interrupted { dropped: 0, .. }) && error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn a_drop_outlasts_an_outage() {
    let redis = Redis::start().await;
    let (failed, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let server = MrcServer::with_store(RedisStore::new(impatient(redis.port())).unwrap())
        .deadline(Duration::from_secs(60))
        .on_event(move |event: &Event<'_>| {
            if matches!(event, Event::DropRetried { .. }) {
                failed.send(()).unwrap();
            }
        });
    assert_eq!(server.drop_outdated_cache(params! { "Id" => 1 }).await.unwrap(), 0);
    redis.kill().await;
    let drop = tokio::spawn(async move { server.drop_outdated_cache(params! { "Id" => 1 }).await });
    heard.recv().await.unwrap();
    redis.restart().await;
    guarded(drop).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_dry_run_counts_and_drops_nothing() {
    let shop = Shop::open().await;
    let all = fill(&shop.client).await;
    let dry = || DropRequest::any(params! { "StoreId" => 1 }).dry_run();
    for _ in 0..2 {
        assert_eq!(shop.server().drop_outdated_cache(dry()).await.unwrap(), 2);
    }
    for params in &all {
        assert!(cached(&shop.client, params).await);
    }
    assert_eq!(shop.server().drop_outdated_cache(params! { "StoreId" => 1 }).await.unwrap(), 2);
}
