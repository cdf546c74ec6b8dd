//! The numbers of the invalidation by rows.

use serde::{Deserialize, Serialize};

use super::{Backlog, Invalidations, Memory, Series};

/// The invalidation by rows: staleness beside other ways, and what it costs.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Exact {
    pub(crate) database: String,
    /// The load of the machine before the run.
    pub(crate) load: String,
    pub(crate) stale: Vec<Stale>,
    pub(crate) texts: Vec<OfText>,
    /// Hits and misses, without and with tags of rows.
    pub(crate) calls: Vec<Series>,
    /// The commands to Redis for a miss, without and with tags of rows.
    pub(crate) commands: [Vec<String>; 2],
    /// The schemes of the table that the backlog changes.
    pub(crate) schemes: u64,
    pub(crate) backlog: Backlog,
    pub(crate) memory: Vec<Memory>,
    /// Changes of one store, by the number of entries.
    pub(crate) stores: Vec<Invalidations>,
}

/// One way to keep entries right, under steady reads and writes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Stale {
    pub(crate) name: String,
    /// The reads a second that were reached, and the row changes a second.
    pub(crate) reads: f64,
    pub(crate) changes: f64,
    /// The share of reads that were hits.
    pub(crate) hits: f64,
    /// The share of hits whose answer lacked a commit that had returned before the read.
    pub(crate) stale: f64,
    /// The age of the oldest commit that a stale hit lacked, in ms.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OfText {
    pub(crate) bytes: u64,
    /// The tags of the rows in one call.
    pub(crate) tags: u64,
    /// `check`, `derive` and `tags`.
    pub(crate) series: Vec<Series>,
}
