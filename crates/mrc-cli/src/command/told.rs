//! The decisions of a client about a query, from its events.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use mrc::Event;
use mrc::store::lock;

use crate::output::Output;

/// The client's decisions, from its events.
#[derive(Default)]
pub(super) struct Told(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    bypassed: Option<String>,
    notes: BTreeSet<String>,
}

impl Told {
    pub(super) fn listener(&self) -> impl Fn(&Event<'_>) + Send + Sync + 'static {
        let heard = Arc::clone(&self.0);
        move |event: &Event<'_>| {
            let mut heard = lock(&heard);
            match event {
                Event::Bypassed { why, .. } => heard.bypassed = Some(why.to_string()),
                Event::Refused { .. } => {
                    heard.notes.insert("the answer was not stored: its entry was invalidated meanwhile".into());
                }
                Event::NotFollowed { why, .. } => {
                    heard
                        .notes
                        .insert(format!("the entry ends by its TTL alone, since no row tells that it changed: {why}"));
                }
                Event::FollowerAway { name, .. } => {
                    heard
                        .notes
                        .insert(format!("no follower `{name}` keeps up, so the entry has a short TTL: start `mrc follow` with auto = true"));
                }
                _ => {}
            }
        }
    }

    pub(super) fn bypassed(&self) -> Option<String> {
        lock(&self.0).bypassed.clone()
    }

    /// Shows each note once.
    pub(super) fn show(&self, output: &Output) {
        let heard = lock(&self.0);
        if let Some(why) = &heard.bypassed {
            output.note(&format!("note: the cache was bypassed, and nothing is stored: {why}"));
        }
        for note in &heard.notes {
            output.note(&format!("note: {note}"));
        }
    }
}
