//! Counters of a cache's events, in this process.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::event::{Event, EventListener};

/// Counts events. Caches that are counted apart have one each.
///
/// ```
/// use std::sync::Arc;
///
/// use mrc_core::{Event, EventListener, Stats};
///
/// let stats = Arc::new(Stats::default());
/// let listener = { let stats = Arc::clone(&stats); move |event: &Event<'_>| stats.on_event(event) };
///
/// listener.on_event(&Event::Miss { key: "user:1" });
/// assert_eq!((stats.snapshot().misses, stats.snapshot().hit_ratio()), (1, 0.0));
/// ```
#[derive(Debug, Default)]
pub struct Stats {
    misses: AtomicU64,
    failed: AtomicU64,
    fills: AtomicU64,
    refused: AtomicU64,
    stale: AtomicU64,
    bypassed: AtomicU64,
    bad_values: AtomicU64,
    evicted: AtomicU64,
    invalidated: AtomicU64,
    hit_bytes: AtomicU64,
    filled_bytes: AtomicU64,
    // A histogram also counts its events.
    hits: Histogram,
    waits: Histogram,
    computed: Histogram,
}

/// The counts of [`Stats`] at one time. Events that happen meanwhile may be counted in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Snapshot {
    /// Calls that found their value in the cache.
    pub hits: u64,
    /// Calls that found no value, and started to compute it.
    pub misses: u64,
    /// Calls that waited for another call to compute the value.
    pub waits: u64,
    /// Values that were computed, stored or not.
    pub computed: u64,
    /// Computations that failed.
    pub failed: u64,
    /// Values that were stored.
    pub fills: u64,
    /// Values that were not stored, because an invalidation happened meanwhile.
    pub refused: u64,
    /// Calls that got a stale copy instead of an error.
    pub stale: u64,
    /// Bypasses of the cache.
    pub bypassed: u64,
    /// Cached values that no caller can use.
    pub bad_values: u64,
    /// Entries of a bounded cache that this process evicted.
    pub evicted: u64,
    /// Entries that invalidations and removals deleted.
    pub invalidated: u64,
    /// The size of all values that were hit, in bytes.
    pub hit_bytes: u64,
    /// The size of all values that were stored, in bytes.
    pub filled_bytes: u64,
    /// The latency of hits.
    pub hit_time: Latency,
    /// The latency of waits.
    pub wait_time: Latency,
    /// The latency of computations that didn't fail.
    pub compute_time: Latency,
}

/// A latency. Quantiles are rounded up to 1 µs, 2 µs, 4 µs and so on, but not beyond the longest
/// time. Zero if nothing was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Latency {
    /// At least half of the times are no longer than this.
    pub p50: Duration,
    /// At least 99 of 100 times are no longer than this.
    pub p99: Duration,
    /// The longest time, exactly.
    pub max: Duration,
}

impl Stats {
    /// Returns the counts so far.
    pub fn snapshot(&self) -> Snapshot {
        self.read(|counter| counter.load(Relaxed))
    }

    /// Resets the counts to zero, and returns them. No event is lost, and none is counted twice.
    pub fn reset(&self) -> Snapshot {
        self.read(|counter| counter.swap(0, Relaxed))
    }

    fn read(&self, read: impl Fn(&AtomicU64) -> u64) -> Snapshot {
        let (hits, hit_time) = self.hits.read(&read);
        let (waits, wait_time) = self.waits.read(&read);
        let (computed, compute_time) = self.computed.read(&read);
        Snapshot {
            hits,
            misses: read(&self.misses),
            waits,
            computed,
            failed: read(&self.failed),
            fills: read(&self.fills),
            refused: read(&self.refused),
            stale: read(&self.stale),
            bypassed: read(&self.bypassed),
            bad_values: read(&self.bad_values),
            evicted: read(&self.evicted),
            invalidated: read(&self.invalidated),
            hit_bytes: read(&self.hit_bytes),
            filled_bytes: read(&self.filled_bytes),
            hit_time,
            wait_time,
            compute_time,
        }
    }
}

impl EventListener for Stats {
    fn on_event(&self, event: &Event<'_>) {
        let add = |counter: &AtomicU64, count: u64| _ = counter.fetch_add(count, Relaxed);
        match event {
            Event::Hit { bytes, took, .. } => {
                self.hits.record(*took);
                add(&self.hit_bytes, *bytes as u64);
            }
            Event::Miss { .. } => add(&self.misses, 1),
            Event::Followed { waited, .. } => self.waits.record(*waited),
            Event::Computed { took, .. } => self.computed.record(*took),
            Event::Failed { .. } => add(&self.failed, 1),
            Event::Filled { bytes, .. } => {
                add(&self.fills, 1);
                add(&self.filled_bytes, *bytes as u64);
            }
            Event::Refused { .. } => add(&self.refused, 1),
            Event::Stale { .. } => add(&self.stale, 1),
            Event::Bypassed { .. } => add(&self.bypassed, 1),
            Event::BadValue { .. } => add(&self.bad_values, 1),
            Event::Evicted { entries } => add(&self.evicted, *entries),
            Event::Removed { existed, .. } => add(&self.invalidated, (*existed).into()),
            Event::Invalidated { entries, .. } | Event::Dropped { entries, .. } => add(&self.invalidated, *entries),
            _ => {}
        }
    }
}

impl Snapshot {
    /// Returns the number of calls that asked the cache: hits, misses and waits.
    pub fn lookups(&self) -> u64 {
        self.hits + self.misses + self.waits
    }

    /// Returns the share of lookups that were hits, from 0 to 1. Returns 0 without lookups.
    pub fn hit_ratio(&self) -> f64 {
        self.hits as f64 / self.lookups().max(1) as f64
    }
}

impl fmt::Display for Snapshot {
    /// Writes one line, for a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hits, misses, waits, computed, failed, fills, refused, stale, bypassed, bad_values, .. } = self;
        let Self { evicted, invalidated, hit_bytes, filled_bytes, hit_time, wait_time, compute_time, .. } = self;
        write!(
            f,
            "{} lookups, {:.1} % hits: {hits} hits ({hit_bytes} bytes, {hit_time}), {misses} misses, \
             {waits} waits ({wait_time}), {computed} computed ({compute_time}), {failed} failed, \
             {fills} fills ({filled_bytes} bytes), {refused} refused, {stale} stale, {bypassed} bypassed, \
             {bad_values} bad values, {evicted} evicted, {invalidated} invalidated",
            self.lookups(),
            self.hit_ratio() * 100.0,
        )
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {:.1?}, p99 {:.1?}, max {:.1?}", self.p50, self.p99, self.max)
    }
}

/// The number of buckets: up to 1 µs, 2 µs, 4 µs … 2^26 µs (67 s), and one for longer times.
const BUCKETS: usize = 28;

#[derive(Debug, Default)]
struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    max_nanos: AtomicU64,
}

impl Histogram {
    fn record(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        // Most times are no new maximum, and a load leaves the line of memory to all cores.
        if nanos > self.max_nanos.load(Relaxed) {
            self.max_nanos.fetch_max(nanos, Relaxed);
        }
        self.buckets[bucket(nanos)].fetch_add(1, Relaxed);
    }

    /// Returns the number of times, and their latency.
    fn read(&self, read: impl Fn(&AtomicU64) -> u64) -> (u64, Latency) {
        let counts = self.buckets.each_ref().map(&read);
        let count = counts.iter().sum();
        let max = Duration::from_nanos(read(&self.max_nanos));
        let quantile = |percent| match bucket_of_quantile(&counts, count, percent) {
            at if at + 1 < BUCKETS => Duration::from_micros(1 << at).min(max),
            _ => max,
        };
        (count, Latency { p50: quantile(50), p99: quantile(99), max })
    }
}

fn bucket(nanos: u64) -> usize {
    let below = nanos.div_ceil(1_000).saturating_sub(1);
    ((u64::BITS - below.leading_zeros()) as usize).min(BUCKETS - 1)
}

fn bucket_of_quantile(counts: &[u64; BUCKETS], count: u64, percent: u64) -> usize {
    let mut left = (count * percent).div_ceil(100);
    let is_reached = |count: &u64| {
        left = left.saturating_sub(*count);
        left == 0
    };
    counts.iter().position(is_reached).unwrap_or(BUCKETS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bypass;

    const KEY: &str = "f(a=1)";

    fn micros(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    fn check(event: &Event<'_>, expect: impl Fn(&mut Snapshot)) {
        let stats = Stats::default();
        stats.on_event(event);
        let mut expected = Snapshot::default();
        expect(&mut expected);
        assert_eq!(stats.snapshot(), expected, "{event:?}");
    }

    #[test]
    fn each_event_has_its_counter() {
        let (key, error, took) = (KEY, "lost", micros(3));
        let latency = Latency { p50: took, p99: took, max: took };
        check(&Event::Hit { key, bytes: 7, took }, |to| (to.hits, to.hit_bytes, to.hit_time) = (1, 7, latency));
        check(&Event::Miss { key }, |to| to.misses = 1);
        check(&Event::Followed { key, waited: took }, |to| (to.waits, to.wait_time) = (1, latency));
        check(&Event::Computed { key, took }, |to| (to.computed, to.compute_time) = (1, latency));
        check(&Event::Failed { key, took, error }, |to| to.failed = 1);
        check(&Event::Filled { key, ttl: took, bytes: 7, tags: &[] }, |to| (to.fills, to.filled_bytes) = (1, 7));
        check(&Event::Refused { key }, |to| to.refused = 1);
        check(&Event::Stale { key, error }, |to| to.stale = 1);
        check(&Event::Bypassed { key, why: Bypass::WaitedTooLong }, |to| to.bypassed = 1);
        check(&Event::BadValue { key, error }, |to| to.bad_values = 1);
        check(&Event::Dropped { entries: 3, scanned: 9 }, |to| to.invalidated = 3);
        check(&Event::Evicted { entries: 2 }, |to| to.evicted = 2);
        check(&Event::Invalidated { tags: &[], entries: 4 }, |to| to.invalidated = 4);
        check(&Event::Removed { key, existed: true }, |to| to.invalidated = 1);
        check(&Event::Removed { key, existed: false }, |_| ());
        check(&Event::ServerLost { server: "a:1", error }, |_| ());
    }

    #[test]
    fn the_hit_ratio_is_of_all_lookups() {
        let of = |hits, misses, waits| Snapshot { hits, misses, waits, bypassed: 9, ..Snapshot::default() };
        assert_eq!((of(0, 0, 0).lookups(), of(0, 0, 0).hit_ratio()), (0, 0.0));
        assert_eq!((of(3, 1, 0).lookups(), of(3, 1, 0).hit_ratio()), (4, 0.75));
        assert_eq!((of(1, 1, 2).lookups(), of(1, 1, 2).hit_ratio()), (4, 0.25));
        assert_eq!(of(5, 0, 0).hit_ratio(), 1.0);
    }

    #[test]
    fn a_reset_returns_the_previous_counts() {
        let stats = Stats::default();
        stats.on_event(&Event::Hit { key: KEY, bytes: 1, took: micros(5) });
        stats.on_event(&Event::Miss { key: KEY });
        let before = stats.snapshot();
        assert_eq!((before.lookups(), before.hit_time.max), (2, micros(5)));
        assert_eq!(stats.reset(), before);
        assert_eq!(stats.snapshot(), Snapshot::default());
    }

    #[test]
    fn a_bucket_ends_at_a_power_of_two() {
        let check = |time: Duration, expect| assert_eq!(bucket(time.as_nanos() as u64), expect, "{time:?}");
        check(Duration::ZERO, 0);
        check(micros(1), 0);
        check(Duration::from_nanos(1_001), 1);
        check(micros(2), 1);
        check(micros(3), 2);
        check(micros(1 << 26), 26);
        check(micros((1 << 26) + 1), 27);
        check(Duration::from_secs(1 << 30), 27);
    }

    #[test]
    fn quantiles_are_the_ends_of_buckets() {
        let check = |times: &[(usize, u64)], p50, p99, max| {
            let histogram = Histogram::default();
            times.iter().for_each(|&(count, time)| (0..count).for_each(|_| histogram.record(micros(time))));
            let latency = Latency { p50: micros(p50), p99: micros(p99), max: micros(max) };
            let count = times.iter().map(|(count, _)| *count as u64).sum();
            assert_eq!(histogram.read(|counter| counter.load(Relaxed)), (count, latency), "{times:?}");
        };
        check(&[], 0, 0, 0);
        check(&[(1, 100)], 100, 100, 100);
        check(&[(99, 3), (1, 1000)], 4, 4, 1000);
        check(&[(98, 3), (2, 1000)], 4, 1000, 1000);
        check(&[(50, 3), (50, 70)], 4, 70, 70);
        check(&[(49, 3), (51, 60), (1, 900)], 64, 64, 900);
        check(&[(2, 90_000_000)], 90_000_000, 90_000_000, 90_000_000);
        let longest = Histogram::default();
        longest.record(Duration::MAX);
        assert_eq!(longest.read(|counter| counter.load(Relaxed)).1.max, Duration::from_nanos(u64::MAX));
    }

    #[test]
    fn is_one_line_for_a_log() {
        let stats = Stats::default();
        stats.on_event(&Event::Hit { key: KEY, bytes: 10, took: micros(1500) });
        stats.on_event(&Event::Miss { key: KEY });
        let line = stats.snapshot().to_string();
        let start = "2 lookups, 50.0 % hits: 1 hits (10 bytes, p50 1.5ms, p99 1.5ms, max 1.5ms), 1 misses";
        assert!(line.starts_with(start) && !line.contains('\n'), "{line}");
    }
}
