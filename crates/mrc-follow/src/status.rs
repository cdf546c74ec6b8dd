//! The work that a follower has done so far, for metrics and for people.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use mrc_store::lock;
use tokio::time::Instant;

/// The counters of a follower. Each counts from the start of the process.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Status {
    /// Whether this follower leads. `false`: another one has the lease, or the cache is away.
    pub leads: bool,
    /// The position in the cache. Empty before the first one is written.
    pub position: String,
    /// The time since the position was written or confirmed. `None` before the first one.
    pub position_age: Option<Duration>,
    /// The time since the last event or heartbeat of the server. `None` before the first one.
    pub silence: Option<Duration>,
    /// The time from the newest applied commit to its invalidation.
    pub lag: Duration,
    /// The time for which the last batch waited until readers could see it.
    pub visibility: Duration,
    /// The registered schemes: which conditions on rows entries depend on. 0 without `auto`.
    pub schemes: usize,
    /// The tables of the schemes.
    pub tables: usize,
    /// Committed transactions.
    pub transactions: u64,
    /// Changed rows of followed tables.
    pub rows: u64,
    /// Invalidated tags and params.
    pub tags: u64,
    /// Invalidated entries.
    pub invalidated: u64,
    /// How often everything of a table was invalidated, by the kind of reason.
    pub fallbacks: BTreeMap<&'static str, u64>,
    /// The table and the reason of the last of them.
    pub last_fallback: Option<(String, String)>,
    /// How often the stream was opened again.
    pub reconnects: u64,
    /// How often the cache had gone back to an older position, or may have lost what was removed since.
    pub rewinds: u64,
    /// How often the server had no log from the position on.
    pub lost: u64,
}

impl Status {
    /// A follower whose server was silent for longer isn't ready.
    pub const SILENCE: Duration = Duration::from_secs(5);

    /// Returns whether the follower leads, and has heard from the server within 5 s.
    pub fn is_ready(&self) -> bool {
        self.leads && self.silence.is_some_and(|silence| silence < Self::SILENCE)
    }
}

/// The status that the tasks of a follower share.
#[derive(Debug, Default)]
pub(crate) struct SharedStatus(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    status: Status,
    written: Option<Instant>,
    heard: Option<Instant>,
}

impl SharedStatus {
    pub(crate) fn read(&self) -> Status {
        let kept = self.lock();
        let since = |moment: Option<Instant>| moment.map(|moment| moment.elapsed());
        Status { position_age: since(kept.written), silence: since(kept.heard), ..kept.status.clone() }
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.lock().status);
    }

    pub(crate) fn heard(&self) {
        self.lock().heard = Some(Instant::now());
    }

    pub(crate) fn wrote(&self, position: &str) {
        let mut kept = self.lock();
        kept.written = Some(Instant::now());
        if kept.status.position != position {
            kept.status.position = position.to_owned();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        lock(&self.0)
    }
}
