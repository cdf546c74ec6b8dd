//! A shop under steady reads and row changes, with entries kept right in several ways.

use mrc_tests::{Database, Redis};
use serde_json::json;

use crate::Res;
use crate::args::{By, Runtime, Way};
use crate::data::shop;
use crate::peer::{Peer, Urls};
use crate::results::Stale;
use crate::suite::follow::Child;
use crate::suite::progress;

/// The reads and the row changes in a second.
const RATES: [u32; 2] = [1_000, 50];
/// Each way: its name, the TTL in ms, and its follower.
const WAYS: [(&str, u64, Option<By>); 4] = [
    ("ttl-10", 10_000, None),
    ("ttl-1", 1_000, None),
    ("tables", 600_000, Some(By::Tables)),
    ("rows", 600_000, Some(By::Schemes)),
];

pub(super) async fn run(quick: bool) -> Res<Vec<Stale>> {
    let (redis, database) = (Redis::start().await, Database::logged().await);
    database.execute(&shop::schema()).await;
    let [warm_up, seconds] = if quick { [1, 3] } else { [5, 20] };
    let [rate, changes] = RATES;
    let mut all = Vec::new();
    for (name, ttl_ms, by) in WAYS {
        progress(&format!("exact: a shop, by {name}"));
        redis.cli(&["FLUSHALL"]).await;
        database.execute(&format!("UPDATE {} SET version = 0", shop::TABLE)).await;
        let mut follower = by.map(|by| Child::start(&redis, &database, "", by)).transpose()?;
        if let Some(follower) = &mut follower {
            follower.until(0).await?;
        }
        let urls = Urls { redis: &redis.url(), mysql: &database.url() };
        let mut readers = Peer::rust(Way::Bytes, Runtime::Multi, urls)?;
        let by_rows = follower.as_ref().filter(|_| by == Some(By::Schemes));
        let load = json!({ "op": "shop", "name": name, "rate": rate, "changes": changes, "warm_up": warm_up,
            "seconds": seconds, "ttl_ms": ttl_ms, "by_tables": by == Some(By::Tables),
            "follower": by_rows.map_or("", Child::name) });
        all.push(readers.ask(&load).await?);
    }
    Ok(all)
}
