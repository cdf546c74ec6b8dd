//! Rows to tags and params.

use mrc_tests::Database;

use super::{Following, marks, orders};

const TABLE: &str = "CREATE TABLE orders (id INT PRIMARY KEY, store_id INT, state VARCHAR(20))";

#[tokio::test]
async fn a_commit_invalidates_what_its_rows_name() {
    let database = Database::logged().await;
    database.execute(TABLE).await;
    let following = Following::start(&database, [orders(&database), marks(&database)]).await;
    for (key, tags) in
        [("six", ["orders:6", "orders"]), ("seven", ["orders:7", "orders"]), ("one", ["order:1", "orders"])]
    {
        following.fill(key, &tags).await;
    }
    database.execute("INSERT INTO orders VALUES (1, 6, 'open')").await;
    assert_eq!(following.left(&database, &["six", "seven", "one"]).await, ["seven"]);
    following.stop().await;
}
