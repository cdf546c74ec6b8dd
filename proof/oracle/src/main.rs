//! Searches for changed answers that mrc's dependencies miss, on a real MySQL or MariaDB.
#![expect(clippy::print_stdout, reason = "what a run finds is printed")]

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use clap::Parser;
use clap::builder::PossibleValuesParser;
use mrc_oracle::{FollowReport, FollowSettings, Lack, Load, Report, Res, Settings, Without, any_seed, run, run_follow};
use mrc_tests::{CacheKind, SqlKind};

/// Whether mrc's dependencies miss a changed answer: random queries and changes on a real server.
#[derive(Debug, Parser)]
struct Args {
    /// Pairs of a query and a change, at least; with `--follow` entries compared with a fresh read
    #[arg(long, default_value_t = 100_000)]
    pairs: u64,
    /// End to end: a client caches, a program writes, a follower invalidates
    #[arg(long)]
    follow: bool,
    /// Ends `--follow` after so many seconds
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// A part of the follower to switch off: the run must find a stale entry
    #[arg(long, requires = "follow")]
    without: Option<Without>,
    /// The server to start. Default: the first that is installed
    #[arg(long, value_parser = ["mysql", "mariadb"])]
    server: Option<String>,
    /// Queries and changes like a shop's, for the figure of precision
    #[arg(long)]
    realistic: bool,
    /// Connections that work at the same time, or followers. Default: 6 connections, 4 followers
    #[arg(long)]
    workers: Option<usize>,
    /// The first seed. Default: a random one
    #[arg(long)]
    seed: Option<u64>,
    /// A rule to switch off: the run must find a miss
    #[arg(long, conflicts_with = "follow", value_parser = PossibleValuesParser::new(LACKS.map(|(name, _)| name)))]
    lack: Option<String>,
    /// Prints what deriving costs, and ends
    #[arg(long)]
    cost: bool,
    /// Ends with the first miss, or stale entry
    #[arg(long)]
    stop_at_miss: bool,
}

const LACKS: [(&str, Lack); 10] = [
    ("nullable-side", Lack::NullableSide),
    ("outer-on", Lack::OuterOn),
    ("unqualified", Lack::Unqualified),
    ("below-or", Lack::BelowOr),
    ("tokens", Lack::Tokens),
    ("subqueries", Lack::Subqueries),
    ("cte-scope", Lack::CteScope),
    ("fold", Lack::Fold),
    ("classes", Lack::Classes),
    ("before", Lack::Before),
];

const VARIABLE: &str = "MRC_TEST_DATABASE";

fn main() -> Res<ExitCode> {
    let args = Args::parse();
    if args.cost {
        mrc_oracle::cost().iter().for_each(|line| println!("{line}"));
        return Ok(ExitCode::SUCCESS);
    }
    // The harness reads the variable, and this process can't set its own safely.
    if let Some(server) = args.server.as_ref().filter(|server| std::env::var(VARIABLE).as_ref() != Ok(server)) {
        let mut command = Command::new(std::env::current_exe()?);
        let status = command.args(std::env::args_os().skip(1)).env(VARIABLE, server).status()?;
        return Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let is_sound = runtime.block_on(async { if args.follow { follow(&args).await } else { pairs(&args).await } })?;
    let is_whole = args.lack.is_none() && args.without.is_none();
    Ok(if is_sound == is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Args {
    fn load(&self) -> Load {
        if self.realistic { Load::Realistic } else { Load::Random }
    }
}

async fn pairs(args: &Args) -> Res<bool> {
    let lack = LACKS.into_iter().find(|(name, _)| Some(*name) == args.lack.as_deref());
    let lack = lack.map_or(Lack::Nothing, |(_, lack)| lack);
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
    let (workers, load) = (args.workers.unwrap_or(6), args.load());
    let settings = Settings { pairs: args.pairs, seed, lack, stop_at_miss: args.stop_at_miss, workers, load };
    let report = run(settings, progress).await?;
    report.misses.iter().for_each(|miss| println!("MISS {miss}"));
    let seconds = start.elapsed().as_secs_f64();
    let rate = report.pairs as f64 / seconds;
    println!(
        "{} pairs in {seconds:.0} s ({rate:.0} a second), {} answers changed, {} missed",
        report.pairs, report.changed, report.missed
    );
    println!("{} queries, {} of them not followable", report.queries, report.not_followable);
    print_precision(report.precision());
    Ok(report.missed == 0)
}

/// Returns whether no entry is stale.
async fn follow(args: &Args) -> Res<bool> {
    let (seed, without) = (args.seed.unwrap_or_else(any_seed), args.without);
    let (database, cache) = (SqlKind::of_this_run().version(), CacheKind::of_this_run().version());
    println!("{database}, {cache}, seed {seed}, without {without:?}");
    let start = Instant::now();
    let (mut told, mut shown) = (0, 0);
    let progress = |report: &FollowReport| {
        report.findings.iter().skip(shown).for_each(|finding| println!("STALE {finding}"));
        shown = report.findings.len();
        if report.compared / 10_000 > told {
            told = report.compared / 10_000;
            println!("{} entries compared, {} stale", report.compared, report.stale);
        }
    };
    let settings = FollowSettings {
        compared: args.pairs,
        limit: Duration::from_secs(args.seconds),
        seed,
        without,
        stop_at_stale: args.stop_at_miss,
        workers: args.workers.unwrap_or(4),
        load: args.load(),
    };
    let report = run_follow(settings, progress).await?;
    println!(
        "{} entries compared in {:.0} s, {} of them after a race, {} statements, {} stale",
        report.compared,
        start.elapsed().as_secs_f64(),
        report.raced,
        report.statements,
        report.stale
    );
    println!("{} answers changed, {} didn't, of which {} survived", report.changed, report.unaffected, report.survived);
    print_precision(report.precision());
    Ok(report.stale == 0)
}

fn print_precision((by_tags, by_tables): (f64, f64)) {
    println!(
        "unaffected entries that survive: {:.1} % by tags, {:.1} % by whole tables",
        by_tags * 100.0,
        by_tables * 100.0
    );
}
