//! Redis's memory for entries with tags of rows, for schemes, and for changed rows without entries.

use futures_util::{StreamExt, TryStreamExt, stream};
use mrc::config::RedisConfig;
use mrc::store::{CacheStore, RedisStore};
use mrc::{MrcServer, Select};
use mrc_core::depends::SchemeName;
use mrc_tests::Redis;

use crate::Res;
use crate::data::{fill, page_key};
use crate::results::Memory;
use crate::suite::progress;

const ENTRIES: u32 = 10_000;
const ENTRIES_A_STORE: u32 = 10;
const TABLES: u32 = 100;
const SCHEMES_A_TABLE: u32 = 50;
const ROWS: [u32; 2] = [10_000, 100_000];
const AT_ONCE: usize = 64;
/// As the follower invalidates them.
const TAGS_AT_ONCE: u32 = 256;
const VALUE: &[u8] = &[b'7'; 140];

const USED: &str = "local bytes = 0
for _, key in ipairs(redis.call('KEYS', '*')) do bytes = bytes + redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '0') end
return bytes";

pub(super) async fn run(redis: &Redis) -> Res<Vec<Memory>> {
    progress("exact: memory in Redis");
    let store = RedisStore::new(RedisConfig::from_url(&redis.url())?)?;
    let registry = store.as_schemes().ok_or("the store has no registry")?;
    let scheme = SchemeName::new("t:shop.orders?store_id:int");
    let mut all = Vec::new();
    for (what, followed) in
        [("entries of 140 B, without tags", false), ("the same with the 3 tags of an occurrence", true)]
    {
        empty(redis, &store).await?;
        registry.register(std::slice::from_ref(&scheme)).await?;
        let fills = stream::iter(0..ENTRIES).map(|at| entry(&store, at, followed));
        fills.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        all.push(of(what, ENTRIES, used(redis).await?));
    }
    empty(redis, &store).await?;
    for table in 0..TABLES {
        let name = |at| SchemeName::new(format!("t:shop.table_{table:03}?column_{at:03}:int"));
        registry.register(&(0..SCHEMES_A_TABLE).map(name).collect::<Vec<_>>()).await?;
    }
    let what = "registered schemes of 34 B";
    all.push(of(what, TABLES * SCHEMES_A_TABLE, used(redis).await?));
    let server = MrcServer::new(&redis.url())?;
    for rows in ROWS {
        empty(redis, &store).await?;
        for first in (0..rows).step_by(TAGS_AT_ONCE as usize) {
            let tags = (first..rows.min(first + TAGS_AT_ONCE)).map(|id| format!("t:shop.orders?id={id}"));
            server.invalidate(Select::any(tags)).await?;
        }
        all.push(of("changed rows whose tag no entry has", rows, used(redis).await?));
    }
    Ok(all)
}

async fn entry(store: &RedisStore, at: u32, followed: bool) -> Res<()> {
    let row = format!("t:shop.orders?store_id={}", at / ENTRIES_A_STORE);
    let tags = ["t:shop.orders", "t:shop.orders?store_id:int", &row];
    fill(store, &page_key(at)?, VALUE, if followed { &tags } else { &[] }).await
}

/// Empties the server, but for its clock: without it an invalidation leaves nothing behind.
async fn empty(redis: &Redis, store: &RedisStore) -> Res<()> {
    redis.cli(&["FLUSHALL"]).await;
    store.now().await?;
    Ok(())
}

/// Returns the memory of all keys, in bytes.
async fn used(redis: &Redis) -> Res<u64> {
    let bytes = redis.cli(&["EVAL", USED, "0"]).await;
    bytes.parse().map_err(|_| format!("the keys have no size: {bytes}").into())
}

fn of(what: &str, entries: u32, bytes: u64) -> Memory {
    Memory { what: what.to_owned(), entries: entries.into(), bytes }
}
