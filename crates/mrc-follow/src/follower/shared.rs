//! The state that all tasks of a follower share, and the work that it has done so far.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mrc_core::{Event, EventListener};
use mrc_store::{CacheStore, MySqlConfig, lock};
use tokio::time::Instant;

use crate::Position;
use crate::auto::Book;
use crate::rules::{FollowConfig, Rules};

/// Where a follower begins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Start {
    /// Behind the last position in the cache. If there is none, everything that the rules know is
    /// invalidated first, and the follower begins at the newest transaction. Default.
    #[default]
    Stored,
    /// At the newest transaction. What was committed since the stored position is not invalidated.
    Now,
    /// Behind these transactions.
    Behind(Position),
}

/// A part of the follower, for the proofs alone: without it, stale entries must be found.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lack {
    /// Invalidates only after readers can see the commit.
    Visibility,
    /// Stores the position only after the invalidation.
    Order,
    /// Invalidates everything of a table whose rows a foreign key may have changed.
    Cascades,
    /// Reads the registry of schemes again after readers can see the commit.
    Schemes,
}

pub(crate) struct Inner {
    pub(crate) mysql: MySqlConfig,
    pub(crate) store: Arc<dyn CacheStore>,
    pub(crate) config: FollowConfig,
    pub(crate) rules: Rules,
    pub(crate) start: Start,
    pub(crate) once: bool,
    pub(crate) dry_run: bool,
    pub(crate) listeners: Vec<Arc<dyn EventListener>>,
    pub(crate) lack: Option<Lack>,
    pub(crate) status: SharedStatus,
    /// With `auto`: the schemes that are known.
    pub(crate) book: Option<Arc<Book>>,
}

impl Inner {
    pub(super) fn leads(&self, leads: bool) {
        self.status.change(|status| status.leads = leads);
        self.listeners.on_event(&Event::Leads { leads });
    }
}

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
    /// How often the cache had gone back to an older position, or may have lost what was removed
    /// since.
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
        let kept = lock(&self.0);
        let since = |moment: Option<Instant>| moment.map(|moment| moment.elapsed());
        Status { position_age: since(kept.written), silence: since(kept.heard), ..kept.status.clone() }
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Status)) {
        change(&mut lock(&self.0).status);
    }

    pub(crate) fn heard(&self) {
        lock(&self.0).heard = Some(Instant::now());
    }

    pub(crate) fn wrote(&self, position: &str) {
        let mut kept = lock(&self.0);
        kept.written = Some(Instant::now());
        if kept.status.position != position {
            kept.status.position = position.to_owned();
        }
    }
}
