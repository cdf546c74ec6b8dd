//! Statements that end everything of a table, and rows that the log lacks.

use std::sync::Arc;

use mrc_core::{Params, params};

use super::super::{own_server, store};
use super::{Asked, Auto};

const TABLES: &str = "CREATE TABLE stores (id INT PRIMARY KEY, name VARCHAR(20)); \
    CREATE TABLE orders (id INT PRIMARY KEY, store_id INT, state VARCHAR(20), \
        FOREIGN KEY (store_id) REFERENCES stores (id) ON DELETE CASCADE); \
    CREATE VIEW open_orders AS SELECT id, store_id FROM orders WHERE state = 'open'; \
    CREATE TABLE apart (id INT PRIMARY KEY); \
    INSERT INTO stores VALUES (6, 'six'), (7, 'seven'); INSERT INTO orders VALUES (1, 6, 'open'), (2, 7, 'open')";

const UPDATE: &str = "UPDATE orders SET state = CONCAT(state, '!') WHERE id = 2";

fn asked() -> Vec<Asked> {
    vec![
        ("six", "SELECT id FROM orders WHERE store_id = ?", params! { "StoreId" => 6 }),
        ("seven", "SELECT id FROM orders WHERE store_id = ?", params! { "StoreId" => 7 }),
        ("view", "SELECT id FROM open_orders", Params::new()),
        ("apart", "SELECT id FROM apart WHERE id = ?", params! { "Id" => 1 }),
    ]
}

async fn open() -> Auto {
    let auto = Auto::open(TABLES, asked()).await;
    auto.settle(UPDATE, "six").await;
    auto
}

#[tokio::test]
async fn a_statement_ends_the_tables_that_it_names() {
    let auto = open().await;
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
async fn rows_behind_a_statement_of_the_same_transaction_are_followed() {
    let auto = open().await;
    let made = "CREATE TABLE made (id INT PRIMARY KEY) AS SELECT 1 AS id; INSERT INTO apart SELECT id FROM made";
    auto.check(made, &["apart"]).await;
}

#[tokio::test]
async fn rows_that_a_foreign_key_deletes_are_noticed() {
    let auto = open().await;
    auto.check("DELETE FROM stores WHERE id = 6", &["six", "seven", "view"]).await;
}

#[tokio::test]
async fn a_change_in_statement_format_ends_everything() {
    let (_, database) = own_server().await;
    database.execute(TABLES).await;
    let auto = Auto::on(Arc::new(database), store().await, asked(), |builder| builder).await;
    auto.settle(UPDATE, "six").await;
    let change = "SET SESSION binlog_format = STATEMENT; UPDATE orders SET state = 'x' WHERE id = 1";
    auto.check(change, &["six", "seven", "view", "apart"]).await;
}

#[tokio::test]
async fn a_dropped_database_ends_its_tables() {
    let auto = open().await;
    let name = auto.database.name().to_owned();
    auto.database.execute(&format!("DROP DATABASE {name}; CREATE DATABASE {name}; USE {name}; {TABLES}")).await;
    auto.expect("DROP DATABASE", &["six", "seven", "view", "apart"]).await;
}
