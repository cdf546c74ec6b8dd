//! Transactions in two phases.

use mrc_tests::unique;
use mysql_async::prelude::Queryable;

use super::{ALL, Shop};

fn begin(name: &str) -> String {
    format!("XA START '{name}'; UPDATE orders SET state = 'paid' WHERE id = 1; XA END '{name}'")
}

#[tokio::test]
async fn a_commit_in_one_phase_is_a_commit() {
    let (shop, name) = (Shop::open("").await, unique("xa"));
    shop.check(&format!("{}; XA COMMIT '{name}' ONE PHASE", begin(&name)), &["store 6", "order 1"]).await;
}

#[tokio::test]
async fn a_prepared_transaction_counts_when_it_commits() {
    let (shop, name) = (Shop::open("").await, unique("xa"));
    let mut conn = shop.database.admin().await;
    conn.query_drop(format!("{}; XA PREPARE '{name}'", begin(&name))).await.unwrap();
    shop.expect("XA PREPARE", &[]).await;
    conn.query_drop(format!("XA COMMIT '{name}'")).await.unwrap();
    shop.expect("XA COMMIT", &["store 6", "order 1"]).await;
}

#[tokio::test]
async fn a_prepared_transaction_that_is_rolled_back_never_happened() {
    let (shop, name) = (Shop::open("").await, unique("xa"));
    shop.check(&format!("{}; XA PREPARE '{name}'; XA ROLLBACK '{name}'", begin(&name)), &[]).await;
}

#[tokio::test]
async fn a_commit_whose_rows_an_earlier_follower_read_invalidates_everything() {
    let (mut shop, name) = (Shop::open("").await, unique("xa"));
    let mut conn = shop.database.admin().await;
    conn.query_drop(format!("{}; XA PREPARE '{name}'", begin(&name))).await.unwrap();
    shop.expect("XA PREPARE", &[]).await;
    shop.following = shop.following.again(&shop.database).await;
    conn.query_drop(format!("XA COMMIT '{name}'")).await.unwrap();
    shop.expect("XA COMMIT after a restart", &ALL).await;
}
