//! What a cache decided, told to whoever listens.

use std::fmt;
use std::time::Duration;

use crate::key::Ambiguity;
use crate::tag::{Tag, TagError};

/// One decision of the cache.
///
/// Of one call: `Hit`; or `Miss`, `Computed` or `Failed`, and what became of the value (`Filled`, `Refused`, `Bypassed`); or `Followed`;
/// or `Bypassed` and `Computed` or `Failed`. `Stale` comes last, where a copy stood in for what failed.
/// `DependsOnClock` comes first, once a text.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The value came from the cache.
    Hit {
        /// The key.
        key: &'a str,
        /// The size of the value.
        bytes: usize,
        /// How long the call has taken so far.
        took: Duration,
    },
    /// There was no value: it is computed.
    Miss {
        /// The key.
        key: &'a str,
    },
    /// Another caller was computing the value, in this process or in another; this one waited, and has its outcome.
    Followed {
        /// The key.
        key: &'a str,
        /// How long it waited.
        waited: Duration,
    },
    /// A value was computed: read from the database, or returned by the caller's function.
    Computed {
        /// The key.
        key: &'a str,
        /// How long that took.
        took: Duration,
    },
    /// A value could not be computed.
    Failed {
        /// The key.
        key: &'a str,
        /// How long that took.
        took: Duration,
        /// What the database, or the function, said.
        error: &'a str,
    },
    /// A computed value was stored.
    Filled {
        /// The key.
        key: &'a str,
        /// How long it will live.
        ttl: Duration,
        /// The size of the value.
        bytes: usize,
        /// Its tags.
        tags: &'a [Tag],
    },
    /// A computed value was not stored: an invalidation came between.
    Refused {
        /// The key.
        key: &'a str,
    },
    /// The life of a value that was hit is about to end: it is computed anew while everybody goes on hitting it.
    Refreshing {
        /// The key.
        key: &'a str,
        /// What is left of its life.
        left: Duration,
    },
    /// The database failed or was too slow: the caller got the last value that was not invalidated.
    Stale {
        /// The key.
        key: &'a str,
        /// What it stands in for.
        error: &'a str,
    },
    /// The statement reads the clock, by `NOW()` for instance: a cached answer tells the time of its fill, until its TTL ends. Emitted once
    /// a text, before the first answer.
    DependsOnClock {
        /// The key.
        key: &'a str,
        /// What reads the clock, as [`statement::depends_on_clock`](crate::statement::depends_on_clock) names it.
        what: &'a str,
    },
    /// The cache was left aside: the caller got a right answer that wasn't stored.
    Bypassed {
        /// The key.
        key: &'a str,
        /// Why.
        why: Bypass<'a>,
    },
    /// The value in the cache is of use to nobody: it is computed anew and overwritten.
    BadValue {
        /// The key.
        key: &'a str,
        /// What is wrong with it.
        error: &'a str,
    },
    /// A call's deadline passed: the caller got a stale value or an error.
    DeadlinePassed {
        /// The key.
        key: &'a str,
        /// The deadline.
        limit: Duration,
    },
    /// A query was turned away, since too many others were waiting for their turn.
    Overloaded {
        /// How many were waiting.
        waiting: usize,
    },
    /// A server of the cache is lost: until it is back, calls that need it go round it at once, without asking.
    ServerLost {
        /// Its name: `127.0.0.1:6379`.
        server: &'a str,
        /// What went wrong.
        error: &'a str,
    },
    /// A server of the cache is back.
    ServerBack {
        /// Its name: `127.0.0.1:6379`.
        server: &'a str,
        /// How long it was lost.
        after: Duration,
    },
    /// An entry was removed, or was to be.
    Removed {
        /// The key.
        key: &'a str,
        /// Whether there was one.
        existed: bool,
    },
    /// Entries of a bounded cache went to make room for others.
    Evicted {
        /// How many.
        entries: u64,
    },
    /// The entries that have all of these tags were removed.
    Invalidated {
        /// The tags.
        tags: &'a [Tag],
        /// How many entries went.
        entries: u64,
    },
    /// An invalidation failed, and is tried again from the beginning.
    DropRetried {
        /// What the cache said.
        error: &'a str,
    },
    /// An invalidation that looked at all keys ended.
    Dropped {
        /// How many entries went.
        entries: u64,
        /// How many keys were looked at, of whatever kind and in the whole database.
        scanned: u64,
    },
}

/// Why a cache was left aside.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Bypass<'a> {
    /// Other params could have the same key.
    Ambiguous(&'a Ambiguity),
    /// Another process has been filling the key for too long.
    WaitedTooLong,
    /// The value is larger than the cache takes.
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The caller's mode leaves the cache alone, or takes from it only.
    Mode,
    /// The function calls itself with the same arguments: the inner call would wait for the outer one.
    Reentrant,
    /// The value in the cache isn't of the type that this caller asks for. It stays: others may read it.
    WrongType {
        /// The Rust type.
        asked_for: &'a str,
        /// Where the value doesn't fit: `[0].price`. Empty where the codec can't tell.
        at: &'a str,
        /// What doesn't fit. It may hold a part of the value.
        error: &'a str,
    },
    /// The function said that its result isn't to be stored.
    Skipped,
    /// The value was made of an entry whose tags are lost, so that nobody could invalidate it.
    TagsLost,
    /// The entry can't have the tags that it was given.
    BadTags(&'a TagError),
    /// The cache failed.
    StoreFailed {
        /// What it was asked: `"get"`, `"claim"`, `"fill"`.
        command: &'static str,
        /// What it said.
        error: &'a str,
    },
}

impl Event<'_> {
    /// Its kind, in lower case: `"hit"`, `"server_lost"`.
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
            Self::DropRetried { .. } => "drop_retried",
            Self::Dropped { .. } => "dropped",
        }
    }
}

impl Bypass<'_> {
    /// Its kind, in lower case: `"ambiguous"`, `"store_failed"`.
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

/// Takes events. It is called in the caller's task: quick, and without waiting.
///
/// ```
/// use mrc_core::{Event, EventListener};
///
/// let print = |event: &Event<'_>| eprintln!("{event:?}");
/// print.on_event(&Event::Miss { key: "UserId=1_…" });
/// ```
pub trait EventListener: Send + Sync {
    /// Takes one event.
    fn on_event(&self, event: &Event<'_>);
}

impl<F: Fn(&Event<'_>) + Send + Sync> EventListener for F {
    fn on_event(&self, event: &Event<'_>) {
        self(event);
    }
}
