//! The demo's results, as text and as JSON.

use std::time::Duration;

use clap::builder::styling::Style;
use indicatif::HumanCount;
use serde::Serialize;

use crate::output::{Output, plural};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Servers {
    /// SQLite, and a cache in the memory of the process.
    None,
    /// MySQL and Redis, from the two URLs.
    Yours,
}

/// The demo's measurements. Times are in milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) servers: Servers,
    pub(super) orders: u64,
    pub(super) stores: u64,
    pub(super) query: String,
    pub(super) cold_ms: f64,
    pub(super) hot_ms: f64,
    pub(super) callers: u64,
    pub(super) callers_ms: f64,
    /// The number of the callers' queries that reached the database.
    pub(super) queries: u64,
    pub(super) dropped: u64,
    pub(super) orders_before: u64,
    /// The answer for the store that was written to, after the drop.
    pub(super) written: Fresh,
    /// The answer for the store whose number begins with the same digit.
    pub(super) alike: Fresh,
}

#[derive(Debug, Serialize)]
pub(super) struct Fresh {
    pub(super) store_id: u64,
    pub(super) source: &'static str,
    pub(super) ms: f64,
    pub(super) orders: u64,
}

/// Returns milliseconds, exact to the nanosecond.
pub(super) fn ms(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1e6
}

impl Report {
    pub(super) fn text(&self, output: Output) -> String {
        let bold = |text: &str| output.styled(Style::new().bold(), text);
        let step =
            |name: &str, figure: &str, text: &str| format!("  {name:<15} {}  {text}", bold(&format!("{figure:>9}")));
        let (on, database) = match self.servers {
            Servers::None => ("without servers: SQLite and the cache are in this process", "SQLite"),
            Servers::Yours => ("on your servers, with a table and keys of its own, which it removes", "MySQL"),
        };
        let (store, before) = (self.written.store_id, self.orders_before);
        let faster = count((self.cold_ms / self.hot_ms.max(1e-6)).round() as u64);
        let queries = plural(self.queries, "query", "queries");
        let mut lines = vec![
            format!("{} {on}", bold("mrc demo")),
            String::new(),
            format!("  {} orders of {} stores, no index on store_id:", count(self.orders), count(self.stores)),
            format!("  {}", output.styled(Style::new().dimmed(), &self.query)),
            String::new(),
            step("cold", &time(self.cold_ms), &format!("StoreId={store}: a miss, {database} reads every row")),
            step("hot", &time(self.hot_ms), &format!("StoreId={store}: a hit, {faster} times as fast")),
            step(
                &format!("{} callers", count(self.callers)),
                &time(self.callers_ms),
                &format!("at once, for an uncached answer: {queries} reached {database}"),
            ),
            String::new(),
            format!("  An order of store {store} is written, and StoreId={store} is dropped:"),
            step("drop", &plural(self.dropped, "entry", "entries"), "dropped; all others stay"),
        ];
        lines.extend([&self.written, &self.alike].map(|fresh| {
            let found = match (fresh.source, fresh.orders > before) {
                ("hit", _) => "a hit: its entry stays".to_owned(),
                (_, true) => format!("a miss: {} orders now, {} before", count(fresh.orders), count(before)),
                (_, false) => format!("a miss: {} orders", count(fresh.orders)),
            };
            step(&format!("StoreId={}", fresh.store_id), &time(fresh.ms), &found)
        }));
        lines.extend([String::new(), format!("{} {}", bold("Next:"), self.next())]);
        lines.join("\n")
    }

    fn next(&self) -> String {
        let program = std::env::args().next().unwrap_or_else(|| "mrc".to_owned());
        match self.servers {
            Servers::None => format!(
                "the same on your servers, or on those that `just up` starts in Docker:\n  \
                 export MRC_MYSQL_URL=mysql://shop:secret@localhost:3306/shop\n  \
                 export MRC_REDIS_URL=redis://:secret@localhost:6379\n  {program} demo"
            ),
            Servers::Yours => format!(
                "a query of your own, twice:\n  \
                 {program} query --sql 'SELECT * FROM your_table WHERE id = ?' --param Id=6"
            ),
        }
    }
}

fn time(ms: f64) -> String {
    match ms {
        ms if ms < 1.0 => format!("{:.1} us", ms * 1e3),
        ms if ms < 1e3 => format!("{ms:.1} ms"),
        ms => format!("{:.2} s", ms / 1e3),
    }
}

fn count(count: u64) -> String {
    HumanCount(count).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(servers: Servers) -> Report {
        let fresh = |store_id, source, orders| Fresh { store_id, source, ms: 0.004, orders };
        Report {
            servers,
            orders: 100_000,
            stores: 100,
            query: "SELECT 1".into(),
            cold_ms: 12.5,
            hot_ms: 0.005,
            callers: 1_000,
            callers_ms: 1_500.0,
            queries: 1,
            dropped: 1,
            orders_before: 1_000,
            written: fresh(6, "miss", 1_001),
            alike: fresh(66, "hit", 1_000),
        }
    }

    #[test]
    fn the_text_is_short_and_complete() {
        for servers in [Servers::None, Servers::Yours] {
            let text = report(servers).text(Output::new(true));
            assert!(text.lines().count() <= 25 && !text.contains('\x1b'), "{text}");
            let parts = "12.5 ms|5.0 us|2,500 times|1,000 callers|1 query reached|1,001 orders now|its entry stays";
            for part in parts.split('|') {
                assert!(text.contains(part), "{part} in {text}");
            }
        }
    }

    #[test]
    fn times_have_the_unit_that_fits() {
        let times = [0.0042, 0.9, 1.0, 999.0, 2_500.0].map(time);
        assert_eq!(times, ["4.2 us", "900.0 us", "1.0 ms", "999.0 ms", "2.50 s"]);
    }
}
