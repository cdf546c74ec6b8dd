//! The state that all tasks of a follower share.

use std::sync::Arc;

use mrc_core::{Event, EventListener};
use mrc_store::{CacheStore, MySqlConfig};

use crate::Position;
use crate::auto::Book;
use crate::rules::{FollowConfig, Rules};
use crate::status::SharedStatus;

/// Where a follower begins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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

/// The state that all tasks of a follower share.
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
