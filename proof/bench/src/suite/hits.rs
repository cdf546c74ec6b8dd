//! Measures a hit: bytes and rows, one caller and many, both runtimes, beside peers and drivers.

use mrc::params;
use mrc_tests::Redis;

use super::{Plan, progress, turns};
use crate::Res;
use crate::args::{Runtime, Way};
use crate::data::{STORE, TTL, Urls, query};
use crate::peer::Peer;
use crate::results::Hits;

const ROWS: [u32; 3] = [1, 100, 10_000];
const CALLERS: [u32; 2] = [64, 1];

pub(super) async fn run(plan: Plan, mysql: &str) -> Res<Vec<Hits>> {
    let redis = Redis::start().await;
    let urls = Urls::new(&redis, mysql);
    let (client, mut peers) = (urls.client()?, contenders(&urls)?);
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

fn contenders(urls: &Urls) -> Res<Vec<Peer>> {
    let mut peers = vec![Peer::npm(urls)?, Peer::pypi(urls)?];
    for runtime in [Runtime::Multi, Runtime::Current] {
        for way in [Way::Fred, Way::Store, Way::Bytes, Way::Full, Way::Typed, Way::Borrowed] {
            peers.push(Peer::rust(way, runtime, urls)?);
        }
    }
    Ok(peers)
}

async fn entry(plan: Plan, peers: &mut [Peer], rows: u32, bytes: u64, callers: u32) -> Res<Hits> {
    let (query, expected) = (query(rows), [rows.into(), bytes]);
    let few = if rows > 1_000 { 1 } else { 2_000 }.max(callers.into());
    let peers = peers.iter_mut().map(|peer| (peer.name().to_owned(), peer));
    let work = async |peer: &mut &mut Peer, calls| peer.hits(&query, callers, calls, expected).await;
    Ok(Hits { rows, bytes, callers, series: turns(plan, callers, few, peers, work).await? })
}
