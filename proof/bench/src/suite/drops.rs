//! Measures a drop of 100 entries among 100,000: 1,000 stores with 100 entries each.

use mrc_tests::Redis;
use serde_json::{Value, json};

use super::{Plan, progress};
use crate::Res;
use crate::args::{Runtime, Way};
use crate::peer::{Peer, Urls};
use crate::results::Series;

/// Keys as both peers write them.
const FILL: &str = "for store = 1, 1000 do
    for page = 1, 100 do
        redis.call('SET', 'StoreId=' .. store .. '_Page=' .. page .. '_' .. redis.sha1hex('orders'), '[{\"id\":1}]', 'EX', 3600)
    end
end
return redis.call('DBSIZE')";

/// The drops by name. `npm-by-hand` is the peer's, with the segment's end written by hand.
const DROPS: [(&str, &str); 4] = [("mrc", "mrc"), ("mrc-substring", "mrc"), ("npm", "npm"), ("npm-by-hand", "npm")];

pub(super) async fn run(plan: Plan) -> Res<Vec<Series>> {
    let redis = Redis::start().await;
    let url = redis.url();
    let urls = Urls { redis: &url, mysql: "" };
    let mut mrc = Peer::rust(Way::Bytes, Runtime::Multi, urls)?;
    let mut npm = Peer::npm(urls)?;
    let mut series: Vec<Series> =
        DROPS.iter().map(|(name, _)| Series { name: (*name).into(), rounds: Vec::new() }).collect();
    for round in 0..plan.rounds.min(5) {
        progress(&format!("drops, round {}", round + 1));
        for (series, (name, who)) in series.iter_mut().zip(DROPS) {
            let peer = if who == "mrc" { &mut mrc } else { &mut npm };
            redis.cli(&["FLUSHALL"]).await;
            if round == 0 {
                peer.work(&json!({ "op": "drop", "name": "StoreId", "value": 6, "warm": true })).await?;
            }
            let filled = redis.cli(&["EVAL", FILL, "0"]).await;
            if filled != "100000" {
                return Err(format!("the entries could not be filled in: {filled}").into());
            }
            series.rounds.push(peer.work(&request(name)).await?);
        }
    }
    Ok(series)
}

fn request(name: &str) -> Value {
    // The peer tests for a substring of the key; the text after the value ends it.
    let value = if name == "npm-by-hand" { json!("6_") } else { json!(6) };
    json!({ "op": "drop", "name": "StoreId", "value": value, "substring": name == "mrc-substring" })
}
