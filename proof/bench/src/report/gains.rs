//! The table of gains: mrc beside the packages that a user would take otherwise.

use super::number;
use super::tables::Table;
use super::targets::{hits, of};
use crate::results::{Calls, Results, Series, Stale, Work, find};

pub(super) fn table(results: &Results) -> String {
    let mut table = Table::new("Gains", &["", "mrc", "instead", "gain"]);
    let mut gain = |what: &str, unit: &str, mrc: f64, instead: &str, other: f64| {
        let times = number(other / mrc);
        table.row([
            what.to_owned(),
            format!("{} {unit}", number(mrc)),
            format!("{instead}: {}", number(other)),
            format!("{times} ×"),
        ]);
    };
    let cpu = Work::cpu_us as fn(&Work) -> f64;
    let mut compare =
        |what: &str, unit: &str, mrc: Option<&Series>, instead: &str, other: Option<&Series>, of: fn(&Work) -> f64| {
            if let (Some(mrc), Some(other)) = (mrc, other) {
                gain(what, unit, mrc.median(of), instead, other.median(of));
            }
        };
    for (rows, what) in [(1, "a hit of 1 row, CPU"), (100, "a hit of 100 rows, as bytes, CPU")] {
        let Some(hits) = hits(results, rows, 64) else { continue };
        for (peer, name) in [("npm", "npm peer"), ("pypi", "PyPI peer")] {
            compare(what, "µs", of(hits, "bytes", "current"), name, find(&hits.series, peer), cpu);
        }
    }
    if let Some(many) = &results.many {
        let (mrc, npm) = (find(&many.hits, "typed-current"), find(&many.hits, "npm"));
        compare("100 entries at once, structs, CPU", "µs", mrc, "npm peer, in parallel", npm, cpu);
    }
    let function = |calls: &&Calls| calls.miss && calls.callers == 64;
    if let Some(calls) = results.functions.iter().find(function) {
        let [mrc, other] = ["function-current-tagged", "simple-dep"].map(|name| find(&calls.series, name));
        compare("a miss of a function with 3 tags, CPU", "µs", mrc, "simple-dep-cache", other, cpu);
    }
    let ms = (|work| work.wall_us() / 1e3) as fn(&Work) -> f64;
    let [mrc, npm] = ["mrc", "npm"].map(|name| find(&results.drops, name));
    compare("a drop of 100 entries among 100,000", "ms", mrc, "npm peer", npm, ms);
    if let Some(most) = results.invalidations.iter().max_by_key(|of_size| of_size.keys) {
        let [mrc, npm] = ["mrc", "npm"].map(|name| find(&most.series, name));
        compare("100 entries among 1,000,000, by tag", "ms", mrc, "npm peer's drop", npm, ms);
    }
    let [values, mrc] = ["values", "mrc"].map(|name| find(&results.encoding, name));
    compare("10,000 rows to JSON, CPU", "ms", mrc, "`serde_json::Value`", values, |work| work.cpu_us() / 1e3);
    for exact in &results.exact {
        let way = |name| exact.stale.iter().find(|way| way.name == name);
        if let (Some(ttl), Some(rows)) = (way("ttl-10"), way("rows")) {
            for (what, unit, of) in [
                ("answers that are stale, of hits", "%", (|way| way.stale * 100.0) as fn(&Stale) -> f64),
                ("the age of 99 of 100 stale answers, at most", "ms", |way| way.p99),
            ] {
                gain(what, unit, of(rows), "a TTL of 10 s", of(ttl));
            }
        }
    }
    table.text()
}
