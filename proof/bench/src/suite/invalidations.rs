//! Measures an invalidation of 100 entries by tag, and the drops that look at every key.
//! The other entries have no tags: indexes of further tags would be keys that the peer scans too.

use mrc_tests::Redis;
use serde_json::{Value, json};

use super::{PAGES, Plan, fill, fill_stores, progress};
use crate::Res;
use crate::args::{Runtime, Way};
use crate::data::{STORE, Urls};
use crate::peer::Peer;
use crate::results::{Invalidations, Series};

const KEYS: [u32; 2] = [10_000, 1_000_000];
/// Invalidations in a round where one is short.
const INVALIDATIONS: u64 = 20;

/// Fills stores from the first to the last, with keys as both peers write them.
const FILL: &str = "local text = redis.sha1hex('orders')
for store = ARGV[1], ARGV[2] do
    for page = 1, ARGV[3] do
        redis.call('SET', 'StoreId=' .. store .. '_Page=' .. page .. '_' .. text, '[{\"id\":1}]', 'EX', 7200)
    end
end
return redis.status_reply('OK')";

/// The drops by name. `npm-by-hand` is the peer's, with the segment's end written by hand.
const DROPS: [(&str, &str); 4] = [("mrc", "mrc"), ("mrc-substring", "mrc"), ("npm", "npm"), ("npm-by-hand", "npm")];

/// One size of the keyspace, with its contenders.
struct Field {
    redis: Redis,
    mrc: Peer,
    npm: Peer,
    of_size: Invalidations,
}

pub(super) async fn run(plan: Plan) -> Res<Vec<Invalidations>> {
    let mut fields = Vec::new();
    for keys in KEYS {
        progress(&format!("invalidations: filling {keys} entries in"));
        fields.push(Field::new(keys).await?);
    }
    // The sizes take turns: a disturbance in a round slows down both.
    for round in 0..plan.rounds.min(5) {
        for field in &mut fields {
            progress(&format!("invalidations among {}, round {}", field.of_size.keys, round + 1));
            field.round().await?;
        }
    }
    Ok(fields.into_iter().map(|field| field.of_size).collect())
}

impl Field {
    async fn new(keys: u32) -> Res<Self> {
        let redis = Redis::start().await;
        let urls = &Urls::new(&redis, "");
        let (mut mrc, mut npm) = (Peer::rust(Way::Bytes, Runtime::Multi, urls)?, Peer::npm(urls)?);
        // Both connect and load their scripts.
        mrc.work(&json!({ "op": "invalidate", "calls": 1 })).await?;
        mrc.work(&json!({ "op": "drop", "name": "StoreId", "value": STORE, "warm": true })).await?;
        npm.work(&json!({ "op": "drop", "name": "StoreId", "value": STORE, "warm": true })).await?;
        fill_stores(&redis, FILL, 1..=keys / PAGES).await?;
        let series = ["npm", "mrc-scan", "mrc"].map(Series::new).into();
        Ok(Self { redis, mrc, npm, of_size: Invalidations { keys, series } })
    }

    async fn round(&mut self) -> Res<()> {
        for series in &mut self.of_size.series {
            let (peer, request) = match series.name.as_str() {
                // The peer tests for a substring: without the end, other stores match too.
                "npm" => (&mut self.npm, drop_of(&json!(format!("{STORE}_")))),
                "mrc-scan" => (&mut self.mrc, drop_of(&json!(STORE))),
                _ => (&mut self.mrc, json!({ "op": "invalidate", "calls": INVALIDATIONS })),
            };
            if series.name != "mrc" {
                fill_stores(&self.redis, FILL, STORE..=STORE).await?;
            }
            series.rounds.push(peer.calls(&request, [PAGES.into(); 2]).await?);
        }
        Ok(())
    }
}

fn drop_of(value: &Value) -> Value {
    json!({ "op": "drop", "name": "StoreId", "value": value })
}

pub(super) async fn drops(plan: Plan) -> Res<Vec<Series>> {
    let redis = Redis::start().await;
    let urls = &Urls::new(&redis, "");
    let mut mrc = Peer::rust(Way::Bytes, Runtime::Multi, urls)?;
    let mut npm = Peer::npm(urls)?;
    let mut series = DROPS.map(|(name, _)| Series::new(name));
    for round in 0..plan.rounds.min(5) {
        progress(&format!("drops, round {}", round + 1));
        for (series, (name, who)) in series.iter_mut().zip(DROPS) {
            let peer = if who == "mrc" { &mut mrc } else { &mut npm };
            redis.cli(&["FLUSHALL"]).await;
            if round == 0 {
                peer.work(&json!({ "op": "drop", "name": "StoreId", "value": 6, "warm": true })).await?;
            }
            fill_stores(&redis, FILL, 1..=1_000).await?;
            fill(&redis, &["DBSIZE"], "100000").await?;
            // The peer tests for a substring of the key; the text after the value ends it.
            let value = if name == "npm-by-hand" { json!("6_") } else { json!(6) };
            let mut request = drop_of(&value);
            request["substring"] = json!(name == "mrc-substring");
            series.rounds.push(peer.work(&request).await?);
        }
    }
    Ok(series.into())
}
