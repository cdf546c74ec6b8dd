//! Whether a follower runs: it renews its position in the cache each second.

use std::time::Duration;

use mrc_core::Event;
use mrc_store::CacheStore;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::events::Events;

/// How far behind the database a follower may be until it counts as away.
const AWAY: Duration = Duration::from_secs(10);
/// How long an answer about the follower counts.
const FRESH: Duration = Duration::from_secs(1);

/// A look at the follower of a name, once a second at most.
#[derive(Debug)]
pub(super) struct Watch {
    name: Box<str>,
    /// The longest TTL while it is away.
    short: Duration,
    seen: Mutex<Option<Seen>>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    at: Instant,
    runs: bool,
}

impl Watch {
    pub(super) fn new(name: &str, short: Duration) -> Self {
        Self { name: name.into(), short, seen: Mutex::default() }
    }

    /// Returns the longest TTL of entries: short while the follower is away.
    pub(super) async fn longest_ttl(&self, store: &dyn CacheStore, events: &Events) -> Option<Duration> {
        (!self.runs(store, events).await).then_some(self.short)
    }

    async fn runs(&self, store: &dyn CacheStore, events: &Events) -> bool {
        // Other callers wait for the one that looks: the store's patience bounds that.
        let mut seen = self.seen.lock().await;
        if let Some(seen) = seen.filter(|seen| seen.at.elapsed() < FRESH) {
            return seen.runs;
        }
        let found = match store.as_checkpoints() {
            Some(books) => books.checkpoint(&self.name).await.ok().flatten(),
            None => None,
        };
        // One that goes by rules alone knows nothing of these entries.
        let by_schemes = found.as_ref().is_some_and(|found| found.by_schemes);
        let behind = found.map(|found| found.age.saturating_add(found.lag));
        let runs = by_schemes && behind.is_some_and(|behind| behind < AWAY);
        let did_run = seen.replace(Seen { at: Instant::now(), runs }).is_none_or(|seen| seen.runs);
        if did_run && !runs {
            events.emit(&Event::FollowerAway { name: &self.name, by_schemes, behind });
        }
        runs
    }
}
