//! `just history`: real processes read, write, invalidate and fail; then every read is checked.
//!
//! The rule: a read sees no version older than the newest one committed before an invalidation
//! began, if that invalidation returned before the read started. It holds for hits, followed
//! flights and the database.
#![expect(clippy::print_stdout, reason = "what the checker finds is printed")]

mod args;
mod check;
mod faults;
mod follow;
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
        let child = match &args.command {
            Some(Command::Reader(task)) => reader::run(&task.child).await,
            Some(Command::Follower(task)) => follow::run(&task.child).await,
            Some(Command::Writer(task)) => writer::run(&task.child).await,
            None => return compare(&args).await,
        };
        child.map(|()| ExitCode::SUCCESS)
    })
}

/// Makes the runs. Succeeds if the whole protocol had no stale reads, and each lack had some.
async fn compare(args: &Args) -> Res<ExitCode> {
    let fits = |lack: &Lack| lack.is_of_follower() == args.follow && (*lack != Lack::Schemes || args.auto);
    if !args.without.as_ref().is_none_or(fits) {
        return Err("this run has no such part: see --help".into());
    }
    let lacks: Vec<Option<Lack>> = if args.all {
        Lack::with_none().filter(|lack| lack.as_ref().is_none_or(fits)).collect()
    } else if args.naive {
        vec![Some(Lack::Everything)]
    } else {
        vec![args.without]
    };
    let mut outcomes = Vec::new();
    for lack in lacks {
        // A counterproof needs no long run: it continues only until it finds a stale read.
        let operations = if args.all && lack.is_some() { args.operations.div_ceil(10) } else { args.operations };
        let outcome = run::run(args, lack, operations).await?;
        println!("{}", report::details(&outcome));
        outcomes.push(outcome);
    }
    if args.follow {
        println!("{}", report::table_of_followers(&outcomes));
    } else {
        println!("{}", report::table(&outcomes));
    }
    if let Some((path, outcome)) = args.plot.as_ref().zip(outcomes.last()) {
        std::fs::write(path, follow::svg(outcome))?;
    }
    let as_it_should = outcomes.iter().all(run::Outcome::as_it_should);
    Ok(if as_it_should { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
