//! Measures a miss: the commands to Redis, and the latency.

use mrc_tests::{Proxy, Redis};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Plan, names, progress};
use crate::Res;
use crate::args::{Runtime, Way};
use crate::data::{BY_ID, Urls};
use crate::peer::Peer;
use crate::results::{Miss, median};

const WARM_UP: u32 = 300;
const CONTENDERS: [&str; 4] = ["mrc", "mrc-tagged", "npm", "bare"];

#[derive(Deserialize)]
struct Answer {
    latencies: Vec<f64>,
}

pub(super) async fn run(plan: Plan, mysql: &str) -> Res<Vec<Miss>> {
    progress("misses");
    let redis = Redis::start().await;
    let names = CONTENDERS;
    let commands = commands(&redis, mysql).await?;
    let mut peers = contenders(&Urls::new(&redis, mysql))?;
    let mut latencies = names.map(|_| Vec::new());
    let calls = (plan.seconds * 1_200.0) as u32;
    for round in 0..=plan.rounds {
        for ((peer, name), latencies) in peers.iter_mut().zip(names).zip(&mut latencies) {
            // The other contenders have stored the same entries.
            redis.cli(&["FLUSHALL"]).await;
            let from = 1 + WARM_UP * u32::from(round > 0);
            let calls = if round > 0 { calls } else { WARM_UP };
            let answer: Answer = peer.ask(&request(name, from, calls)).await?;
            // The first round warms up.
            if round > 0 {
                latencies.push(median(answer.latencies));
            }
        }
    }
    let all = names.into_iter().zip(commands).zip(latencies);
    Ok(all.map(|((name, commands), latencies)| Miss { name: name.into(), commands, latencies }).collect())
}

fn contenders(urls: &Urls) -> Res<[Peer; 4]> {
    let rust = |way| Peer::rust(way, Runtime::Multi, urls);
    Ok([rust(Way::Bytes)?, rust(Way::Bytes)?, Peer::npm(urls)?, rust(Way::Fred)?])
}

fn request(name: &str, from: u32, calls: u32) -> Value {
    json!({ "op": "miss", "query": BY_ID, "from": from, "calls": calls, "tagged": name == "mrc-tagged" })
}

/// Returns each contender's commands to Redis for one miss, after connecting and loading scripts.
async fn commands(redis: &Redis, mysql: &str) -> Res<Vec<Vec<String>>> {
    let wire = Proxy::to(redis.port()).await;
    let mut all = Vec::new();
    for (mut peer, name) in contenders(&Urls::behind(&wire, mysql))?.into_iter().zip(CONTENDERS) {
        redis.cli(&["FLUSHALL"]).await;
        let _: Answer = peer.ask(&request(name, 1, 1)).await?;
        wire.reset();
        let _: Answer = peer.ask(&request(name, 2, 1)).await?;
        all.push(names(&wire));
    }
    Ok(all)
}
