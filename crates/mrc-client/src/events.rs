//! The listeners of a client, and its log.

use std::fmt;
use std::sync::Arc;

use mrc_core::{Event, EventListener};

use crate::frame;

#[derive(Clone, Default)]
pub(crate) struct Events(pub(crate) Vec<Arc<dyn EventListener>>);

impl Events {
    pub(crate) fn emit(&self, event: &Event<'_>) {
        log(event);
        frame::count(event);
        self.0.on_event(event);
    }
}

impl EventListener for Events {
    fn on_event(&self, event: &Event<'_>) {
        self.emit(event);
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} listeners", self.0.len())
    }
}

/// Logs one line per cause, not per call, so an outage doesn't flood the log; each call's events
/// are at debug level. Keys and errors may hold values of params: only listeners get them.
fn log(event: &Event<'_>) {
    match event {
        Event::ServerLost { server, error } => tracing::warn!(target: "mrc", server, error, "a cache server is lost"),
        Event::ServerBack { server, after } => tracing::info!(target: "mrc", server, ?after, "a cache server is back"),
        Event::Overloaded { waiting } => tracing::warn!(target: "mrc", waiting, "a query was turned away"),
        Event::DependsOnClock { what, .. } => {
            tracing::info!(target: "mrc", what, "a cached statement reads the clock: its answers tell the time of their fill");
        }
        Event::NotFollowed { why, .. } => {
            tracing::warn!(target: "mrc", %why, "a cached statement isn't followed: its answers end by their TTL alone");
        }
        Event::FollowerAway { name, by_schemes: false, behind: Some(_) } => {
            tracing::warn!(target: "mrc", name, "the follower goes by rules alone (auto = true is missing): new entries get a short TTL");
        }
        Event::FollowerAway { name, behind, .. } => {
            tracing::warn!(target: "mrc", name, ?behind, "no follower keeps up with the database: new entries get a short TTL");
        }
        Event::BadValue { .. } => tracing::warn!(target: "mrc", "a value in the cache could not be used"),
        Event::Hit { .. } => {}
        event => tracing::debug!(target: "mrc", event = event.name()),
    }
}
