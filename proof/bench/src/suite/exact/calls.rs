//! Hits and misses with tags of rows, and without.

use mrc::params;
use mrc_tests::{Proxy, Redis};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Res;
use crate::args::{Runtime, Way};
use crate::data::{BY_ID, STORE, TTL, Urls, query};
use crate::peer::Peer;
use crate::results::{Series, Work};
use crate::suite::{Plan, names, progress, turns};

const CALLERS: u32 = 64;
const WAYS: [(Way, &str); 2] = [(Way::Bytes, ""), (Way::Followed, "-followed")];
const MISSES: u32 = 300;

#[derive(Deserialize)]
struct Missed {
    latencies: Vec<f64>,
    cpu: f64,
}

/// Returns the costs of calls, and the commands to Redis for a miss.
pub(super) async fn run(plan: Plan, redis: &Redis, mysql: &str) -> Res<(Vec<Series>, [Vec<String>; 2])> {
    progress("exact: hits and misses");
    let mut all = hits(plan, redis, mysql).await?;
    all.append(&mut misses(plan, redis, mysql).await?);
    Ok((all, [commands(redis, mysql, Way::Bytes).await?, commands(redis, mysql, Way::Followed).await?]))
}

async fn hits(plan: Plan, redis: &Redis, mysql: &str) -> Res<Vec<Series>> {
    let (urls, text) = (Urls::new(redis, mysql), query(1));
    urls.client()?.query_with_cache(text.as_str(), params! { "StoreId" => STORE }, TTL).await?;
    let mut peers = Vec::new();
    for (way, suffix) in WAYS {
        peers.push((format!("hit{suffix}"), Peer::rust(way, Runtime::Current, &urls)?));
    }
    let work = async |peer: &mut Peer, calls: u64| {
        peer.work(&json!({ "op": "hit", "query": text, "callers": CALLERS, "calls": calls })).await
    };
    turns(plan, CALLERS, 5_000, peers, work).await
}

async fn misses(plan: Plan, redis: &Redis, mysql: &str) -> Res<Vec<Series>> {
    let mut peers = Vec::new();
    for (way, suffix) in WAYS {
        let peer = Peer::rust(way, Runtime::Current, &Urls::new(redis, mysql))?;
        peers.push((peer, Series::new(format!("miss{suffix}"))));
    }
    for round in 0..=plan.rounds {
        for (peer, series) in &mut peers {
            redis.cli(&["FLUSHALL"]).await;
            // The registry went too: the first call of a round finds out, and registers again.
            for (from, count) in [(1, 20), (21, MISSES)] {
                let missed: Missed = peer.ask(&miss(from, count)).await?;
                if round > 0 && count == MISSES {
                    let calls = u64::from(count);
                    let wall = missed.latencies.iter().sum();
                    series.rounds.push(Work { calls, wall, cpu: missed.cpu, seen: calls });
                }
            }
        }
    }
    Ok(peers.into_iter().map(|(_, series)| series).collect())
}

/// Returns the commands to Redis for one miss of a known text.
async fn commands(redis: &Redis, mysql: &str, way: Way) -> Res<Vec<String>> {
    let wire = Proxy::to(redis.port()).await;
    let mut peer = Peer::rust(way, Runtime::Current, &Urls::behind(&wire, mysql))?;
    redis.cli(&["FLUSHALL"]).await;
    peer.ask::<Missed>(&miss(1, 5)).await?;
    wire.reset();
    peer.ask::<Missed>(&miss(6, 1)).await?;
    Ok(names(&wire))
}

fn miss(from: u32, calls: u32) -> Value {
    json!({ "op": "miss", "query": BY_ID, "from": from, "calls": calls, "tagged": false })
}
