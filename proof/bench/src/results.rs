//! The raw numbers of a run: every round of every contender.

use std::ops::AddAssign;
use std::path::PathBuf;

use mrc_tests::Machine;
use serde::{Deserialize, Serialize};

use crate::Res;
use crate::args::Suite;

/// All results of a run. A suite that wasn't run is empty.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    pub(crate) hits: Vec<Hits>,
    pub(crate) encoding: Vec<Series>,
    pub(crate) wire: Vec<Wire>,
    pub(crate) misses: Vec<Miss>,
    pub(crate) many: Option<Many>,
    pub(crate) drops: Vec<Series>,
    pub(crate) invalidations: Vec<Invalidations>,
    pub(crate) memory: Vec<Memory>,
    pub(crate) functions: Vec<Calls>,
    pub(crate) clients: Vec<OfClients>,
    pub(crate) bounded: Vec<Bounded>,
    /// The follower, by database.
    pub(crate) follow: Vec<Follow>,
    /// The invalidation by rows: of one run, or of none.
    pub(crate) exact: Vec<Exact>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Follow {
    pub(crate) database: String,
    /// The load of the machine before the run.
    pub(crate) load: String,
    pub(crate) lags: Vec<Lag>,
    pub(crate) backlog: Backlog,
    pub(crate) decoding: Vec<Series>,
    pub(crate) big: Vec<Big>,
}

/// The time from commit to invalidation at one rate, in ms.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Lag {
    /// The requested row changes a second, and those that were reached.
    pub(crate) rate: u32,
    pub(crate) reached: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

/// One-row transactions that a follower replays.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Backlog {
    pub(crate) transactions: u64,
    pub(crate) seconds: f64,
    pub(crate) batches: u64,
    pub(crate) tags: u64,
    /// The CPU time of the follower, in seconds.
    pub(crate) cpu: f64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Big {
    pub(crate) rows: u64,
    pub(crate) tags: u64,
    /// The time from the commit to the invalidation.
    pub(crate) seconds: f64,
    /// The memory of the follower before, and its peak, in bytes.
    pub(crate) idle: u64,
    pub(crate) peak: u64,
}

/// The cost of some work to a contender's process.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Work {
    pub(crate) calls: u64,
    /// The wall time, in seconds.
    pub(crate) wall: f64,
    /// The CPU time of all threads, in user space and in the kernel, in seconds.
    pub(crate) cpu: f64,
    /// The bytes, rows or entries that the contender saw: evidence that the work was done.
    pub(crate) seen: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) rounds: Vec<Work>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Hits {
    pub(crate) rows: u32,
    pub(crate) bytes: u64,
    pub(crate) callers: u32,
    pub(crate) series: Vec<Series>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OfClients {
    pub(crate) what: String,
    pub(crate) series: Vec<Series>,
}

/// One answer from the database's wire to bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Wire {
    pub(crate) name: String,
    pub(crate) rows: u32,
    /// The size of the answer, in bytes.
    pub(crate) bytes: u64,
    /// The growth of the process's peak memory, in bytes: the median of the rounds.
    pub(crate) growth: u64,
    /// The wall time, in seconds: the median of the rounds.
    pub(crate) wall: f64,
}

/// Misses of one contender, one at a time.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Miss {
    pub(crate) name: String,
    /// The commands that it sent to Redis for each miss.
    pub(crate) commands: Vec<String>,
    /// Its median latency in each round, in seconds.
    pub(crate) latencies: Vec<f64>,
}

/// Reads of many ids by one caller. Each call reads all of them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Many {
    pub(crate) ids: u32,
    pub(crate) hits: Vec<Series>,
    pub(crate) misses: Vec<ManyMisses>,
}

/// Calls of one contender that miss all ids.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ManyMisses {
    pub(crate) name: String,
    /// The commands that it sent to Redis for one call.
    pub(crate) commands: Vec<String>,
    /// The statements that it sent to the database for one call.
    pub(crate) statements: u64,
    pub(crate) rounds: Vec<Work>,
}

/// Invalidations of 100 entries, in a keyspace of this size.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Invalidations {
    pub(crate) keys: u32,
    pub(crate) series: Vec<Series>,
}

/// The memory that a structure takes in Redis.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Memory {
    pub(crate) what: String,
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
}

/// Calls of cached functions and queries: hits, or misses.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Calls {
    pub(crate) miss: bool,
    pub(crate) callers: u32,
    pub(crate) series: Vec<Series>,
}

/// Calls of functions in bounded caches that are full: hits, or misses that evict.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Bounded {
    pub(crate) policy: String,
    pub(crate) entries: u32,
    pub(crate) miss: bool,
    pub(crate) callers: u32,
    pub(crate) series: Vec<Series>,
    /// The same rounds, with the CPU of Redis instead of the contender's.
    pub(crate) server: Vec<Series>,
}

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

impl Work {
    /// Returns the CPU time per call, in µs.
    pub(crate) fn cpu_us(&self) -> f64 {
        self.cpu * 1e6 / self.calls as f64
    }

    /// Returns the wall time per call, in µs. For one caller this is the latency.
    pub(crate) fn wall_us(&self) -> f64 {
        self.wall * 1e6 / self.calls as f64
    }

    pub(crate) fn rate(&self) -> f64 {
        self.calls as f64 / self.wall
    }
}

impl AddAssign for Work {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.wall += other.wall;
        self.cpu += other.cpu;
        self.seen += other.seen;
    }
}

impl Series {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), rounds: Vec::new() }
    }

    /// Returns a contender with one round of one call, which took this CPU time.
    #[cfg(test)]
    pub(crate) fn of_one(name: &str, cpu: f64) -> Self {
        Self { name: name.into(), rounds: vec![Work { calls: 1, wall: 1.0, cpu, seen: 1 }] }
    }

    pub(crate) fn median(&self, of: impl Fn(&Work) -> f64) -> f64 {
        median(self.rounds.iter().map(of).collect())
    }

    /// Returns the median of the rounds' ratios to another contender. A slow round of both cancels.
    pub(crate) fn ratio(&self, to: &Self, of: impl Fn(&Work) -> f64) -> f64 {
        median(self.rounds.iter().zip(&to.rounds).map(|(a, b)| of(a) / of(b)).collect())
    }
}

pub(crate) fn find<'a>(series: &'a [Series], name: &str) -> Option<&'a Series> {
    series.iter().find(|series| series.name == name)
}

/// Returns the middle value, or NaN if there is none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), middle.checked_sub(1).and_then(|below| values.get(below))) {
        (Some(above), Some(below)) if values.len().is_multiple_of(2) => (above + below) / 2.0,
        (Some(value), _) => *value,
        (None, _) => f64::NAN,
    }
}

impl Results {
    pub(crate) fn of(machine: Machine) -> Self {
        Self {
            machine,
            hits: vec![],
            encoding: vec![],
            wire: vec![],
            misses: vec![],
            many: None,
            drops: vec![],
            invalidations: vec![],
            memory: vec![],
            functions: vec![],
            clients: vec![],
            bounded: vec![],
            follow: vec![],
            exact: vec![],
        }
    }

    /// Keeps the followers of other databases, as the last written run has them. Where one suite
    /// was run, keeps everything else too.
    pub(crate) fn over_the_last(mut self, only: Option<Suite>) -> Res<Self> {
        let mut last = Self::load()?;
        match only {
            Some(Suite::Exact) => return Ok(Self { exact: self.exact, ..last }),
            Some(Suite::Many) => return Ok(Self { many: self.many, ..last }),
            _ => {}
        }
        last.follow.retain(|old| self.follow.iter().all(|new| kind(&new.database) != kind(&old.database)));
        last.follow.append(&mut self.follow);
        last.follow.sort_by(|a, b| b.database.cmp(&a.database));
        Ok(if only.is_some() { last } else { Self { follow: last.follow, ..self } })
    }

    /// Reads the numbers of the last written run.
    pub(crate) fn load() -> Res<Self> {
        Ok(serde_json::from_str(&std::fs::read_to_string(Self::path())?)?)
    }

    /// Writes the numbers beside the docs.
    pub(crate) fn save(&self) -> Res<()> {
        Ok(std::fs::write(Self::path(), serde_json::to_string(self)? + "\n")?)
    }

    fn path() -> PathBuf {
        mrc_chart::docs().join("benchmarks/results.json")
    }
}

/// Returns the name of a database without its version.
fn kind(database: &str) -> &str {
    database.split(' ').next().unwrap_or(database)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(vec![]).is_nan());
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let series = |cpu: [f64; 3]| Series {
            name: String::new(),
            rounds: cpu.map(|cpu| Work { calls: 1, wall: 1.0, cpu, seen: 1 }).into(),
        };
        // The second round was slow for both.
        assert_eq!(series([1.0, 8.0, 1.0]).ratio(&series([2.0, 16.0, 2.0]), |work| work.cpu), 0.5);
    }
}
