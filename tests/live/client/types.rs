//! SQL compares by type, and keys hide types. Calls that share a key get answers of their own
//! types. Useless values in Redis, of any writer, are read anew and overwritten.

use std::collections::HashMap;

use mrc::config::MySqlConfig;
use mrc::key::{KeyScheme, Value};
use mrc::rows::{Date, Decimal, RowEncoder, Time};
use mrc::store::{MySqlExecutor, QueryExecutor};
use mrc::{MrcClient, Params, RowFormat, Source, params};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde::Deserialize;

use super::support::*;

const CASES: u32 = 300;

const SCHEMA: &str = "
    CREATE TABLE typed (id INT PRIMARY KEY, code VARCHAR(20), n INT, big BIGINT UNSIGNED, d DECIMAL(20,4), f DOUBLE, day DATE, at DATETIME, t TIME);
    INSERT INTO typed VALUES
        (1, '0', 0, 0, 0, 0, '2025-01-01', '2025-01-01 00:00:00', '00:00:00'),
        (2, '00', 1, 1, 1, 1, '1999-12-31', '1999-12-31 01:02:03', '01:02:03'),
        (3, 'zz', -1, 9007199254740993, 1.5, 1.5, NULL, NULL, '-01:00:00'),
        (4, 'true', 2, 18446744073709551615, -0.5, 1e21, NULL, NULL, NULL),
        (5, '1,2', 12, 9007199254740992, 12, 1e-7, NULL, NULL, NULL),
        (6, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        (7, '1.0', 7, 7, 7, 7, NULL, NULL, NULL), (8, '2025-01-01', 8, 8, 8, 8, NULL, NULL, NULL)";

/// Returns the statements of the cases.
fn statements() -> Vec<String> {
    let conditions = "code = ?; n = ?; big = ?; d = ?; f >= ?; day = ?; t = ?; code IN (?); n NOT IN (?)";
    let finds = conditions.split("; ").map(|condition| format!("SELECT id FROM typed WHERE {condition} ORDER BY id"));
    finds.chain(["SELECT ? AS v".into(), "SELECT id, COALESCE(n, ?) AS v FROM typed ORDER BY id".into()]).collect()
}

fn scalars() -> Vec<Value> {
    let day = Date::new(2025, 1, 1).unwrap();
    let texts = "|0|00|1|1.0|1.5|true|false|null|1,2|01:02:03|zz|9007199254740992|\
                 1e+21|2025-01-01|Wed Jan 01 2025 00:00:00 GMT+0000 (Coordinated Universal Time)";
    let mut values: Vec<Value> =
        texts.split('|').flat_map(|text| [text.into(), text.as_bytes().to_vec().into()]).collect();
    values.extend([Value::Null, true.into(), false.into(), Time::new(1, 2, 3, 0).unwrap().into(), u64::MAX.into()]);
    values.extend([day.into(), day.at(0, 0, 0, 0).unwrap().into()]);
    values.extend([0, 1, 2, 9_007_199_254_740_992_i64].map(Value::from));
    values.extend([0.0, -0.0, 1.0, 1.5, 9_007_199_254_740_992.0, 1e21].map(Value::from));
    values.extend(["0", "1", "1.0", "1.5"].map(|digits| Decimal::new(digits).unwrap().into()));
    values.extend(["0", "1", "1.0", "null", "true", "\"zz\"", "[1,2]"].map(|json| Value::Json(json.parse().unwrap())));
    values
}

/// Returns values grouped by key, without those that share their key with no other.
fn values_that_meet() -> Vec<Vec<Value>> {
    let scalars = scalars();
    let pairs =
        [[0, 3], [33, 34], [1, 3]].map(|[one, other]| Value::List(vec![scalars[one].clone(), scalars[other].clone()]));
    let alone = scalars.iter().map(|value| Value::List(vec![value.clone()]));
    let lists = pairs.into_iter().chain(alone).chain([Value::from([1, 2]), Value::from(["1", "2"])]);
    let mut by_key: HashMap<String, Vec<Value>> = HashMap::new();
    for value in scalars.iter().cloned().chain(lists) {
        let key = KeyScheme::default().key("", &params! { "P" => value.clone() }).unwrap().into_string();
        by_key.entry(key).or_default().push(value);
    }
    by_key.into_values().filter(|values| values.len() > 1).collect()
}

/// Returns the answer of a fresh connection. Returns `None` if it refuses.
async fn alone(config: &MySqlConfig, sql: &str, params: &Params) -> Option<String> {
    let executor = MySqlExecutor::new(config.clone().pool_max(1)).unwrap();
    let mut rows = RowEncoder::new(RowFormat::default());
    let answered = executor.query(sql, params, &mut rows).await;
    executor.close().await;
    answered.ok()?;
    Some(String::from_utf8(rows.finish().unwrap().to_vec()).unwrap())
}

async fn cached(client: &MrcClient, sql: &str, params: &Params) -> Option<String> {
    guarded(client.query_with_cache(sql, params, HOUR)).await.ok().map(|answer| answer.as_str().unwrap().to_owned())
}

#[tokio::test]
async fn calls_that_share_a_key_have_the_answers_of_their_own_types() {
    let shop = Shop::open().await;
    shop.database.execute(SCHEMA).await;
    let config = shop.mysql_config();
    let others = shop.builder().build().unwrap();
    let (seed, groups, statements) = (rand::random(), values_that_meet(), statements());
    let mut random = StdRng::seed_from_u64(seed);
    let cases = mrc_tests::cases(CASES);
    for case in 0..cases {
        let sql = statements.choose(&mut random).unwrap();
        let group = groups.choose(&mut random).unwrap();
        // Each case has its own text, so it begins with an empty cache.
        let sql = format!("{sql} -- {case}");
        for _ in 0..random.random_range(2..4) {
            let params = params! { "P" => group.choose(&mut random).unwrap().clone() };
            let client = if random.random() { &shop.client } else { &others };
            let (expected, answer) = (alone(&config, &sql, &params).await, cached(client, &sql, &params).await);
            assert_eq!(answer, expected, "{sql} with {params:?}, seed {seed}, case {case}");
        }
    }
}

#[tokio::test]
async fn one_type_a_placeholder_is_stored_once_and_read_by_all() {
    let shop = Shop::open().await;
    shop.database.execute(SCHEMA).await;
    let sql = "SELECT id FROM typed WHERE code = ?";
    let others = shop.builder().build().unwrap();
    for code in ["zz", "0", "1,2", "true"] {
        shop.heard.take();
        for client in [&shop.client, &others] {
            client.query_with_cache(sql, params! { "Code" => code }, HOUR).await.unwrap();
        }
        assert_eq!(shop.heard.take(), ["Miss", "Filled", "Hit"], "{code}");
    }
}

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
