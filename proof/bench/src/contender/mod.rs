//! A contender's process: answers JSON requests on stdin by JSON on stdout, line by line.

mod connections;
mod encode;
mod functions;
mod hits;
mod invalidations;
mod many;
mod misses;
mod shop;

use std::io::{BufRead, Write};

use serde::Deserialize;
use serde_json::{Value, json};

use self::connections::Connections;
use crate::args::{Contender, Runtime, Way};
use crate::{Res, cpu};

#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Request {
    Hit { query: String, callers: u64, calls: u64, tagged: Option<bool> },
    Miss { query: String, from: u32, calls: u32, tagged: bool },
    Many(many::Job),
    Function { miss: bool, tagged: bool, callers: u64, calls: u64 },
    Bounded { policy: String, entries: u32, miss: bool, first: u64, callers: u64, calls: u64 },
    Drop { name: String, value: u32, substring: Option<bool>, warm: Option<bool> },
    Invalidate { calls: u64 },
    Shop(shop::Load),
    Encode { calls: u64 },
    Wire { query: String },
}

/// Answers requests until stdin ends.
pub(crate) fn run(task: Contender) -> Res<()> {
    let runtime = match task.runtime {
        Runtime::Multi => tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?,
        Runtime::Current => tokio::runtime::Builder::new_current_thread().enable_all().build()?,
    };
    let mut connections = Connections::new(task.urls);
    for line in std::io::stdin().lock().lines() {
        let request: Request = serde_json::from_str(&line?)?;
        let answer = runtime.block_on(answer(request, task.way, &mut connections))?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

async fn answer(request: Request, way: Way, connections: &mut Connections) -> Res<Value> {
    Ok(match request {
        Request::Hit { query, callers, calls, tagged } => {
            json!(hits::measure(way, connections, query, tagged == Some(true), callers, calls).await?)
        }
        Request::Many(job) => json!(many::measure(way, connections, job).await?),
        Request::Function { miss, tagged, callers, calls } => {
            json!(functions::measure(connections.cache()?, miss, tagged, callers, calls).await?)
        }
        Request::Bounded { policy, entries, miss, first, callers, calls } => {
            let cache = connections.bounded(policy.parse()?, entries)?;
            json!(functions::measure_bounded(cache, entries, miss, first, [callers, calls]).await?)
        }
        Request::Miss { query, from, calls, tagged } => {
            let (ids, cpu) = (from..from + calls, cpu::time());
            let latencies = match way {
                Way::Followed => misses::mrc(connections.followed()?, &query, tagged, ids).await?,
                Way::Fred => misses::bare(connections.fred().await?, connections.pool()?, &query, ids).await?,
                _ => misses::mrc(connections.mrc()?, &query, tagged, ids).await?,
            };
            json!({ "latencies": latencies, "cpu": (cpu::time() - cpu).as_secs_f64() })
        }
        Request::Drop { name, value, substring, warm } => {
            json!(invalidations::measure_drop(connections.server()?, name, value, [substring, warm]).await?)
        }
        Request::Invalidate { calls } => {
            json!(invalidations::measure(&*connections.store()?, connections.server()?, calls).await?)
        }
        Request::Shop(load) => json!(shop::measure(load, &connections.urls).await?),
        Request::Encode { calls } => json!(encode::measure(way, calls)?),
        Request::Wire { query } => misses::measure_wire(way, connections, &query).await?,
    })
}
