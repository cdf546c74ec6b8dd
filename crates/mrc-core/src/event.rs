//! What a cache decided, told to whoever listens.

use std::time::Duration;

use crate::key::Ambiguity;

/// One decision of the cache.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The value came from the cache.
    Hit {
        /// The key.
        key: &'a str,
    },
    /// There was no value: it is computed.
    Miss {
        /// The key.
        key: &'a str,
    },
    /// Another caller was computing the value, in this process or in another; this one waited, and has it.
    Followed {
        /// The key.
        key: &'a str,
        /// How long it waited.
        waited: Duration,
    },
    /// A computed value was stored.
    Filled {
        /// The key.
        key: &'a str,
        /// How long it will live.
        ttl: Duration,
        /// The size of the value.
        bytes: usize,
    },
    /// A computed value was not stored: an invalidation came between.
    Refused {
        /// The key.
        key: &'a str,
    },
    /// The cache was left aside: the caller got a right answer that wasn't stored.
    Bypassed {
        /// The key.
        key: &'a str,
        /// Why.
        why: Bypass<'a>,
    },
    /// An invalidation failed, and is tried again from the beginning.
    DropRetried {
        /// What the cache said.
        error: &'a str,
    },
    /// An invalidation ended.
    Dropped {
        /// How many entries went.
        entries: u64,
        /// How many keys were looked at.
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
    /// The cache failed.
    StoreFailed {
        /// What it was asked: `"get"`, `"claim"`, `"fill"`.
        command: &'static str,
        /// What it said.
        error: &'a str,
    },
    /// The value in the cache can't be decoded.
    BadValue {
        /// What the decoder said.
        error: &'a str,
    },
}

/// Takes events. It is called in the caller's task: quick, and without waiting.
///
/// ```
/// use mrc_core::{Event, EventListener};
///
/// let print = |event: &Event<'_>| eprintln!("{event:?}");
/// print.on_event(&Event::Hit { key: "UserId=1_…" });
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
