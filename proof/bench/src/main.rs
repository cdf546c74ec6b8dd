//! Compares mrc with the published peers and the bare drivers, on servers that it starts itself.
//!
//! | module | purpose |
//! |---|---|
//! | `suite` | starts servers and contenders, and lets them take turns, round by round |
//! | `contender` | a contender's process; the binary starts itself again for each Rust contender |
//! | `follower` | the process that follows the database's log |
//! | `peer` | the pipe to a contender, in any language |
//! | `policies` | hit ratios of the eviction policies, which need no server |
//! | `results` | the raw numbers, all rounds |
//! | `report` | medians, targets, tables, pictures |
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
        Some(Command::Contender(options)) => return contender::run(&options),
        Some(Command::Follower(options)) => return follower::run(&options),
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
