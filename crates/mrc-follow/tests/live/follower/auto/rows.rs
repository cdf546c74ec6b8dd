//! Rows to entries, statements that end everything of a table, and rows that the log lacks.

use std::sync::Arc;

use mrc_core::{Date, Params, params};
use mrc_tests::SqlKind;

use super::super::{own_server, store};
use super::{Asked, Auto};

const ORDERS: &str = "CREATE TABLE orders (id INT PRIMARY KEY, store_id INT UNSIGNED, state VARCHAR(20), \
        kind ENUM('web', 'phone'), price DECIMAL(8, 2), day DATE, note TEXT, token BINARY(4), qty INT DEFAULT 0) \
        CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci; \
    INSERT INTO orders VALUES (1, 6, 'open', 'web', 1.50, '2026-11-28', NULL, X'61', 0), \
        (2, 7, 'paid', 'phone', 2.50, '2026-11-29', 'x', X'62', 0)";

fn asked() -> Vec<Asked> {
    let no = Params::new;
    let day = |day| params! { "Day" => Date::new(2026, 11, day).unwrap() };
    let token = |byte: u8| params! { "Token" => vec![byte, 0, 0, 0] };
    vec![
        ("store 6", "SELECT id, qty FROM orders WHERE store_id = ?", params! { "StoreId" => 6 }),
        ("store 7", "SELECT id, qty FROM orders WHERE store_id = ?", params! { "StoreId" => 7 }),
        ("store 8", "SELECT id, qty FROM orders WHERE store_id = ?", params! { "StoreId" => 8 }),
        ("open", "SELECT id, qty FROM orders WHERE state = ?", params! { "State" => "open" }),
        ("paid", "SELECT id, qty FROM orders WHERE state = ?", params! { "State" => "paid" }),
        ("web", "SELECT id, qty FROM orders WHERE kind = 'web'", no()),
        ("phone", "SELECT id, qty FROM orders WHERE kind = 'phone'", no()),
        ("1.5", "SELECT id, qty FROM orders WHERE price = 1.5", no()),
        ("2.5", "SELECT id, qty FROM orders WHERE price = 2.5", no()),
        ("the 28th", "SELECT id, qty FROM orders WHERE day = ?", day(28)),
        ("the 29th", "SELECT id, qty FROM orders WHERE day = ?", day(29)),
        ("no note", "SELECT id, qty FROM orders WHERE note IS NULL", no()),
        ("a", "SELECT id, qty FROM orders WHERE token = ?", token(b'a')),
        ("b", "SELECT id, qty FROM orders WHERE token = ?", token(b'b')),
    ]
}

async fn open() -> Auto {
    let auto = Auto::open(ORDERS, asked()).await;
    auto.settle("UPDATE orders SET qty = qty + 1 WHERE id = 2", "open").await;
    auto
}

/// MariaDB's `BINARY(4)` looks like its `INET4`, so its rows say nothing.
fn with_token(token: &'static str, gone: &[&'static str]) -> Vec<&'static str> {
    let tokens = if SqlKind::of_this_run().name == "MySQL" { vec![token] } else { vec!["a", "b"] };
    gone.iter().copied().chain(tokens).collect()
}

const FIRST: [&str; 6] = ["store 6", "open", "web", "1.5", "the 28th", "no note"];
const SECOND: [&str; 5] = ["store 7", "paid", "phone", "2.5", "the 29th"];

#[tokio::test]
async fn a_change_ends_the_entries_whose_conditions_its_row_meets() {
    let auto = open().await;
    let (first, second) = (with_token("a", &FIRST), with_token("b", &SECOND));
    auto.check("UPDATE orders SET qty = 5 WHERE id = 1", &first).await;
    auto.check("UPDATE orders SET qty = 5 WHERE id = 2", &second).await;
    let copy =
        "INSERT INTO orders SELECT 3, store_id, state, kind, price, day, note, token, qty FROM orders WHERE id = 1";
    auto.check(copy, &first).await;
    auto.check("DELETE FROM orders WHERE id = 3", &first).await;
    auto.check("BEGIN; UPDATE orders SET qty = 6; ROLLBACK", &[]).await;
    // It moves, so both places count.
    let moved = with_token("a", &[&FIRST[..], &["store 8"]].concat());
    auto.check("UPDATE orders SET store_id = 8 WHERE id = 1", &moved).await;
}

#[tokio::test]
async fn texts_are_compared_as_their_collation_does() {
    let auto = open().await;
    let without_state = FIRST.iter().copied().filter(|name| *name != "open").collect::<Vec<_>>();
    auto.check("UPDATE orders SET state = 'OPEN  ' WHERE id = 1", &with_token("a", &FIRST)).await;
    // A collation may take it for a text without the accent, so both go.
    let accent = with_token("a", &[&FIRST[..], &["paid"]].concat());
    auto.check("UPDATE orders SET state = 'é' WHERE id = 1", &accent).await;
    auto.check("UPDATE orders SET state = NULL WHERE id = 1", &accent).await;
    auto.check("UPDATE orders SET qty = 9 WHERE id = 1", &with_token("a", &without_state)).await;
}

/// MySQL's Hungarian takes `ssz` for a doubled `sz`. MariaDB's doesn't.
#[tokio::test]
async fn texts_that_double_a_pair_are_found() {
    let is_mysql = SqlKind::of_this_run().name == "MySQL";
    let collation = if is_mysql { "utf8mb4_hu_0900_ai_ci" } else { "utf8mb4_hungarian_ci" };
    let words = format!("CREATE TABLE words (id SERIAL, word VARCHAR(20) COLLATE {collation})");
    let sql = "SELECT COUNT(*) AS n FROM words WHERE word = ?";
    let of = |word: &str| params! { "Word" => word };
    let asked = vec![("asszony", sql, of("asszony")), ("edzeni", sql, of("eddzeni"))];
    let auto = Auto::open(&words, asked).await;
    auto.settle("INSERT INTO words (word) VALUES ('bab')", "asszony").await;
    let gone: &[&str] = if is_mysql { &["asszony", "edzeni"] } else { &[] };
    for word in ["aszszony", "edzdzeni", "hosszzsir"] {
        auto.check(&format!("INSERT INTO words (word) VALUES ('{word}')"), gone).await;
    }
    auto.check("INSERT INTO words (word) VALUES ('bab')", &[]).await;
}

#[tokio::test]
async fn values_of_null_and_of_no_member_are_found() {
    let auto = open().await;
    let nulls = "UPDATE orders SET store_id = NULL, kind = NULL, price = NULL, day = NULL, note = 'y' WHERE id = 1";
    auto.check(nulls, &with_token("a", &FIRST)).await;
    auto.check("UPDATE orders SET qty = 7 WHERE id = 1", &with_token("a", &["open"])).await;
    let no_member = "SET SESSION sql_mode = ''; UPDATE orders SET kind = 'fax' WHERE id = 1";
    auto.check(no_member, &with_token("a", &["open", "web", "phone"])).await;
}

#[tokio::test]
async fn an_image_without_all_columns_ends_the_schemes_that_it_may_meet() {
    let auto = open().await;
    let all: Vec<_> = asked().into_iter().map(|(name, ..)| name).collect();
    auto.check("SET SESSION binlog_row_image = MINIMAL; UPDATE orders SET qty = 8 WHERE id = 1", &all).await;
}

#[tokio::test]
async fn a_comparison_of_two_types_is_ended_by_any_change() {
    let state = "SELECT id FROM orders WHERE state = 0 AND store_id = 99";
    let asked = vec![("misfit", state, Params::new()), ("all", "SELECT COUNT(*) AS n FROM orders", Params::new())];
    let auto = Auto::open(ORDERS, asked).await;
    auto.following.until(|status| status.schemes == 2).await;
    auto.check("UPDATE orders SET qty = 5 WHERE id = 2", &["misfit", "all"]).await;
    auto.check("CREATE TABLE other (id INT); INSERT INTO other VALUES (1)", &[]).await;
}

/// The follower looks for new schemes once a second. The client remembers a view's tables longer.
#[tokio::test]
async fn a_view_that_changes_before_its_scheme_is_known_is_followed() {
    let tables = "CREATE TABLE a (k INT, n INT); CREATE TABLE b (k INT, n INT); \
        INSERT INTO a VALUES (1, 1); INSERT INTO b VALUES (1, 1); CREATE VIEW v AS SELECT * FROM a";
    let auto = Auto::open(tables, vec![("one", "SELECT n FROM v WHERE k = 1", Params::new())]).await;
    auto.check("CREATE OR REPLACE VIEW v AS SELECT * FROM b", &["one"]).await;
    auto.check("UPDATE b SET n = 2", &["one"]).await;
}

#[tokio::test]
async fn a_join_is_ended_by_either_table() {
    let tables = "CREATE TABLE stores (id INT PRIMARY KEY, name VARCHAR(20)); CREATE TABLE items (store INT, n INT); \
        INSERT INTO stores VALUES (6, 'six'), (7, 'seven'); INSERT INTO items VALUES (6, 1), (7, 2)";
    let sql = "SELECT stores.name, items.n FROM stores JOIN items ON items.store = stores.id \
        WHERE stores.id = ? AND items.store = ?";
    let of = |id: i32| params! { "Id" => id, "Store" => id };
    let auto = Auto::open(tables, vec![("six", sql, of(6)), ("seven", sql, of(7))]).await;
    auto.settle("UPDATE stores SET name = CONCAT(name, '!') WHERE id = 7", "six").await;
    auto.check("UPDATE items SET n = 9 WHERE store = 6", &["six"]).await;
    auto.check("UPDATE stores SET name = 'Seven' WHERE id = 7", &["seven"]).await;
}

const SHOP: &str = "CREATE TABLE stores (id INT PRIMARY KEY, name VARCHAR(20)); \
    CREATE TABLE orders (id INT PRIMARY KEY, store_id INT, state VARCHAR(20), \
        FOREIGN KEY (store_id) REFERENCES stores (id) ON DELETE CASCADE); \
    CREATE VIEW open_orders AS SELECT id, store_id FROM orders WHERE state = 'open'; \
    CREATE TABLE apart (id INT PRIMARY KEY); \
    INSERT INTO stores VALUES (6, 'six'), (7, 'seven'); INSERT INTO orders VALUES (1, 6, 'open'), (2, 7, 'open')";

const UPDATE: &str = "UPDATE orders SET state = CONCAT(state, '!') WHERE id = 2";

fn shop_asked() -> Vec<Asked> {
    vec![
        ("six", "SELECT id FROM orders WHERE store_id = ?", params! { "StoreId" => 6 }),
        ("seven", "SELECT id FROM orders WHERE store_id = ?", params! { "StoreId" => 7 }),
        ("view", "SELECT id FROM open_orders", Params::new()),
        ("apart", "SELECT id FROM apart WHERE id = ?", params! { "Id" => 1 }),
    ]
}

async fn open_shop() -> Auto {
    let auto = Auto::open(SHOP, shop_asked()).await;
    auto.settle(UPDATE, "six").await;
    auto
}

#[tokio::test]
async fn a_statement_ends_the_tables_that_it_names() {
    let auto = open_shop().await;
    let all = ["six", "seven", "view"];
    auto.check("ALTER TABLE orders MODIFY state VARCHAR(30)", &all).await;
    auto.check("ALTER TABLE orders ADD COLUMN more INT DEFAULT 1", &all).await;
    auto.check("TRUNCATE orders", &all).await;
    auto.check("INSERT INTO orders VALUES (1, 6, 'open', 1)", &["six", "view"]).await;
    auto.check("CREATE OR REPLACE VIEW open_orders AS SELECT 5 AS id", &["view"]).await;
    let renamed = "CREATE TABLE next LIKE orders; RENAME TABLE orders TO last, next TO orders";
    auto.check(renamed, &["six", "seven"]).await;
    auto.check("INSERT INTO apart VALUES (1)", &["apart"]).await;
    auto.check("DROP TABLE apart; CREATE TABLE apart (id INT, other INT)", &["apart"]).await;
}

#[tokio::test]
async fn rows_behind_a_statement_and_behind_a_foreign_key_are_followed() {
    let auto = open_shop().await;
    let made = "CREATE TABLE made (id INT PRIMARY KEY) AS SELECT 1 AS id; INSERT INTO apart SELECT id FROM made";
    auto.check(made, &["apart"]).await;
    // A foreign key deletes rows of `orders`.
    auto.check("DELETE FROM stores WHERE id = 6", &["six", "seven", "view"]).await;
}

#[tokio::test]
async fn a_change_in_statement_format_ends_everything() {
    let (_, database) = own_server().await;
    database.execute(SHOP).await;
    let auto = Auto::on(Arc::new(database), store().await, shop_asked(), |builder| builder).await;
    auto.settle(UPDATE, "six").await;
    let change = "SET SESSION binlog_format = STATEMENT; UPDATE orders SET state = 'x' WHERE id = 1";
    auto.check(change, &["six", "seven", "view", "apart"]).await;
}

#[tokio::test]
async fn a_dropped_database_ends_its_tables() {
    let auto = open_shop().await;
    let name = auto.database.name().to_owned();
    auto.database.execute(&format!("DROP DATABASE {name}; CREATE DATABASE {name}; USE {name}; {SHOP}")).await;
    auto.expect("DROP DATABASE", &["six", "seven", "view", "apart"]).await;
}
