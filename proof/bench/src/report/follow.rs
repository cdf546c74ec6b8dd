//! The follower: targets, tables, and the picture of its lag.

use super::lines::{Chart, Line, Panel};
use super::tables::Table;
use super::targets::{Goal, Target, add};
use super::{number, thousands};
use crate::results::{Big, Follow, Lag, Results, Work, find};

/// The rate of the targets, in row changes a second.
const RATE: u32 = 1_000;

pub(super) fn targets(results: &Results, targets: &mut Vec<Target>) {
    for follow in &results.follow {
        let of = |what: &str| format!("follower, {}: {what}", follow.database);
        if let Some(lag) = follow.lags.iter().find(|lag| lag.rate == RATE) {
            add(targets, of("commit to invalidation at 1,000 a second, p50, ms"), Goal::AtMost(3.0), vec![lag.p50], "");
            add(targets, of("the same, p99, ms"), Goal::AtMost(10.0), vec![lag.p99], "");
        }
        let rate = follow.backlog.transactions as f64 / follow.backlog.seconds;
        add(targets, of("one-row transactions of a backlog a second"), Goal::AtLeast(50_000.0), vec![rate], "");
        if let (Some(rule), Some(driver)) = (find(&follow.decoding, "rule"), find(&follow.decoding, "driver")) {
            let millions = 1.0 / rule.median(Work::cpu_us);
            add(targets, of("decoded rows a second and core, million"), Goal::AtLeast(1.0), vec![millions], "");
            let ratio = driver.ratio(rule, Work::cpu_us);
            add(targets, of("CPU of decoding, the driver / the follower"), Goal::AtLeast(5.0), vec![ratio], "");
        }
        if let Some(big) = follow.big.iter().max_by_key(|big| big.rows) {
            let what = format!("MB above idle, {} rows in one transaction", thousands(big.rows as f64));
            add(targets, of(&what), Goal::AtMost(64.0), vec![above_idle(big)], "");
        }
    }
}

pub(super) fn tables(results: &Results) -> String {
    results.follow.iter().map(of_server).collect()
}

fn of_server(follow: &Follow) -> String {
    let Follow { database, load, .. } = follow;
    let title = format!("The follower on {database}: from commit to invalidation, ms (load before: {load})");
    let mut lags = Table::new(title, &["row changes a second", "reached", "p50", "p99", "longest"]);
    for lag in &follow.lags {
        let [rate, reached] = [f64::from(lag.rate), lag.reached].map(thousands);
        lags.row([rate, reached, number(lag.p50), number(lag.p99), number(lag.max)]);
    }
    let backlog = &follow.backlog;
    let header = ["one-row transactions", "s", "transactions a second", "batches", "tags invalidated", "CPU s"];
    let mut replayed = Table::new(format!("A backlog, on {database}"), &header);
    let rate = backlog.transactions as f64 / backlog.seconds;
    let counts = [backlog.transactions, backlog.batches, backlog.tags];
    let [transactions, batches, tags] = counts.map(|count| thousands(count as f64));
    replayed.row([transactions, number(backlog.seconds), thousands(rate), batches, tags, number(backlog.cpu)]);
    let title = format!("Updated rows of 8 columns, decoded from the log of {database}");
    let mut decoding = Table::new(title, &["", "CPU ns a row", "rows a second and core"]);
    for (name, words) in [
        ("rule", "**the follower**, the 2 columns of a rule"),
        ("all", "**the follower**, all columns"),
        ("driver", "mysql_common's `RowsEvent::rows`"),
    ] {
        let Some(series) = find(&follow.decoding, name) else { continue };
        let us = series.median(Work::cpu_us);
        decoding.row([words.to_owned(), number(us * 1e3), thousands(1e6 / us)]);
    }
    let header = ["rows of the transaction", "tags invalidated", "s after the commit", "MB idle", "MB above idle"];
    let mut big = Table::new(format!("Large transactions, on {database}"), &header);
    for one in &follow.big {
        let [rows, tags] = [one.rows, one.tags].map(|count| thousands(count as f64));
        big.row([rows, tags, number(one.seconds), number(one.idle as f64 / 1e6), number(above_idle(one))]);
    }
    lags.text() + &replayed.text() + &decoding.text() + &big.text()
}

/// Returns the picture of the lag over the load. Returns `None` if it wasn't measured.
pub(super) fn picture(results: &Results) -> Option<String> {
    let rates = &results.follow.first()?.lags;
    let panels = results.follow.iter().map(|follow| {
        let line =
            |label, class, of: fn(&Lag) -> f64| Line { label, class, values: follow.lags.iter().map(of).collect() };
        let lines = vec![line("median", "lru", |lag| lag.p50), line("99 of 100", "plain", |lag| lag.p99)];
        Panel { title: follow.database.clone(), lines }
    });
    let chart = Chart {
        title: "From commit to invalidation, by the follower".into(),
        subtitle: "ms; one-row transactions a second, by 8 writers".into(),
        steps: rates.iter().map(|lag| thousands(lag.rate.into())).collect(),
        panels: panels.collect(),
    };
    Some(chart.svg())
}

fn above_idle(big: &Big) -> f64 {
    big.peak.saturating_sub(big.idle) as f64 / 1e6
}
