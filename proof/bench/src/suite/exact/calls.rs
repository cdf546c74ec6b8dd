//! Hits and misses with tags of rows, and without.

use mrc::{MrcClient, params};
use mrc_tests::{Proxy, Redis};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Res;
use crate::args::{Runtime, Way};
use crate::data::{BY_ID, STORE, TTL, query};
use crate::peer::{Peer, Urls};
use crate::results::{Series, Work};
use crate::suite::{Plan, calls_for, op, progress};

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
    let url = redis.url();
    let client = MrcClient::builder().mysql(mysql).redis(&url).build()?;
    let text = query(1);
    client.query_with_cache(text.as_str(), params! { "StoreId" => STORE }, TTL).await?;
    let mut request = op("hit", 0);
    request["query"] = json!(text);
    request["callers"] = json!(CALLERS);
    let mut peers = Vec::new();
    for (way, suffix) in WAYS {
        let mut peer = Peer::rust(way, Runtime::Current, Urls { redis: &url, mysql })?;
        request["calls"] = json!(5_000);
        let warm_up = peer.work(&request).await?;
        let series = Series { name: format!("hit{suffix}"), rounds: Vec::new() };
        peers.push((peer, calls_for(plan.seconds, &warm_up, CALLERS), series));
    }
    for _ in 0..plan.rounds {
        for (peer, calls, series) in &mut peers {
            request["calls"] = json!(*calls);
            series.rounds.push(peer.work(&request).await?);
        }
    }
    Ok(peers.into_iter().map(|(_, _, series)| series).collect())
}

async fn misses(plan: Plan, redis: &Redis, mysql: &str) -> Res<Vec<Series>> {
    let url = redis.url();
    let mut peers = Vec::new();
    for (way, suffix) in WAYS {
        let series = Series { name: format!("miss{suffix}"), rounds: Vec::new() };
        peers.push((Peer::rust(way, Runtime::Current, Urls { redis: &url, mysql })?, series));
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
    let url = format!("redis://127.0.0.1:{}", wire.port());
    let mut peer = Peer::rust(way, Runtime::Current, Urls { redis: &url, mysql })?;
    redis.cli(&["FLUSHALL"]).await;
    peer.ask::<Missed>(&miss(1, 5)).await?;
    wire.reset();
    peer.ask::<Missed>(&miss(6, 1)).await?;
    Ok(wire.commands().into_iter().filter_map(|command| command.into_iter().next()).collect())
}

fn miss(from: u32, calls: u32) -> Value {
    json!({ "op": "miss", "query": BY_ID, "from": from, "calls": calls, "tagged": false })
}
