//! Measures an invalidation of 100 entries by tag, and the drops that look at every key.
//! The keyspace has 10,000 or 1,000,000 entries.
//! The other entries have no tags: indexes of further tags would be keys that the peer scans too.

use mrc_tests::Redis;
use serde_json::{Value, json};

use super::{Plan, progress};
use crate::Res;
use crate::args::{Runtime, Way};
use crate::data::STORE;
use crate::peer::{Peer, Urls};
use crate::results::{Invalidations, Series};

const KEYS: [u32; 2] = [10_000, 1_000_000];
/// The number of entries of a store.
const PAGES: u32 = 100;
const STORES_AT_ONCE: u32 = 1_000;
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
        let url = redis.url();
        let urls = Urls { redis: &url, mysql: "" };
        let (mut mrc, mut npm) = (Peer::rust(Way::Bytes, Runtime::Multi, urls)?, Peer::npm(urls)?);
        // Both connect and load their scripts.
        mrc.work(&json!({ "op": "invalidate", "calls": 1 })).await?;
        mrc.work(&json!({ "op": "drop", "name": "StoreId", "value": STORE, "warm": true })).await?;
        npm.work(&json!({ "op": "drop", "name": "StoreId", "value": STORE, "warm": true })).await?;
        let stores = keys / PAGES;
        for first in (1..=stores).step_by(STORES_AT_ONCE as usize) {
            fill(&redis, first, stores.min(first + STORES_AT_ONCE - 1)).await?;
        }
        let series = ["npm", "mrc-scan", "mrc"].map(|name| Series { name: name.into(), rounds: Vec::new() }).into();
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
                fill(&self.redis, STORE, STORE).await?;
            }
            series.rounds.push(peer.calls(&request, [PAGES.into(); 2]).await?);
        }
        Ok(())
    }
}

fn drop_of(value: &Value) -> Value {
    json!({ "op": "drop", "name": "StoreId", "value": value })
}

async fn fill(redis: &Redis, first: u32, last: u32) -> Res<()> {
    let [first, last, pages] = [first, last, PAGES].map(|number| number.to_string());
    let answer = redis.cli(&["EVAL", FILL, "0", &first, &last, &pages]).await;
    if answer == "OK" { Ok(()) } else { Err(format!("the entries could not be filled in: {answer}").into()) }
}
