//! The invalidation by rows: targets, tables, and the picture of staleness.

use super::bars::{Bar, Chart, Kind, Panel};
use super::tables::Table;
use super::targets::{Goal, Target, add};
use super::{number, thousands};
use crate::results::{Exact, OfText, Results, Stale, Work, find};

/// The ways to keep entries right: their names in the results, and in words.
const WAYS: [(&str, &str); 4] = [
    ("ttl-10", "a TTL of 10 s alone"),
    ("ttl-1", "a TTL of 1 s alone"),
    ("tables", "by table, TTL 10 min"),
    ("rows", "mrc, by row, TTL 10 min"),
];

const PARSING: &str = "**Deriving.** The check reads tokens alone. Deriving shares them, and sqlparser's parser alone \
    takes about as long as the check. A process derives once a text, before its first miss.";
const TAGS: &str = "**Tags of a call.** Each tag takes about 0.1 µs, and the longest text reads five tables.";
const SCRIPTS: &str = "**20 schemes.** A changed row has 20 tags or more. A batch invalidates equal tags once, and each \
    other tag by a call of a script.";

pub(super) fn targets(results: &Results, targets: &mut Vec<Target>) {
    for exact in &results.exact {
        let worst = |of: fn(&OfText) -> Option<f64>| exact.texts.iter().filter_map(of).fold(f64::NAN, f64::max);
        let derive =
            worst(|text| Some(find(&text.series, "derive")?.ratio(find(&text.series, "check")?, Work::cpu_us)));
        let what = "the check and the dependencies of a text / its check alone, CPU, the worst of 4 texts";
        add(targets, what.into(), Goal::AtMost(3.0), vec![derive], PARSING);
        let tags = worst(|text| Some(find(&text.series, "tags")?.median(Work::cpu_us)));
        let what = "tags of rows, a known text, µs a call, the worst of 4";
        add(targets, what.into(), Goal::AtMost(1.0), vec![tags], TAGS);
        let rate = exact.backlog.transactions as f64 / exact.backlog.cpu;
        let what = format!("changed rows a second and core of the follower, {} schemes", exact.schemes);
        add(targets, what, Goal::AtLeast(20_000.0), vec![rate], SCRIPTS);
        if let [few, .., many] = exact.stores.as_slice()
            && let (Some(few), Some(most)) = (find(&few.series, "mrc"), find(&many.series, "mrc"))
        {
            let what =
                format!("a change of one store, among {} / 100 times fewer entries, time", thousands(many.keys.into()));
            add(targets, what, Goal::AtMost(1.2), vec![most.ratio(few, Work::wall_us)], "");
        }
    }
}

pub(super) fn tables(results: &Results) -> String {
    results.exact.iter().map(of_run).collect()
}

fn of_run(exact: &Exact) -> String {
    let Exact { database, load, .. } = exact;
    let title = format!("Staleness and hits of a shop on {database} (load before: {load})");
    let header = ["entries end", "reads a second", "changes a second", "hits, %", "stale hits, %"];
    let ages = ["age of stale hits, ms: p50", "p99", "longest"];
    let mut stale = Table::new(title, &[&header[..], &ages].concat());
    for (name, words) in WAYS {
        let Some(way) = exact.stale.iter().find(|way| way.name == name) else { continue };
        let words = if name == "rows" { format!("**{words}**") } else { words.into() };
        let [reads, changes] = [way.reads, way.changes].map(thousands);
        let numbers = [way.hits * 100.0, way.stale * 100.0, way.p50, way.p99, way.max].map(number);
        stale.row([words, reads, changes].into_iter().chain(numbers));
    }
    let header = ["bytes", "read-only check", "check and deriving", "tags", "tags of a call"];
    let mut texts = Table::new("The dependencies of a text: CPU µs", &header);
    for text in &exact.texts {
        let of = |name| find(&text.series, name).map_or(f64::NAN, |series| series.median(Work::cpu_us));
        let [check, derive, tags] = ["check", "derive", "tags"].map(of).map(number);
        texts.row([text.bytes.to_string(), check, derive, text.tags.to_string(), tags]);
    }
    let header = ["", "CPU µs", "CPU with / without", "µs", "commands to Redis"];
    let mut calls = Table::new("Calls with tags of rows, current thread", &header);
    for (name, words, without, commands) in [
        ("hit", "a hit, 64 callers", "hit", 1),
        ("hit-followed", "**a hit with tags of rows**, 64 callers", "hit", 1),
        ("miss", "a miss, 1 caller", "miss", exact.commands[0].len()),
        ("miss-followed", "**a miss with tags of rows**, 1 caller", "miss", exact.commands[1].len()),
    ] {
        let (Some(one), Some(without)) = (find(&exact.calls, name), find(&exact.calls, without)) else { continue };
        let [cpu, ratio] = [one.median(Work::cpu_us), one.ratio(without, Work::cpu_us)].map(number);
        let wall = if name.starts_with("miss") { number(one.median(Work::wall_us)) } else { String::new() };
        calls.row([words.to_owned(), cpu, ratio, wall, commands.to_string()]);
    }
    let backlog = &exact.backlog;
    let title = format!("A backlog of a table with {} schemes, on {database}", exact.schemes);
    let header = ["one-row transactions", "s", "rows a second", "CPU s", "rows a second and core", "tags invalidated"];
    let mut schemes = Table::new(title, &header);
    let rows = backlog.transactions as f64;
    let [count, rate, each, tags] =
        [rows, rows / backlog.seconds, rows / backlog.cpu, backlog.tags as f64].map(thousands);
    schemes.row([count, number(backlog.seconds), rate, number(backlog.cpu), each, tags]);
    let header = ["", "number", "bytes", "bytes each"];
    let mut memory = Table::new("Memory of the invalidation by rows in Redis, by `MEMORY USAGE` of all keys", &header);
    memory.rows_of_memory(&exact.memory);
    let mut stores = Table::new("A change of one store that has 100 entries", &["entries", "ms"]);
    for of_size in &exact.stores {
        let ms = find(&of_size.series, "mrc").map_or(f64::NAN, |series| series.median(Work::wall_us) / 1e3);
        stores.row([thousands(of_size.keys.into()), number(ms)]);
    }
    [stale, texts, calls, schemes, memory, stores].map(|table| table.text()).concat()
}

/// Returns the picture of staleness. Returns `None` if it wasn't measured.
pub(super) fn picture(results: &Results) -> Option<String> {
    let exact = results.exact.first()?;
    let (changes, reads) = exact.stale.first().map(|way| (way.changes, way.reads))?;
    let panel = |title: &str, unit: &str, scale, of: fn(&Stale) -> f64| {
        let bars = WAYS.into_iter().filter_map(|(name, words)| {
            let value = of(exact.stale.iter().find(|way| way.name == name)?);
            let kind = if name == "rows" { Kind::Mrc } else { Kind::Other };
            Some(Bar { label: words.into(), value, text: format!("{} {unit}", number(value)), kind })
        });
        Panel { title: title.into(), bars: bars.collect(), scale }
    };
    let longest = exact.stale.iter().map(|way| way.p99).fold(1.0, f64::max);
    let chart = Chart {
        title: "Hits and staleness under writes".into(),
        subtitle: format!("a shop with {} reads and {} row changes a second", thousands(reads), thousands(changes)),
        panels: vec![
            panel("Hits: longer is better", "%", 100.0, |way| way.hits * 100.0),
            panel("Stale hits: shorter is better", "%", 100.0, |way| way.stale * 100.0),
            panel("How stale: 99 of 100 stale hits are below", "ms", longest, |way| way.p99),
        ],
    };
    Some(chart.svg())
}
