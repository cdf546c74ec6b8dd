//! What a call asks for: how long its value lives, and what may be done to answer in time.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use mrc_core::{Key, Mark, Tag, Ttl};
use mrc_store::{Life, Tags};
use tokio::time::{Instant, timeout_at};

use crate::frame::{self, Said};
use crate::mode::Mode;
use crate::settings::{OnError, Settings};
use crate::types::Types;

/// The settings that a caller may choose for itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Options {
    /// No call takes longer.
    pub(crate) deadline: Duration,
    /// How long a copy of a value outlives it, for when the database fails. Zero: there is none.
    pub(crate) stale: Duration,
    /// After so long the copy is good enough.
    pub(crate) stale_after: Duration,
    /// The last part of a value's life, in which it is computed anew. Zero: it isn't.
    pub(crate) early_refresh: Duration,
    pub(crate) on_error: OnError,
}

impl Options {
    /// The options that these settings give every call.
    pub(crate) fn new(settings: &Settings, on_error: OnError) -> Self {
        let options = Self {
            deadline: settings.deadline,
            stale: settings.stale_on_error,
            stale_after: settings.stale_after,
            early_refresh: settings.early_refresh,
            on_error,
        };
        options.bounded()
    }

    /// Within what can be added to any instant: a century.
    pub(crate) fn bounded(mut self) -> Self {
        self.deadline = self.deadline.min(Self::LONGEST);
        self.stale_after = self.stale_after.min(Self::LONGEST);
        self
    }

    /// Longer than anybody waits.
    pub(crate) const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);
}

/// One call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// One that a life can be drawn from.
    pub(crate) ttl: Ttl,
    pub(crate) jitter: f64,
    pub(crate) options: Options,
    /// The types of the params, which the key doesn't show.
    pub(crate) mark: Mark,
    /// The types that the text's params have had so far. `None` if the key shows them all.
    pub(crate) types: Option<Arc<Types>>,
    /// Whether the value is an array of rows.
    pub(crate) rows: bool,
    /// The tags that the caller names; the computation may add some.
    pub(crate) tags: Vec<Tag>,
    /// Whether an entry is being computed that wants the tags of this one.
    pub(crate) nested: bool,
    pub(crate) mode: Mode,
    /// When the caller called: its deadline counts from here.
    pub(crate) began: Instant,
    /// Whether the computation may go on beyond the deadline, which then bounds the waits for others alone.
    pub(crate) endless: bool,
}

impl Call {
    /// A call in the scope of the task that makes it.
    pub(crate) fn new(ttl: Ttl, jitter: f64, options: Options) -> Self {
        let (mode, nested) = frame::at_hand();
        Self {
            ttl,
            jitter,
            options,
            mark: Mark::default(),
            types: None,
            rows: false,
            tags: Vec::new(),
            nested,
            mode,
            began: Instant::now(),
            endless: false,
        }
    }

    /// A call for the entry of this key, which is one of a text's.
    pub(crate) fn keyed(self, key: &Key, types: &Arc<Types>) -> Self {
        types.see(key.types());
        Self { mark: key.mark().clone(), types: Some(Arc::clone(types)), ..self }
    }

    /// The name of the flight to `key` for calls with params of these types.
    pub(crate) fn flight<'a>(&self, key: &'a str) -> Cow<'a, str> {
        match self.mark.as_str() {
            "" => key.into(),
            mark => [key, mark].concat().into(),
        }
    }

    /// The life of a value that is stored now: a hit needs none.
    pub(crate) fn life(&self, said: &Said, tags: Tags) -> Life {
        let draw = |ttl: Ttl| ttl.jittered(self.jitter, &mut rand::rng());
        // What a function says about its TTL can't be checked before it runs.
        let said = said.ttl.and_then(|ttl| draw(ttl).ok());
        let ttl = said.unwrap_or_else(|| draw(self.ttl).unwrap_or(self.ttl.base()));
        Life { ttl, stale: self.options.stale, tags }
    }

    /// The same call, which ends with an error where the cache fails.
    pub(crate) fn failing(mut self) -> Self {
        self.options.on_error = OnError::Fail;
        self
    }

    pub(crate) fn ends(&self) -> Instant {
        self.began + self.options.deadline
    }

    /// Waits for another caller. Returns `None` when the deadline passes; a call that ends then as a whole needs no second limit.
    pub(crate) async fn wait<T>(&self, other: impl Future<Output = T>) -> Option<T> {
        if self.endless { timeout_at(self.ends(), other).await.ok() } else { Some(other.await) }
    }

    pub(crate) fn has_copy(&self) -> bool {
        !self.options.stale.is_zero()
    }
}
