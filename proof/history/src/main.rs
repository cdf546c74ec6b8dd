//! `just history`: real processes read, write, invalidate and fail, and what every read saw is checked afterwards.
//!
//! The rule: no read that started after an invalidation had returned sees a version older than the newest one that was committed before
//! that invalidation began. Where it came from makes no difference: a hit, a followed flight, the database.
//!
//! | room | what happens there |
//! |---|---|
//! | `run` | one run: starts servers and processes, collects what they tell, ends them |
//! | `reader`, `writer` | what the child processes do; the binary starts itself again for each |
//! | `foreign` | writers that invalidate by the published peers |
//! | `faults`, `proxy`, `paused` | what goes wrong: to processes and Redis, on the wire, between the protocol's steps |
//! | `lack`, `weak` | the protocol without one of its parts, and without any: which, and the store of it |
//! | `record`, `sink` | what is told about a read or a write, and the way to the parent |
//! | `check` | the rule, as a pure function |
//! | `report` | what came out |
#![expect(clippy::print_stdout, reason = "what the checker finds is printed")]

mod args;
mod check;
mod clock;
mod faults;
mod foreign;
mod items;
mod lack;
mod paused;
mod processes;
mod proxy;
mod reader;
mod record;
mod report;
mod run;
mod sink;
mod weak;
mod writer;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};
use crate::lack::Lack;

/// Any failure ends the run.
pub(crate) type Res<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Res<ExitCode> {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        match &args.command {
            Some(Command::Reader(child)) => reader::run(child).await.map(|()| ExitCode::SUCCESS),
            Some(Command::Writer(child)) => writer::run(child).await.map(|()| ExitCode::SUCCESS),
            None => compare(&args).await,
        }
    })
}

/// The runs that were asked for. It succeeds if each came out as it must: nothing stale with the whole protocol, something without.
async fn compare(args: &Args) -> Res<ExitCode> {
    let lacks: Vec<Option<Lack>> = if args.all {
        std::iter::once(None).chain(Lack::ALL.map(Some)).collect()
    } else if args.naive {
        vec![Some(Lack::Everything)]
    } else {
        vec![args.without]
    };
    let mut outcomes = Vec::new();
    for lack in lacks {
        // A counterproof needs no long run: it goes on only as long as it has found nothing.
        let operations = if args.all && lack.is_some() { args.operations.div_ceil(10) } else { args.operations };
        let outcome = run::run(args, lack, operations).await?;
        println!("{}", report::details(&outcome));
        outcomes.push(outcome);
    }
    println!("{}", report::table(&outcomes));
    let as_it_should = outcomes.iter().all(run::Outcome::as_it_should);
    Ok(if as_it_should { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
