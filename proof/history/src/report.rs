//! Reports the results, as Markdown.

use std::collections::HashMap;
use std::fmt::Write as _;

use mrc_chart::quantile;

use crate::items::LEASE;
use crate::lack::Lack;
use crate::record::{By, Count, Seen, Way, Write};
use crate::run::Outcome;

/// The number of stale reads that are listed one by one.
const EXAMPLES: usize = 5;

/// Returns the table of all runs, one per line.
pub(crate) fn table(outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "\n| run | reads | hits | followed | computed | copies | refused fills | invalidations | by tag | by peers | seconds | stale |\n\
         | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |\n",
    );
    for outcome in outcomes {
        let (reads, writes) = (outcome.history.reads(), outcome.history.writes());
        let seen = |kinds: &[Seen]| reads.iter().filter(|read| kinds.contains(&read.seen)).count();
        let counted = |what| usize::try_from(outcome.history.counted(what)).unwrap_or(usize::MAX);
        let dropped = || writes.iter().filter(|write| write.dropped.is_some());
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {:.0} | {} |",
            outcome.lack.map_or("**the whole protocol**", Lack::text),
            grouped(reads.len()),
            grouped(seen(&[Seen::Hit, Seen::FunctionKept])),
            grouped(seen(&[Seen::Followed])),
            grouped(seen(&[Seen::Computed, Seen::FunctionRan])),
            grouped(seen(&[Seen::Stale])),
            grouped(counted(Count::Refused) + counted(Count::RefreshRefused)),
            grouped(dropped().count()),
            grouped(dropped().filter(|write| write.by == By::MrcTag).count()),
            grouped(dropped().filter(|write| write.by.is_peer()).count()),
            outcome.took.as_secs_f64(),
            grouped(outcome.stale.len()),
        );
    }
    text += "\nA function's answer doesn't tell whether it was followed: those count as hits.\n";
    text + &stale_by_way(outcomes)
}

/// Returns the table of all runs with a follower, one per line.
pub(crate) fn table_of_followers(outcomes: &[Outcome]) -> String {
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
            quantile(&lags, 0.5).unwrap_or_default(),
            quantile(&lags, 0.99).unwrap_or_default(),
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
    text + &stale_by_way(outcomes)
}

/// Returns the time from each commit to the position behind it, in ms.
fn lags(writes: &[Write]) -> Vec<f64> {
    let lag = |committed: u64, passed: u64| passed.saturating_sub(committed) as f64 / 1e6;
    writes.iter().filter_map(|write| Some(lag(write.committed, write.dropped?))).collect()
}

/// Returns the stale entries of a run, counted by path.
fn stale_by_way(outcomes: &[Outcome]) -> String {
    let ways: String = Way::ALL.iter().map(|way| format!(" {} |", way.text())).collect();
    let mut text = format!("\n| stale reads |{ways}\n| --- |{}\n", " --: |".repeat(Way::ALL.len()));
    for outcome in outcomes {
        let _ = write!(text, "| {} |", outcome.name());
        for &way in Way::ALL {
            let _ = write!(text, " {} |", grouped(outcome.stale.iter().filter(|stale| stale.read.way == way).count()));
        }
        text.push('\n');
    }
    text
}

/// Returns the details of one run: all counts, and some stale reads.
pub(crate) fn details(outcome: &Outcome) -> String {
    let history = &outcome.history;
    let mut text = format!("\n### {}\n\n| what | how often |\n| --- | --: |\n", outcome.name());
    let mut line = |what: &str, count: usize| {
        let _ = writeln!(text, "| {what} | {} |", grouped(count));
    };
    let (reads, writes) = (history.reads(), history.writes());
    line("reads", reads.len());
    for &seen in Seen::ALL {
        line(&format!("reads: {}", seen.text()), reads.iter().filter(|read| read.seen == seen).count());
    }
    for &way in Way::ALL {
        line(&format!("reads: {}", way.text()), reads.iter().filter(|read| read.way == way).count());
        let reach = writes.iter().filter(|write| write.dropped.is_some() && write.by.reaches(way)).count();
        line(&format!("invalidations that reach these: {}", way.text()), reach);
        line(&format!("stale reads: {}", way.text()), outcome.stale.iter().filter(|s| s.read.way == way).count());
    }
    for &by in By::ALL {
        let ended = |done| writes.iter().filter(|write| write.by == by && write.dropped.is_some() == done).count();
        line(&format!("invalidations by {}", by.text()), ended(true));
        line(&format!("invalidations by {} that failed", by.text()), ended(false));
    }
    for &count in Count::ALL {
        line(count.text(), usize::try_from(history.counted(count)).unwrap_or(usize::MAX));
    }
    line("keys that expired, claims among them", usize::try_from(outcome.expired).unwrap_or(usize::MAX));
    line("**stale reads**", outcome.stale.len());
    let _ = writeln!(text, "\nA lease lasts {LEASE:?}.");
    let at = |time: u64| format!("{:.3} ms", time.saturating_sub(outcome.began) as f64 / 1e6);
    for stale in outcome.stale.iter().take(EXAMPLES) {
        let (read, after) = (stale.read, stale.after);
        let _ = writeln!(
            text,
            "- reader {} saw version {} of item {} ({}; {}), from {} to {}; version {} was committed at {}, and invalidated by {} at {}",
            read.process,
            read.version,
            read.item,
            read.way.text(),
            read.seen.text(),
            at(read.start),
            at(read.end),
            stale.expected,
            at(after.committed),
            after.by.text(),
            at(after.dropped.unwrap_or(0)),
        );
    }
    text
}

/// Formats `1234567` as `1,234,567`.
fn grouped(number: usize) -> String {
    mrc_chart::thousands(number as f64)
}
