//! A follower of a table for which readers registered 20 schemes.

use mrc::config::RedisConfig;
use mrc::store::{CacheStore, RedisStore};
use mrc_core::depends::{SchemeName, TableName};
use mrc_tests::{Database, Redis};

use crate::Res;
use crate::args::By;
use crate::results::Backlog;
use crate::suite::follow;
use crate::suite::progress;

const SCHEMES: usize = 20;
/// The columns of the schemes, each alone and in pairs, with the class of their constants.
const COLUMNS: [&str; 6] = ["customer:text", "id:int", "items:int", "paid:int", "state:text", "store_id:int"];

/// Returns the number of schemes, and the replayed backlog.
pub(super) async fn run(redis: &Redis, database: &Database, quick: bool) -> Res<(u64, Backlog)> {
    progress("exact: a backlog of a table with 20 schemes");
    redis.cli(&["FLUSHALL"]).await;
    let store = RedisStore::new(RedisConfig::from_url(&redis.url())?)?;
    let schemes = schemes(&TableName::new(database.name(), "orders"));
    let registry = store.as_schemes().ok_or("the store has no registry")?;
    if !registry.register(&schemes).await?.is_empty() {
        return Err("a scheme was refused".into());
    }
    let transactions = if quick { 8_000 } else { 80_000 };
    let backlog = follow::backlog(redis, database, transactions, By::Schemes).await?;
    Ok((schemes.len() as u64, backlog))
}

fn schemes(table: &TableName) -> Vec<SchemeName> {
    let table = table.tag();
    let pairs = COLUMNS.iter().enumerate().flat_map(|(at, one)| {
        let others = COLUMNS.iter().skip(at + 1);
        others.map(move |other| format!("{one},{other}"))
    });
    let columns = COLUMNS.iter().map(ToString::to_string).chain(pairs).take(SCHEMES);
    columns.map(|columns| SchemeName::new(format!("{}?{columns}", table.as_str()))).collect()
}
