//! Counts of events, for dashboards and alerts.

use std::time::Duration;

use metrics::{
    Counter, Histogram, Label, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use mrc_core::{Event, EventListener};

const EVENTS: &str = "mrc_events_total";
const BYPASSES: &str = "mrc_bypasses_total";
const HIT: &str = "mrc_hit_seconds";
const COMPUTE: &str = "mrc_compute_seconds";
const WAIT: &str = "mrc_wait_seconds";
const FILLED: &str = "mrc_filled_bytes";
const LOST: &str = "mrc_servers_lost";
const DROPPED: &str = "mrc_dropped_entries_total";
const SCANNED: &str = "mrc_scanned_keys_total";
const EVICTED: &str = "mrc_evicted_entries_total";

/// The most frequent first: the search is linear.
const EVENT_NAMES: &str = "hit miss computed filled followed refreshing stale bypassed failed refused bad_value \
    deadline_passed overloaded server_lost server_back removed evicted invalidated \
    drop_retried dropped depends_on_clock not_followed follower_away";

const BYPASS_NAMES: &str = "store_failed ambiguous waited_too_long too_large mode reentrant wrong_type skipped \
    tags_lost bad_tags";

/// Counts the decisions of a cache, through the crate `metrics`. The program installs the exporter:
/// Prometheus, OpenTelemetry or StatsD.
///
/// | name | kind | labels | |
/// |---|---|---|---|
/// | `mrc_events_total` | counter | `event` | one for each [`Event`], by its [`name`](Event::name) |
/// | `mrc_bypasses_total` | counter | `reason` | the reason of a bypass, by its [`name`](mrc_core::Bypass::name) |
/// | `mrc_hit_seconds` | histogram | | the time of a hit |
/// | `mrc_compute_seconds` | histogram | `outcome`: `ok`, `error` | the time of the database, or of the function |
/// | `mrc_wait_seconds` | histogram | | the time that a follower waited |
/// | `mrc_filled_bytes` | histogram | | the size of a stored value |
/// | `mrc_servers_lost` | gauge | `server` | 1 while a server of the cache is lost, else 0 |
/// | `mrc_dropped_entries_total` | counter | | entries that invalidations removed |
/// | `mrc_scanned_keys_total` | counter | | keys that the scans of invalidations looked at |
/// | `mrc_evicted_entries_total` | counter | | entries that bounded caches evicted |
///
/// The hit rate is `hit` over the sum of `hit`, `miss` and `followed`. No key or param is a label.
///
/// Install the exporter first: metrics that were made before it count into nothing.
///
/// ```
/// use mrc_client::Metrics;
///
/// // metrics_exporter_prometheus::PrometheusBuilder::new().install()?;
/// let builder = mrc_client::MrcClient::builder().on_event(Metrics::new());
/// ```
#[derive(Debug, Clone)]
pub struct Metrics {
    labels: Vec<Label>,
    events: Vec<(&'static str, Counter)>,
    bypasses: Vec<(&'static str, Counter)>,
    hit: Histogram,
    computed: Histogram,
    failed: Histogram,
    waited: Histogram,
    filled: Histogram,
    dropped: Counter,
    scanned: Counter,
    evicted: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Returns the metrics of a program with one cache. All counters start now, at 0.
    pub fn new() -> Self {
        Self::labelled(Vec::new())
    }

    /// Returns metrics like [`new`](Self::new), each with the label `cache`, for several caches.
    pub fn named(cache: impl Into<String>) -> Self {
        Self::labelled(vec![Label::new("cache", cache.into())])
    }

    fn labelled(labels: Vec<Label>) -> Self {
        describe();
        let with = |name, value| with(&labels, name, value);
        Self {
            events: EVENT_NAMES.split(' ').map(|event| (event, counter!(EVENTS, with("event", event)))).collect(),
            bypasses: BYPASS_NAMES.split(' ').map(|why| (why, counter!(BYPASSES, with("reason", why)))).collect(),
            hit: histogram!(HIT, labels.clone()),
            computed: histogram!(COMPUTE, with("outcome", "ok")),
            failed: histogram!(COMPUTE, with("outcome", "error")),
            waited: histogram!(WAIT, labels.clone()),
            filled: histogram!(FILLED, labels.clone()),
            dropped: counter!(DROPPED, labels.clone()),
            scanned: counter!(SCANNED, labels.clone()),
            evicted: counter!(EVICTED, labels.clone()),
            labels,
        }
    }

    fn count(&self, known: &[(&str, Counter)], metric: &'static str, label: &'static str, value: &'static str) {
        match known.iter().find(|(known, _)| *known == value) {
            Some((_, counter)) => counter.increment(1),
            // An event of a later version than these lists.
            None => counter!(metric, with(&self.labels, label, value)).increment(1),
        }
    }

    fn server_is_lost(&self, server: &str, lost: bool) {
        gauge!(LOST, with(&self.labels, "server", server)).set(if lost { 1.0 } else { 0.0 });
    }
}

impl EventListener for Metrics {
    fn on_event(&self, event: &Event<'_>) {
        self.count(&self.events, EVENTS, "event", event.name());
        match event {
            Event::Hit { took, .. } => self.hit.record(seconds(took)),
            Event::Computed { took, .. } => self.computed.record(seconds(took)),
            Event::Failed { took, .. } => self.failed.record(seconds(took)),
            Event::Followed { waited, .. } => self.waited.record(seconds(waited)),
            Event::Filled { bytes, .. } => self.filled.record(*bytes as f64),
            Event::Bypassed { why, .. } => self.count(&self.bypasses, BYPASSES, "reason", why.name()),
            Event::ServerLost { server, .. } => self.server_is_lost(server, true),
            Event::ServerBack { server, .. } => self.server_is_lost(server, false),
            Event::Evicted { entries } => self.evicted.increment(*entries),
            Event::Invalidated { entries, .. } => self.dropped.increment(*entries),
            Event::Dropped { entries, scanned } => {
                self.dropped.increment(*entries);
                self.scanned.increment(*scanned);
            }
            _ => {}
        }
    }
}

fn with(labels: &[Label], name: &'static str, value: impl Into<String>) -> Vec<Label> {
    labels.iter().cloned().chain([Label::new(name, value.into())]).collect()
}

fn seconds(time: &Duration) -> f64 {
    time.as_secs_f64()
}

fn describe() {
    describe_counter!(EVENTS, Unit::Count, "What the cache decided");
    describe_counter!(BYPASSES, Unit::Count, "Why the cache was left aside");
    describe_histogram!(HIT, Unit::Seconds, "How long a hit took");
    describe_histogram!(COMPUTE, Unit::Seconds, "How long the database, or the function, took");
    describe_histogram!(WAIT, Unit::Seconds, "How long a caller waited for another that was computing its value");
    describe_histogram!(FILLED, Unit::Bytes, "The size of a value that was stored");
    describe_gauge!(LOST, Unit::Count, "1 while a server of the cache is lost, else 0");
    describe_counter!(DROPPED, Unit::Count, "How many entries invalidations deleted");
    describe_counter!(SCANNED, Unit::Count, "How many keys invalidations looked at");
    describe_counter!(EVICTED, Unit::Count, "How many entries of bounded caches went to make room for others");
}

#[cfg(test)]
mod tests {
    use metrics_util::debugging::{DebugValue, DebuggingRecorder};
    use mrc_core::Bypass;

    use super::*;

    /// Returns the recorded metrics, sorted, without those that are still 0.
    fn recorded(work: impl FnOnce()) -> Vec<String> {
        let recorder = DebuggingRecorder::new();
        let snapshotter = recorder.snapshotter();
        metrics::with_local_recorder(&recorder, work);
        let mut lines = Vec::new();
        for (key, unit, description, value) in snapshotter.snapshot().into_vec() {
            let key = key.key();
            assert!(unit.is_some() && description.is_some(), "{key} is described");
            let value = match value {
                DebugValue::Counter(0) => continue,
                DebugValue::Counter(count) => count.to_string(),
                DebugValue::Gauge(gauge) => gauge.to_string(),
                DebugValue::Histogram(values) if values.is_empty() => continue,
                DebugValue::Histogram(values) => format!("{values:?}"),
            };
            let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
            lines.push(format!("{}{{{}}} {value}", key.name(), labels.join(",")));
        }
        lines.sort();
        lines
    }

    fn check(event: &Event<'_>, more: &[&str]) {
        let mut expected = vec![format!("mrc_events_total{{event={}}} 1", event.name())];
        expected.extend(more.iter().map(|line| (*line).to_owned()));
        expected.sort();
        assert_eq!(recorded(|| Metrics::new().on_event(event)), expected, "{event:?}");
        assert!(EVENT_NAMES.split(' ').any(|name| name == event.name()));
    }

    #[test]
    fn each_event_is_counted() {
        let (key, error, took) = ("UserId=1_secret", "secret", Duration::from_millis(1500));
        check(&Event::Hit { key, bytes: 1, took }, &["mrc_hit_seconds{} [1.5]"]);
        check(&Event::Miss { key }, &[]);
        check(&Event::Followed { key, waited: took }, &["mrc_wait_seconds{} [1.5]"]);
        check(&Event::Computed { key, took }, &["mrc_compute_seconds{outcome=ok} [1.5]"]);
        check(&Event::Failed { key, took, error }, &["mrc_compute_seconds{outcome=error} [1.5]"]);
        check(&Event::Filled { key, ttl: took, bytes: 7, tags: &[] }, &["mrc_filled_bytes{} [7.0]"]);
        check(&Event::Refused { key }, &[]);
        check(&Event::Refreshing { key, left: took }, &[]);
        check(&Event::Stale { key, error }, &[]);
        check(&Event::DependsOnClock { key, what: "NOW()" }, &[]);
        check(&Event::BadValue { key, error }, &[]);
        check(&Event::DeadlinePassed { key, limit: took }, &[]);
        check(&Event::Overloaded { waiting: 3 }, &[]);
        check(&Event::ServerLost { server: "a:1", error }, &["mrc_servers_lost{server=a:1} 1"]);
        check(&Event::ServerBack { server: "a:1", after: took }, &["mrc_servers_lost{server=a:1} 0"]);
        check(&Event::Removed { key, existed: true }, &[]);
        check(&Event::Evicted { entries: 3 }, &["mrc_evicted_entries_total{} 3"]);
        check(&Event::Invalidated { tags: &[], entries: 3 }, &["mrc_dropped_entries_total{} 3"]);
        check(&Event::DropRetried { error }, &[]);
        let dropped = ["mrc_dropped_entries_total{} 3", "mrc_scanned_keys_total{} 5"];
        check(&Event::Dropped { entries: 3, scanned: 5 }, &dropped);
    }

    #[test]
    fn each_reason_is_counted() {
        let (key, ambiguity) = ("", mrc_core::Ambiguity::Separator);
        for why in [
            Bypass::Ambiguous(&ambiguity),
            Bypass::WaitedTooLong,
            Bypass::TooLarge { bytes: 2, limit: 1 },
            Bypass::Mode,
            Bypass::Reentrant,
            Bypass::WrongType { asked_for: "u8", at: "[0].price", error: "secret" },
            Bypass::Skipped,
            Bypass::TagsLost,
            Bypass::BadTags(&mrc_core::TagError::Empty),
            Bypass::StoreFailed { command: "get", error: "secret" },
        ] {
            let (reason, line) = (why.name(), format!("mrc_bypasses_total{{reason={}}} 1", why.name()));
            check(&Event::Bypassed { key, why }, &[&line]);
            assert!(BYPASS_NAMES.split(' ').any(|name| name == reason));
        }
    }

    #[test]
    fn a_name_is_a_label_of_everything() {
        let lines = recorded(|| {
            let metrics = Metrics::named("orders");
            metrics.on_event(&Event::Hit { key: "k", bytes: 1, took: Duration::ZERO });
            metrics.on_event(&Event::ServerLost { server: "a:1", error: "" });
            metrics.on_event(&Event::Followed { key: "k", waited: Duration::ZERO });
        });
        assert_eq!(lines.len(), 6);
        assert!(lines.iter().all(|line| line.contains("{cache=orders")), "{lines:?}");
    }

    #[test]
    fn handles_stay_with_the_recorder_that_was_there_first() {
        let mut metrics = None;
        let lines = recorded(|| metrics = Some(Metrics::new()));
        assert_eq!(lines, Vec::<String>::new());
        let later = recorded(|| metrics.unwrap().on_event(&Event::Hit { key: "k", bytes: 1, took: Duration::ZERO }));
        assert_eq!(later, Vec::<String>::new());
    }
}
