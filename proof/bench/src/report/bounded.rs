//! Bounded caches: targets and tables.

use super::number;
use super::tables::Table;
use super::targets::{Goal, RUNTIMES, Target, WAITING, add, kind, many};
use crate::results::{Bounded, Results, Series, Work, find};

const SCRIPTS: &str = "**A miss in a bounded cache.** The miss runs three scripts, and fred writes each to \
    the socket by itself: get, claim, and fill. The claim keeps other callers from computing the same. \
    redis_func_cache promises none of this, and runs two scripts. Most of Redis's time is spent in the \
    commands within the scripts.";
/// A thousand times more entries may cost twice as much: log 1,000,000 / log 1,000.
const GROWTH: f64 = 2.0;

/// The contenders: their names in the results, and in words.
const CONTENDERS: [(&str, &str); 4] = [
    ("function-multi", "**mrc**"),
    ("function-current", "**mrc**, current thread"),
    ("func-cache", "redis_func_cache, async"),
    ("func-cache-sync", "redis_func_cache, not async"),
];

pub(super) fn targets(results: &Results, targets: &mut Vec<Target>) {
    for miss in [false, true] {
        for callers in [64, 1] {
            let ratios = |on: &str| {
                let of = |calls: &&Bounded| (calls.miss, calls.callers) == (miss, callers);
                let ratios = results.bounded.iter().filter(of).filter_map(|calls| against_python(calls, on));
                ratios.min_by(f64::total_cmp)
            };
            let measured: Vec<f64> = RUNTIMES.into_iter().filter_map(ratios).collect();
            if measured.is_empty() {
                continue;
            }
            let what = format!("bounded: CPU of a {}, redis_func_cache / mrc, {}", kind(miss), many(callers));
            let bound = match callers {
                1 => WAITING,
                _ if miss => SCRIPTS,
                _ => "",
            };
            add(targets, what, Goal::AtLeast(5.0), measured, bound);
        }
    }
    for miss in [false, true] {
        for (whose, server) in [("mrc", false), ("Redis", true)] {
            let growths = |on: &str| growths(results, miss, server, &format!("function-{on}")).max_by(f64::total_cmp);
            let measured: Vec<f64> = RUNTIMES.into_iter().filter_map(growths).collect();
            if measured.is_empty() {
                continue;
            }
            let what = format!("bounded: CPU of {whose}, a {} among 1,000,000 / among 1,000, 64 callers", kind(miss));
            add(targets, what, Goal::AtMost(GROWTH), measured, "");
        }
    }
}

/// Returns the CPU of Python's better way as a ratio to mrc's.
fn against_python(calls: &Bounded, on: &str) -> Option<f64> {
    let mrc = find(&calls.series, &format!("function-{on}"))?;
    let python = ["func-cache", "func-cache-sync"].into_iter().filter_map(|name| find(&calls.series, name));
    python.map(|python| python.ratio(mrc, Work::cpu_us)).min_by(f64::total_cmp)
}

/// Returns, for each policy, the cost of a call among the most entries as a ratio to the fewest.
fn growths(results: &Results, miss: bool, server: bool, name: &str) -> impl Iterator<Item = f64> {
    let of_kind = move |calls: &&Bounded| (calls.miss, calls.callers) == (miss, 64);
    let series = move |calls: &Bounded| find(if server { &calls.server } else { &calls.series }, name).cloned();
    let calls = results.bounded.iter().filter(of_kind);
    calls.clone().filter_map(move |few| {
        let most = calls.clone().find(|most| most.policy == few.policy && most.entries > few.entries)?;
        Some(series(most)?.ratio(&series(few)?, Work::cpu_us))
    })
}

pub(super) fn calls(results: &Results) -> String {
    let mut out = String::new();
    let mut policies: Vec<&str> = results.bounded.iter().map(|calls| calls.policy.as_str()).collect();
    policies.dedup();
    for miss in [false, true] {
        let what = if miss { "A miss that evicts an entry" } else { "A hit" };
        let title = format!("{what}, in a bounded cache of 1,000 · 1,000,000 entries");
        let header = [
            "",
            "64 callers: CPU µs",
            "64 callers: Redis's CPU µs",
            "64 callers: calls a second",
            "1 caller: CPU µs",
            "1 caller: latency, µs",
        ];
        let mut table = Table::new(title, &header);
        for policy in &policies {
            for (name, words) in CONTENDERS {
                let cell = |callers: u32, server: bool, of: fn(&Work) -> f64| {
                    let is =
                        |calls: &&Bounded| calls.policy == *policy && (calls.miss, calls.callers) == (miss, callers);
                    let series = results
                        .bounded
                        .iter()
                        .filter(is)
                        .filter_map(|calls| find(if server { &calls.server } else { &calls.series }, name));
                    let medians: Vec<String> = series.map(|series: &Series| number(series.median(of))).collect();
                    medians.join(" · ")
                };
                table.row([
                    format!("`{policy}`, {words}"),
                    cell(64, false, Work::cpu_us),
                    cell(64, true, Work::cpu_us),
                    cell(64, false, Work::rate),
                    cell(1, false, Work::cpu_us),
                    cell(1, false, Work::wall_us),
                ]);
            }
        }
        out += &table.text_of_rows();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_all_counts() {
        let series = |(name, cpu)| Series::of_one(name, cpu);
        let calls = |policy: &str, entries: u32, mrc: f64, server: f64| Bounded {
            policy: policy.into(),
            entries,
            miss: false,
            callers: 64,
            series: [("function-multi", mrc), ("func-cache", 12.0)].map(series).into(),
            server: [("function-multi", server)].map(series).into(),
        };
        let mut results = Results::of(Results::load().unwrap().machine);
        results.bounded =
            vec![calls("lru_t", 1_000, 2.0, 1.0), calls("lru_t", 1_000_000, 3.0, 4.0), calls("lfu", 1_000, 2.0, 1.0)];
        let mut all = Vec::new();
        targets(&results, &mut all);
        assert_eq!(all.iter().map(|target| target.measured[0]).collect::<Vec<_>>(), [4.0, 1.5, 4.0]);
        assert_eq!(all.iter().map(Target::is_reached).collect::<Vec<_>>(), [false, true, false]);
    }
}
