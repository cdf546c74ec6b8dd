//! The table of runs with a follower.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::record::{Count, Seen, Write};
use crate::report::grouped;
use crate::run::Outcome;

/// Returns the table of all runs, one per line.
pub(crate) fn table(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "\n| run | reads | hits | computed | commits | lag p50, ms | lag p99, ms | take-overs | killed | stopped | cut | \
         held | registry lost | whole table | seconds | reads after the last | old ones | **stale** |\n",
    );
    text += &format!("| --- |{}\n", " --: |".repeat(17));
    for outcome in outcomes {
        let (reads, writes) = (outcome.history.reads(), outcome.history.writes());
        let seen = |kinds: &[Seen]| grouped(reads.iter().filter(|read| kinds.contains(&read.seen)).count());
        let counted = |what| grouped(usize::try_from(outcome.history.counted(what)).unwrap_or(usize::MAX));
        let mut lags = lags(&writes);
        lags.sort_by(f64::total_cmp);
        // When everything is invalidated, each row must be read as it is.
        let last = writes.iter().filter_map(|write| write.dropped).max().unwrap_or(u64::MAX);
        let mut newest = HashMap::new();
        for write in writes.iter() {
            let version = newest.entry(write.item).or_insert(write.version);
            *version = write.version.max(*version);
        }
        let after = || reads.iter().filter(|read| read.start > last);
        let old = after().filter(|read| newest.get(&read.item).is_some_and(|newest| read.version < *newest)).count();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {:.1} | {:.1} | {} | {} | {} | {} | {} | {} | {} | {:.0} | {} | {} | {} |",
            outcome.name(),
            grouped(reads.len()),
            seen(&[Seen::Hit, Seen::FunctionKept, Seen::Followed]),
            seen(&[Seen::Computed, Seen::FunctionRan]),
            grouped(writes.len()),
            quantile(&lags, 0.5),
            quantile(&lags, 0.99),
            counted(Count::Led),
            counted(Count::FollowerKilled),
            counted(Count::FollowerStopped),
            counted(Count::FollowerCut),
            counted(Count::CommitsHeld),
            counted(Count::RegistryLost),
            counted(Count::FellBack),
            outcome.took.as_secs_f64(),
            grouped(after().count()),
            grouped(old),
            grouped(outcome.stale.len()),
        );
    }
    text
}

/// Returns the time from each commit to the position behind it, in ms.
fn lags(writes: &[Write]) -> Vec<f64> {
    let lag = |committed: u64, passed: u64| passed.saturating_sub(committed) as f64 / 1e6;
    writes.iter().filter_map(|write| Some(lag(write.committed, write.dropped?))).collect()
}

/// Returns the value that this part of the sorted ones doesn't exceed, or 0 if there is none.
pub(super) fn quantile(sorted: &[f64], part: f64) -> f64 {
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}
