//! The tables, in Markdown.

use std::fmt::Write;

use mrc_tests::Machine;

use super::targets::{Goal, Target, count, many};
use super::{number, thousands, wrapped};
use crate::results::{Hits, Results, Work, find, median};

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
        let sizes: Vec<String> =
            hits.iter().map(|hits| format!("{}, {} B", count(hits.rows), thousands(hits.bytes as f64))).collect();
        let header: Vec<&str> = std::iter::once("").chain(sizes.iter().map(String::as_str)).collect();
        let title = format!("A hit, {}: CPU µs a call (hits a second)", many(callers));
        let mut table = Table::new(&title, &header);
        for (name, words) in CONTENDERS {
            let cells = hits.iter().map(|hits| {
                hits.of(name).map_or_else(String::new, |series| {
                    format!("{} ({})", number(series.median(Work::cpu_us)), thousands(series.median(Work::rate)))
                })
            });
            table.row(std::iter::once(words.to_owned()).chain(cells));
        }
        out += &table.text();
    }
    out
}

pub(super) fn rows(results: &Results) -> String {
    let mut out = String::new();
    if !results.encoding.is_empty() {
        let mut table = Table::new("10,000 rows of 8 columns to JSON, in memory", &["", "CPU ms", "ns a row"]);
        for (name, words) in [("mrc", "**mrc's `RowEncoder`**"), ("values", "a tree of `serde_json::Value`")] {
            let us = find(&results.encoding, name).map_or(f64::NAN, |series| series.median(Work::cpu_us));
            table.row([words.to_owned(), number(us / 1e3), number(us / 10.0)]);
        }
        out += &table.text();
    }
    if !results.wire.is_empty() {
        let header = ["", "rows", "answer, MB", "peak memory, MB", "ms"];
        let mut table = Table::new("From MariaDB's wire to bytes", &header);
        for wire in &results.wire {
            let words = if wire.name == "mrc" { "**mrc**" } else { "mysql_async's rows, then `serde_json::Value`" };
            let mb = |bytes: u64| number(bytes as f64 / 1e6);
            let rows = thousands(wire.rows.into());
            table.row([words.to_owned(), rows, mb(wire.bytes), mb(wire.growth), number(wire.wall * 1e3)]);
        }
        out += &table.text();
    }
    out
}

pub(super) fn misses(results: &Results) -> String {
    if results.misses.is_empty() {
        return String::new();
    }
    let mut table = Table::new("A miss of one row, one caller", &["", "commands to Redis", "latency, µs"]);
    let words = [
        ("mrc", "**mrc**"),
        ("mrc-tagged", "**mrc, 3 tags**"),
        ("npm", "npm peer"),
        ("bare", "bare fred and mysql_async, by hand"),
    ];
    for (miss, (_, words)) in
        words.iter().filter_map(|words| Some((results.misses.iter().find(|miss| miss.name == words.0)?, words)))
    {
        table.row([(*words).to_owned(), commands(&miss.commands), number(median(miss.latencies.clone()) * 1e6)]);
    }
    table.text()
}

/// Returns the number of commands and their names, `3: GET, EVALSHA × 2`.
pub(super) fn commands(commands: &[String]) -> String {
    let runs = commands.chunk_by(|one, next| one == next).map(|run| match run {
        [one] => one.clone(),
        run => format!("{} × {}", run.first().map_or("", String::as_str), run.len()),
    });
    format!("{}: {}", commands.len(), runs.collect::<Vec<_>>().join(", "))
}

pub(super) fn drops(results: &Results) -> String {
    if results.drops.is_empty() {
        return String::new();
    }
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
    table.text()
}

/// A table whose columns are aligned in the source too.
pub(super) struct Table {
    title: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(title: &str, header: &[&str]) -> Self {
        Self { title: title.to_owned(), rows: vec![header.iter().map(|&cell| cell.to_owned()).collect()] }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(super) fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |at: usize| self.rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max();
        let widths: Vec<usize> = (0..columns).map(|at| width(at).unwrap_or(0).max(2)).collect();
        let mut out = format!("### {}\n\n", self.title);
        for (at, row) in self.rows.iter().enumerate() {
            line(&mut out, row, &widths);
            if at == 0 {
                let rule: Vec<String> = widths
                    .iter()
                    .enumerate()
                    .map(|(at, width)| if at == 0 { "-".repeat(*width) } else { "-".repeat(width - 1) + ":" })
                    .collect();
                line(&mut out, &rule, &widths);
            }
        }
        out + "\n"
    }
}

fn line(out: &mut String, row: &[String], widths: &[usize]) {
    for (at, (cell, width)) in row.iter().zip(widths).enumerate() {
        let space = " ".repeat(width.saturating_sub(cell.chars().count()));
        // The first column is left-aligned, numbers are right-aligned.
        _ = if at == 0 { write!(out, "| {cell}{space} ") } else { write!(out, "| {space}{cell} ") };
    }
    out.push_str("|\n");
}
