//! The terms of a call: the TTL of its value, and the limits of its time.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use mrc_core::{Key, Mark, Tag, Ttl};
use mrc_store::{Life, Tags};
use tokio::time::{Instant, timeout_at};

use crate::follow::Dependencies;
use crate::frame::{self, Said};
use crate::inherited::Carried;
use crate::mode::Mode;
use crate::pipeline::gather::Gather;
use crate::settings::{OnError, Settings};
use crate::types::Types;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Options {
    pub(crate) deadline: Duration,
    /// How long a stale copy outlives its value. Zero: no copies.
    pub(crate) stale: Duration,
    /// After this time the stale copy is served.
    pub(crate) stale_after: Duration,
    /// The last part of a TTL, in which the value is recomputed. Zero: never.
    pub(crate) early_refresh: Duration,
    pub(crate) on_error: OnError,
    /// Whether the computation may exceed the deadline, which then limits waits for others alone.
    pub(crate) endless: bool,
}

impl Options {
    pub(crate) fn new(settings: &Settings, on_error: OnError) -> Self {
        let options = Self {
            deadline: settings.deadline,
            stale: settings.stale_on_error,
            stale_after: settings.stale_after,
            early_refresh: settings.early_refresh,
            on_error,
            endless: false,
        };
        options.bounded()
    }

    /// Limits the options to a century, which can be added to any instant.
    pub(crate) fn bounded(mut self) -> Self {
        self.deadline = self.deadline.min(Self::LONGEST);
        self.stale_after = self.stale_after.min(Self::LONGEST);
        self
    }

    /// Longer than anybody waits.
    pub(crate) const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);
}

#[derive(Clone)]
pub(crate) struct Call {
    /// A TTL that a life can be drawn from.
    pub(crate) ttl: Ttl,
    pub(crate) jitter: f64,
    pub(crate) options: Options,
    pub(crate) mark: Mark,
    /// The types that the text's params have had so far. `None` if the key shows them all.
    pub(crate) types: Option<Arc<Types>>,
    /// Whether the value is an array of rows.
    pub(crate) rows: bool,
    /// The tags that the caller names; the computation may add more.
    pub(crate) tags: Vec<Tag>,
    /// Whether a surrounding entry is being computed, which wants this entry's tags.
    pub(crate) nested: bool,
    pub(crate) mode: Mode,
    /// The time of the call, from which its deadline counts.
    pub(crate) began: Instant,
    /// The dependencies of the answer, if a follower ends it.
    pub(crate) follows: Option<Arc<Dependencies>>,
    /// The batch that the call belongs to.
    pub(crate) batch: Option<InBatch>,
}

/// A call's place in its batch.
#[derive(Clone)]
pub(crate) struct InBatch {
    pub(crate) gather: Arc<Gather>,
    pub(crate) at: usize,
}

impl Call {
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
            follows: None,
            batch: None,
        }
    }

    /// Returns the call for the entry of `key`, whose text has these types.
    pub(crate) fn keyed(self, key: &Key, types: &Arc<Types>) -> Self {
        let call = Self { mark: key.mark().clone(), types: Some(Arc::clone(types)), ..self };
        call.note_types(key);
        call
    }

    /// Notes the types of this key's params, before anything is read or stored.
    pub(crate) fn note_types(&self, key: &Key) {
        if let Some(types) = &self.types {
            types.see(key.types());
        }
    }

    /// Returns the name of the flight to `key` for params of these types.
    pub(crate) fn flight<'a>(&self, key: &'a str) -> Cow<'a, str> {
        match self.mark.as_str() {
            "" => key.into(),
            mark => [key, mark].concat().into(),
        }
    }

    /// Returns the tags of a call that failed. Which rows its error depends on isn't known.
    pub(crate) fn tags_of_failure(&self) -> Carried {
        let mut tags = Carried::of(self.tags.iter().cloned());
        tags.lost = self.follows.is_some();
        tags
    }

    /// Returns the life of a value that is stored now. A hit needs none.
    pub(crate) fn life(&self, said: &Said, tags: Tags) -> Life {
        let draw = |ttl: Ttl| ttl.jittered(self.jitter, &mut rand::rng());
        // The TTL that a function sets can't be checked before it runs.
        let said = said.ttl.and_then(|ttl| draw(ttl).ok());
        let ttl = said.unwrap_or_else(|| draw(self.ttl).unwrap_or(self.ttl.base()));
        Life::from(ttl).stale(self.options.stale).tags(tags)
    }

    /// Returns the same call, which ends with an error if the cache fails.
    pub(crate) fn failing(mut self) -> Self {
        self.options.on_error = OnError::Fail;
        self
    }

    pub(crate) fn ends(&self) -> Instant {
        self.began + self.options.deadline
    }

    /// Waits for another caller. Returns `None` at the deadline, unless the whole call ends then.
    pub(crate) async fn wait<T>(&self, other: impl Future<Output = T>) -> Option<T> {
        if self.options.endless { timeout_at(self.ends(), other).await.ok() } else { Some(other.await) }
    }

    pub(crate) fn has_copy(&self) -> bool {
        !self.options.stale.is_zero()
    }
}
