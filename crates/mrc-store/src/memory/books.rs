//! The books of the store: the positions and leases of followers, and the registry of schemes.

use std::collections::HashMap;
use std::time::Duration;

use mrc_core::Tag;
use mrc_core::depends::SchemeName;
use tokio::time::Instant;

use super::entry::after;
use crate::books::{MOST_SCHEMES, POSITION_KEPT, REGISTERED, Registry};
use crate::store::Token;
use crate::tags::{Moment, Tags};

#[derive(Default)]
pub(super) struct Follower {
    pub(super) position: Option<Written>,
    pub(super) lease: Option<(Token, Instant)>,
}

#[derive(Clone)]
pub(super) struct Written {
    pub(super) position: String,
    pub(super) at: Instant,
    pub(super) lag: Duration,
    pub(super) by_schemes: bool,
}

impl Follower {
    /// Returns the position, unless it has expired.
    pub(super) fn position(&self) -> Option<&Written> {
        self.position.as_ref().filter(|written| written.at.elapsed() < POSITION_KEPT)
    }

    /// Returns the lease, unless it has ended.
    pub(super) fn lease(&self) -> Option<&(Token, Instant)> {
        self.lease.as_ref().filter(|(_, until)| *until > Instant::now())
    }

    pub(super) fn is_led_by(&self, owner: &Token) -> bool {
        self.lease().is_some_and(|(leader, _)| leader == owner)
    }
}

#[derive(Default)]
pub(super) struct Registrations {
    born: Moment,
    version: Moment,
    all: HashMap<Tag, Registration>,
}

struct Registration {
    since: Moment,
    ends: Instant,
    scheme: SchemeName,
}

impl Registrations {
    /// Registers schemes. `tick` returns a moment that is later than all before.
    pub(super) fn register(&mut self, schemes: &[SchemeName], mut tick: impl FnMut() -> Moment) -> Vec<SchemeName> {
        let now = Instant::now();
        let ends = after(now, REGISTERED);
        self.all.retain(|_, registration| registration.ends > now);
        let mut refused = Vec::new();
        for scheme in schemes {
            if let Some(known) = self.all.get_mut(&scheme.tag) {
                known.ends = known.ends.max(ends);
                continue;
            }
            let of_table = self.all.values().filter(|other| other.scheme.of_table() == scheme.of_table());
            if *scheme != scheme.weakest() && of_table.count() >= MOST_SCHEMES {
                refused.push(scheme.clone());
                continue;
            }
            self.version = tick();
            if self.born == Moment::default() {
                self.born = self.version;
            }
            self.all.insert(scheme.tag.clone(), Registration { since: self.version, ends, scheme: scheme.clone() });
        }
        refused
    }

    /// Returns whether the tags' schemes were registered before their moments, and keeps them.
    pub(super) fn keep(&mut self, tags: &Tags, life: Duration) -> bool {
        let now = Instant::now();
        tags.iter().filter(|(tag, _)| SchemeName::is_tag(tag.as_str())).all(|(tag, since)| {
            let known = self.all.get_mut(tag).filter(|known| known.ends > now && known.since <= since);
            known.is_some_and(|known| {
                known.ends = known.ends.max(after(now, life));
                true
            })
        })
    }

    pub(super) fn registry(&self, known: Option<Moment>) -> Option<Registry> {
        let now = Instant::now();
        let schemes = self.all.values().filter(|registration| registration.ends > now);
        let schemes = schemes.map(|registration| registration.scheme.clone()).collect();
        (known != Some(self.version)).then_some(Registry { born: self.born, version: self.version, schemes })
    }
}
