//! The output of a running follower: lines on stderr, a status line on a terminal, or JSON on
//! stdout.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use mrc::Event;
use mrc::follow::{Follower, Status};
use mrc::store::lock;
use serde_json::json;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::prelude::*;

use crate::error::redact;
use crate::output::{Output, counted, plural};

const TICK: Duration = Duration::from_secs(1);
/// With `--json`, the numbers are printed once in so many ticks.
const REPORT: u32 = 10;
/// A follower that doesn't lead after so many ticks says that it stands by.
const STANDBY: u32 = 3;
/// The fallbacks that are remembered, so that each is reported once.
const FALLBACKS: usize = 1_000;

#[derive(Clone)]
pub(super) struct News(Arc<Inner>);

struct Inner {
    output: Output,
    dry_run: bool,
    bar: ProgressBar,
    reported: Mutex<Reported>,
}

#[derive(Default)]
struct Reported {
    /// The last warning of an outage, which is repeated at each attempt, and its time.
    trouble: Option<(String, Instant)>,
    fallbacks: HashSet<(String, String)>,
}

impl News {
    pub(super) fn new(output: Output, dry_run: bool) -> Self {
        let bar = output.spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            bar.set_style(style);
        }
        Self(Arc::new(Inner { output, dry_run, bar, reported: Mutex::default() }))
    }

    /// Writes the library's log of level info and above.
    pub(super) fn take_log(&self) {
        let layer = tracing_subscriber::fmt::layer().with_target(false).with_level(false).without_time();
        let only = Targets::new().with_target("mrc", LevelFilter::INFO);
        // A second subscriber would be refused, but there is one call a process.
        let _ = tracing_subscriber::registry().with(layer.with_writer(self.clone()).with_filter(only)).try_init();
    }

    pub(super) fn listener(&self) -> impl Fn(&Event<'_>) + Send + Sync + 'static {
        let news = self.clone();
        move |event: &Event<'_>| news.event(event)
    }

    /// Writes a line that isn't a typed event.
    pub(super) fn line(&self, level: &str, text: &str) {
        let text = redact(text);
        self.write(&text, &json!({ "event": "log", "level": level, "message": text }));
    }

    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Leads { leads } => {
                let text = if *leads { "leads: this follower has the lease" } else { "leads no more" };
                self.write(text, &json!({ "event": "leads", "leads": leads }));
            }
            Event::FellBack { table, why } if self.is_new(table, why) => {
                let of = if table.is_empty() { "all tables" } else { *table };
                let text = format!("everything of {of} is invalidated: {why} (reported once)");
                self.write(&text, &json!({ "event": "fell_back", "table": table, "why": why }));
            }
            Event::Applied { transactions, rows, tags, .. } if self.0.dry_run => {
                let (of, tags_in) = (counted(*transactions, "transaction"), HumanCount(*tags));
                let text = format!("{of}, {}; tags and params to invalidate: {tags_in}", counted(*rows, "row"));
                let Inner { output, bar, .. } = &*self.0;
                let applied = json!({ "event": "applied", "transactions": transactions, "rows": rows, "tags": tags });
                let _ = if output.is_json() {
                    output.document(&applied)
                } else {
                    bar.suspend(|| output.result(text.as_bytes()))
                };
            }
            _ => {}
        }
    }

    fn is_new(&self, table: &str, why: &str) -> bool {
        let mut reported = lock(&self.0.reported);
        if reported.fallbacks.len() >= FALLBACKS {
            reported.fallbacks.clear();
        }
        reported.fallbacks.insert((table.to_owned(), why.to_owned()))
    }

    /// Shows the numbers of a running follower, for ever.
    pub(super) async fn watch(&self, follower: &Follower) {
        let (mut ticks, mut last, mut at) = (0, follower.status(), Instant::now());
        let mut clock = interval(TICK);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick comes at once.
        clock.tick().await;
        loop {
            clock.tick().await;
            let status = follower.status();
            ticks += 1;
            self.0.bar.set_message(status_line(&status, &last, at.elapsed(), self.0.dry_run));
            if self.0.output.is_json() && ticks % REPORT == 0 {
                self.report(&status);
            }
            if ticks == STANDBY && !status.leads && !self.0.dry_run {
                self.line("info", "stands by: another follower leads, or the cache is away");
            }
            if self.is_over(&status) {
                self.line("info", "follows again");
            }
            (last, at) = (status, Instant::now());
        }
    }

    /// Returns whether the database and the cache have answered since the last warning.
    fn is_over(&self, status: &Status) -> bool {
        let mut reported = lock(&self.0.reported);
        let since = reported.trouble.as_ref().map(|(_, at)| at.elapsed());
        let answered = |age: Option<Duration>| age.zip(since).is_some_and(|(age, since)| age < since);
        let is_over = answered(status.silence) && answered(status.position_age);
        if is_over {
            reported.trouble = None;
        }
        is_over
    }

    /// Writes the numbers of a follower that has ended, in a sentence if it has ended well.
    pub(super) fn end(&self, status: &Status, is_well: bool) {
        self.0.bar.finish_and_clear();
        if self.0.output.is_json() {
            self.report(status);
        } else if is_well {
            let of = counted(status.transactions, "transaction");
            let (rows, gone) = (counted(status.rows, "changed row"), plural(status.invalidated, "entry", "entries"));
            self.0.output.note(&format!("ended after {of} with {rows}: invalidated {gone}"));
        }
    }

    fn report(&self, status: &Status) {
        let _ = self.0.output.document(&numbers(status));
    }

    /// Writes a line to stderr, or with `--json` a document to stdout.
    fn write(&self, text: &str, document: &serde_json::Value) {
        let Inner { output, bar, .. } = &*self.0;
        // A closed stdout doesn't end the follower.
        if output.is_json() {
            let _ = output.document(document);
        } else {
            bar.suspend(|| output.note(text));
        }
    }
}

fn status_line(status: &Status, last: &Status, since: Duration, dry_run: bool) -> String {
    let rate = |now: u64, before: u64| {
        let rate = now.saturating_sub(before) as f64 / since.as_secs_f64().max(0.001);
        HumanCount(rate.round() as u64)
    };
    let role = if dry_run {
        "dry run"
    } else if status.leads {
        "leads"
    } else {
        "stands by"
    };
    // A set of GTIDs can be long, and its end changes.
    let tail = status.position.char_indices().rev().nth(23).and_then(|(at, _)| status.position.get(at..));
    let mut line = format!(
        "{role} · lag {:.1?} · {} rows/s · {} tags/s · {} invalidated · at {}",
        status.lag,
        rate(status.rows, last.rows),
        rate(status.tags, last.tags),
        plural(status.invalidated, "entry", "entries"),
        tail.unwrap_or(&status.position),
    );
    if status.schemes > 0 {
        line +=
            &format!(" · {} of {}", counted(status.schemes as u64, "scheme"), counted(status.tables as u64, "table"));
    }
    if let Some((table, why)) = &status.last_fallback {
        line += &format!(" · fell back: {table} ({why})");
    }
    line
}

fn numbers(status: &Status) -> serde_json::Value {
    json!({
        "event": "status",
        "leads": status.leads,
        "is_ready": status.is_ready(),
        "position": status.position,
        "position_age_seconds": status.position_age.map(|age| age.as_secs_f64()),
        "lag_seconds": status.lag.as_secs_f64(),
        "visibility_seconds": status.visibility.as_secs_f64(),
        "schemes": status.schemes,
        "tables": status.tables,
        "transactions": status.transactions,
        "rows": status.rows,
        "tags": status.tags,
        "invalidated": status.invalidated,
        "fallbacks": status.fallbacks,
        "reconnects": status.reconnects,
        "rewinds": status.rewinds,
        "lost": status.lost,
    })
}

pub(super) struct LogLine {
    news: News,
    level: &'static str,
}

impl<'a> MakeWriter<'a> for News {
    type Writer = LogLine;

    fn make_writer(&'a self) -> LogLine {
        LogLine { news: self.clone(), level: "info" }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> LogLine {
        let level = match *meta.level() {
            Level::ERROR => "error",
            Level::WARN => "warn",
            _ => "info",
        };
        LogLine { news: self.clone(), level }
    }
}

impl io::Write for LogLine {
    /// Takes a whole line, as the subscriber writes it at once.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        if self.level != "info" {
            // Each attempt during an outage writes the same line.
            let last = lock(&self.news.0.reported).trouble.replace((text.to_owned(), Instant::now()));
            if last.is_some_and(|(last, _)| last == text) {
                return Ok(line.len());
            }
        }
        self.news.line(self.level, text);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
