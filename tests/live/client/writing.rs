//! A client's writes on real servers: the cache follows the commit.

use mrc::errors::Invalidations;
use mrc::{Error, Query, params};
use mrc_tests::{Mode, Proxy, Redis};

use super::support::*;

const UPDATE: &str = "UPDATE items SET version = version + 1 WHERE id = ?";

#[tokio::test]
async fn a_transaction_invalidates_by_params_and_tags_for_every_client() {
    let shop = Shop::open().await;
    let other = shop.builder().build().unwrap();
    let tagged = || Query::new("SELECT MAX(version) AS version FROM items").tag("items");
    let newest = async || version(&other.query_with_cache(tagged(), params! {}, HOUR).await.unwrap());
    assert_eq!((version(&ask(&other, 1).await.unwrap()), newest().await), (1, 1));
    let changed = shop
        .client
        .transaction(async |tx| {
            let written = tx.execute(UPDATE, params! { "Id" => 1 }).await?;
            assert_eq!(version(&tx.query(SQL, params! { "Id" => 1 }).await?), 2, "it reads its own write");
            assert_eq!(version(&ask(&shop.client, 1).await?), 1, "which nobody else sees");
            tx.drop_outdated_cache(params! { "Id" => 1 });
            tx.invalidate(["items"]);
            Ok::<_, Error>(written.affected_rows)
        })
        .await
        .unwrap();
    assert_eq!(changed, 1);
    assert_eq!((version(&ask(&other, 1).await.unwrap()), newest().await), (2, 2));
}

#[tokio::test]
async fn a_reader_that_fills_before_the_commit_is_dropped_after_it() {
    let shop = Shop::open().await;
    shop.client
        .transaction(async |tx| {
            tx.execute(UPDATE, params! { "Id" => 1 }).await?;
            tx.drop_outdated_cache(params! { "Id" => 1 });
            assert_eq!(version(&shop.ask(1).await), 1, "the old row is filled");
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
    assert_eq!(version(&shop.ask(1).await), 2);
}

#[tokio::test]
async fn a_transaction_that_fails_leaves_the_rows_and_the_cache() {
    let shop = Shop::open().await;
    shop.ask(1).await;
    let error = shop
        .client
        .transaction(async |tx| {
            tx.drop_outdated_cache(params! { "Id" => 1 });
            tx.execute(UPDATE, params! { "Id" => 1 }).await?;
            tx.execute("UPDATE no_such_table SET a = 1", params! {}).await
        })
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Database(_)), "{error}");
    assert!(shop.ask(1).await.is_hit());
    assert_eq!(version(&shop.client.query(SQL, params! { "Id" => 1 }).await.unwrap()), 1);
}

#[tokio::test]
async fn a_lost_invalidation_can_be_repeated_later() {
    let shop = Shop::on(Redis::shared().await).await;
    let wire = Proxy::to(shop.redis.port()).await;
    let cut_off = shop
        .builder()
        .redis_config(impatient(wire.port()).prefix(&shop.prefix))
        .invalidation_deadline(std::time::Duration::from_millis(200))
        .build()
        .unwrap();
    until(async || ask(&cut_off, 1).await.unwrap().is_hit()).await;
    wire.set(Mode::Close);
    let write = cut_off.transaction(async |tx| {
        tx.drop_outdated_cache(params! { "Id" => 1 });
        tx.execute(UPDATE, params! { "Id" => 1 }).await
    });
    let error = guarded(write).await.unwrap_err();
    let Error::NotInvalidated { pending, .. } = &error else { panic!("{error}") };
    assert!(error.to_string().contains("is committed, but the entries with Id couldn't be invalidated"), "{error}");
    assert_eq!(version(&shop.ask(1).await), 1, "the other clients still have the old row");
    wire.set(Mode::Pass);
    until(async || pending.retry(&cut_off).await.is_ok()).await;
    assert_eq!(version(&shop.ask(1).await), 2);
    assert!(Invalidations::default().is_empty() && !pending.is_empty());
}

#[tokio::test]
async fn the_client_drops_the_same_entries_as_the_server() {
    let shop = Shop::open().await;
    for drops in [0, 1] {
        shop.ask(1).await;
        shop.ask(11).await;
        let params = params! { "Id" => 1 };
        let dropped = match drops {
            0 => shop.client.drop_outdated_cache(params).await.unwrap(),
            _ => shop.server().drop_outdated_cache(params).await.unwrap(),
        };
        assert_eq!(dropped, 1);
        assert!(!shop.ask(1).await.is_hit() && shop.ask(11).await.is_hit());
    }
    let cache = shop.client.cache("functions").build().unwrap();
    let outer = async || {
        cache.get_or_try("outer", async || Ok::<_, Error>(version(&ask(&shop.client, 1).await?))).await.unwrap()
    };
    assert_eq!(outer().await, 1);
    shop.write(2).await;
    assert_eq!(shop.client.drop_outdated_cache(params! { "Id" => 1 }).await.unwrap(), 2, "the query, and the function");
    assert_eq!(outer().await, 2);
}
