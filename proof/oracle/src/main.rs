//! Searches for changed answers that mrc's dependencies miss, on a real MySQL or MariaDB.
#![expect(clippy::print_stdout, reason = "what a run finds is printed")]

use std::process::{Command, ExitCode};
use std::time::Instant;

use clap::{Parser, ValueEnum};
use mrc_oracle::{Lack, Load, Report, Res, Settings, any_seed, run};
use mrc_tests::SqlKind;

/// Whether mrc's dependencies miss a changed answer: random queries and changes on a real server.
#[derive(Debug, Parser)]
struct Args {
    /// Pairs of a query and a change, at least
    #[arg(long, default_value_t = 100_000)]
    pairs: u64,
    /// The server to start. Default: the first that is installed
    #[arg(long)]
    server: Option<Server>,
    /// Queries and changes like a shop's, for the figure of precision
    #[arg(long)]
    realistic: bool,
    /// Connections that work at the same time
    #[arg(long, default_value_t = 6)]
    workers: usize,
    /// The first seed. Default: a random one
    #[arg(long)]
    seed: Option<u64>,
    /// A rule to switch off: the run must find a miss
    #[arg(long)]
    lack: Option<LackArg>,
    /// Prints what deriving costs, and ends
    #[arg(long)]
    cost: bool,
    /// Ends with the first miss
    #[arg(long)]
    stop_at_miss: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Server {
    Mysql,
    Mariadb,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LackArg {
    NullableSide,
    OuterOn,
    Unqualified,
    BelowOr,
    Tokens,
    Subqueries,
    Fold,
    Classes,
    Before,
}

impl From<LackArg> for Lack {
    fn from(arg: LackArg) -> Self {
        match arg {
            LackArg::NullableSide => Self::NullableSide,
            LackArg::OuterOn => Self::OuterOn,
            LackArg::Unqualified => Self::Unqualified,
            LackArg::BelowOr => Self::BelowOr,
            LackArg::Tokens => Self::Tokens,
            LackArg::Subqueries => Self::Subqueries,
            LackArg::Fold => Self::Fold,
            LackArg::Classes => Self::Classes,
            LackArg::Before => Self::Before,
        }
    }
}

const VARIABLE: &str = "MRC_TEST_DATABASE";

fn main() -> Res<ExitCode> {
    let args = Args::parse();
    if args.cost {
        mrc_oracle::cost().iter().for_each(|line| println!("{line}"));
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(server) = args.server {
        let word = match server {
            Server::Mysql => "mysql",
            Server::Mariadb => "mariadb",
        };
        // The harness reads the variable, and this process can't set its own safely.
        if std::env::var(VARIABLE).as_deref() != Ok(word) {
            let status = Command::new(std::env::current_exe()?)
                .args(std::env::args_os().skip(1))
                .env(VARIABLE, word)
                .status()?;
            return Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let lack = args.lack.map_or(Lack::Nothing, Lack::from);
    let seed = args.seed.unwrap_or_else(any_seed);
    println!("{}, seed {seed}, without {lack:?}", SqlKind::of_this_run().version());
    let start = Instant::now();
    let mut told = 0;
    let progress = |report: &Report| {
        if report.pairs / 50_000 > told {
            told = report.pairs / 50_000;
            println!("{} pairs, {} missed", report.pairs, report.missed);
        }
    };
    let load = if args.realistic { Load::Realistic } else { Load::Random };
    let settings =
        Settings { pairs: args.pairs, seed, lack, stop_at_miss: args.stop_at_miss, workers: args.workers, load };
    let report = runtime.block_on(run(settings, progress))?;
    print(&report, start.elapsed().as_secs_f64());
    Ok(if (report.missed > 0) == args.lack.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(report: &Report, seconds: f64) {
    report.misses.iter().for_each(|miss| println!("MISS {miss}"));
    let (by_tags, by_tables) = report.precision();
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let rate = report.pairs as f64 / seconds;
    println!(
        "{} pairs in {seconds:.0} s ({rate:.0} a second), {} answers changed, {} missed",
        report.pairs, report.changed, report.missed
    );
    println!("{} queries, {} of them not followable", report.queries, report.not_followable);
    println!(
        "unaffected entries that survive: {:.1} % by tags, {:.1} % by whole tables",
        by_tags * 100.0,
        by_tables * 100.0
    );
}
