//! Queries of many shapes, as typed rows: a hit equals a miss.

use bytes::Bytes;
use mrc::key::Value;
use mrc::rows::{Date, Decimal, Time};
use mrc::{MrcClient, Params, Source, params};
use mrc_tests::SqlKind;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::support::*;

const SCHEMA: &str = "
    CREATE TABLE stores (id INT PRIMARY KEY, name VARCHAR(50), city VARCHAR(50) NULL);
    CREATE TABLE orders (id INT PRIMARY KEY, store_id INT, state VARCHAR(10), total DECIMAL(10,2), weight DOUBLE,
        day DATE, made DATETIME(3), took TIME, paid BOOLEAN, tag VARBINARY(8) NULL, extra JSON, big BIGINT UNSIGNED);
    INSERT INTO stores VALUES (1, 'Café 🚀', 'Zürich'), (2, 'Plain', NULL), (3, 'Empty', '');
    INSERT INTO orders VALUES
        (1, 1, 'open', 10.50, 0.1, '2025-01-15', '2025-01-15 10:30:00.120', '01:02:03', TRUE, x'00ff', '{\"a\": [1, 2.50]}', 18446744073709551615),
        (2, 1, 'paid', 0.10, -1e-7, '2024-02-29', '2024-02-29 23:59:59.999', '-12:00:00', FALSE, NULL, '[]', 0),
        (3, 2, 'open', 99999999.99, 1e21, '1999-12-31', '1999-12-31 00:00:00.000', '838:59:59', TRUE, '', 'null', 9007199254740993)";

async fn shop() -> Shop {
    let shop = Shop::open().await;
    shop.database.execute(SCHEMA).await;
    shop
}

/// Returns the rows of a miss, and of the hit after it.
async fn twice<T: DeserializeOwned>(client: &MrcClient, sql: &str, params: Params) -> [Vec<T>; 2] {
    let miss = guarded(client.query_with_cache(sql, &params, HOUR)).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    let hit = client.query_with_cache(sql, &params, HOUR).await.unwrap();
    assert_eq!((miss.source(), hit.source()), (Source::Computed, Source::Cache), "{sql}");
    assert_eq!(miss.as_bytes(), hit.as_bytes(), "{sql}");
    [miss, hit].map(|answer| answer.rows().unwrap_or_else(|e| panic!("{sql}: {e}: {answer:?}")))
}

/// Checks a query whose rows have a type of their own.
macro_rules! shape {
    ($shop:ident, $sql:expr, $params:expr, ($($field:ident: $type:ty),*) $(, [$($value:expr),*])*) => {{
        #[derive(Deserialize)]
        struct Row {
            $($field: $type),*
        }
        let expect: Vec<($($type,)*)> = vec![$(($($value.into(),)*)),*];
        for rows in twice::<Row>(&$shop.client, $sql, $params).await {
            let rows: Vec<_> = rows.into_iter().map(|row| ($(row.$field,)*)).collect();
            assert_eq!(rows, expect, "{}", $sql);
        }
    }};
}

#[tokio::test]
async fn twenty_shapes() {
    let shop = shop().await;
    let none = || params! {};
    shape!(shop, "SELECT id, state FROM orders WHERE id = ?", params! { "Id" => 1 }, (id: u64, state: String), [1u8, "open"]);
    shape!(shop, "SELECT id FROM orders WHERE id = ?", params! { "Id" => 404 }, (id: u64));
    shape!(shop, "SELECT COUNT(*) AS n FROM orders", none(), (n: i64), [3]);
    shape!(shop, "SELECT name, city FROM stores ORDER BY id", none(), (name: String, city: Option<String>),
        ["Café 🚀", "Zürich".to_owned()], ["Plain", None], ["Empty", String::new()]);
    shape!(shop, "SELECT store_id, COUNT(*) AS n FROM orders GROUP BY store_id HAVING n > ? ORDER BY 1",
        params! { "Least" => 1 }, (store_id: i32, n: u8), [1, 2]);
    shape!(shop, "SELECT s.name AS name, o.id AS id FROM stores s JOIN orders o ON o.store_id = s.id WHERE o.paid = ? ORDER BY o.id",
        params! { "Paid" => true }, (name: String, id: u32), ["Café 🚀", 1u32], ["Plain", 3u32]);
    shape!(shop, "SELECT s.id AS id, o.id AS orders_id FROM stores s LEFT JOIN orders o ON o.store_id = s.id WHERE s.id > ? ORDER BY 1",
        params! { "Id" => 1 }, (id: u32, orders_id: Option<u32>), [2u32, 3u32], [3u32, None]);
    shape!(shop, "SELECT total FROM orders WHERE id <= ? ORDER BY id", params! { "Id" => 2 }, (total: f64), [10.5], [0.1]);
    shape!(shop, "SELECT SUM(total) AS sum, AVG(weight) AS avg FROM orders WHERE store_id = ?", params! { "Store" => 1 },
        (sum: f64, avg: f64), [10.6, (0.1 - 1e-7) / 2.0]);
    shape!(shop, "SELECT weight FROM orders ORDER BY id", none(), (weight: f64), [0.1], [-1e-7], [1e21]);
    shape!(shop, "SELECT day, made, took FROM orders WHERE id = ?", params! { "Id" => 2 },
        (day: String, made: String, took: String), ["2024-02-29", "2024-02-29T23:59:59.999", "-12:00:00"]);
    shape!(shop, "SELECT big FROM orders ORDER BY id", none(), (big: u64), [u64::MAX], [0u64], [9_007_199_254_740_993u64]);
    shape!(shop, "SELECT paid FROM orders ORDER BY id DESC LIMIT 2", none(), (paid: u8), [1], [0]);
    shape!(shop, "SELECT tag FROM orders ORDER BY id", none(), (tag: Option<String>), ["AP8=".to_owned()], [None], [String::new()]);
    shape!(shop, "SELECT extra FROM orders WHERE id = ?", params! { "Id" => 1 }, (extra: serde_json::Value),
        [serde_json::json!({"a": [1, 2.5]})]);
    shape!(shop, "WITH open AS (SELECT id FROM orders WHERE state = ?) SELECT MAX(id) AS last FROM open",
        params! { "State" => "open" }, (last: u16), [3u16]);
    shape!(shop, "SELECT id FROM stores WHERE id = ? UNION ALL SELECT id FROM orders WHERE id = ? ORDER BY id",
        params! { "Store" => 3, "Order" => 1 }, (id: u32), [1u32], [3u32]);
    shape!(shop, "SELECT id, ROW_NUMBER() OVER (ORDER BY total DESC) AS place FROM orders ORDER BY place", none(),
        (id: u32, place: u32), [3u32, 1u32], [1u32, 2u32], [2u32, 3u32]);
    shape!(shop, "SELECT id, CASE WHEN city IS NULL THEN 'unknown' ELSE city END AS `where` FROM stores WHERE name LIKE ?",
        params! { "Like" => "Pl%" }, (id: u32, r#where: String), [2u32, "unknown"]);
    shape!(shop, "SELECT id FROM orders o WHERE EXISTS (SELECT 1 FROM stores s WHERE s.id = o.store_id AND s.city = ?) ORDER BY id",
        params! { "City" => "Zürich" }, (id: u32), [1u32], [2u32]);
    shape!(shop, "(SELECT 'it''s' AS text, ? AS param)", params! { "Param" => "a'b\"c\\d\n🚀" }, (text: String, param: String),
        ["it's", "a'b\"c\\d\n🚀"]);
}

#[derive(Deserialize)]
struct Id {
    id: u32,
}

async fn ids(shop: &Shop, condition: &str, params: Params, expect: &[u32]) {
    let sql = format!("SELECT id FROM orders WHERE {condition} ORDER BY id");
    for rows in twice::<Id>(&shop.client, &sql, params).await {
        assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), expect, "{sql}");
    }
}

#[tokio::test]
async fn params_of_every_kind() {
    let shop = shop().await;
    let date = |year, month, day| Date::new(year, month, day).unwrap();
    ids(&shop, "id IN (?)", params! { "Ids" => [3, 1, 404] }, &[1, 3]).await;
    ids(&shop, "id IN (?)", params! { "Ids" => [2] }, &[2]).await;
    ids(&shop, "id NOT IN (?) AND state IN (?)", params! { "Ids" => [1], "States" => ["open", "x y"] }, &[3]).await;
    ids(&shop, "tag <=> ?", params! { "Tag" => None::<String> }, &[2]).await;
    ids(&shop, "tag = ?", params! { "Tag" => Bytes::from_static(b"") }, &[3]).await;
    ids(&shop, "HEX(tag) = HEX(?)", params! { "Tag" => b"a\x7f".to_vec() }, &[]).await;
    ids(&shop, "day = ?", params! { "Day" => date(2024, 2, 29) }, &[2]).await;
    ids(&shop, "day IN (?)", params! { "Days" => [date(2024, 2, 29), date(1999, 12, 31)] }, &[2, 3]).await;
    ids(&shop, "made >= ?", params! { "Made" => date(2025, 1, 15).at(10, 30, 0, 0).unwrap() }, &[1]).await;
    ids(&shop, "took = ?", params! { "Took" => Time::new(838, 59, 59, 0).unwrap() }, &[3]).await;
    ids(&shop, "took < ?", params! { "Took" => -Time::new(0, 0, 1, 0).unwrap() }, &[2]).await;
    ids(&shop, "total = ?", params! { "Total" => Decimal::new("99999999.99").unwrap() }, &[3]).await;
    ids(&shop, "weight = ?", params! { "Weight" => -1e-7 }, &[2]).await;
    ids(&shop, "big = ?", params! { "Big" => u64::MAX }, &[1]).await;
    ids(&shop, "paid = ?", params! { "Paid" => false }, &[2]).await;
    ids(&shop, "JSON_EXTRACT(extra, '$.a[0]') = ?", params! { "One" => 1 }, &[1]).await;
    ids(&shop, "id = ? AND state = ?", params! { "Id" => 1, "State" => Value::from("open") }, &[1]).await;
}

#[tokio::test]
async fn the_canonical_format_to_the_byte() {
    let shop = shop().await;
    let sql = "SELECT total, weight, day, made, took, paid, tag, extra, big FROM orders WHERE id = ?";
    let expect = [
        r#"[{"total":10.5,"weight":0.1,"day":"2025-01-15","made":"2025-01-15T10:30:00.120","took":"01:02:03","paid":1,"tag":"AP8=","extra":{"a":[1,2.50]},"big":18446744073709551615}]"#,
        r#"[{"total":0.1,"weight":-1e-7,"day":"2024-02-29","made":"2024-02-29T23:59:59.999","took":"-12:00:00","paid":0,"tag":null,"extra":[],"big":0}]"#,
        r#"[{"total":99999999.99,"weight":1e+21,"day":"1999-12-31","made":"1999-12-31T00:00:00.000","took":"838:59:59","paid":1,"tag":"","extra":null,"big":9007199254740993}]"#,
    ];
    for (id, expect) in (1..).zip(expect) {
        for _ in 0..2 {
            let answer = shop.client.query_with_cache(sql, params! { "Id" => id }, HOUR).await.unwrap();
            assert_eq!(answer.as_str().unwrap(), SqlKind::of_this_run().kept(expect));
        }
    }
}

#[tokio::test]
async fn rows_may_borrow_from_the_answer() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Store<'a> {
        id: u32,
        name: &'a str,
    }
    let shop = shop().await;
    for _ in 0..2 {
        let answer = shop
            .client
            .query_with_cache("SELECT id, name FROM stores WHERE id = ?", params! { "Id" => 1 }, HOUR)
            .await
            .unwrap();
        assert_eq!(answer.rows::<Store<'_>>().unwrap(), [Store { id: 1, name: "Café 🚀" }]);
    }
}
