//! The decisions of a cache, as events for a listener.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::depends::NotFollowable;
use crate::key::Ambiguity;
use crate::tag::{Tag, TagError};

/// One decision of the cache.
///
/// A call emits one of: `Hit`; `Miss`, `Computed` or `Failed`, and the outcome (`Filled`,
/// `Refused`, `Bypassed`); `Followed`; `Bypassed`, and `Computed` or `Failed`. `Stale` comes last,
/// if a stale copy replaced an error. `DependsOnClock` comes first, once per text.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The value came from the cache.
    Hit {
        /// The key.
        key: &'a str,
        /// The size of the value.
        bytes: usize,
        /// The time that the call has taken so far.
        took: Duration,
    },
    /// The cache has no value: the call computes it.
    Miss {
        /// The key.
        key: &'a str,
    },
    /// The call waited for another caller, in this process or another, and has its outcome.
    Followed {
        /// The key.
        key: &'a str,
        /// The time that the call waited.
        waited: Duration,
    },
    /// A value was computed: by the database, or by the caller's function.
    Computed {
        /// The key.
        key: &'a str,
        /// The time of the computation.
        took: Duration,
    },
    /// A value could not be computed.
    Failed {
        /// The key.
        key: &'a str,
        /// The time until the failure.
        took: Duration,
        /// The error of the database or the function.
        error: &'a str,
    },
    /// A computed value was stored.
    Filled {
        /// The key.
        key: &'a str,
        /// The time until the entry expires.
        ttl: Duration,
        /// The size of the value.
        bytes: usize,
        /// The entry's tags.
        tags: &'a [Tag],
    },
    /// A computed value was not stored, because an invalidation happened meanwhile.
    Refused {
        /// The key.
        key: &'a str,
    },
    /// An entry that was hit expires soon: it is computed again while calls go on hitting it.
    Refreshing {
        /// The key.
        key: &'a str,
        /// The time until the entry expires.
        left: Duration,
    },
    /// The database failed or was too slow: the caller got the stale copy, which isn't invalidated.
    Stale {
        /// The key.
        key: &'a str,
        /// The error that the stale copy replaces.
        error: &'a str,
    },
    /// The statement reads the clock, for instance by `NOW()`: a cached answer shows the time of
    /// its fill until it expires. Emitted once per text, before the first answer.
    DependsOnClock {
        /// The key.
        key: &'a str,
        /// The part that does, named by [`depends_on_clock`](crate::statement::depends_on_clock).
        what: &'a str,
    },
    /// The call bypassed the cache: the caller got a correct answer that wasn't stored.
    Bypassed {
        /// The key.
        key: &'a str,
        /// The reason.
        why: Bypass<'a>,
    },
    /// No caller can use the entry's value: it is computed again and overwritten.
    BadValue {
        /// The key.
        key: &'a str,
        /// The fault of the value.
        error: &'a str,
    },
    /// A call's deadline passed: the caller got a stale copy or an error.
    DeadlinePassed {
        /// The key.
        key: &'a str,
        /// The deadline.
        limit: Duration,
    },
    /// A query was refused, because too many others were waiting for their turn.
    Overloaded {
        /// The number of waiting queries.
        waiting: usize,
    },
    /// A server of the cache is lost. Until its return, calls that need it bypass the cache.
    ServerLost {
        /// The server's name: `127.0.0.1:6379`.
        server: &'a str,
        /// The error.
        error: &'a str,
    },
    /// A server of the cache is back.
    ServerBack {
        /// The server's name: `127.0.0.1:6379`.
        server: &'a str,
        /// The time for which the server was lost.
        after: Duration,
    },
    /// A removal by key ran.
    Removed {
        /// The key.
        key: &'a str,
        /// Whether the entry existed.
        existed: bool,
    },
    /// A bounded cache evicted entries to make room for others.
    Evicted {
        /// The number of evicted entries.
        entries: u64,
    },
    /// The entries that have all of these tags were invalidated.
    Invalidated {
        /// The tags.
        tags: &'a [Tag],
        /// The number of invalidated entries.
        entries: u64,
    },
    /// An invalidation failed, and starts again from the beginning.
    DropRetried {
        /// The error of the cache.
        error: &'a str,
    },
    /// A follower of the database's log has invalidated what some transactions changed.
    Applied {
        /// The number of transactions.
        transactions: u64,
        /// The number of changed rows in followed tables.
        rows: u64,
        /// The number of invalidated tags and params.
        tags: u64,
        /// The number of invalidated entries.
        entries: u64,
        /// The time since the newest of the commits. MariaDB's log has whole seconds.
        lag: Duration,
    },
    /// A follower invalidates everything of a table, because its rows don't tell enough.
    FellBack {
        /// The table: `shop.orders`. Empty: all tables.
        table: &'a str,
        /// The reason, and what to do about it.
        why: &'a str,
    },
    /// The database no longer has the log from the follower's position on: the follower invalidates
    /// everything that it follows.
    LogLost {
        /// The reason.
        why: &'a str,
    },
    /// The cache has lost its newest writes, perhaps with the follower's position, or may have: the
    /// follower invalidates again from the position that the cache has now.
    Rewound {
        /// The position. Empty if the cache has none: everything is invalidated.
        position: &'a str,
    },
    /// An entry ends by its TTL alone, though its client has a follower: no row tells that the
    /// answer changes. Once per text.
    NotFollowed {
        /// The key.
        key: &'a str,
        /// The reason.
        why: &'a NotFollowable,
    },
    /// No follower of this name keeps up with the database: new entries get a short TTL until one
    /// does.
    FollowerAway {
        /// The name of the follower.
        name: &'a str,
        /// Whether it goes by the schemes of queries, not by rules alone (`auto = true`).
        by_schemes: bool,
        /// How far it is behind the database. `None`: there is no position.
        behind: Option<Duration>,
    },
    /// A follower has taken the lease, or lost it to another one.
    Leads {
        /// Whether it leads now.
        leads: bool,
    },
    /// An invalidation that scanned all keys ended.
    Dropped {
        /// The number of invalidated entries.
        entries: u64,
        /// The number of scanned keys, of any kind, in the whole database.
        scanned: u64,
    },
}

/// The reason why a call bypassed the cache.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Bypass<'a> {
    /// Other params could have the same key.
    Ambiguous(&'a Ambiguity),
    /// Another process has been filling the key for too long.
    WaitedTooLong,
    /// The value is larger than the cache's limit.
    TooLarge {
        /// The size of the value, in bytes.
        bytes: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The call's mode turns the cache off, or only reads from it.
    Mode,
    /// The function calls itself with the same arguments: the inner call would wait for the outer.
    Reentrant,
    /// The cached value isn't of the type that the caller asks for. The entry stays for others.
    WrongType {
        /// The Rust type.
        asked_for: &'a str,
        /// The path of the part that doesn't fit: `[0].price`. Empty if the codec doesn't know it.
        at: &'a str,
        /// The error of the codec. It may contain a part of the value.
        error: &'a str,
    },
    /// The function excluded its result from the cache.
    Skipped,
    /// The function read an entry whose tags are lost: its result couldn't be invalidated.
    TagsLost,
    /// The entry can't have these tags.
    BadTags(&'a TagError),
    /// The store failed.
    StoreFailed {
        /// The command: `"get"`, `"claim"`, `"fill"`.
        command: &'static str,
        /// The error of the store.
        error: &'a str,
    },
}

impl Event<'_> {
    /// Returns the kind, in lower case: `"hit"`, `"server_lost"`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hit { .. } => "hit",
            Self::Miss { .. } => "miss",
            Self::Followed { .. } => "followed",
            Self::Computed { .. } => "computed",
            Self::Failed { .. } => "failed",
            Self::Filled { .. } => "filled",
            Self::Refused { .. } => "refused",
            Self::Refreshing { .. } => "refreshing",
            Self::Stale { .. } => "stale",
            Self::DependsOnClock { .. } => "depends_on_clock",
            Self::Bypassed { .. } => "bypassed",
            Self::BadValue { .. } => "bad_value",
            Self::DeadlinePassed { .. } => "deadline_passed",
            Self::Overloaded { .. } => "overloaded",
            Self::ServerLost { .. } => "server_lost",
            Self::ServerBack { .. } => "server_back",
            Self::Removed { .. } => "removed",
            Self::Evicted { .. } => "evicted",
            Self::Invalidated { .. } => "invalidated",
            Self::Applied { .. } => "applied",
            Self::FellBack { .. } => "fell_back",
            Self::LogLost { .. } => "log_lost",
            Self::Rewound { .. } => "rewound",
            Self::NotFollowed { .. } => "not_followed",
            Self::FollowerAway { .. } => "follower_away",
            Self::Leads { .. } => "leads",
            Self::DropRetried { .. } => "drop_retried",
            Self::Dropped { .. } => "dropped",
        }
    }
}

impl Bypass<'_> {
    /// Returns the kind, in lower case: `"ambiguous"`, `"store_failed"`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ambiguous(_) => "ambiguous",
            Self::WaitedTooLong => "waited_too_long",
            Self::TooLarge { .. } => "too_large",
            Self::Mode => "mode",
            Self::Reentrant => "reentrant",
            Self::WrongType { .. } => "wrong_type",
            Self::Skipped => "skipped",
            Self::TagsLost => "tags_lost",
            Self::BadTags(_) => "bad_tags",
            Self::StoreFailed { .. } => "store_failed",
        }
    }
}

impl fmt::Display for Bypass<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ambiguous(ambiguity) => ambiguity.fmt(f),
            Self::WaitedTooLong => f.write_str("another process has been computing this value for too long"),
            Self::TooLarge { bytes, limit } => write!(f, "the value has {bytes} bytes, and the limit is {limit}"),
            Self::Mode => f.write_str("the call's mode stores nothing"),
            Self::Reentrant => f.write_str("the function calls itself with the same arguments"),
            Self::WrongType { asked_for, error, .. } => write!(f, "the cached value is not {asked_for}: {error}"),
            Self::Skipped => f.write_str("the function kept its result out of the cache"),
            Self::TagsLost => f.write_str("it was computed from an entry whose tags are lost"),
            Self::BadTags(error) => error.fmt(f),
            Self::StoreFailed { command, error } => write!(f, "{command}: {error}"),
        }
    }
}

/// Receives events. It runs in the caller's task, so it must be quick and must not wait.
///
/// ```
/// use mrc_core::{Event, EventListener};
///
/// let print = |event: &Event<'_>| eprintln!("{event:?}");
/// print.on_event(&Event::Miss { key: "UserId=1_…" });
/// ```
pub trait EventListener: Send + Sync {
    /// Receives one event.
    fn on_event(&self, event: &Event<'_>);
}

impl<F: Fn(&Event<'_>) + Send + Sync> EventListener for F {
    fn on_event(&self, event: &Event<'_>) {
        self(event);
    }
}

/// Several listeners are one: each gets the event, in their order.
impl EventListener for Vec<Arc<dyn EventListener>> {
    fn on_event(&self, event: &Event<'_>) {
        self.iter().for_each(|listener| listener.on_event(event));
    }
}
