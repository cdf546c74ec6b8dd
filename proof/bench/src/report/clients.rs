//! Both Redis clients: targets and a table.

use super::tables::{Table, cost};
use super::targets::{Goal, OVERHEAD, RUNTIMES, Target, add};
use crate::results::{Results, Work, find};

/// Compares redis-rs alone. The targets of hits have fred.
pub(super) fn targets(results: &Results, targets: &mut Vec<Target>) {
    for work in &results.clients {
        let of = |kind: &str, on: &str| find(&work.series, &format!("{kind} redis-rs {on}"));
        let ratio = |on: &&str| Some(of("mrc", on)?.ratio(of("bare", on)?, Work::cpu_us));
        let measured: Vec<f64> = RUNTIMES.iter().filter_map(ratio).collect();
        if !measured.is_empty() {
            let what = format!("CPU of {} by redis-rs / bare redis-rs, 64 callers", work.what);
            add(targets, what, Goal::AtMost(1.1), measured, OVERHEAD);
        }
    }
}

pub(super) fn table(results: &Results) -> String {
    let mut out = String::new();
    for (runtime, words) in [("multi", "two workers"), ("current", "current thread")] {
        let title = format!("Both Redis clients, 64 callers, {words}: CPU µs a call (calls a second)");
        let mut table = Table::new(title, &["", "fred", "redis-rs", "bare fred", "bare redis-rs"]);
        for work in &results.clients {
            for (kind, prefix) in [("store", "the store alone, "), ("mrc", "")] {
                let cell =
                    |kind: &str, client: &str| find(&work.series, &format!("{kind} {client} {runtime}")).map(cost);
                let (Some(fred), Some(redis_rs)) = (cell(kind, "fred"), cell(kind, "redis-rs")) else { continue };
                let [bare_fred, bare_redis_rs] =
                    ["fred", "redis-rs"].map(|client| cell("bare", client).unwrap_or_default());
                table.row([format!("{prefix}{}", work.what), fred, redis_rs, bare_fred, bare_redis_rs]);
            }
        }
        out += &table.text_of_rows();
    }
    out
}
