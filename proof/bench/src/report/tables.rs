//! The tables, in Markdown.

use mrc_tests::Machine;

use super::targets::{Goal, Target, count, many, miss};
use super::{number, thousands, wrapped};
use crate::results::{Hits, Memory, Results, Series, Work, find, median};

/// The contenders of a hit: their names in the results, and in words.
pub(super) const CONTENDERS: [(&str, &str); 14] = [
    ("fred-multi", "bare fred, `GET`"),
    ("store-multi", "mrc's store alone"),
    ("bytes-multi", "**mrc, as bytes**"),
    ("full-multi", "**mrc, as bytes, everything on**"),
    ("borrowed-multi", "**mrc, borrowed structs**"),
    ("typed-multi", "**mrc, structs**"),
    ("fred-current", "bare fred, current thread"),
    ("store-current", "mrc's store alone, current thread"),
    ("bytes-current", "**mrc, as bytes**, current thread"),
    ("full-current", "**mrc, as bytes, everything on**, current thread"),
    ("borrowed-current", "**mrc, borrowed structs**, current thread"),
    ("typed-current", "**mrc, structs**, current thread"),
    ("npm", "npm peer"),
    ("pypi", "PyPI peer"),
];

pub(super) fn machine(machine: &Machine) -> String {
    let Machine { node, python, rust, load, .. } = machine;
    wrapped(&format!("Measured on {machine}, Node {node}, Python {python}, Rust {rust}. Load before the run: {load}."))
}

pub(super) fn targets(targets: &[Target]) -> String {
    let mut table = Table::new("Targets", &["target", "goal", "two workers", "current thread", ""]);
    for target in targets {
        let goal = match target.goal {
            Goal::AtMost(limit) => format!("≤ {limit}"),
            Goal::AtLeast(limit) => format!("≥ {limit}"),
        };
        let mut measured = target.measured.iter().map(|value| number(*value));
        let [first, second] = [(); 2].map(|()| measured.next().unwrap_or_default());
        let verdict = if target.is_reached() { "reached" } else { "**not reached**" };
        table.row([target.what.clone(), goal, first, second, verdict.into()]);
    }
    let mut out = table.text();
    let missed = targets.iter().filter(|target| !target.is_reached() && !target.bound.is_empty());
    let mut said = Vec::new();
    for bound in missed.map(|target| target.bound) {
        if !said.contains(&bound) {
            said.push(bound);
            out += &wrapped(bound);
        }
    }
    out
}

pub(super) fn hits(results: &Results) -> String {
    let mut out = String::new();
    for callers in [64, 1] {
        let hits: Vec<&Hits> = results.hits.iter().filter(|hits| hits.callers == callers).collect();
        if hits.is_empty() {
            continue;
        }
        let sizes = hits.iter().map(|hits| format!("{}, {} B", count(hits.rows), thousands(hits.bytes as f64)));
        let header: Vec<String> = std::iter::once(String::new()).chain(sizes).collect();
        let title = format!("A hit, {}: CPU µs a call (hits a second)", many(callers));
        let mut table = Table::new(title, &header);
        for (name, words) in CONTENDERS {
            let cells = hits.iter().map(|hits| find(&hits.series, name).map(cost).unwrap_or_default());
            table.row(std::iter::once(words.to_owned()).chain(cells));
        }
        out += &table.text();
    }
    out
}

pub(super) fn rows(results: &Results) -> String {
    let mut encoding = Table::new("10,000 rows of 8 columns to JSON, in memory", &["", "CPU ms", "ns a row"]);
    for (name, words) in [("mrc", "**mrc's `RowEncoder`**"), ("values", "a tree of `serde_json::Value`")] {
        let Some(us) = find(&results.encoding, name).map(|series| series.median(Work::cpu_us)) else { continue };
        encoding.row([words.to_owned(), number(us / 1e3), number(us / 10.0)]);
    }
    let header = ["", "rows", "answer, MB", "peak memory, MB", "ms"];
    let mut wires = Table::new("From MariaDB's wire to bytes", &header);
    for wire in &results.wire {
        let words = if wire.name == "mrc" { "**mrc**" } else { "mysql_async's rows, then `serde_json::Value`" };
        let mb = |bytes: u64| number(bytes as f64 / 1e6);
        let rows = thousands(wire.rows.into());
        wires.row([words.to_owned(), rows, mb(wire.bytes), mb(wire.growth), number(wire.wall * 1e3)]);
    }
    encoding.text_of_rows() + &wires.text_of_rows()
}

pub(super) fn misses(results: &Results) -> String {
    let mut table = Table::new("A miss of one row, one caller", &["", "commands to Redis", "latency, µs"]);
    for (name, words) in [
        ("mrc", "**mrc**"),
        ("mrc-tagged", "**mrc, 3 tags**"),
        ("npm", "npm peer"),
        ("bare", "bare fred and mysql_async, by hand"),
    ] {
        let Some(miss) = miss(results, name) else { continue };
        table.row([words.to_owned(), commands(&miss.commands), number(median(miss.latencies.clone()) * 1e6)]);
    }
    table.text_of_rows()
}

/// Returns the number of commands, and of each name: `3: GET, EVALSHA × 2`.
pub(super) fn commands(commands: &[String]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for name in commands {
        match counts.iter_mut().find(|(known, _)| known == name) {
            Some((_, count)) => *count += 1,
            None => counts.push((name, 1)),
        }
    }
    let each = counts.into_iter().map(|(name, count)| match count {
        1 => name.to_owned(),
        count => format!("{name} × {count}"),
    });
    format!("{}: {}", commands.len(), each.collect::<Vec<_>>().join(", "))
}

pub(super) fn drops(results: &Results) -> String {
    let header = ["", "entries dropped", "ms", "CPU ms of the client"];
    let mut table = Table::new("A drop of `StoreId=6`: 100 entries among 100,000 of 1,000 stores", &header);
    let words = [
        ("mrc", "**mrc**"),
        ("mrc-substring", "mrc, `substring()`, as the peers match"),
        ("npm", "npm peer"),
        ("npm-by-hand", "npm peer, value `6_`: the segment's end by hand"),
    ];
    for (name, words) in words {
        let Some(series) = find(&results.drops, name) else { continue };
        let dropped = thousands(series.median(|work| work.seen as f64));
        let ms = number(series.median(|work| work.wall * 1e3));
        table.row([words.to_owned(), dropped, ms, number(series.median(|work| work.cpu * 1e3))]);
    }
    table.text_of_rows()
}

/// Returns the CPU of a call in µs, and the calls a second.
pub(super) fn cost(series: &Series) -> String {
    format!("{} ({})", number(series.median(Work::cpu_us)), thousands(series.median(Work::rate)))
}

pub(super) struct Table {
    title: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(title: impl Into<String>, header: &[impl AsRef<str>]) -> Self {
        Self { title: title.into(), rows: vec![header.iter().map(|cell| cell.as_ref().to_owned()).collect()] }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Adds a row for each structure: its entries, its bytes, and the bytes of an entry.
    pub(super) fn rows_of_memory(&mut self, all: &[Memory]) {
        for Memory { what, entries, bytes } in all {
            let [count, sum] = [*entries, *bytes].map(|count| thousands(count as f64));
            self.row([what.clone(), count, sum, number(*bytes as f64 / *entries as f64)]);
        }
    }

    pub(super) fn text(&self) -> String {
        format!("### {}\n\n{}", self.title, mrc_chart::table(&self.rows))
    }

    /// Returns nothing if there is no row.
    pub(super) fn text_of_rows(&self) -> String {
        if self.rows.len() > 1 { self.text() } else { String::new() }
    }
}
