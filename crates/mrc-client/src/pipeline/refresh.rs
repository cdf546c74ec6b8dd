//! Early refresh: a value that is in use is computed anew shortly before its life ends, so that nobody misses it.
//!
//! A hit is one GET and tells nothing of the value's age. So each process remembers, for the keys that it hit lately, when it is to look
//! next. A look asks the store what is left of the value's life, in the background. If that is more than a gap drawn at random, the next look
//! is due when the gap begins; else the value is claimed for a refresh, and of all processes one gets the claim and computes.
//! The claim names what was left, so that a process whose look is older than another's fill comes too late.
//!
//! The gap is the probabilistic early expiration of XFetch (Vattani, Chierichetti, Lowenstein: Optimal Probabilistic Cache Stampede
//! Prevention, VLDB 2015), `-δ ln(random)` with δ the time that a computation takes, but drawn once a look instead of once a hit, and held
//! between a quarter of the configured window and the whole of it: a value that is hit in that last quarter is refreshed for certain.

use std::sync::Arc;
use std::time::Duration;

use mrc_core::Event;
use mrc_store::{Claim, ClaimMode};
use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, UnitWeighter};
use rand::Rng;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::answer::Answer;
use crate::call::{Call, Compute, Detached};
use crate::fetch::{Pipeline, asks};

/// How many keys are remembered.
const KEYS: u64 = 100_000;
/// How many refreshes of queries are under way at once.
const AT_ONCE: usize = 16;
/// A look is no older than this, or than the window, whichever is longer: somebody else may have changed the value's life.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// When to look at which key.
#[derive(Debug)]
pub(crate) struct Refreshes {
    /// By the hash of the key: two keys that share one are looked at too often.
    keys: Cache<u64, Watched>,
    hasher: DefaultHashBuilder,
    began: Instant,
    at_once: Semaphore,
}

/// What is remembered of a key. Two callers that change it at one time may both look: a claim is for one of them.
#[derive(Debug, Clone, Copy, Default)]
struct Watched {
    /// When the next look is due, in ms since the client began.
    next: u64,
    /// How long the last computation took.
    cost: Duration,
    /// The value is to be refreshed by the next caller that can, while no more than this is left of its life.
    wanted: Option<Duration>,
}

impl Refreshes {
    pub(crate) fn new() -> Self {
        Self {
            // Room for a few at first: most clients refresh nothing.
            keys: Cache::with_weighter(100, KEYS, UnitWeighter),
            hasher: DefaultHashBuilder::default(),
            began: Instant::now(),
            at_once: Semaphore::new(AT_ONCE),
        }
    }

    /// Whether something is to be done about a key that was hit.
    pub(crate) fn is_due(&self, key: &str, now: Instant) -> bool {
        let watched = self.keys.get(&self.hash(key));
        watched.is_none_or(|watched| watched.wanted.is_some() || watched.next <= self.millis(now))
    }

    /// Notes how long a computation took, where the key is in use.
    pub(crate) fn computed(&self, key: &str, took: Duration) {
        let hash = self.hash(key);
        if let Some(watched) = self.keys.get(&hash) {
            self.keys.insert(hash, Watched { cost: took, ..watched });
        }
    }

    /// Notes that a value was stored for this long.
    pub(crate) fn filled(&self, key: &str, call: &Call, ttl: Duration) {
        if !call.options.early_refresh.is_zero() {
            let watched = Watched { wanted: None, ..self.watched(key) };
            self.look_later(key, watched, ttl, gap(call, &watched), call);
        }
    }

    /// The look that is due; until it has ended, or failed to for as long as a lease, nobody else looks.
    fn take_look(&self, key: &str, lease: Duration) -> Option<Watched> {
        let (watched, now) = (self.watched(key), self.millis(Instant::now()));
        if watched.next > now {
            return None;
        }
        self.keys.insert(self.hash(key), Watched { next: now.saturating_add(millis(lease)), ..watched });
        Some(watched)
    }

    /// Says whether the next caller that can is to refresh the value. Returns what was said before.
    fn want(&self, key: &str, wanted: Option<Duration>) -> Option<Duration> {
        let watched = self.watched(key);
        if watched.wanted != wanted {
            self.keys.insert(self.hash(key), Watched { wanted, ..watched });
        }
        watched.wanted
    }

    fn look_later(&self, key: &str, watched: Watched, left: Duration, gap: Duration, call: &Call) {
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

impl Pipeline {
    /// Answers with the value that was hit, and sees to it that it is computed anew before its life ends.
    pub(crate) async fn refresh<C: Compute>(
        self: &Arc<Self>,
        key: &str,
        call: &Call,
        answer: Answer,
        compute: C,
    ) -> Answer {
        let Some(watched) = self.refreshes.take_look(key, self.claims.lease) else {
            return self.refresh_here(key, call, answer, compute).await;
        };
        let (pipeline, name, call) = (Arc::clone(self), key.to_owned(), call.clone());
        let detached = compute.detached();
        tokio::spawn(async move {
            let Some(left) = pipeline.left_to_refresh(&name, &call, &watched).await else { return };
            let Some(compute) = detached else {
                pipeline.refreshes.want(&name, Some(left));
                return;
            };
            let work = async {
                let _turn = pipeline.refreshes.at_once.try_acquire().ok()?;
                pipeline.compute_anew(&name, &call, left, Detached(compute)).await
            };
            let ends = Instant::now() + call.options.deadline;
            if !matches!(pipeline.in_time(&name, &call, ends, async { Ok(work.await) }).await, Ok(Some(_))) {
                // Another process is at it, or it failed. There is time for some more attempts.
                pipeline.refreshes.look_later(&name, watched, left / 4, Duration::ZERO, &call);
            }
        });
        answer
    }

    /// A function that borrows from its caller is computed by its caller, while all others go on hitting the value.
    async fn refresh_here<C: Compute>(&self, key: &str, call: &Call, answer: Answer, compute: C) -> Answer {
        // Only functions are ever wanted.
        let Some(left) = self.refreshes.want(key, None) else { return answer };
        let work = async { Ok(self.compute_anew(key, call, left, compute).await) };
        match self.in_time(key, call, Instant::now() + call.options.deadline, work).await {
            Ok(Some(newer)) => newer,
            _ => answer,
        }
    }

    /// What is left of a value's life, if that is little. Otherwise the time of the next look is set.
    async fn left_to_refresh(&self, key: &str, call: &Call, watched: &Watched) -> Option<Duration> {
        let left = self.store.shared().ttl(key).await.ok().flatten();
        let gap = gap(call, watched);
        if let Some(left) = left
            && left <= gap
        {
            return Some(left);
        }
        self.refreshes.look_later(key, *watched, left.unwrap_or_default(), gap, call);
        None
    }

    /// Claims the key for a refresh, computes its value and stores it. Returns `None` if somebody else does or did, or if it failed: then the
    /// value stays.
    async fn compute_anew<C: Compute>(&self, key: &str, call: &Call, left: Duration, compute: C) -> Option<Answer> {
        let asks = asks::<C>(call, ClaimMode::Renew { left });
        let (claimed, claim) = self.claims.try_claim(self.store.shared(), key, &asks).await;
        let Ok(Claim::Granted) = claimed else {
            if claimed.is_ok() {
                claim.forget();
            }
            return None;
        };
        self.events.emit(&Event::Refreshing { key, left });
        let outcome = self.computed(key, call, compute).await;
        self.settle(key, call, claim, outcome).await.0.ok()
    }
}

/// How long before its end a value is computed anew.
fn gap(call: &Call, watched: &Watched) -> Duration {
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
