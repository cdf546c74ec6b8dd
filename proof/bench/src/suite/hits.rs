//! Measures a hit: bytes and rows, one caller and many, both runtimes, beside peers and drivers.

use mrc::{MrcClient, params};
use mrc_tests::Redis;

use super::{Plan, calls_for, progress};
use crate::Res;
use crate::args::{Runtime, Way};
use crate::data::{STORE, TTL, query};
use crate::peer::{Peer, Urls};
use crate::results::{Hits, Series};

const ROWS: [u32; 3] = [1, 100, 10_000];
const CALLERS: [u32; 2] = [64, 1];

pub(super) async fn run(plan: Plan, mysql: &str) -> Res<Vec<Hits>> {
    let redis = Redis::start().await;
    let url = redis.url();
    let client = MrcClient::builder().mysql(mysql).redis(&url).build()?;
    let mut peers = contenders(Urls { redis: &url, mysql })?;
    let mut all = Vec::new();
    for rows in ROWS {
        // All contenders read one entry, which mrc fills.
        let answer = client.query_with_cache(query(rows), params! { "StoreId" => STORE }, TTL).await?;
        let bytes = answer.as_bytes().len() as u64;
        for callers in CALLERS {
            progress(&format!("hits: {rows} rows, {callers} callers"));
            all.push(entry(plan, &mut peers, rows, bytes, callers).await?);
        }
    }
    Ok(all)
}

fn contenders(urls: Urls<'_>) -> Res<Vec<Peer>> {
    let mut peers = vec![Peer::npm(urls)?, Peer::pypi(urls)?];
    for runtime in [Runtime::Multi, Runtime::Current] {
        for way in [Way::Fred, Way::Store, Way::Bytes, Way::Full, Way::Typed, Way::Borrowed] {
            peers.push(Peer::rust(way, runtime, urls)?);
        }
    }
    Ok(peers)
}

async fn entry(plan: Plan, peers: &mut [Peer], rows: u32, bytes: u64, callers: u32) -> Res<Hits> {
    let query = query(rows);
    let expected = [rows.into(), bytes];
    // Runs twice: the first time connects and lets V8 compile the hot code.
    let few = if rows > 1_000 { 1 } else { 2_000 };
    let mut calls = Vec::new();
    for peer in &mut *peers {
        peer.hits(&query, callers, few.max(callers.into()), expected).await?;
        let warm_up = peer.hits(&query, callers, few.max(callers.into()), expected).await?;
        calls.push(calls_for(plan.seconds, &warm_up, callers));
    }
    let mut series: Vec<Series> =
        peers.iter().map(|peer| Series { name: peer.name().into(), rounds: Vec::new() }).collect();
    for _ in 0..plan.rounds {
        for ((peer, calls), series) in peers.iter_mut().zip(&calls).zip(&mut series) {
            series.rounds.push(peer.hits(&query, callers, *calls, expected).await?);
        }
    }
    Ok(Hits { rows, bytes, callers, series })
}
