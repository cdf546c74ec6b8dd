//! Many entries at once, on real servers.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use futures_util::future::join_all;
use mrc::{Many, MrcClient, Query, Source, params};
use mrc_core::depends::CollationFolding;
use mysql_async::prelude::Queryable;

use super::support::*;
use crate::executor::FORMATS;

const BATCH: &str = "SELECT id, version FROM items WHERE id IN (?)";

fn items() -> Many {
    Many::new(SQL, "id", "Id").batch(BATCH)
}

async fn ask_many(client: &MrcClient, ids: impl IntoIterator<Item = u32>) -> HashMap<u32, (u32, u64)> {
    guarded(client.many_with_cache(items(), ids, HOUR)).await.unwrap()
}

#[tokio::test]
async fn a_hundred_misses_are_one_statement_and_three_commands() {
    let (_shop, wire, mysql, client) = gated().await;
    mysql.gate.add_permits(10);
    // The server learns the scripts.
    ask_many(&client, [101, 102]).await;
    let commands = || ["MGET", "GET", "EVALSHA", "EVAL"].map(|name| wire.count(name));
    let [mget, get, scripts, eval] = commands();
    assert_eq!(ask_many(&client, 1..=100).await.len(), 100);
    assert_eq!(commands(), [mget + 1, get, scripts + 2, eval], "one look, one claim of all, one fill of all");
    assert_eq!(mysql.reads(), 2);
    assert_eq!(ask_many(&client, 1..=100).await.len(), 100);
    assert_eq!(commands(), [mget + 2, get, scripts + 2, eval]);
    let alone = ask(&client, 7).await.unwrap();
    assert_eq!((version(&alone), alone.source()), (1, Source::Cache));
}

#[tokio::test]
async fn a_hundred_misses_with_tags_are_one_statement_and_three_commands() {
    let (shop, wire, mysql, client) = gated().await;
    mysql.gate.add_permits(10);
    let tagged = || Many::new(Query::new(SQL).tag("items").tag_by_params(), "id", "Id").batch(BATCH);
    let ask = async |ids: RangeInclusive<u32>| {
        let found: HashMap<u32, (u32, u64)> = guarded(client.many_with_cache(tagged(), ids, HOUR)).await.unwrap();
        found.len()
    };
    // The server learns the scripts, and the client whether the server evicts.
    assert_eq!(ask(99..=100).await, 2);
    wire.reset();
    assert_eq!(ask(1..=98).await, 98);
    assert_eq!(
        wire.names(),
        ["MGET", "EVALSHA", "EVALSHA"],
        "one look, one claim of all with the clock, one fill of all"
    );
    assert_eq!(mysql.reads(), 2);
    assert_eq!(shop.server().invalidate(["items"]).await.unwrap(), 100, "each entry is registered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_of_two_clients_read_each_id_once() {
    let shop = Shop::open().await;
    let mysql = Gated::closed(&shop.database);
    let clients: Vec<MrcClient> =
        (0..2).map(|_| shop.builder().wait_max(HOUR).shared_executor(mysql.clone()).build().unwrap()).collect();
    let calls = (0..20).map(|at| {
        let client = clients[at % 2].clone();
        let first = u32::try_from(at).unwrap() * 3 + 1;
        tokio::spawn(async move { ask_many(&client, first..first + 20).await })
    });
    let calls: Vec<_> = calls.collect();
    until(async || mysql.reads() > 0).await;
    mysql.gate.add_permits(1_000);
    for found in join_all(calls).await {
        let found = found.unwrap();
        assert_eq!(found.len(), 20);
        assert!(found.iter().all(|(id, row)| *row == (*id, 1)), "{found:?}");
    }
    let filled = shop.heard.take().iter().filter(|event| *event == "Filled").count();
    assert_eq!(filled, 77, "each id is filled once");
}

#[tokio::test]
async fn an_invalidation_refuses_the_fill_of_its_entry_alone() {
    let shop = Shop::open().await;
    let mysql = Gated::closed(&shop.database);
    let client = shop.builder().shared_executor(mysql.clone()).build().unwrap();
    let early = {
        let client = client.clone();
        tokio::spawn(async move { ask_many(&client, 1..=3).await })
    };
    until(async || mysql.reads() == 1).await;
    shop.write(2).await;
    assert_eq!(shop.server().drop_outdated_cache(params! { "Id" => 2 }).await.unwrap(), 1);
    mysql.gate.add_permits(10);
    assert_eq!(early.await.unwrap()[&2], (2, 1));
    assert_eq!([shop.has_key(1).await, shop.has_key(2).await, shop.has_key(3).await], [true, false, true]);
    assert_eq!(ask_many(&client, 1..=3).await[&2], (2, 2));
}

/// A table of ids of several types, and columns that each format spells in its own way.
const KINDS: &str = "CREATE TABLE kinds (
      i BIGINT UNSIGNED, t VARCHAR(9) COLLATE utf8mb4_bin, d DECIMAL(12,2), day DATE, b BINARY(2),
      price DECIMAL(10,2), at DATETIME(3), f FLOAT, bits BIT(3), j JSON, blobs BLOB, n INT);
    INSERT INTO kinds VALUES
      (18446744073709551615, '7', 7.50, '2025-01-15', X'00FF', 10.50, '2025-01-15 10:30:00.120', 1.1, b'101', '{\"a\": 1}', X'0001', NULL),
      (1, 'ann', 0.10, '2025-02-28', X'4142', 0.1, '2025-02-28 00:00:00', 5, b'1', '[1.0]', 'x', 2),
      (1, 'Ann', 0.10, '2025-02-28', X'4142', 0.2, '2025-02-28 00:00:00', 5, b'1', '[1.0]', 'x', 3)";

#[tokio::test]
async fn entries_of_a_batch_are_those_of_single_queries_byte_for_byte() {
    let day = |month, day| mrc::rows::Date::new(2025, month, day).unwrap();
    let decimal = |digits: &str| mrc::rows::Decimal::new(digits).unwrap();
    let ids: [(&str, Vec<mrc::key::Value>); 5] = [
        ("i", vec![u64::MAX.into(), 1.into(), 2.into()]),
        ("t", vec!["7".into(), "ann".into(), "Ann".into(), "none".into()]),
        ("d", vec![decimal("7.5").into(), decimal("0.10").into(), 3.into()]),
        ("day", vec![day(1, 15).into(), day(2, 28).into(), day(3, 1).into()]),
        ("b", vec![vec![0_u8, 255].into(), vec![b'A', b'B'].into(), vec![1_u8, 1].into()]),
    ];
    for format in FORMATS {
        let shop = Shop::open().await;
        shop.database.execute(KINDS).await;
        let client = shop.builder().row_format(format).build().unwrap();
        for (column, ids) in &ids {
            let single = format!("SELECT * FROM kinds WHERE {column} = ? ORDER BY n");
            let batch = format!("SELECT * FROM kinds WHERE {column} IN (?) ORDER BY n");
            let many = Many::new(single.clone(), *column, "Id").batch(batch);
            let answers = client.query_many_with_cache(&many, ids.iter().cloned(), HOUR).await.unwrap();
            for (id, answer) in ids.iter().zip(answers) {
                let alone = client.query(&single, params! { "Id" => id.clone() }).await.unwrap();
                assert_eq!(answer.as_str().unwrap(), alone.as_str().unwrap(), "{format:?} {column} {id:?}");
                let hit = client.query_with_cache(&single, params! { "Id" => id.clone() }, HOUR).await.unwrap();
                assert_eq!(hit.as_bytes(), answer.as_bytes());
                // Other params could have the keys of the other columns, so these bypass the cache.
                assert!(hit.is_hit() || *column != "t", "{format:?} {id:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_text_is_spelled_as_the_database_spells_it() {
    let shop = Shop::open().await;
    let table = "CREATE TABLE names (name VARCHAR(9) COLLATE utf8mb4_general_ci, age INT); INSERT INTO names VALUES ('Ann', 40), ('Ben', 50)";
    shop.database.execute(table).await;
    let many = Many::new("SELECT name, age FROM names WHERE name = ?", "name", "Name")
        .batch("SELECT name, age FROM names WHERE name IN (?)");
    let ages = async |names: &'static [&'static str]| {
        shop.client.many_with_cache::<_, HashMap<&str, (String, u32)>>(&many, names.iter().copied(), HOUR).await
    };
    assert_eq!(ages(&["Ann", "Ben", "Cy"]).await.unwrap().len(), 2);
    let wrong = ages(&["ann", "Di", "Ed"]).await.unwrap_err();
    assert!(wrong.to_string().contains("as the database spells it"), "{wrong}");
}

#[tokio::test]
async fn texts_that_are_one_to_the_database_have_no_entry_of_a_part_of_their_rows() {
    let shop = Shop::open().await;
    let table = "CREATE TABLE names (name VARCHAR(9) COLLATE utf8mb4_general_ci, exact VARCHAR(9) COLLATE utf8mb4_bin, age INT);
        INSERT INTO names VALUES ('Ann', 'Ann', 40), ('ann', 'ann', 41), ('Zoë', 'Zoë', 42), ('zoe', 'zoe', 43), ('Ben', 'Ben', 44)";
    shop.database.execute(table).await;
    for column in ["name", "exact"] {
        let single = format!("SELECT {column}, age FROM names WHERE {column} = ? ORDER BY age");
        let batch = format!("SELECT {column}, age FROM names WHERE {column} IN (?) ORDER BY age");
        let many = Many::new(single.clone(), column, "Name").batch(batch);
        let names: [&[&str]; 4] = [&["Ann", "ann"], &["Zoë", "Ben", "zoe"], &["ann", "Ann", "Ben"], &["Ben", "Cy"]];
        for texts in names {
            let as_text: Vec<mrc::key::Value> = texts.iter().map(|text| (*text).into()).collect();
            let as_bytes: Vec<mrc::key::Value> = texts.iter().map(|text| text.as_bytes().to_vec().into()).collect();
            for ids in [as_text, as_bytes] {
                let Ok(answers) = shop.client.query_many_with_cache(&many, ids.clone(), HOUR).await else {
                    assert_eq!(column, "name", "{ids:?}");
                    continue;
                };
                for (id, answer) in ids.iter().zip(answers) {
                    let alone = shop.client.query(&single, params! { "Name" => id.clone() }).await.unwrap();
                    assert_eq!(answer.as_str().unwrap(), alone.as_str().unwrap(), "{column} {id:?}");
                }
            }
        }
    }
}

/// The texts of one or two characters that a collation takes for one must be suspects.
#[tokio::test]
async fn no_collation_takes_more_texts_for_one_than_mrc_suspects() {
    let shop = Shop::open().await;
    let mut admin = shop.database.admin().await;
    let all: Vec<(String, String)> = admin
        .query("SELECT CHARACTER_SET_NAME, COLLATION_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY WHERE CHARACTER_SET_NAME IN ('utf8mb4', 'latin1', 'latin2', 'latin5', 'latin7', 'cp1250', 'cp1257', 'ascii')")
        .await
        .unwrap();
    let (mut pairs, mut unexpected) = (0, Vec::new());
    for (charset, collation) in all {
        let sql = CollationFolding::sql(&charset, &collation).unwrap();
        admin.query_drop("SET group_concat_max_len = 1000000").await.unwrap();
        let Ok(groups) = admin.query::<(u64, String), _>(&sql).await else { continue };
        for (_, hex) in groups {
            let texts: Vec<String> = hex.split(',').map(|hex| String::from_utf8(unhex(hex)).unwrap()).collect();
            for pair in texts.windows(2) {
                pairs += 1;
                let pair = [&*pair[0], &*pair[1]];
                if mrc_core::maybe_equal(&pair) != [0, 1] {
                    unexpected.push(format!("{collation}: {pair:?}"));
                }
            }
        }
    }
    assert!(unexpected.is_empty() && pairs > 10_000, "{pairs}, of which {unexpected:?}");
}

fn unhex(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}
