//! Measures hits and misses by both Redis clients, beside each bare client.

use mrc::params;
use mrc_tests::Redis;
use serde_json::{Value, json};

use super::{Plan, progress, turns};
use crate::Res;
use crate::args::{Runtime, Way};
use crate::data::{STORE, TTL, Urls, query};
use crate::peer::Peer;
use crate::results::OfClients;

const CALLERS: u32 = 64;

pub(super) async fn run(plan: Plan, mysql: &str) -> Res<Vec<OfClients>> {
    let redis = Redis::start().await;
    let urls = &Urls::new(&redis, mysql);
    let client = urls.client()?;
    let mut all = Vec::new();
    for rows in [1, 100, 10_000] {
        // All contenders read one entry, which mrc fills.
        let text = query(rows);
        let answer = client.query_with_cache(&*text, params! { "StoreId" => STORE }, TTL).await?;
        let bytes = answer.as_bytes().len();
        let hit = json!({ "op": "hit", "query": text, "callers": CALLERS });
        let ways = [("bare", [Way::Fred, Way::Redis]), ("store", [Way::Store; 2]), ("mrc", [Way::Bytes; 2])];
        let peers = peers(urls, &ways)?;
        all.push(measure(plan, &redis, format!("a hit of {bytes} B"), hit, peers).await?);
    }
    for (tagged, what) in [(false, "a miss of a function"), (true, "a miss of a function with 3 tags")] {
        let miss = json!({ "op": "function", "miss": true, "tagged": tagged, "callers": CALLERS });
        let peers = peers(urls, &[("mrc", [Way::Function; 2])])?;
        all.push(measure(plan, &redis, what.into(), miss, peers).await?);
    }
    Ok(all)
}

/// Starts contenders by both clients, on both runtimes, in these ways.
fn peers(urls: &Urls, ways: &[(&str, [Way; 2])]) -> Res<Vec<(String, Peer)>> {
    let mut peers = Vec::new();
    for runtime in [Runtime::Multi, Runtime::Current] {
        for (at, client) in ["fred", "redis-rs"].into_iter().enumerate() {
            for (what, way) in ways {
                let name = format!("{what} {client} {runtime:?}").to_lowercase();
                peers.push((name, Peer::by_client(way[at], runtime, urls, client)?));
            }
        }
    }
    Ok(peers)
}

async fn measure(
    plan: Plan,
    redis: &Redis,
    what: String,
    request: Value,
    peers: Vec<(String, Peer)>,
) -> Res<OfClients> {
    progress(&what);
    let work = async |peer: &mut Peer, calls: u64| {
        if request["miss"] == true {
            // The other contenders have stored the same entries, and indexes of tags grow.
            redis.cli(&["FLUSHALL"]).await;
        }
        let mut request = request.clone();
        request["calls"] = calls.into();
        peer.work(&request).await
    };
    Ok(OfClients { what, series: turns(plan, CALLERS, u64::from(CALLERS) * 4, peers, work).await? })
}
