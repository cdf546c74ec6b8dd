//! Measures rows to JSON: the encoder alone, and with the database before it.

use serde::Deserialize;
use serde_json::json;

use super::{Plan, progress, turns};
use crate::Res;
use crate::args::{Runtime, Way};
use crate::data::{Urls, query};
use crate::peer::Peer;
use crate::results::{Series, Wire, median};

/// mrc's encoder, and a tree of `serde_json::Value`.
const WAYS: [(Way, &str); 2] = [(Way::Bytes, "mrc"), (Way::Fred, "values")];
const ROWS: [u32; 2] = [10_000, 200_000];

pub(super) async fn encoding(plan: Plan) -> Res<Vec<Series>> {
    progress("rows to JSON");
    let mut contenders = Vec::new();
    for (way, name) in WAYS {
        contenders.push((name.into(), Peer::rust(way, Runtime::Current, &Urls::default())?));
    }
    let work = async |peer: &mut Peer, calls| peer.work(&json!({ "op": "encode", "calls": calls })).await;
    turns(plan, 1, 5, contenders, work).await
}

#[derive(Deserialize)]
struct Answer {
    bytes: u64,
    growth: u64,
    wall: f64,
}

pub(super) async fn wire(plan: Plan, mysql: &str) -> Res<Vec<Wire>> {
    let mut all = Vec::new();
    // Only Linux tells a process the peak of its memory, and can reset it.
    if !std::path::Path::new("/proc/self/clear_refs").exists() {
        return Ok(all);
    }
    let urls = Urls { mysql: mysql.to_owned(), ..Urls::default() };
    for rows in ROWS {
        progress(&format!("{rows} rows from the wire"));
        let request = json!({ "op": "wire", "query": query(rows) });
        let mut answers = WAYS.map(|_| Vec::<Answer>::new());
        for _ in 0..plan.rounds.min(5) {
            for ((way, _), answers) in WAYS.into_iter().zip(&mut answers) {
                // A new process each time: freed memory isn't all returned to the system.
                let mut peer = Peer::rust(way, Runtime::Multi, &urls)?;
                answers.push(peer.ask(&request).await?);
            }
        }
        for ((_, name), answers) in WAYS.into_iter().zip(answers) {
            let of = |field: fn(&Answer) -> f64| median(answers.iter().map(field).collect());
            let (bytes, growth) = (of(|answer| answer.bytes as f64) as u64, of(|answer| answer.growth as f64) as u64);
            all.push(Wire { name: name.into(), rows, bytes, growth, wall: of(|answer| answer.wall) });
        }
    }
    Ok(all)
}
