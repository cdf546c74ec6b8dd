//! Runs the suites, one after the other, on servers of this run alone.

mod bounded;
mod clients;
mod drops;
mod exact;
mod follow;
mod functions;
mod hits;
mod invalidations;
mod many;
mod memory;
mod misses;
mod rows;

use mrc_tests::{Database, Machine};
use serde_json::{Value, json};

use crate::Res;
use crate::args::{Args, Suite};
use crate::data;
use crate::peer::Peer;
use crate::results::{Results, Series, Work};

/// The length and number of rounds.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    /// The number of rounds that count.
    rounds: usize,
    /// The approximate work of a contender in a round, in seconds.
    seconds: f64,
}

/// Runs the requested suites.
pub(crate) fn run(args: &Args) -> Res<Results> {
    let plan = if args.quick { Plan { rounds: 3, seconds: 0.05 } } else { Plan { rounds: 7, seconds: 0.25 } };
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let machine = Machine::look();
        let database = Database::create().await;
        if [Suite::Hits, Suite::Rows, Suite::Miss, Suite::Many, Suite::Functions, Suite::Clients]
            .into_iter()
            .any(|suite| args.wants(suite))
        {
            progress("filling the table");
            database.execute(&data::schema()).await;
        }
        let mysql = database.url();
        let mut results = Results::of(machine);
        if args.wants(Suite::Hits) {
            results.hits = hits::run(plan, &mysql).await?;
        }
        if args.wants(Suite::Rows) {
            results.encoding = rows::encoding(plan).await?;
            results.wire = rows::wire(plan, &mysql).await?;
        }
        if args.wants(Suite::Miss) {
            results.misses = misses::run(plan, &mysql).await?;
        }
        if args.wants(Suite::Many) {
            results.many = Some(many::run(plan, &database).await?);
        }
        if args.wants(Suite::Drop) {
            results.drops = drops::run(plan).await?;
        }
        if args.wants(Suite::Tags) {
            results.invalidations = invalidations::run(plan).await?;
            results.memory = memory::run().await?;
        }
        if args.wants(Suite::Functions) {
            results.functions = functions::run(plan, &mysql).await?;
        }
        if args.wants(Suite::Clients) {
            results.clients = clients::run(plan, &mysql).await?;
        }
        if args.wants(Suite::Bounded) {
            results.bounded = bounded::run(plan).await?;
        }
        if args.wants(Suite::Follow) {
            results.follow = vec![follow::run(plan, args.quick).await?];
        }
        if args.wants(Suite::Exact) {
            results.exact = vec![exact::run(plan, args.quick).await?];
        }
        Ok(results)
    })
}

/// Prints the progress to stderr: a run takes minutes.
fn progress(what: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{what} …");
}

/// Runs rounds A B C A B C …, with the same request to each contender.
async fn take_turns(rounds: usize, contenders: &mut [(Peer, Value)]) -> Res<Vec<Series>> {
    let mut series: Vec<Series> =
        contenders.iter().map(|(peer, _)| Series { name: peer.name().into(), rounds: Vec::new() }).collect();
    for _ in 0..rounds {
        for ((peer, request), series) in contenders.iter_mut().zip(&mut series) {
            series.rounds.push(peer.work(request).await?);
        }
    }
    Ok(series)
}

/// Returns how many calls take `seconds`, judged by the warm-up: a multiple of `callers`.
fn calls_for(seconds: f64, warm_up: &Work, callers: u32) -> u64 {
    let callers = u64::from(callers);
    let calls = (warm_up.rate() * seconds) as u64;
    calls.div_ceil(callers).max(1) * callers
}

/// Returns a request without further fields.
fn op(name: &str, calls: u64) -> Value {
    json!({ "op": name, "calls": calls })
}
