//! Compares mrc with the published peers and the bare drivers, on servers that it starts itself.
#![expect(clippy::print_stdout, reason = "what a benchmark finds is printed")]

mod args;
mod contender;
mod cpu;
mod data;
mod follower;
mod peer;
mod policies;
mod report;
mod results;
mod suite;

use clap::Parser;

use crate::args::{Args, Command, Suite};

/// Any failure ends the run.
pub(crate) type Res<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Res<()> {
    let args = Args::parse();
    match args.command {
        Some(Command::Contender { task }) => return contender::run(task),
        Some(Command::Follower { task }) => return follower::run(&task),
        Some(Command::Policies { write }) => {
            let ratios = policies::run()?;
            println!("{}", report::ratios(&ratios));
            return if write { report::write_ratios(&ratios) } else { Ok(()) };
        }
        None => {}
    }
    if args.write && args.only.is_some_and(|only| !matches!(only, Suite::Many | Suite::Follow | Suite::Exact)) {
        return Err("only the suites `many`, `follow` and `exact` can be written alone".into());
    }
    let mut results = if args.render { results::Results::load()? } else { suite::run(&args)? };
    println!("{}", report::text(&results));
    if args.write {
        results = results.over_the_last(args.only)?;
    }
    if args.write || args.render {
        report::write(&results)?;
    }
    Ok(())
}
