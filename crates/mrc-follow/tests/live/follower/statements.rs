//! Changes without rows in the log: statements, of which everything of their tables goes, rows that
//! a foreign key changes, and transactions in two phases.

use mrc_tests::{Database, SqlKind, SqlServer, unique};
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

const STORES: &str = "CREATE TABLE stores (id INT PRIMARY KEY); INSERT INTO stores VALUES (6), (7)";

const CASCADE: &str = "ALTER TABLE orders ADD FOREIGN KEY (store_id) REFERENCES stores (id) ON DELETE CASCADE";
const KEY: &str = "ALTER TABLE orders ADD FOREIGN KEY (store_id) REFERENCES stores (id)";

#[tokio::test]
async fn a_change_that_a_foreign_key_passes_on_is_noticed() {
    let chain = "CREATE TABLE regions (id INT PRIMARY KEY); INSERT INTO regions VALUES (1); \
        CREATE TABLE stores (id INT PRIMARY KEY, region_id INT, \
            FOREIGN KEY (region_id) REFERENCES regions (id) ON DELETE CASCADE); \
        INSERT INTO stores VALUES (6, 1), (7, NULL)";
    let both = "DELETE orders, stores FROM orders JOIN stores ON stores.id = orders.store_id WHERE orders.id = 1";
    let trigger = "CREATE TRIGGER closing BEFORE DELETE ON stores FOR EACH ROW \
        UPDATE orders SET state = 'closed' WHERE id = 1";
    let together = format!("{STORES}; UPDATE orders SET store_id = 6");
    for (tables, change) in [
        (format!("{STORES}; {CASCADE}"), "DELETE FROM stores WHERE id = 6"),
        (format!("{STORES}; {KEY} ON UPDATE CASCADE"), "UPDATE stores SET id = 66 WHERE id = 6"),
        (format!("{STORES}; {KEY} ON DELETE SET NULL"), "DELETE FROM stores WHERE id = 6 /* sets null */"),
        (format!("{chain}; {CASCADE}"), "DELETE FROM regions"),
        // Rows of the child in the same statement hide no cascade.
        (format!("{together}; {CASCADE}"), both),
        (format!("{together}; {CASCADE}; {trigger}"), "DELETE FROM stores WHERE id = 6 /* by a trigger */"),
    ] {
        Shop::open(&tables).await.check(change, &ALL).await;
    }
}

/// MySQL before 9.6 changes these rows in the engine, as MariaDB does.
#[tokio::test]
async fn rows_that_the_log_lacks_are_noticed() {
    let server: &'static SqlServer = Box::leak(Box::new(SqlServer::with_log_of_old().await));
    let shop = Shop::on(Database::on(server).await, &format!("{STORES}; {CASCADE} ON UPDATE CASCADE")).await;
    shop.check("UPDATE stores SET id = 66 WHERE id = 6", &ALL).await;
    shop.check("DELETE FROM stores WHERE id = 7", &ALL).await;
}

/// A key of two columns, of which one changes.
#[tokio::test]
async fn a_part_of_a_key_that_cascades_is_noticed() {
    let tables = "CREATE TABLE stores (id INT, version INT, PRIMARY KEY (id, version)); \
        INSERT INTO stores VALUES (6, 1), (7, 1); ALTER TABLE orders ADD version INT NOT NULL DEFAULT 1; \
        ALTER TABLE orders ADD FOREIGN KEY (store_id, version) REFERENCES stores (id, version) ON UPDATE CASCADE";
    let shop = Shop::open(tables).await;
    shop.check("UPDATE stores SET version = version + 1 WHERE id = 6", &ALL).await;
    let mut conn = shop.database.admin().await;
    for round in 0..3 {
        let prepared = "UPDATE stores SET version = LAST_INSERT_ID(version + 1) WHERE id = ?";
        let mut transaction = conn.start_transaction(mysql_async::TxOpts::new()).await.unwrap();
        transaction.exec_drop(prepared, (6,)).await.unwrap();
        transaction.commit().await.unwrap();
        shop.expect(&format!("{prepared}, round {round}"), &ALL).await;
    }
}

const PARENT: &str = "ALTER TABLE orders ADD parent_id INT, \
    ADD FOREIGN KEY (parent_id) REFERENCES orders (id) ON DELETE CASCADE";

/// MariaDB's user may see no keys, so its log alone tells of the cascade.
#[tokio::test]
async fn a_later_statement_with_rows_of_the_child_hides_no_cascade() {
    let database = Database::logged().await;
    let (user, keys) = (unique("follower"), SqlKind::of_this_run().name == "MySQL");
    let rights = include_str!("../../../../../deploy/follower.sql").replace("follower@", &format!("{user}@"));
    database.execute(&rights).await;
    if keys {
        database.execute(&format!("GRANT REFERENCES ON {}.* TO {user}@'%'", database.name())).await;
    }
    let url = format!("mysql://{user}:secret@127.0.0.1:{}", database.port());
    let shop = Shop::with_url(database, &format!("{STORES}; {CASCADE}"), &url).await;
    let later = "INSERT INTO orders VALUES (3, 7, 'open', NULL)";
    shop.check(&format!("BEGIN; DELETE FROM stores WHERE id = 6; {later}; COMMIT"), &ALL).await;
}

#[tokio::test]
async fn a_cascade_in_one_table_is_noticed() {
    let shop = Shop::open(&format!("{PARENT}; UPDATE orders SET parent_id = 1 WHERE id = 2")).await;
    shop.check("UPDATE orders SET state = 'paid' WHERE id = 1", &["store 6", "order 1"]).await;
    shop.check("DELETE FROM orders WHERE id = 1", &ALL).await;
}

#[tokio::test]
async fn a_new_key_is_known_before_the_next_change() {
    let shop = Shop::open("").await;
    shop.check(PARENT, &ALL).await;
    shop.check("UPDATE orders SET parent_id = 1 WHERE id = 2", &["store 7", "order 2"]).await;
    shop.check("DELETE FROM orders WHERE id = 1", &ALL).await;
}

/// The follower reads a log of a time when a key was there that is gone now.
#[tokio::test]
async fn a_cascade_of_a_key_that_is_gone_is_noticed() {
    let server: &'static SqlServer = Box::leak(Box::new(SqlServer::with_log_of_old().await));
    let chain = "CREATE TABLE regions (id INT PRIMARY KEY); INSERT INTO regions VALUES (1); \
        CREATE TABLE stores (id INT PRIMARY KEY, region_id INT, \
            CONSTRAINT of_region FOREIGN KEY (region_id) REFERENCES regions (id) ON DELETE CASCADE); \
        INSERT INTO stores VALUES (6, 1), (7, 1)";
    let Shop { database, following } = Shop::on(Database::on(server).await, &format!("{chain}; {CASCADE}")).await;
    following.task.abort();
    let change = "DELETE FROM regions; ALTER TABLE stores DROP FOREIGN KEY of_region";
    database.execute(change).await;
    let following = following.again(&database).await;
    Shop { database, following }.expect(change, &ALL).await;
}
