//! Runs without a server: SQLite answers, the memory store caches, a write drops only its entries.
//!
//! `cargo run -p mrc --features memory,sqlite --example embedded`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use mrc::{Error, MemoryStore, MrcClient, SqliteExecutor, params};

#[derive(Debug, serde::Deserialize)]
struct Order {
    id: u64,
    total: f64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let database = SqliteExecutor::in_memory()?;
    let schema = "CREATE TABLE orders (id INTEGER PRIMARY KEY, store_id INTEGER, state TEXT, total DECIMAL(10,2));
        INSERT INTO orders VALUES (1, 6, 'open', 10.50), (2, 6, 'paid', 99.90), (3, 66, 'open', 5.00);";
    database.execute_batch(schema).await?;

    // In a service: `MrcClient::builder().mysql(url).redis(url).build()?`.
    let client = MrcClient::builder().store(MemoryStore::new()).executor(database).build()?;

    let sql = "SELECT id, total FROM orders WHERE store_id = ? AND state IN (?)";
    for store_id in [6, 66, 6] {
        let states = params! { "StoreId" => store_id, "States" => ["open", "paid"] };
        let answer = client.query_with_cache(sql, states, 3600).await?;
        let orders: Vec<Order> = answer.rows()?;
        let total: f64 = orders.iter().map(|order| order.total).sum();
        let last = orders.last().map(|order| order.id);
        println!("store {store_id}: {total} in {} orders, the last is {last:?} ({:?})", orders.len(), answer.source());
    }

    // A statement that writes is neither cached nor run.
    let delete = "DELETE FROM orders WHERE store_id = ?";
    let refused = client.query_with_cache(delete, params! { "StoreId" => 6 }, 60).await;
    println!("refused: {}", refused.err().map(|error| error.to_string()).unwrap_or_default());

    // The transaction invalidates after its commit.
    let deleted = client
        .transaction(async |tx| {
            let deleted = tx.execute(delete, params! { "StoreId" => 6 }).await?;
            tx.drop_outdated_cache(params! { "StoreId" => 6 });
            Ok::<_, Error>(deleted.affected_rows)
        })
        .await?;
    println!("{deleted} orders of store 6 went, and with them its entry; store 66 keeps its own");
    for store_id in [6, 66] {
        let states = params! { "StoreId" => store_id, "States" => ["open", "paid"] };
        let answer = client.query_with_cache(sql, states, 3600).await?;
        println!("store {store_id}: {} ({:?})", answer.as_str()?, answer.source());
    }
    Ok(())
}
