//! Each side hits the other's entries: a row that changes in between shows it.

use mrc::key::Value;
use mrc::rows::{Date, Decimal};
use mrc::{Params, Source, params};
use serde_json::{Value as Json, json};

use super::{Side, World, name, with_both_peers};
use crate::client::support::{HOUR, SQL, version};

tests!(with_both_peers, several_params_and_none, a_param_without_a_name_is_left_out_if_the_client_allows_it);

const THINGS: &str = "
    CREATE TABLE things (id INT PRIMARY KEY, version INT, i BIGINT, u BIGINT UNSIGNED, f DOUBLE, s VARCHAR(100), b BOOLEAN,
        n INT NULL, d DATE, t DATETIME, c DECIMAL(20,4), bin VARBINARY(20)) CHARACTER SET utf8mb4;
    INSERT INTO things VALUES
        (1, 1, -42, 42, 1.5, 'héllo 🚀 \"q\"', TRUE, NULL, '2025-01-15', '2025-01-15 10:30:05', 10.5, 'ab''c'),
        (2, 1, 9007199254740991, 18446744073709551615, 1e-7, 'it''s 100%', FALSE, 7, '2024-02-29', '2024-02-29 00:00:00', 0.1, '');";

/// A condition, our param for it, and the peer's.
type Case = (&'static str, Value, Json);

fn cases() -> Vec<Case> {
    let date = Date::new(2025, 1, 15).unwrap();
    vec![
        ("i = ?", (-42).into(), json!(-42)),
        ("i = ?", 9_007_199_254_740_991i64.into(), json!(9_007_199_254_740_991i64)),
        ("f = ?", 1.5.into(), json!(1.5)),
        ("f = ?", 1e-7.into(), json!(1e-7)),
        ("f < ?", 2.0.into(), json!(2.0)),
        ("f < ?", 1e21.into(), json!(1e21)),
        ("s = ?", "héllo 🚀 \"q\"".into(), json!("héllo 🚀 \"q\"")),
        ("s = ?", "it's 100%".into(), json!("it's 100%")),
        ("s <> ?", "".into(), json!("")),
        ("n <=> ?", Value::Null, Json::Null),
        ("b = ?", true.into(), json!(true)),
        ("b = ?", false.into(), json!(false)),
        ("t = ?", date.at(10, 30, 5, 0).unwrap().into(), json!({"$date": "2025-01-15T10:30:05Z"})),
        ("d = ?", date.into(), json!({"$date": "2025-01-15"})),
        ("d = ?", "2025-01-15".into(), json!("2025-01-15")),
        ("c = ?", Decimal::new("10.5").unwrap().into(), json!("10.5")),
    ]
}

async fn touch(world: &World) {
    world.database.execute("UPDATE things SET version = version + 1").await;
}

async fn is_shared(world: &World, side: &Side, (condition, ours, theirs): &Case) {
    let client = world.client(side);
    let sql = format!("SELECT id, version FROM things WHERE {condition} ORDER BY id");
    let what = format!("{condition} with {theirs}, {:?}", side.keys);
    let ask_us = async |name: &'static str| {
        client.query_with_cache(side.query(&sql), Params::new().with(name, ours.clone()), HOUR).await.unwrap()
    };
    let ask_them = async |name: &str| side.ask(&sql, std::slice::from_ref(theirs), &[name]).await;

    let written = name("They");
    let old = ask_them(written).await;
    assert_ne!(old, json!([]), "{what}: the case must find a row");
    touch(world).await;
    let hit = ask_us(written).await;
    assert_eq!(hit.source(), Source::Cache, "{what}");
    assert_eq!(hit.json::<Json>().unwrap(), old, "{what}");

    let written = name("We");
    let miss = ask_us(written).await;
    assert_eq!(miss.source(), Source::Computed, "{what}");
    touch(world).await;
    assert_eq!(ask_them(written).await, miss.json::<Json>().unwrap(), "{what}");
    assert_ne!(miss.json::<Json>().unwrap(), old, "{what}: the row must have changed in between");
}

#[tokio::test]
async fn params_of_every_kind() {
    let world = World::open().await;
    world.database.execute(THINGS).await;
    // Only the npm peer's driver binds these.
    let npm: Vec<Case> = vec![
        ("id IN (?)", [1, 2].into(), json!([1, 2])),
        ("id IN (?)", [2].into(), json!([2])),
        ("s IN (?)", ["it's 100%", "x y"].into(), json!(["it's 100%", "x y"])),
        ("bin = ?", b"ab'c".to_vec().into(), json!({"$bytes": "YWInYw=="})),
    ];
    // Only Python has these integers.
    let python: Vec<Case> =
        vec![("u = ?", u64::MAX.into(), json!(u64::MAX)), ("i > ?", i64::MIN.into(), json!(i64::MIN))];
    for (side, own) in [(&world.npm, npm), (&world.pypi, python)] {
        for case in cases().into_iter().chain(own) {
            is_shared(&world, side, &case).await;
        }
    }
}

/// The PyPI peer's drivers bind neither lists nor bytes, but its keys support them for functions.
#[tokio::test]
async fn lists_and_bytes_in_the_keys_of_the_pypi_peer() {
    let world = World::open().await;
    let (client, signature) = (world.client(&world.pypi), "items_by_something");
    let cases: [(Value, Json); 3] = [
        ([1, 2].into(), json!([1, 2])),
        (["it's", "a \"b\" é"].into(), json!(["it's", "a \"b\" é"])),
        (b"ab'c\xff".to_vec().into(), json!({"$bytes": "YWInY/8="})),
    ];
    for (ours, theirs) in cases {
        let something = name("Something");
        let params = Params::new().with(something, ours);
        client.write_to_cache(signature, "ours", &params, HOUR).await.unwrap();
        assert_eq!(world.pypi.read(signature, std::slice::from_ref(&theirs), &[something]).await, json!("ours"));
        world.pypi.call("write", signature, std::slice::from_ref(&theirs), &[something]).await;
        assert_eq!(client.read_from_cache(signature, &params).await.unwrap().unwrap().as_str().unwrap(), "1");
    }
}

async fn several_params_and_none(world: &World, side: &Side) {
    let client = world.client(side);
    let (id, most) = (name("Id"), name("Most"));
    let sql = "SELECT id, version FROM items WHERE id = ? AND version < ?";
    let old = side.ask(sql, &[json!(7), json!(99)], &[id, most]).await;
    world.write(2).await;
    let params = Params::new().with(id, 7).with(most, 99);
    let hit = client.query_with_cache(side.query(sql), params, HOUR).await.unwrap();
    assert_eq!((hit.source(), hit.json::<Json>().unwrap()), (Source::Cache, old));

    // Without params the text alone is the key.
    let sql = format!("SELECT version FROM items WHERE id = 1 -- {}", name("alone"));
    let miss = client.query_with_cache(side.query(&sql), params! {}, HOUR).await.unwrap();
    world.write(3).await;
    assert_eq!(side.ask(&sql, &[], &[]).await, miss.json::<Json>().unwrap());
}

/// All three in one fleet: one statement, one entry, if all hash the same text.
#[tokio::test]
async fn a_third_language_shares_the_entry() {
    let world = World::open().await;
    let signature = name("items_by_id");
    let id = name("Id");
    let client = world.client(&world.npm);
    let ours = client
        .query_with_cache(mrc::Query::new(SQL).keyed_as(signature), Params::new().with(id, 5), HOUR)
        .await
        .unwrap();
    assert_eq!(version(&ours), 1);
    for side in world.sides() {
        assert_eq!(side.read(signature, &[json!(5)], &[id]).await, ours.json::<Json>().unwrap());
    }
}

async fn a_param_without_a_name_is_left_out_if_the_client_allows_it(world: &World, side: &Side) {
    let id = name("Id");
    let sql = "SELECT id, version FROM items WHERE id = ? AND version < ?";
    // More params than names: both peers omit the rest from the key.
    let old = side.ask(sql, &[json!(7), json!(99)], &[id]).await;
    world.write(4).await;
    let client = world.builder(side).allow_unnamed_params(true).build().unwrap();
    let params = Params::new().with(id, 7).with_unnamed(99);
    let hit = client.query_with_cache(side.query(sql), &params, HOUR).await.unwrap();
    assert_eq!((hit.source(), hit.json::<Json>().unwrap()), (Source::Cache, old));
    assert!(world.client(side).query_with_cache(side.query(sql), &params, HOUR).await.is_err());
}
