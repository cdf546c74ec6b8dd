//! Reads many entries at once, without a server: SQLite answers, the memory store caches.
//!
//! `cargo run -p mrc --features memory,sqlite --example many`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::HashMap;
use std::time::Duration;

use mrc::{Error, Many, MemoryStore, MrcClient, SqliteExecutor, params};

const HOUR: Duration = Duration::from_secs(3600);

#[derive(Debug, serde::Deserialize)]
struct User {
    name: String,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let database = SqliteExecutor::in_memory()?;
    let schema = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);
        INSERT INTO users VALUES (1, 'Ann'), (2, 'Ben'), (3, 'Cy'), (4, 'Di');";
    database.execute_batch(schema).await?;

    // In a service: `MrcClient::builder().mysql(url).redis(url).build()?`.
    let client = MrcClient::builder().store(MemoryStore::new()).executor(database).build()?;

    // The query of one id, the column that tells rows apart, the name of the id in the key.
    let single = "SELECT id, name FROM users WHERE id = ?";
    let users = Many::new(single, "id", "UserId").batch("SELECT id, name FROM users WHERE id IN (?)");

    // One statement reads the three ids.
    let found: HashMap<u64, User> = client.many_with_cache(&users, [1, 2, 9], HOUR).await?;
    println!("{} of 3 ids have a row; 2 is {:?}", found.len(), found.get(&2).map(|user| &user.name));

    // Each id has its own entry, so the statement reads only what is missing.
    for (id, answer) in [1, 2, 3, 9].iter().zip(client.query_many_with_cache(&users, [1, 2, 3, 9], HOUR).await?) {
        println!("{id}: {} ({:?})", answer.as_str()?, answer.source());
    }

    // A write drops the entry of its id. The query of one id has the same entry.
    client.execute("UPDATE users SET name = 'Bea' WHERE id = ?", params! { "UserId" => 2 }).await?;
    client.drop_outdated_cache(params! { "UserId" => 2 }).await?;
    // A list keeps the order of the ids, with `None` for an id without a row.
    let names: Vec<Option<User>> = client.many_with_cache(&users, [9, 2, 1], HOUR).await?;
    let names: Vec<_> = names.iter().map(|user| user.as_ref().map(|user| &user.name)).collect();
    println!("9, 2, 1: {names:?}");
    let alone = client.query_with_cache(single, params! { "UserId" => 2 }, HOUR).await?;
    println!("2 alone: {} ({:?})", alone.as_str()?, alone.source());
    Ok(())
}
