//! Runs the suites, one after the other, on servers of this run alone.

mod bounded;
mod clients;
mod exact;
mod follow;
mod functions;
mod hits;
mod invalidations;
mod many;
mod memory;
mod misses;
mod rows;

use std::ops::RangeInclusive;

use mrc_tests::{Database, Machine, Proxy, Redis};

use crate::Res;
use crate::args::{Args, Suite};
use crate::data;
use crate::results::{Results, Series, Work};

/// The number of entries of a store, where an invalidation ends those of one.
const PAGES: u32 = 100;
const STORES_AT_ONCE: u32 = 500;

/// The length and number of rounds.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    /// The number of rounds that count.
    rounds: usize,
    /// The approximate work of a contender in a round, in seconds.
    seconds: f64,
}

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
            results.drops = invalidations::drops(plan).await?;
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

/// Lets contenders do the same work in turns, A B C A B C …, after two warm-ups of `few` calls
/// each: the first one connects, and lets V8 compile the hot code.
async fn turns<C>(
    plan: Plan,
    callers: u32,
    few: u64,
    contenders: impl IntoIterator<Item = (String, C)>,
    mut work: impl AsyncFnMut(&mut C, u64) -> Res<Work>,
) -> Res<Vec<Series>> {
    let mut all = Vec::new();
    for (name, mut contender) in contenders {
        work(&mut contender, few).await?;
        let warm_up = work(&mut contender, few).await?;
        all.push((contender, calls_for(plan.seconds, &warm_up, callers), Series::new(name)));
    }
    for _ in 0..plan.rounds {
        for (contender, calls, series) in &mut all {
            series.rounds.push(work(contender, *calls).await?);
        }
    }
    Ok(all.into_iter().map(|(_, _, series)| series).collect())
}

/// Returns how many calls take `seconds`, judged by the warm-up: a multiple of `callers`.
fn calls_for(seconds: f64, warm_up: &Work, callers: u32) -> u64 {
    let callers = u64::from(callers);
    let calls = (warm_up.rate() * seconds) as u64;
    calls.div_ceil(callers).max(1) * callers
}

/// Runs a command that fills entries in, or counts them.
async fn fill(redis: &Redis, command: &[&str], expected: &str) -> Res<()> {
    let answer = redis.cli(command).await;
    if answer == expected { Ok(()) } else { Err(format!("the entries could not be filled in: {answer}").into()) }
}

/// Runs a script that fills stores in, some at once. Each has [`PAGES`] entries.
async fn fill_stores(redis: &Redis, script: &str, stores: RangeInclusive<u32>) -> Res<()> {
    for first in stores.clone().step_by(STORES_AT_ONCE as usize) {
        let last = stores.end().min(&(first + STORES_AT_ONCE - 1)).to_owned();
        let [first, last, pages] = [first, last, PAGES].map(|number| number.to_string());
        fill(redis, &["EVAL", script, "0", &first, &last, &pages], "OK").await?;
    }
    Ok(())
}

/// Returns the names of the commands that were sent over a wire.
fn names(wire: &Proxy) -> Vec<String> {
    wire.commands().into_iter().filter_map(|command| command.into_iter().next()).collect()
}
