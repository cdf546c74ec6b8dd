//! The listeners of a store: a server is lost or back, entries are evicted.

use std::sync::{Arc, PoisonError, RwLock};

use mrc_core::{Event, EventListener};

#[derive(Default)]
pub(crate) struct Listeners(RwLock<Vec<Arc<dyn EventListener>>>);

impl Listeners {
    pub(crate) fn add(&self, listener: Arc<dyn EventListener>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(listener);
    }

    /// Emits the event without holding the lock, since a listener may add another.
    pub(crate) fn tell(&self, event: &Event<'_>) {
        let listeners = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        listeners.on_event(event);
    }
}
