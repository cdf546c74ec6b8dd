//! Useless values in Redis, of any writer: they are read anew and overwritten.

use mrc::{MrcClient, Source, params};
use serde::Deserialize;

use super::support::*;

const RIGHT: &str = r#"[{"id":1,"version":1}]"#;

#[derive(Debug, PartialEq, Deserialize)]
struct Item {
    id: u32,
    version: u32,
}

async fn plant(shop: &Shop, text: &str) {
    assert_eq!(shop.redis.cli(&["SET", &shop.key(1), text, "EX", "600"]).await, "OK");
    shop.heard.take();
}

async fn rows(client: &MrcClient) -> Vec<Item> {
    guarded(client.rows_with_cache(SQL, params! { "Id" => 1 }, HOUR)).await.unwrap()
}

async fn is_healed(shop: &Shop) {
    assert_eq!(shop.redis.cli(&["GET", &shop.key(1)]).await, RIGHT);
    assert!(shop.ask(1).await.is_hit());
}

#[tokio::test]
async fn a_query_overwrites_a_value_that_is_no_array_of_rows() {
    let shop = Shop::open().await;
    for bad in ["nonsense", "{}", "null", "[", "<html>", r#"[{"id":1,"version":7},{"id""#] {
        plant(&shop, bad).await;
        let answer = shop.ask(1).await;
        assert_eq!((version(&answer), answer.source()), (1, Source::Computed), "{bad}");
        assert_eq!(shop.heard.take(), ["BadValue", "Miss", "Filled"], "{bad}");
        is_healed(&shop).await;
    }
}

#[tokio::test]
async fn rows_overwrite_a_value_that_cannot_be_decoded() {
    let shop = Shop::open().await;
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for bad in ["[nonsense]", r#"[{"id":1,"version":7]"#, r#"[{"id":1},2}]"#, r#"[{"id":1,"version":-7},1}]"#, &deep] {
        plant(&shop, bad).await;
        assert_eq!(rows(&shop.client).await, [Item { id: 1, version: 1 }], "{bad:.50}");
        assert_eq!(shop.heard.take(), ["Hit", "BadValue", "Miss", "Filled"], "{bad:.50}");
        is_healed(&shop).await;
    }
}

#[tokio::test]
async fn a_value_that_other_readers_can_decode_stays() {
    let shop = Shop::open().await;
    for theirs in [r#"[{"id":1}]"#, r#"[{"id":1,"version":-7}]"#] {
        plant(&shop, theirs).await;
        for _ in 0..2 {
            assert_eq!(rows(&shop.client).await, [Item { id: 1, version: 1 }], "{theirs}");
            assert_eq!(shop.heard.take(), ["Hit", "Bypassed WrongType"], "{theirs}");
        }
        assert_eq!(shop.redis.cli(&["GET", &shop.key(1)]).await, theirs);
    }
}

#[tokio::test]
async fn a_value_that_is_too_large_is_neither_read_nor_stored() {
    let shop = Shop::open().await;
    let large = format!("[{}]", [r#"{"id":1,"version":7}"#; 100].join(","));
    let client = shop.builder().max_value(RIGHT.len()).build().unwrap();
    plant(&shop, &large).await;
    assert_eq!(version(&ask(&client, 1).await.unwrap()), 1);
    assert_eq!(shop.heard.take(), ["BadValue", "Miss", "Filled"]);
    is_healed(&shop).await;
    plant(&shop, &large).await;
    assert_eq!(rows(&client).await, [Item { id: 1, version: 1 }]);
    is_healed(&shop).await;

    let client = shop.builder().max_value(RIGHT.len() - 1).build().unwrap();
    shop.heard.take();
    assert_eq!(version(&ask(&client, 1).await.unwrap()), 1);
    assert_eq!(shop.heard.take(), ["BadValue", "Miss", "Bypassed TooLarge"]);
    assert_eq!(shop.keys(1).await, [""; 0], "neither a value nor a claim");
}
