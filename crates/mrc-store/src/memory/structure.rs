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
use crate::store::{Claim, ClaimMode, Terms, Token};

/// The entries of one structure. Each step of the protocol happens under its lock.
pub(super) struct Structure {
    eviction: &'static dyn Eviction,
    began: Instant,
    state: Mutex<State>,
}

struct State {
    /// Values and claims.
    entries: HashMap<Bytes, Entry>,
    /// Values.
    queue: Queue,
    /// When each of the entries ends.
    ends: BTreeSet<(Instant, Bytes)>,
    /// When all of them end. None: there was none yet.
    until: Option<Instant>,
}

struct Entry {
    text: Text,
    lease: Option<Lease>,
    /// Among the values.
    place: f64,
}

/// What is asked of a structure, beside the entry.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) room: usize,
    pub(super) lifetime: Lifetime,
}

impl Structure {
    pub(super) fn new(policy: Policy) -> Self {
        let eviction = policy::of(policy);
        let queue = Queue::new(eviction.victim());
        let state = State { entries: HashMap::new(), queue, ends: BTreeSet::new(), until: None };
        Self { eviction, began: Instant::now(), state: Mutex::new(state) }
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
            state.use_place(field, place, self.eviction, self.time(now));
            Some(text)
        })
    }

    pub(super) fn claim(&self, field: &Bytes, token: &Token, terms: Terms, rules: Rules) -> Claim {
        self.step(|state, now| {
            state.reap(now);
            let ends = after(now, terms.lease);
            let lease = Some(Lease { token: token.clone(), ends });
            match state.read(field, now) {
                Some(entry) if terms.mode == ClaimMode::Fill && !entry.text.value.is_empty() => {
                    return Claim::Hit(entry.text.value.clone());
                }
                Some(Entry { lease: Some(other), .. }) => return Claim::Busy { lease_left: Some(other.ends - now) },
                Some(entry) if !entry.text.value.is_empty() => {
                    entry.text.refreshing = true;
                    entry.lease = lease;
                }
                _ => {
                    state.forget(field);
                    state.ends.insert((ends, field.clone()));
                    state.entries.insert(field.clone(), Entry { text: Text::claim(ends), lease, place: 0.0 });
                }
            }
            state.live(rules.lifetime, terms.lease, now);
            Claim::Granted
        })
    }

    /// Stores a value if the claim of `token` still stands. None: it doesn't. Otherwise, how many entries went to make room.
    pub(super) fn fill(&self, field: &Bytes, token: &Token, text: Text, life: Duration, rules: Rules) -> Option<u64> {
        self.step(|state, now| {
            let entry = state.read(field, now)?;
            let stands = entry.text.value.is_empty() || entry.text.refreshing;
            if !stands || entry.lease.as_ref().is_none_or(|lease| lease.token != *token) {
                return None;
            }
            Some(state.store(field, text, life, rules, self.eviction, self.time(now), now))
        })
    }

    pub(super) fn put(&self, field: &Bytes, text: Text, life: Duration, rules: Rules) -> u64 {
        self.step(|state, now| {
            state.read(field, now);
            state.store(field, text, life, rules, self.eviction, self.time(now), now)
        })
    }

    pub(super) fn release(&self, field: &Bytes, token: &Token) -> bool {
        self.step(|state, now| {
            let Some(entry) = state.read(field, now) else { return false };
            if entry.lease.as_ref().is_none_or(|lease| lease.token != *token) {
                return false;
            }
            entry.lease = None;
            if entry.text.value.is_empty() {
                state.forget(field);
            }
            true
        })
    }

    pub(super) fn ttl(&self, field: &Bytes) -> Option<Duration> {
        self.step(|state, now| {
            let ends = state.read(field, now).filter(|entry| !entry.text.value.is_empty())?.text.ends;
            Some(state.until.map_or(ends, |until| until.min(ends)) - now)
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
            state.read(field, now).is_some_and(|entry| entry.lease.is_some() || entry.text.has(tags))
        })
    }

    /// Removes an entry that has these tags, or may be about to. Returns whether a value went.
    pub(super) fn invalidate(&self, field: &Bytes, tags: &[Tag]) -> bool {
        self.step(|state, now| {
            let Some(entry) = state.read(field, now) else { return false };
            let is_value = !entry.text.value.is_empty();
            let goes = entry.lease.is_some() || entry.text.has(tags);
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
        let count = self.len();
        self.step(|state, _| state.clear());
        count
    }

    /// What is there, claims included.
    pub(super) fn fields(&self) -> Vec<Bytes> {
        self.step(|state, now| {
            state.reap(now);
            state.entries.keys().cloned().collect()
        })
    }

    fn step<T>(&self, step: impl FnOnce(&mut State, Instant) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if state.until.is_some_and(|until| until <= now) {
            state.clear();
        }
        step(&mut state, now)
    }

    /// In µs.
    fn time(&self, now: Instant) -> f64 {
        (now - self.began).as_micros() as f64
    }
}

impl State {
    /// An entry as it is now: what has ended goes.
    fn read(&mut self, field: &Bytes, now: Instant) -> Option<&mut Entry> {
        if self.entries.get(field)?.text.ends <= now {
            self.forget(field);
        }
        let entry = self.entries.get_mut(field)?;
        entry.lease.take_if(|lease| lease.ends <= now);
        Some(entry)
    }

    fn forget(&mut self, field: &Bytes) {
        let Some(entry) = self.entries.remove(field) else { return };
        self.ends.remove(&(entry.text.ends, field.clone()));
        if !entry.text.value.is_empty() {
            self.queue.remove(field, entry.place);
        }
        if self.entries.is_empty() {
            self.until = None;
        }
    }

    fn reap(&mut self, now: Instant) {
        while let Some((ends, field)) = self.ends.first().cloned()
            && ends <= now
        {
            self.forget(&field);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "as many as the script takes")]
    fn store(
        &mut self,
        field: &Bytes,
        text: Text,
        life: Duration,
        rules: Rules,
        eviction: &dyn Eviction,
        time: f64,
        now: Instant,
    ) -> u64 {
        let mut evicted = 0;
        let known = self.entries.get(field).filter(|entry| !entry.text.value.is_empty()).map(|entry| entry.place);
        let place = if let Some(place) = known {
            eviction.used(place, &self.order(None, time)).unwrap_or(place)
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
            eviction.arrival(&self.order(gone, time))
        };
        self.forget(field);
        self.ends.insert((text.ends, field.clone()));
        self.queue.insert(field.clone(), place);
        self.entries.insert(field.clone(), Entry { text, lease: None, place });
        // Where the bound has become smaller since, and this entry was there already.
        while self.queue.len() > rules.room
            && let Some((victim, _)) = self.queue.next()
        {
            self.forget(&victim);
            evicted += 1;
        }
        self.live(rules.lifetime, life, now);
        evicted
    }

    fn use_place(&mut self, field: &Bytes, place: f64, eviction: &dyn Eviction, time: f64) {
        let Some(new) = eviction.used(place, &self.order(None, time)) else { return };
        self.queue.remove(field, place);
        self.queue.insert(field.clone(), new);
        if let Some(entry) = self.entries.get_mut(field) {
            entry.place = new;
        }
    }

    fn order(&self, gone: Option<f64>, now: f64) -> Order {
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
