//! Transactions in two phases.

use mrc_tests::unique;
use mysql_async::prelude::Queryable;

use super::{ALL, Shop, own_server};

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
