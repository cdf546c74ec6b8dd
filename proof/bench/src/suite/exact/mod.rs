//! Measures the invalidation by rows: staleness beside other ways, and what it costs.

mod calls;
mod stores;
mod texts;

use mrc::config::RedisConfig;
use mrc::store::{CacheStore, RedisStore};
use mrc_core::depends::{SchemeName, TableName};
use mrc_tests::{Database, Machine, Redis};
use serde_json::json;

use super::follow::{self, Child};
use super::{Plan, memory, progress};
use crate::Res;
use crate::args::{By, Runtime, Way};
use crate::data::{self, TABLE, Urls};
use crate::peer::Peer;
use crate::results::{Backlog, Exact, Stale};

/// The reads and the row changes in a second.
const RATES: [u32; 2] = [1_000, 50];
/// Each way: its name, the TTL in ms, and its follower.
const WAYS: [(&str, u64, Option<By>); 4] = [
    ("ttl-10", 10_000, None),
    ("ttl-1", 1_000, None),
    ("tables", 600_000, Some(By::Tables)),
    ("rows", 600_000, Some(By::Schemes)),
];

/// The schemes of the table whose backlog is replayed.
const SCHEMES: usize = 20;
/// The columns of the schemes, each alone and in pairs, with the class of their constants.
const COLUMNS: [&str; 6] = ["customer:text", "id:int", "items:int", "paid:int", "state:text", "store_id:int"];

pub(super) async fn run(plan: Plan, quick: bool) -> Res<Exact> {
    let Machine { database: server, load, .. } = Machine::look();
    let plan = Plan { rounds: plan.rounds.min(5), ..plan };
    let stale = stale(quick).await?;
    let texts = texts::run(plan);
    let (redis, database) = (Redis::start().await, Database::logged().await);
    progress("exact: filling the table");
    database.execute(&data::schema()).await;
    let (calls, commands) = calls::run(plan, &redis, &database.url()).await?;
    let (schemes, backlog) = backlog(&redis, &database, quick).await?;
    let memory = memory::of_rows(&redis).await?;
    let stores = stores::run(plan, quick).await?;
    Ok(Exact { database: server, load, stale, texts, calls, commands, schemes, backlog, memory, stores })
}

/// Measures a shop under steady reads and row changes, with entries kept right in several ways.
async fn stale(quick: bool) -> Res<Vec<Stale>> {
    let (redis, database) = (Redis::start().await, Database::logged().await);
    database.execute(&data::shop_schema()).await;
    let [warm_up, seconds] = if quick { [1, 3] } else { [5, 20] };
    let [rate, changes] = RATES;
    let mut all = Vec::new();
    for (name, ttl_ms, by) in WAYS {
        progress(&format!("exact: a shop, by {name}"));
        redis.cli(&["FLUSHALL"]).await;
        database.execute(&format!("UPDATE {TABLE} SET version = 0")).await;
        let mut follower = by.map(|by| Child::start(&redis, &database, "", by)).transpose()?;
        if let Some(follower) = &mut follower {
            follower.until(0).await?;
        }
        let mut readers = Peer::rust(Way::Bytes, Runtime::Multi, &Urls::new(&redis, database.url()))?;
        let by_rows = follower.as_ref().filter(|_| by == Some(By::Schemes));
        let load = json!({ "op": "shop", "name": name, "rate": rate, "changes": changes, "warm_up": warm_up,
            "seconds": seconds, "ttl_ms": ttl_ms, "by_tables": by == Some(By::Tables),
            "follower": by_rows.map_or("", Child::name) });
        all.push(readers.ask(&load).await?);
    }
    Ok(all)
}

/// Replays the backlog of a table with 20 registered schemes. Returns their number too.
async fn backlog(redis: &Redis, database: &Database, quick: bool) -> Res<(u64, Backlog)> {
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
