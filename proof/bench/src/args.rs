//! Defines the command line.

use clap::{Parser, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};

use crate::data::Urls;

/// Compares mrc with the npm peer, the PyPI peer and the bare drivers, on servers of its own.
#[derive(Debug, Parser)]
#[command(about, args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    /// Rewrites docs/benchmarks.md and its pictures with what was measured. Of the suites, only
    /// `many`, `follow` and `exact` can be written alone
    #[arg(long, conflicts_with = "quick")]
    pub(crate) write: bool,
    /// Fewer and shorter rounds, to see that it works
    #[arg(long)]
    pub(crate) quick: bool,
    /// One suite alone
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) only: Option<Suite>,
    /// Measures nothing, and renders the numbers of the last written run again
    #[arg(long, conflicts_with_all = ["quick", "only", "write"])]
    pub(crate) render: bool,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// The suites that can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Suite {
    /// A hit: CPU and throughput
    Hits,
    /// Rows to JSON, in memory and from the wire
    Rows,
    /// A miss: commands and latency
    Miss,
    /// 100 ids at once: hits and misses
    Many,
    /// A drop of 100 entries among 100,000
    Drop,
    /// Invalidations by tag, and the memory of tags
    Tags,
    /// Cached functions and tags: hits and misses
    Functions,
    /// Both Redis clients: hits and misses
    Clients,
    /// Bounded caches: hits, and misses that evict
    Bounded,
    /// The follower of the database's log: lag, a backlog, decoding, memory
    Follow,
    /// Invalidation by rows: staleness beside TTLs and whole tables, and its costs
    Exact,
}

impl Args {
    pub(crate) fn wants(&self, suite: Suite) -> bool {
        self.only.is_none_or(|only| only == suite)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Simulates the hit ratios of the eviction policies: no server, 1–2 min, always the same
    /// numbers
    Policies {
        /// Rewrites the numbers, the picture and the table in docs/bounds
        #[arg(long)]
        write: bool,
    },
    /// Answers requests on stdin: the benchmark starts itself in this way
    #[command(hide = true)]
    Contender {
        #[arg(value_parser = |task: &str| serde_json::from_str::<Contender>(task))]
        task: Contender,
    },
    /// Follows the log of the benchmark's database
    #[command(hide = true)]
    Follower {
        #[arg(value_parser = |task: &str| serde_json::from_str::<Following>(task))]
        task: Following,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Following {
    pub(crate) urls: Urls,
    pub(crate) name: String,
    /// The position behind which it begins, or nothing for the newest transaction.
    pub(crate) from: String,
    pub(crate) by: By,
}

/// How a follower finds the entries that a changed row ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum By {
    /// Rules with the row's columns
    Rules,
    /// A rule without columns: each change ends everything of the table
    Tables,
    /// The schemes that readers registered
    Schemes,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Contender {
    pub(crate) way: Way,
    pub(crate) runtime: Runtime,
    pub(crate) urls: Urls,
}

/// How a Rust contender does its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Way {
    /// The bare drivers
    Fred,
    /// The bare driver redis-rs
    Redis,
    /// mrc's store alone, without the client
    Store,
    /// mrc; the answer as bytes
    Bytes,
    /// mrc with every option on; the answer as bytes
    Full,
    /// mrc; the answer as structs that own their texts
    Typed,
    /// mrc; the answer as structs that borrow their texts
    Borrowed,
    /// mrc with tags of rows; the answer as bytes
    Followed,
    /// mrc's cache of functions; the value as structs
    Function,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Runtime {
    /// Two workers
    Multi,
    /// The current thread
    Current,
}
