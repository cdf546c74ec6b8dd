//! Statements that the log has as text: everything of the tables that they name.

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
    let user = mrc_tests::unique("user");
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
    let other = mrc_tests::unique("other");
    let sql = format!(
        "CREATE DATABASE {other}; CREATE TABLE {other}.orders (id INT, store_id INT); \
         INSERT INTO {other}.orders VALUES (1, 6); TRUNCATE {other}.orders; DROP DATABASE {other}"
    );
    // With a default database, a statement counts for its tables too.
    mrc_tests::SqlServer::shared_with_log().await.execute(&sql).await;
    shop.expect(&sql, &[]).await;
    shop.check("CREATE TABLE c (id INT COMMENT 'orders') /* orders */", &[]).await;
}
