//! Tags and cached functions: targets and tables.

use super::tables::{Table, cost};
use super::targets::{Goal, RUNTIMES, Target, WAITING, add, kind, many};
use super::{number, thousands};
use crate::results::{Calls, Results, Work, find};

const SCRIPTS: &str = "**A miss of a function with tags.** The miss is a `GET` and two scripts, and fred writes each \
    to the socket by itself, with one system call each. A fifth and more is page faults, because the \
    allocator returns the memory of the futures to the system and fetches it again. One caller alone also \
    sleeps three times a miss. simple-dep-cache claims nothing and orders nothing; its eight commands are \
    eight round trips.";
const TAGS_OF_A_CALL: &str =
    "**A hit with tags.** The hit itself is the same `GET`. The rest is building three tags at each call.";

/// The contenders: their names in the results, and in words.
const CONTENDERS: [(&str, &str); 10] = [
    ("typed-multi", "**mrc, a query**"),
    ("typed-multi-tagged", "**mrc, a query with 3 tags**"),
    ("function-multi", "**mrc, a function**: `get_or`"),
    ("function-multi-tagged", "**mrc, a function with 3 tags**: `get_or_try`"),
    ("typed-current", "**mrc, a query**, current thread"),
    ("typed-current-tagged", "**mrc, a query with 3 tags**, current thread"),
    ("function-current", "**mrc, a function**, current thread"),
    ("function-current-tagged", "**mrc, a function with 3 tags**, current thread"),
    ("simple-dep", "simple-dep-cache, 3 dependencies, async"),
    ("simple-dep-sync", "simple-dep-cache, 3 dependencies, not async"),
];

pub(super) fn targets(results: &Results, targets: &mut Vec<Target>) {
    let of_size = |keys| results.invalidations.iter().find(|of_size| of_size.keys == keys);
    if let (Some(few), Some(most)) = (of_size(10_000), of_size(1_000_000))
        && let (Some(npm), Some(mrc), Some(among_few)) =
            (find(&most.series, "npm"), find(&most.series, "mrc"), find(&few.series, "mrc"))
    {
        let what = "100 entries among 1,000,000, npm's drop / mrc's invalidation by tag, time";
        add(targets, what.into(), Goal::AtLeast(100.0), vec![npm.ratio(mrc, Work::wall_us)], "");
        let what = "invalidation by tag, among 1,000,000 / among 10,000, time";
        add(targets, what.into(), Goal::AtMost(1.2), vec![mrc.ratio(among_few, Work::wall_us)], "");
    }
    let kinds = |miss| results.functions.iter().filter(move |calls| calls.miss == miss);
    // With a single caller the numbers vary too much for these ratios.
    for hits in kinds(false).filter(|hits| hits.callers > 1) {
        let from = many(hits.callers);
        for (what, one, bound) in [
            ("a function / a query", ["function", ""], ""),
            ("a query with 3 tags / without", ["typed", "-tagged"], TAGS_OF_A_CALL),
        ] {
            let [way, tagged] = one;
            let measured = on_both(|on| ratio(hits, &format!("{way}-{on}{tagged}"), &format!("typed-{on}")));
            add(targets, format!("CPU of a hit, {what}, {from}"), Goal::AtMost(1.1), measured, bound);
        }
    }
    for calls in kinds(false).chain(kinds(true)) {
        let what = format!("CPU of a {}, simple-dep-cache / mrc, 3 tags, {}", kind(calls.miss), many(calls.callers));
        // Compares with the better one of its two ways.
        let measured = on_both(|on| {
            let mrc = format!("function-{on}-tagged");
            let peers = ["simple-dep", "simple-dep-sync"].into_iter();
            peers.filter_map(|peer| ratio(calls, peer, &mrc)).min_by(f64::total_cmp)
        });
        let bound = if calls.miss { SCRIPTS } else { WAITING };
        add(targets, what, Goal::AtLeast(5.0), measured, bound);
    }
}

fn ratio(calls: &Calls, one: &str, other: &str) -> Option<f64> {
    Some(find(&calls.series, one)?.ratio(find(&calls.series, other)?, Work::cpu_us))
}

fn on_both(ratio: impl Fn(&str) -> Option<f64>) -> Vec<f64> {
    RUNTIMES.into_iter().filter_map(ratio).collect()
}

pub(super) fn invalidations(results: &Results) -> String {
    if results.invalidations.is_empty() {
        return String::new();
    }
    let sizes = results.invalidations.iter().map(|of_size| format!("among {}", thousands(of_size.keys.into())));
    let header: Vec<String> = std::iter::once(String::new()).chain(sizes).collect();
    let mut table = Table::new("Invalidating 100 entries of `StoreId=6`, ms", &header);
    let words = [
        ("mrc", "**mrc, by tag**: `invalidate`"),
        ("mrc-scan", "**mrc, by params**: a scan"),
        ("npm", "npm peer, value `6_`: the segment's end by hand"),
    ];
    for (name, words) in words {
        let cells = results.invalidations.iter().map(|of_size| {
            find(&of_size.series, name).map_or_else(String::new, |series| number(series.median(Work::wall_us) / 1e3))
        });
        table.row(std::iter::once(words.to_owned()).chain(cells));
    }
    table.text()
}

pub(super) fn memory(results: &Results) -> String {
    let header = ["", "entries", "bytes", "bytes an entry"];
    let mut table = Table::new("Memory of tags in Redis, by `MEMORY USAGE`", &header);
    table.rows_of_memory(&results.memory);
    table.text_of_rows()
}

pub(super) fn functions(results: &Results) -> String {
    let mut out = String::new();
    for miss in [false, true] {
        let kinds: Vec<&Calls> = results.functions.iter().filter(|calls| calls.miss == miss).collect();
        let Some(first) = kinds.first() else { continue };
        let mut header = vec![String::new()];
        header.extend(kinds.iter().map(|calls| format!("{}: CPU µs (calls a second)", many(calls.callers))));
        header.push("1 caller: latency, µs".into());
        let title = format!("A {} of one row, decoded", kind(first.miss));
        let mut table = Table::new(title, &header);
        for (name, words) in CONTENDERS {
            let of = |calls: &&Calls| find(&calls.series, name).map(cost).unwrap_or_default();
            let mut cells: Vec<String> = kinds.iter().map(of).collect();
            if cells.iter().all(String::is_empty) {
                continue;
            }
            let alone = kinds.iter().find(|calls| calls.callers == 1).and_then(|calls| find(&calls.series, name));
            cells.push(alone.map(|series| number(series.median(Work::wall_us))).unwrap_or_default());
            table.row(std::iter::once(words.to_owned()).chain(cells));
        }
        out += &table.text();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::Series;

    #[test]
    fn the_better_way_of_a_peer_counts() {
        let series = |(name, cpu)| Series::of_one(name, cpu);
        let measured = [("function-multi-tagged", 1.0), ("simple-dep", 9.0), ("simple-dep-sync", 4.0)];
        let mut results = Results::of(Results::load().unwrap().machine);
        results.functions = vec![Calls { miss: true, callers: 1, series: measured.map(series).into() }];
        let mut all = Vec::new();
        targets(&results, &mut all);
        assert_eq!(all.iter().map(|target| target.measured.as_slice()).collect::<Vec<_>>(), [[4.0]]);
    }
}
