//! Rows to tags.

use mrc_core::{KeyFormat, Tag, Value};
use mrc_follow::rules::Rule;
use mrc_tests::{Database, SqlKind};

use super::{ALL, Following, Shop, marks, own_server};

fn is_mysql() -> bool {
    SqlKind::of_this_run().name == "MySQL"
}

#[tokio::test]
async fn a_commit_invalidates_what_its_rows_name() {
    let shop = Shop::open("").await;
    shop.check("INSERT INTO orders VALUES (3, 6, 'open', NULL)", &["store 6"]).await;
    shop.check("UPDATE orders SET state = 'paid' WHERE id = 2", &["store 7", "order 2"]).await;
    shop.check("DELETE FROM orders WHERE id = 3", &["store 6"]).await;
    shop.check("REPLACE INTO orders VALUES (1, 6, 'paid', NULL)", &["store 6", "order 1"]).await;
    let upsert = "INSERT INTO orders VALUES (2, 7, 'x', NULL) ON DUPLICATE KEY UPDATE state = 'sent'";
    shop.check(upsert, &["store 7", "order 2"]).await;
    // It moves, so both places count.
    shop.check("UPDATE orders SET store_id = 7 WHERE id = 1", &["store 6", "store 7", "order 1"]).await;
}

#[tokio::test]
async fn nothing_is_invalidated_that_was_not_committed() {
    let shop = Shop::open("").await;
    shop.check("BEGIN; UPDATE orders SET state = 'paid'; ROLLBACK", &[]).await;
    let savepoint = "BEGIN; UPDATE orders SET state = 'a' WHERE id = 1; SAVEPOINT s; \
        UPDATE orders SET state = 'b' WHERE id = 2; ROLLBACK TO s; COMMIT";
    shop.check(savepoint, &["store 6", "order 1"]).await;
    shop.check("UPDATE orders SET state = 'never' WHERE id = 99", &[]).await;
    shop.check("CREATE TEMPORARY TABLE orders (id INT); INSERT INTO orders VALUES (1)", &[]).await;
}

#[tokio::test]
async fn an_image_without_all_columns_invalidates_the_table() {
    let shop = Shop::open("").await;
    let minimal = "SET SESSION binlog_row_image = MINIMAL; UPDATE orders SET state = 'paid' WHERE id = 1";
    shop.check(minimal, &ALL).await;
    assert!(shop.following.follower.status().fallbacks.contains_key("absent"));
}

#[tokio::test]
async fn a_renamed_column_invalidates_the_table() {
    let shop = Shop::open("").await;
    shop.check("ALTER TABLE orders RENAME COLUMN store_id TO shop_id", &ALL).await;
    shop.check("UPDATE orders SET state = 'paid' WHERE id = 1", &ALL).await;
    shop.check("ALTER TABLE orders RENAME COLUMN shop_id TO store_id", &ALL).await;
    shop.check("UPDATE orders SET state = 'open' WHERE id = 1", &["store 6", "order 1"]).await;
}

#[tokio::test]
async fn engines_without_transactions_are_followed() {
    let shop = Shop::open("ALTER TABLE orders ENGINE = MyISAM").await;
    shop.check("UPDATE orders SET state = 'paid' WHERE id = 1", &["store 6", "order 1"]).await;
}

#[tokio::test]
async fn compressed_transactions_are_followed() {
    if is_mysql() {
        let shop = Shop::open("").await;
        let compressed = "SET SESSION binlog_transaction_compression = ON; \
            BEGIN; UPDATE orders SET note = REPEAT('a', 9999) WHERE id = 1; COMMIT";
        shop.check(compressed, &["store 6", "order 1"]).await;
        return;
    }
    let (server, database) = own_server().await;
    server.execute("SET GLOBAL log_bin_compress = ON, GLOBAL log_bin_compress_min_len = 10").await;
    let shop = Shop::on(database, "").await;
    shop.check("UPDATE orders SET note = REPEAT('a', 9999) WHERE id = 1", &["store 6", "order 1"]).await;
    shop.check(&format!("TRUNCATE orders /* {} */", "a".repeat(999)), &ALL).await;
}

#[tokio::test]
async fn columns_that_no_rule_needs_may_have_any_type() {
    let types = if is_mysql() {
        "doc JSON, place GEOMETRY, at TIMESTAMP(6) NULL, bits BIT(9), kind ENUM('a','b')"
    } else {
        "doc JSON, place GEOMETRY, at TIMESTAMP(6) NULL, bits BIT(9), long_text TEXT COMPRESSED"
    };
    let shop = Shop::open(&format!("ALTER TABLE orders ADD ({types})")).await;
    shop.check(
        r#"UPDATE orders SET doc = '{"a": [1, 2]}', at = NOW(6), bits = 5 WHERE id = 1"#,
        &["store 6", "order 1"],
    )
    .await;
    if is_mysql() {
        let partial = "SET SESSION binlog_row_value_options = PARTIAL_JSON; \
            UPDATE orders SET doc = JSON_SET(doc, '$.a[0]', 9) WHERE id = 1";
        shop.check(partial, &["store 6", "order 1"]).await;
    }
}

#[tokio::test]
async fn the_metadata_of_columns_is_needed() {
    let (server, database) = own_server().await;
    server.execute("SET GLOBAL binlog_row_metadata = MINIMAL").await;
    let shop = Shop::on(database, "").await;
    shop.database.execute("UPDATE orders SET state = 'paid' WHERE id = 1").await;
    shop.following.until(|status| status.fallbacks.contains_key("metadata")).await;
    server.execute("SET GLOBAL binlog_row_metadata = FULL").await;
    shop.expect("UPDATE without names", &ALL).await;
}

#[tokio::test]
async fn params_drop_the_entries_of_their_queries() {
    let database = Database::logged().await;
    database.execute("CREATE TABLE orders (id INT PRIMARY KEY, store_id INT)").await;
    let rule = Rule::table(format!("{}.orders", database.name())).all("orders").param("StoreId", "{store_id}");
    let following = Following::start(&database, [rule, marks(&database)]).await;
    let key = |params: &str| format!("{params}_d6f3536ac027efd4916a172a39156f97c989bfd3");
    let (six, seven, other) = (key("StoreId=6"), key("StoreId=7_State=open"), key("UserId=6"));
    let keys = [&*six, &seven, &other];
    for key in keys {
        following.fill(key, &[]).await;
    }
    database.execute("INSERT INTO orders VALUES (1, 6)").await;
    assert_eq!(following.left(&database, &keys).await, [&*seven, &other]);
    database.execute("TRUNCATE orders").await;
    assert_eq!(following.left(&database, &keys).await, [&*other], "whatever the value");
}

/// Bytes that aren't text are four times as long in a key, and their patterns take some time.
#[tokio::test(flavor = "multi_thread")]
async fn params_that_one_pattern_cannot_hold_drop_their_entries() {
    let database = Database::logged().await;
    database.execute("CREATE TABLE files (id INT PRIMARY KEY, content LONGBLOB)").await;
    let rule = Rule::table(format!("{}.files", database.name())).all("files").param("Content", "{content}");
    let following = Following::start(&database, [rule, marks(&database)]).await;
    let key = |params: &str| format!("{params}_d6f3536ac027efd4916a172a39156f97c989bfd3");
    let content = Tag::param("Content", &Value::Bytes("a".into()), KeyFormat::Python);
    let (file, other) = (key(content.as_str()), key("UserId=6"));
    for key in [&*file, &other] {
        following.fill(key, &[]).await;
    }
    let files: Vec<String> = (0..200).map(|id| format!("({id}, CONCAT(REPEAT(X'FF', 1000), {id}))")).collect();
    database.execute(&format!("INSERT INTO files VALUES {}", files.join(", "))).await;
    assert_eq!(following.left(&database, &[&file, &other]).await, [&*file, &other]);
    database.execute("INSERT INTO files VALUES (200, 'a')").await;
    assert_eq!(following.left(&database, &[&file, &other]).await, [&*other]);
}

#[tokio::test]
async fn rows_of_an_outbox_are_invalidations() {
    let database = Database::logged().await;
    // It stores nothing. MariaDB's package lacks the engine.
    let engine = if is_mysql() { "BLACKHOLE" } else { "InnoDB" };
    database.execute(&format!("CREATE TABLE mrc_outbox (tag VARCHAR(1024) NOT NULL) ENGINE = {engine}")).await;
    let rule = Rule::outbox(format!("{}.mrc_outbox", database.name()));
    let following = Following::start(&database, [rule, marks(&database)]).await;
    following.fill("report", &["report:6"]).await;
    following.fill("other", &["report:7"]).await;
    database.execute("BEGIN; INSERT INTO mrc_outbox VALUES ('report:7'); ROLLBACK").await;
    database.execute("BEGIN; INSERT INTO mrc_outbox VALUES ('report:6'), ('nothing'); COMMIT").await;
    assert_eq!(following.left(&database, &["report", "other"]).await, ["other"]);
}
