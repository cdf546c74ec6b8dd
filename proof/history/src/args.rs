//! Defines the command line.

use clap::{Parser, Subcommand};
use serde::{Deserialize, Serialize};

use crate::lack::Lack;

/// Runs reads, writes, invalidations and faults in several processes, then checks every read.
#[derive(Debug, Parser)]
#[command(about, args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    /// How many reads; with --all, a tenth of them for each counterproof
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) operations: u64,
    /// How long a run may take, in seconds; then it is checked as far as it came
    #[arg(long, default_value_t = 900)]
    pub(crate) seconds: u64,
    /// Seeds keys, pauses and faults; the order of concurrent steps differs in each run
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many processes read
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=30))]
    pub(crate) readers: u8,
    /// Fills as the peers do, a plain SET: must find stale reads
    #[arg(long, conflicts_with_all = ["without", "all"])]
    pub(crate) naive: bool,
    /// Leaves out this part of the protocol: must find stale reads
    #[arg(long, value_name = "PART", conflicts_with = "all")]
    pub(crate) without: Option<Lack>,
    /// The protocol, then each counterproof
    #[arg(long)]
    pub(crate) all: bool,
    /// Nobody invalidates but the follower of the database's log
    #[arg(long, conflicts_with = "naive")]
    pub(crate) follow: bool,
    /// With --follow: by the schemes of the queries, without rules and tags
    #[arg(long, requires = "follow")]
    pub(crate) auto: bool,
    /// With --follow: runs for so many seconds, whatever the number of reads
    #[arg(long, value_name = "SECONDS", requires = "follow", conflicts_with_all = ["without", "all"])]
    pub(crate) soak: Option<u64>,
    /// With --follow: draws lag and memory of the last run into this file
    #[arg(long, value_name = "SVG", requires = "follow")]
    pub(crate) plot: Option<std::path::PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Reads until it is killed: the checker starts itself in this way
    #[command(hide = true)]
    Reader(Task),
    /// Writes and invalidates until it is killed
    #[command(hide = true)]
    Writer(Task),
    /// Follows the database's log until it is killed
    #[command(hide = true)]
    Follower(Task),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Child {
    /// Its number, by which the report names it.
    pub(crate) number: u8,
    pub(crate) seed: u64,
    /// The port that takes all records.
    pub(crate) sink: u16,
    /// The port of Redis behind the faulty wire.
    pub(crate) redis: u16,
    /// The port of Redis itself.
    pub(crate) direct: u16,
    pub(crate) mysql: String,
    pub(crate) without: Option<Lack>,
    /// Whether the follower alone invalidates.
    pub(crate) follow: bool,
    /// Whether it goes by schemes.
    pub(crate) auto: bool,
}

/// The task of a child process, as JSON.
#[derive(Debug, clap::Args)]
pub(crate) struct Task {
    #[arg(value_parser = |json: &str| serde_json::from_str::<Child>(json))]
    pub(crate) child: Child,
}
