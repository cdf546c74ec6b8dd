//! Reads of 100 ids: targets and tables.

use super::tables::{Table, commands};
use super::targets::{Goal, RUNTIMES, Target, add};
use super::{number, thousands};
use crate::results::{Many, Results, Series, Work, find};

/// The contenders of hits: their names in the results, and in words.
const CONTENDERS: [(&str, &str); 12] = [
    ("fred-multi", "bare fred, `MGET`"),
    ("bytes-multi", "**mrc, at once, as bytes**"),
    ("typed-multi", "**mrc, at once, structs**"),
    ("bytes-multi-each", "mrc, one after another, as bytes"),
    ("typed-multi-each", "mrc, one after another, structs"),
    ("fred-current", "bare fred, `MGET`, current thread"),
    ("bytes-current", "**mrc, at once, as bytes**, current thread"),
    ("typed-current", "**mrc, at once, structs**, current thread"),
    ("bytes-current-each", "mrc, one after another, as bytes, current thread"),
    ("typed-current-each", "mrc, one after another, structs, current thread"),
    ("npm", "npm peer, in parallel"),
    ("redis-py", "redis-py, `MGET` and `json.loads` by hand"),
];

const DECODING: &str = "**100 ids at once.** The keys and the decoded structs cost the same at once and one after \
    another. Only the commands are fewer.";

pub(super) fn targets(results: &Results, targets: &mut Vec<Target>) {
    let Some(many) = &results.many else { return };
    for (way, words) in [("bytes", "as bytes"), ("typed", "structs")] {
        let ratios = |of: fn(&Work) -> f64| -> Vec<f64> {
            let pair = |on: &&str| Some((at_once(many, way, on, "")?, at_once(many, way, on, "-each")?));
            RUNTIMES.iter().filter_map(pair).map(|(once, each)| once.ratio(each, of)).collect()
        };
        let what = format!("CPU of 100 hits at once / one after another, {words}, 1 caller");
        add(targets, what, Goal::AtMost(0.1), ratios(Work::cpu_us), DECODING);
        let what = format!("ids a second, 100 hits at once / one after another, {words}, 1 caller");
        add(targets, what, Goal::AtLeast(20.0), ratios(Work::rate), DECODING);
    }
    if let Some(misses) = many.misses.iter().find(|misses| misses.name == "typed-multi") {
        let trips = misses.commands.len() as f64;
        add(targets, "100 misses at once, round trips to Redis".into(), Goal::AtMost(4.0), vec![trips], "");
        let statements = misses.statements as f64;
        add(targets, "100 misses at once, statements".into(), Goal::AtMost(1.0), vec![statements], "");
    }
}

fn at_once<'a>(many: &'a Many, way: &str, runtime: &str, suffix: &str) -> Option<&'a Series> {
    find(&many.hits, &format!("{way}-{runtime}{suffix}"))
}

pub(super) fn tables(results: &Results) -> String {
    let Some(many) = &results.many else { return String::new() };
    let ids = many.ids;
    let title = format!("Hits of {ids} ids, one caller");
    let mut hits = Table::new(title, &["", "CPU µs", "latency, µs", "ids a second"]);
    for (name, words) in CONTENDERS {
        let Some(series) = find(&many.hits, name) else { continue };
        let [cpu, wall] = [series.median(Work::cpu_us), series.median(Work::wall_us)].map(number);
        hits.row([words.to_owned(), cpu, wall, thousands(series.median(Work::rate) * f64::from(ids))]);
    }
    let header = ["", "commands to Redis", "statements", "latency, µs", "CPU µs"];
    let mut misses = Table::new(format!("Misses of {ids} ids, one caller"), &header);
    for (name, words) in [
        ("typed-multi", "**mrc, at once**"),
        ("typed-multi-each", "mrc, one after another"),
        ("npm", "npm peer, in parallel"),
    ] {
        let Some(of) = many.misses.iter().find(|misses| misses.name == name) else { continue };
        let series = Series { name: name.into(), rounds: of.rounds.clone() };
        let [wall, cpu] = [series.median(Work::wall_us), series.median(Work::cpu_us)].map(number);
        misses.row([words.to_owned(), commands(&of.commands), thousands(of.statements as f64), wall, cpu]);
    }
    hits.text() + &misses.text()
}
