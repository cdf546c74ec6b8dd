//! When to look at which key, for its early refresh.

use std::time::Duration;

use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, UnitWeighter};
use rand::Rng;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::call::Call;

const KEYS: u64 = 100_000;
const AT_ONCE: usize = 16;
/// The longest pause between looks, or the window if longer: another process may change the TTL.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Schedule {
    /// By the hash of the key: two keys with one hash are looked at too often.
    keys: Cache<u64, Watched>,
    hasher: DefaultHashBuilder,
    began: Instant,
    pub(super) at_once: Semaphore,
}

/// The state of a key. Two callers that change it at once may both look, but one gets the claim.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Watched {
    /// The time of the next look, in ms since the client began.
    next: u64,
    /// The duration of the last computation.
    cost: Duration,
    /// If set, the next caller that can refreshes the value, while at most this TTL remains.
    wanted: Option<Duration>,
}

impl Schedule {
    pub(super) fn new() -> Self {
        Self {
            // Starts small: most clients refresh nothing.
            keys: Cache::with_weighter(100, KEYS, UnitWeighter),
            hasher: DefaultHashBuilder::default(),
            began: Instant::now(),
            at_once: Semaphore::new(AT_ONCE),
        }
    }

    /// Returns whether a key that was hit needs a look or a refresh.
    pub(super) fn is_due(&self, key: &str, now: Instant) -> bool {
        let watched = self.keys.get(&self.hash(key));
        watched.is_none_or(|watched| watched.wanted.is_some() || watched.next <= self.millis(now))
    }

    /// Notes the duration of a computation, if the key is in use.
    pub(super) fn computed(&self, key: &str, took: Duration) {
        let hash = self.hash(key);
        if let Some(watched) = self.keys.get(&hash) {
            self.keys.insert(hash, Watched { cost: took, ..watched });
        }
    }

    pub(super) fn filled(&self, key: &str, call: &Call, ttl: Duration) {
        if !call.options.early_refresh.is_zero() {
            let watched = Watched { wanted: None, ..self.watched(key) };
            self.look_later(key, watched, ttl, gap(call, &watched), call);
        }
    }

    /// Takes the look that is due. Nobody else looks until it has ended, or for a lease's length.
    pub(super) fn take_look(&self, key: &str, lease: Duration) -> Option<Watched> {
        let (watched, now) = (self.watched(key), self.millis(Instant::now()));
        if watched.next > now {
            return None;
        }
        self.keys.insert(self.hash(key), Watched { next: now.saturating_add(millis(lease)), ..watched });
        Some(watched)
    }

    /// Sets whether the next caller that can refreshes the value. Returns the previous setting.
    pub(super) fn want(&self, key: &str, wanted: Option<Duration>) -> Option<Duration> {
        let watched = self.watched(key);
        if watched.wanted != wanted {
            self.keys.insert(self.hash(key), Watched { wanted, ..watched });
        }
        watched.wanted
    }

    pub(super) fn look_later(&self, key: &str, watched: Watched, left: Duration, gap: Duration, call: &Call) {
        let pause = left.saturating_sub(gap).min(call.options.early_refresh.max(LOOK_AGAIN));
        let next = self.millis(Instant::now()).saturating_add(millis(pause));
        self.keys.insert(self.hash(key), Watched { next, ..watched });
    }

    fn watched(&self, key: &str) -> Watched {
        self.keys.get(&self.hash(key)).unwrap_or_default()
    }

    fn hash(&self, key: &str) -> u64 {
        self.hasher.hash_one(key)
    }

    fn millis(&self, at: Instant) -> u64 {
        millis(at.saturating_duration_since(self.began))
    }
}

/// Returns how long before its end a value is recomputed.
pub(super) fn gap(call: &Call, watched: &Watched) -> Duration {
    let half = call.ttl.base() / 2;
    let (window, cost) = (call.options.early_refresh.min(half), watched.cost);
    let random: f64 = rand::rng().random_range(f64::MIN_POSITIVE..1.0);
    let longest = window.max(cost).min(half).as_secs_f64();
    let gap = (cost.max(window / 4).as_secs_f64() * -random.ln()).min(longest);
    Duration::try_from_secs_f64(gap).unwrap_or(window).max(window / 4)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
