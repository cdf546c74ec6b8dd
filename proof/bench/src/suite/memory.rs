//! Measures the memory of tags in Redis.

use mrc::config::RedisConfig;
use mrc::store::RedisStore;
use mrc_tests::Redis;

use super::progress;
use crate::Res;
use crate::data::{TAGS, fill, page_key};
use crate::results::Memory;

/// The numbers of entries per tag that are measured.
const ENTRIES: [u32; 3] = [1, 100, 10_000];
/// Makes keys so long that Redis doesn't pack small indexes of them.
const FURTHER: &str = "_and_a_few_letters_more";
const VALUE: &[u8] = &[b'7'; 140];

/// Lists every index with its number of entries and its size.
const INDEXES: &str = "local out = {}
for _, key in ipairs(redis.call('KEYS', 'mrc:t:*')) do
    out[#out + 1] = redis.call('ZCARD', key) .. ' ' .. redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '0')
end
return out";

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
        all.push(of(value, 1, usage(&redis, &key).await?));
        if let Some(beside) = beside {
            all.push(of(beside, 1, usage(&redis, &format!("mrc:g:{{{key}}}")).await?));
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
        indexes.push(of(&what, entries.parse()?, bytes.parse()?));
    }
    indexes.sort_by_key(|index| index.entries);
    Ok(indexes)
}

fn of(what: &str, entries: u64, bytes: u64) -> Memory {
    Memory { what: what.to_owned(), entries, bytes }
}

async fn usage(redis: &Redis, key: &str) -> Res<u64> {
    let bytes = redis.cli(&["MEMORY", "USAGE", key, "SAMPLES", "0"]).await;
    bytes.parse().map_err(|_| format!("{key} has no size: {bytes}").into())
}
