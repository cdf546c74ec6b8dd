//! The structure of a bounded cache: its entries, and what is being computed.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use mrc_core::Tag;
use tokio::time::Instant;

use super::queue::Queue;
use super::{Lease, Text, after};
use crate::bound::policy::{self, Eviction, Order};
use crate::bound::{Lifetime, Policy};
use crate::store::{Claim, Terms, Token};

/// Leases that have ended are looked for when their number has doubled, but not before there are so many.
const LEAST_LEASES: usize = 1_000;

/// The entries of one structure. Each step of the protocol happens under its lock.
pub(super) struct Structure(Mutex<State>);

struct State {
    eviction: &'static dyn Eviction,
    began: Instant,
    /// Values and claims.
    entries: HashMap<Bytes, Entry>,
    /// Who is filling which field. As in Redis they stay where the entry goes, and are worth nothing without it.
    leases: HashMap<Bytes, Lease>,
    /// At how many of them it is looked which have ended.
    leases_due: usize,
    /// Values.
    queue: Queue,
    /// When each of the entries ends.
    ends: BTreeSet<(Instant, Bytes)>,
    /// When all of them end. None: there was none yet.
    until: Option<Instant>,
}

struct Entry {
    text: Text,
    /// Among the values.
    place: f64,
}

/// What is asked of a structure, beside the entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) room: usize,
    pub(super) lifetime: Lifetime,
}

/// What is left of an entry's life, which ends with all of them.
fn left(ends: Instant, until: Option<Instant>, now: Instant) -> Duration {
    until.map_or(ends, |until| until.min(ends)) - now
}

impl Structure {
    pub(super) fn new(policy: Policy) -> Self {
        let eviction = policy::of(policy);
        let queue = Queue::new(eviction.victim());
        let (entries, leases) = (HashMap::new(), HashMap::new());
        let (ends, leases_due) = (BTreeSet::new(), LEAST_LEASES);
        let began = Instant::now();
        Self(Mutex::new(State { eviction, began, entries, leases, leases_due, queue, ends, until: None }))
    }

    /// The value under a field, which is thereby used.
    pub(super) fn get(&self, field: &Bytes, rules: Rules) -> Option<Text> {
        self.step(|state, now| {
            if let Lifetime::Sliding(life) = rules.lifetime {
                state.until = state.until.map(|_| after(now, life));
            }
            let (text, place) = state.read(field, now).map(|entry| (entry.text.clone(), entry.place))?;
            if text.value.is_empty() {
                return None;
            }
            state.use_place(field, place, now);
            Some(text)
        })
    }

    pub(super) fn claim(&self, field: &Bytes, token: &Token, terms: Terms, rules: Rules) -> Claim {
        self.step(|state, now| {
            state.reap(now);
            let ends = after(now, terms.lease);
            let other = state.lease(field, now).map(|lease| lease.ends);
            let until = state.until;
            match (state.read(field, now), other) {
                (Some(entry), _)
                    if !entry.text.value.is_empty() && terms.mode.is_hit(left(entry.text.ends, until, now)) =>
                {
                    return Claim::Hit(entry.text.value.clone());
                }
                (Some(_), Some(other)) => return Claim::Busy { lease_left: Some(other - now) },
                (Some(entry), None) if !entry.text.value.is_empty() => entry.text.refreshing = true,
                _ => {
                    state.take(field);
                    state.ends.insert((ends, field.clone()));
                    state.entries.insert(field.clone(), Entry { text: Text::claim(ends), place: 0.0 });
                }
            }
            state.leases.insert(field.clone(), Lease { token: token.clone(), ends });
            state.live(rules.lifetime, terms.lease, now);
            Claim::Granted
        })
    }

    /// Stores a value if the claim of `token` still stands. None: it doesn't. Otherwise, how many entries went to make room.
    pub(super) fn fill(&self, field: &Bytes, token: &Token, text: Text, life: Duration, rules: Rules) -> Option<u64> {
        self.step(|state, now| {
            let entry = state.read(field, now)?;
            let stands = entry.text.value.is_empty() || entry.text.refreshing;
            if !stands || state.lease(field, now).is_none_or(|lease| lease.token != *token) {
                return None;
            }
            state.leases.remove(field);
            Some(state.store(field, text, life, rules, now))
        })
    }

    pub(super) fn put(&self, field: &Bytes, text: Text, life: Duration, rules: Rules) -> u64 {
        self.step(|state, now| {
            state.read(field, now);
            state.store(field, text, life, rules, now)
        })
    }

    pub(super) fn release(&self, field: &Bytes, token: &Token) -> bool {
        self.step(|state, now| {
            if state.lease(field, now).is_none_or(|lease| lease.token != *token) {
                return false;
            }
            state.leases.remove(field);
            if state.read(field, now).is_some_and(|entry| entry.text.value.is_empty()) {
                state.forget(field);
            }
            true
        })
    }

    pub(super) fn ttl(&self, field: &Bytes) -> Option<Duration> {
        self.step(|state, now| {
            let (until, entry) = (state.until, state.read(field, now)?);
            (!entry.text.value.is_empty()).then(|| left(entry.text.ends, until, now))
        })
    }

    pub(super) fn remove(&self, field: &Bytes) -> bool {
        self.step(|state, now| {
            let was_there = state.read(field, now).is_some();
            state.forget(field);
            was_there
        })
    }

    /// Whether an entry has these tags, or may be about to.
    pub(super) fn may_have(&self, field: &Bytes, tags: &[Tag]) -> bool {
        self.step(|state, now| {
            let leased = state.lease(field, now).is_some();
            state.read(field, now).is_some_and(|entry| leased || entry.text.has(tags))
        })
    }

    /// Removes an entry that has these tags, or may be about to. Returns whether a value went.
    pub(super) fn invalidate(&self, field: &Bytes, tags: &[Tag]) -> bool {
        self.step(|state, now| {
            let leased = state.lease(field, now).is_some();
            let Some(entry) = state.read(field, now) else { return false };
            let is_value = !entry.text.value.is_empty();
            let goes = leased || entry.text.has(tags);
            if goes {
                state.forget(field);
            }
            goes && is_value
        })
    }

    /// How many values there are.
    pub(super) fn len(&self) -> u64 {
        self.step(|state, now| {
            state.reap(now);
            state.queue.len() as u64
        })
    }

    /// Removes everything, and returns how many values there were.
    pub(super) fn purge(&self) -> u64 {
        self.step(|state, now| {
            state.reap(now);
            let count = state.queue.len() as u64;
            state.clear();
            count
        })
    }

    /// What is there, claims included.
    pub(super) fn fields(&self) -> Vec<Bytes> {
        self.step(|state, now| {
            state.reap(now);
            state.entries.keys().cloned().collect()
        })
    }

    fn step<T>(&self, step: impl FnOnce(&mut State, Instant) -> T) -> T {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if state.until.is_some_and(|until| until <= now) {
            state.clear();
        }
        step(&mut state, now)
    }
}

impl State {
    /// An entry as it is now: what has ended goes.
    fn read(&mut self, field: &Bytes, now: Instant) -> Option<&mut Entry> {
        if self.entries.get(field)?.text.ends <= now {
            self.forget(field);
        }
        self.entries.get_mut(field)
    }

    /// The lease of a field, whether there is an entry or not.
    fn lease(&self, field: &Bytes, now: Instant) -> Option<&Lease> {
        self.leases.get(field).filter(|lease| lease.ends > now)
    }

    fn forget(&mut self, field: &Bytes) {
        self.take(field);
        if self.entries.is_empty() {
            self.until = None;
        }
    }

    /// Takes an entry out, while another comes in its place.
    fn take(&mut self, field: &Bytes) {
        let Some(entry) = self.entries.remove(field) else { return };
        self.ends.remove(&(entry.text.ends, field.clone()));
        if !entry.text.value.is_empty() {
            self.queue.remove(field, entry.place);
        }
    }

    fn reap(&mut self, now: Instant) {
        while let Some((ends, field)) = self.ends.first().cloned()
            && ends <= now
        {
            self.forget(&field);
        }
        if self.leases.len() > self.leases_due {
            self.leases.retain(|_, lease| lease.ends > now);
            self.leases_due = LEAST_LEASES.max(2 * self.leases.len());
        }
    }

    fn store(&mut self, field: &Bytes, text: Text, life: Duration, rules: Rules, now: Instant) -> u64 {
        let mut evicted = 0;
        let known = self.entries.get(field).filter(|entry| !entry.text.value.is_empty()).map(|entry| entry.place);
        let place = if let Some(place) = known {
            self.eviction.used(place, &self.order(None, now)).unwrap_or(place)
        } else {
            self.reap(now);
            let mut gone: Option<f64> = None;
            while self.queue.len() >= rules.room
                && let Some((victim, place)) = self.queue.next()
            {
                self.forget(&victim);
                gone = Some(gone.map_or(place, |highest| highest.max(place)));
                evicted += 1;
            }
            self.eviction.arrival(&self.order(gone, now))
        };
        self.take(field);
        self.ends.insert((text.ends, field.clone()));
        self.queue.insert(field.clone(), place);
        self.entries.insert(field.clone(), Entry { text, place });
        self.live(rules.lifetime, life, now);
        evicted
    }

    fn use_place(&mut self, field: &Bytes, place: f64, now: Instant) {
        let Some(new) = self.eviction.used(place, &self.order(None, now)) else { return };
        self.queue.remove(field, place);
        self.queue.insert(field.clone(), new);
        if let Some(entry) = self.entries.get_mut(field) {
            entry.place = new;
        }
    }

    fn order(&self, gone: Option<f64>, now: Instant) -> Order {
        let now = (now - self.began).as_micros() as f64;
        Order { lowest: self.queue.lowest(), highest: self.queue.highest(), gone, now }
    }

    /// Sees to it that the structure lives as long as it should, and no longer.
    fn live(&mut self, lifetime: Lifetime, needed: Duration, now: Instant) {
        self.until = match (lifetime, self.until) {
            (Lifetime::Sliding(life), _) | (Lifetime::Fixed(life), None) => Some(after(now, life)),
            (Lifetime::Fixed(_), until) => until,
            (Lifetime::Entries, until) => until.max(Some(after(now, needed))),
        };
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.ends.clear();
        self.queue.clear();
        self.until = None;
    }
}
