//! The table, and the page that keeps it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::race::{CALLERS, Outcome};

/// One line of the table.
pub(crate) struct Line {
    pub(crate) name: &'static str,
    pub(crate) version: String,
    pub(crate) place: &'static str,
    pub(crate) calls: &'static str,
    pub(crate) outcome: Outcome,
}

const FROM: &str = "<!-- Written by `just race --write`: from here … -->\n";
const TO: &str = "<!-- … to here. -->\n";

/// Returns the table, in Markdown.
pub(crate) fn table(lines: &[Line]) -> String {
    let loads = format!("loads for {CALLERS} callers");
    let header = ["library", "version", "values lie in", "raced", "old value kept", "old value handed out", &loads];
    let mut rows = vec![header.map(str::to_owned)];
    for Line { name, version, place, calls, outcome } in lines {
        let said = |bad: bool| if bad { "**yes**" } else { "no" }.to_owned();
        let Outcome { kept, handed, loads } = *outcome;
        let texts = [*name, version, place, calls].map(str::to_owned);
        let [name, version, place, calls] = texts;
        rows.push([name, version, place, calls, said(kept), said(handed), loads.to_string()]);
    }
    let widths: [usize; 7] =
        std::array::from_fn(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or_default());
    let mut out = String::new();
    for (at, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(widths) {
            _ = write!(out, "| {cell:width$} ");
        }
        out.push_str("|\n");
        if at == 0 {
            widths.iter().for_each(|width| out.push_str(&format!("| {:-<width$} ", "")));
            out.push_str("|\n");
        }
    }
    out
}

/// Returns the version of a package in Cargo.lock.
pub(crate) fn locked_version(package: &str) -> String {
    let mut lines = include_str!("../Cargo.lock").lines();
    lines.find(|line| *line == format!("name = \"{package}\"")).expect("the package is in Cargo.lock");
    let version = lines.next().and_then(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
    version.expect("a package has a version").to_owned()
}

/// Replaces the table in docs/internals/race.md.
pub(crate) fn write(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/internals/race.md");
    let page = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let (before, rest) = page.split_once(FROM).expect("docs/internals/race.md has the place of the table");
    let (_, after) = rest.split_once(TO).expect("docs/internals/race.md has the end of the table");
    fs::write(&path, format!("{before}{FROM}\n{table}\n{TO}{after}"))
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}
