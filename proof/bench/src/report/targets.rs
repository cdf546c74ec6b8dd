//! The targets, and the numbers that were reached.

use crate::results::{Hits, Miss, Results, Series, Work, find};

pub(super) struct Target {
    pub(super) what: String,
    pub(super) goal: Goal,
    /// The numbers on two workers and on the current thread, or one number for both.
    pub(super) measured: Vec<f64>,
    /// The reason, where the target wasn't reached.
    pub(super) bound: &'static str,
}

#[derive(Clone, Copy)]
pub(super) enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

impl Goal {
    pub(super) fn is_reached(self, measured: f64) -> bool {
        match self {
            Self::AtMost(limit) => measured <= limit,
            Self::AtLeast(limit) => measured >= limit,
        }
    }
}

impl Target {
    pub(super) fn is_reached(&self) -> bool {
        self.measured.iter().all(|measured| self.goal.is_reached(*measured))
    }
}

/// The suffixes of the series of both runtimes.
pub(super) const RUNTIMES: [&str; 2] = ["multi", "current"];

pub(super) const OVERHEAD: &str = "**As bytes against a bare client.** Bare fred has its key ready. A call of mrc builds \
    the key from the params, looks up the query's text, and checks that no other params could have the \
    same key: about 0.3 µs. A hit is one future without a box. With a store of the caller's own the box \
    costs about 0.1 µs more, and its cold memory.";
const WAKING: &str = "**One row with two workers.** Bare fred alone costs about three quarters of a whole hit of \
    the npm peer. Its callers and its connection live on two threads that wake each other. On the current \
    thread this cost is gone.";
pub(super) const WAITING: &str = "**One caller alone.** The caller sleeps until each answer comes, so the numbers \
    measure sleeping and waking. On two cores they vary by a factor of three between processes. mrc's store \
    alone, which does all that bare fred does, may cost a third of it. Read the rows of 64 callers.";
const DECODING: &str = "**Structs of 100 rows and more.** Compared with the same hit as bytes, about four fifths of \
    the cost are serde_json's decoding and the allocation of each text. Borrowed structs save the \
    allocations. Python's own decoder is written in C, and isn't ten times slower.";
const SCAN: &str = "**A drop.** Redis visits its 100,000 keys and matches each of them. This is most of the time, \
    and the same for every client. The npm peer also makes 10,000 round trips for its small pages, and one \
    for each entry.";

pub(super) fn all(results: &Results) -> Vec<Target> {
    let mut targets = Vec::new();
    for (rows, callers) in [(1, 64), (100, 64), (1, 1), (100, 1)] {
        against_fred(results, "bytes", rows, callers, &mut targets);
    }
    for rows in [1, 100] {
        against_fred(results, "full", rows, 64, &mut targets);
    }
    let npm = [
        (1, "typed", 0.8, WAKING),
        (100, "typed", 0.6, DECODING),
        (100, "borrowed", 0.5, DECODING),
        (100, "bytes", 0.16, OVERHEAD),
    ];
    for (rows, way, limit, bound) in npm {
        let Some(hits) = hits(results, rows, 64) else { continue };
        let what = format!("CPU of a hit {} / npm, {}, 64 callers", name(way), count(rows));
        add(&mut targets, what, Goal::AtMost(limit), ratios(hits, way, "npm"), bound);
    }
    for rows in [1, 100, 10_000] {
        let Some(hits) = hits(results, rows, 64) else { continue };
        for way in ["bytes", "typed"] {
            let what = format!("CPU of a hit, PyPI / {}, {}, 64 callers", name(way), count(rows));
            let inverse = ratios(hits, way, "pypi").into_iter().map(|ratio| 1.0 / ratio).collect();
            add(&mut targets, what, Goal::AtLeast(10.0), inverse, DECODING);
        }
    }
    if let (Some(values), Some(mrc)) = (find(&results.encoding, "values"), find(&results.encoding, "mrc")) {
        let ratio = values.ratio(mrc, Work::cpu_us);
        add(&mut targets, "rows to JSON, `serde_json::Value` / mrc, CPU".into(), Goal::AtLeast(3.0), vec![ratio], "");
    }
    for wire in results.wire.iter().filter(|wire| wire.name == "mrc") {
        let what = format!("{} from the wire, MB of memory beside the answer", count(wire.rows));
        let beside = wire.growth.saturating_sub(wire.bytes) as f64 / 1e6;
        add(&mut targets, what, Goal::AtMost(1.0), vec![beside], "");
    }
    if let (Some(mrc), Some(npm)) = (miss(results, "mrc"), miss(results, "npm")) {
        let more = mrc.commands.len() as f64 - npm.commands.len() as f64;
        add(&mut targets, "a miss, round trips to Redis more than npm".into(), Goal::AtMost(1.0), vec![more], "");
    }
    super::many::targets(results, &mut targets);
    if let (Some(npm), Some(mrc)) = (find(&results.drops, "npm"), find(&results.drops, "mrc")) {
        let ratio = npm.ratio(mrc, |work| work.wall);
        let what = "a drop of 100 among 100,000, npm / mrc, time";
        add(&mut targets, what.into(), Goal::AtLeast(10.0), vec![ratio], SCAN);
        let wrong = mrc.median(|work| work.seen as f64) - 100.0;
        add(&mut targets, "entries dropped wrongly".into(), Goal::AtMost(0.0), vec![wrong.abs()], "");
    }
    super::clients::targets(results, &mut targets);
    super::tags::targets(results, &mut targets);
    super::bounded::targets(results, &mut targets);
    super::exact::targets(results, &mut targets);
    super::follow::targets(results, &mut targets);
    targets
}

fn against_fred(results: &Results, way: &str, rows: u32, callers: u32, targets: &mut Vec<Target>) {
    let Some(hits) = hits(results, rows, callers) else { return };
    let what = format!("CPU of a hit {} / bare fred, {}, {}", name(way), count(rows), many(callers));
    let measured = RUNTIMES
        .iter()
        .filter_map(|runtime| Some(of(hits, way, runtime)?.ratio(of(hits, "fred", runtime)?, Work::cpu_us)));
    let most = if way == "full" { 1.15 } else { 1.1 };
    add(targets, what, Goal::AtMost(most), measured.collect(), if callers == 1 { WAITING } else { OVERHEAD });
}

pub(super) fn add(targets: &mut Vec<Target>, what: String, goal: Goal, measured: Vec<f64>, bound: &'static str) {
    targets.push(Target { what, goal, measured, bound });
}

/// Returns the CPU of one of mrc's ways as a ratio to a peer's, on both runtimes.
fn ratios(hits: &Hits, way: &str, peer: &str) -> Vec<f64> {
    let Some(peer) = find(&hits.series, peer) else { return Vec::new() };
    let mrc = RUNTIMES.iter().filter_map(|runtime| of(hits, way, runtime));
    mrc.map(|mrc| mrc.ratio(peer, Work::cpu_us)).collect()
}

pub(super) fn of<'a>(hits: &'a Hits, way: &str, runtime: &str) -> Option<&'a Series> {
    find(&hits.series, &format!("{way}-{runtime}"))
}

pub(super) fn hits(results: &Results, rows: u32, callers: u32) -> Option<&Hits> {
    results.hits.iter().find(|hits| (hits.rows, hits.callers) == (rows, callers))
}

pub(super) fn miss<'a>(results: &'a Results, name: &str) -> Option<&'a Miss> {
    results.misses.iter().find(|miss| miss.name == name)
}

pub(super) fn count(rows: u32) -> String {
    if rows == 1 { "1 row".into() } else { format!("{} rows", super::thousands(rows.into())) }
}

pub(super) fn many(callers: u32) -> String {
    if callers == 1 { "1 caller".into() } else { format!("{callers} callers") }
}

pub(super) fn kind(miss: bool) -> &'static str {
    if miss { "miss" } else { "hit" }
}

fn name(way: &str) -> &str {
    match way {
        "bytes" => "as bytes",
        "full" => "as bytes, everything on",
        way => way,
    }
}
