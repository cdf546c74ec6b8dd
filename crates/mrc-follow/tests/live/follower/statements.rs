//! Statements that the log has as text: everything of the tables that they name. Transactions in two
//! phases.

use mrc_tests::{SqlServer, unique};
use mysql_async::prelude::Queryable;

use super::{ALL, Shop, own_server};

#[tokio::test]
async fn statements_invalidate_the_tables_that_they_name() {
    let shop = Shop::open("CREATE TABLE others (id INT)").await;
    shop.check("ALTER TABLE others ADD note TEXT", &[]).await;
    shop.check("TRUNCATE others", &[]).await;
    shop.check("ALTER TABLE orders ADD more INT", &ALL).await;
    shop.check("TRUNCATE TABLE orders", &ALL).await;
    shop.check("RENAME TABLE orders TO old_orders, others TO orders", &ALL).await;
    shop.check("DROP TABLE orders", &ALL).await;
    shop.check("CREATE TABLE orders (id INT, store_id INT, state TEXT)", &ALL).await;
    shop.check("INSERT INTO orders VALUES (1, 6, 'open')", &["store 6", "order 1"]).await;
    shop.check("DROP TABLE orders; CREATE TABLE orders AS SELECT 1 AS id, 6 AS store_id", &ALL).await;
}

#[tokio::test]
async fn changes_in_statement_format_invalidate_everything() {
    let shop = Shop::on(own_server().await.1, "").await;
    let statement = "SET SESSION binlog_format = STATEMENT; UPDATE orders SET state = 'paid' WHERE id = 1";
    shop.check(statement, &ALL).await;
    let in_transaction = "SET SESSION binlog_format = STATEMENT; \
        BEGIN; UPDATE orders SET state = 'paid' WHERE id = 1; COMMIT";
    shop.check(in_transaction, &ALL).await;
}

#[tokio::test]
async fn statements_about_users_and_others_invalidate_nothing() {
    let shop = Shop::open("").await;
    let user = unique("user");
    shop.check(&format!("CREATE USER {user}; GRANT SELECT ON *.* TO {user}; DROP USER {user}"), &[]).await;
    shop.check("ANALYZE TABLE marks", &[]).await;
}

#[tokio::test]
async fn a_dropped_database_invalidates_its_tables() {
    let shop = Shop::open("").await;
    let name = shop.database.name();
    let marks = "CREATE TABLE marks (mark VARCHAR(64))";
    shop.check(&format!("DROP DATABASE {name}; CREATE DATABASE {name}; USE {name}; {marks}"), &ALL).await;
}

#[tokio::test]
async fn tables_of_other_names_and_databases_are_told_apart() {
    let shop = Shop::open("").await;
    let other = unique("other");
    let sql = format!(
        "CREATE DATABASE {other}; CREATE TABLE {other}.orders (id INT, store_id INT); \
         INSERT INTO {other}.orders VALUES (1, 6); TRUNCATE {other}.orders; DROP DATABASE {other}"
    );
    // With a default database, a statement counts for its tables too.
    SqlServer::shared_with_log().await.execute(&sql).await;
    shop.expect(&sql, &[]).await;
    shop.check("CREATE TABLE c (id INT COMMENT 'orders') /* orders */", &[]).await;
}

fn begin(name: &str) -> String {
    format!("XA START '{name}'; UPDATE orders SET state = '{name}' WHERE id = 1; XA END '{name}'")
}

#[tokio::test]
async fn a_commit_in_one_phase_is_a_commit() {
    let (shop, name) = (Shop::open("").await, unique("xa"));
    shop.check(&format!("{}; XA COMMIT '{name}' ONE PHASE", begin(&name)), &["store 6", "order 1"]).await;
}

/// One test, since a prepared transaction reaches every follower of the server.
#[tokio::test]
async fn a_prepared_transaction_counts_when_it_commits() {
    let mut shop = Shop::on(own_server().await.1, "").await;
    shop.check(&format!("{}; XA PREPARE 'a'; XA ROLLBACK 'a'", begin("a")), &[]).await;

    let mut conn = shop.database.admin().await;
    conn.query_drop(format!("{}; XA PREPARE 'b'", begin("b"))).await.unwrap();
    shop.expect("XA PREPARE", &[]).await;
    conn.query_drop("XA COMMIT 'b'").await.unwrap();
    shop.expect("XA COMMIT", &["store 6", "order 1"]).await;

    conn.query_drop(format!("{}; XA PREPARE 'c'", begin("c"))).await.unwrap();
    shop.expect("XA PREPARE", &[]).await;
    shop.following = shop.following.again(&shop.database).await;
    conn.query_drop("XA COMMIT 'c'").await.unwrap();
    shop.expect("XA COMMIT whose rows an earlier follower read", &ALL).await;
}
