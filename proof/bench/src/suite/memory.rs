//! Measures the memory in Redis of tags, and of the invalidation by rows.

use futures_util::{StreamExt, TryStreamExt, stream};
use mrc::config::RedisConfig;
use mrc::store::{CacheStore, RedisStore};
use mrc::{MrcServer, Select};
use mrc_core::depends::SchemeName;
use mrc_tests::Redis;

use super::progress;
use crate::Res;
use crate::data::{TAGS, fill, page_key};
use crate::results::Memory;

/// The numbers of entries per tag that are measured.
const ENTRIES: [u32; 3] = [1, 100, 10_000];
/// Makes keys so long that Redis doesn't pack small indexes of them.
const FURTHER: &str = "_and_a_few_letters_more";
/// The entries with tags of rows.
const ROW_ENTRIES: u32 = 10_000;
const ENTRIES_A_STORE: u32 = 10;
const TABLES: u32 = 100;
const SCHEMES_A_TABLE: u32 = 50;
const ROWS: [u32; 2] = [10_000, 100_000];
const AT_ONCE: usize = 64;
/// As the follower invalidates them.
const TAGS_AT_ONCE: u32 = 256;
const VALUE: &[u8] = &[b'7'; 140];

/// Lists every index with its number of entries and its size.
const INDEXES: &str = "local out = {}
for _, key in ipairs(redis.call('KEYS', 'mrc:t:*')) do
    out[#out + 1] = redis.call('ZCARD', key) .. ' ' .. redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '0')
end
return out";

const USED: &str = "local bytes = 0
for _, key in ipairs(redis.call('KEYS', '*')) do bytes = bytes + redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '0') end
return bytes";

pub(super) async fn run() -> Res<Vec<Memory>> {
    progress("memory of tags");
    let redis = Redis::start().await;
    let store = RedisStore::new(RedisConfig::from_url(&redis.url())?)?;
    let mut all = Vec::new();
    for (tags, value, beside) in [
        (&TAGS[..0], "a value of 140 B, without tags", None),
        (&TAGS[..1], "a value of 140 B, with tags", Some("its tag, beside it")),
        (&TAGS[..3], "a value of 140 B, with tags", Some("its 3 tags, beside it")),
    ] {
        redis.cli(&["FLUSHALL"]).await;
        let key = page_key(1)?;
        fill(&store, &key, VALUE, tags).await?;
        all.push(of(value, 1_u64, usage(&redis, &key).await?));
        if let Some(beside) = beside {
            all.push(of(beside, 1_u64, usage(&redis, &format!("mrc:g:{{{key}}}")).await?));
        }
    }
    for further in ["", FURTHER] {
        all.append(&mut indexes(&redis, &store, further).await?);
    }
    Ok(all)
}

/// Returns the indexes of tags, by the number of their entries.
async fn indexes(redis: &Redis, store: &RedisStore, further: &str) -> Res<Vec<Memory>> {
    redis.cli(&["FLUSHALL"]).await;
    let mut length = 0;
    for page in 1..=ENTRIES.into_iter().max().unwrap_or_default() {
        let tags: Vec<String> = ENTRIES.iter().filter(|most| page <= **most).map(|most| format!("of {most}")).collect();
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        let key = page_key(page)? + further;
        length = key.len();
        fill(store, &key, VALUE, &tags).await?;
    }
    let what = format!("the index of a tag, keys of {length} B");
    let mut indexes = Vec::new();
    for line in redis.cli(&["EVAL", INDEXES, "0"]).await.lines() {
        let (entries, bytes) = line.split_once(' ').ok_or_else(|| format!("no index: {line}"))?;
        indexes.push(of(&what, entries.parse::<u64>()?, bytes.parse()?));
    }
    indexes.sort_by_key(|index| index.entries);
    Ok(indexes)
}

pub(super) async fn of_rows(redis: &Redis) -> Res<Vec<Memory>> {
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
        let fills = stream::iter(0..ROW_ENTRIES).map(|at| entry(&store, at, followed));
        fills.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        all.push(of(what, ROW_ENTRIES, used(redis).await?));
    }
    empty(redis, &store).await?;
    for table in 0..TABLES {
        let name = |at| SchemeName::new(format!("t:shop.table_{table:03}?column_{at:03}:int"));
        registry.register(&(0..SCHEMES_A_TABLE).map(name).collect::<Vec<_>>()).await?;
    }
    all.push(of("registered schemes of 34 B", TABLES * SCHEMES_A_TABLE, used(redis).await?));
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

fn of(what: &str, entries: impl Into<u64>, bytes: u64) -> Memory {
    Memory { what: what.to_owned(), entries: entries.into(), bytes }
}

async fn usage(redis: &Redis, key: &str) -> Res<u64> {
    let bytes = redis.cli(&["MEMORY", "USAGE", key, "SAMPLES", "0"]).await;
    bytes.parse().map_err(|_| format!("{key} has no size: {bytes}").into())
}
