//! The structure of a bounded cache: its entries, and what is being computed.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use mrc_core::Tag;
use tokio::time::Instant;

use super::entry::{Lease, Slot, Text, after};
use super::queue::Queue;

use crate::bound::policy::{self, Eviction, Order};
use crate::bound::{Lifetime, Policy};
use crate::store::{Claim, Terms, Token};

/// Leases that have ended are looked for when their number has doubled, but not before there are so many.
const LEAST_LEASES: usize = 1_000;

/// The entries of one structure. Each step of the protocol happens under its lock.
pub(super) struct Structure(Mutex<StructureState>);

struct StructureState {
    eviction: &'static dyn Eviction,
    began: Instant,
    /// Values and claims.
    entries: HashMap<Bytes, Placed>,
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

struct Placed {
    text: Text,
    /// Among the values.
    place: f64,
}

/// The rules of the bound for one call.
#[derive(Debug, Clone, Copy)]
pub(super) struct StructureRules {
    pub(super) room: usize,
    pub(super) lifetime: Lifetime,
}

impl Structure {
    pub(super) fn new(policy: Policy) -> Self {
        let eviction = policy::of(policy);
        let queue = Queue::new(eviction.victim());
        let (entries, leases) = (HashMap::new(), HashMap::new());
        let (ends, leases_due) = (BTreeSet::new(), LEAST_LEASES);
        let began = Instant::now();
        Self(Mutex::new(StructureState { eviction, began, entries, leases, leases_due, queue, ends, until: None }))
    }

    /// Returns the value under a field, which is a use of the entry.
    pub(super) fn get(&self, field: &Bytes, rules: StructureRules) -> Option<Text> {
        self.step(|state, now| {
            if let Lifetime::Sliding(life) = rules.lifetime {
                state.until = state.until.map(|_| after(now, life));
            }
            let text = state.slot(field, now).text.filter(|text| !text.is_claim())?;
            state.use_place(field, now);
            Some(text)
        })
    }

    pub(super) fn claim(&self, field: &Bytes, token: &Token, terms: Terms, rules: StructureRules) -> Claim {
        self.step(|state, now| {
            state.reap(now);
            let mut slot = state.slot(field, now);
            // There are no copies: they would be entries beyond the bound.
            let claim = slot.claim(token, terms.copy(false), state.until, now);
            if claim == Claim::Granted {
                state.keep(field, slot);
                state.live(rules.lifetime, terms.lease, now);
            }
            claim
        })
    }

    /// Stores a value if the claim of `token` still stands. Returns how many entries were evicted to make room, or `None` if
    /// the claim doesn't stand.
    pub(super) fn fill(
        &self,
        field: &Bytes,
        token: &Token,
        text: Text,
        life: Duration,
        rules: StructureRules,
    ) -> Option<u64> {
        self.step(|state, now| {
            let mut slot = state.slot(field, now);
            slot.fill(token, text, None).then(|| state.store(field, slot, life, rules, now))
        })
    }

    /// Stores a value. Returns how many entries were evicted to make room.
    pub(super) fn put(&self, field: &Bytes, text: Text, life: Duration, rules: StructureRules) -> u64 {
        self.step(|state, now| {
            let mut slot = state.slot(field, now);
            slot.put(text);
            state.store(field, slot, life, rules, now)
        })
    }

    pub(super) fn release(&self, field: &Bytes, token: &Token) -> bool {
        self.change(field, |slot| slot.release(token))
    }

    pub(super) fn ttl(&self, field: &Bytes) -> Option<Duration> {
        self.step(|state, now| {
            let slot = state.slot(field, now);
            slot.value().map(|text| text.left(state.until, now))
        })
    }

    pub(super) fn remove(&self, field: &Bytes) -> bool {
        self.change(field, Slot::remove)
    }

    /// Whether an entry has these tags, or may be about to.
    pub(super) fn may_have(&self, field: &Bytes, tags: &[Tag]) -> bool {
        self.step(|state, now| state.slot(field, now).may_have(tags))
    }

    /// Removes an entry that has these tags, or may be about to. Returns whether a value went.
    pub(super) fn invalidate(&self, field: &Bytes, tags: &[Tag]) -> bool {
        self.change(field, |slot| slot.invalidate(tags))
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

    /// The fields of the structure, claims included.
    pub(super) fn fields(&self) -> Vec<Bytes> {
        self.step(|state, now| {
            state.reap(now);
            state.entries.keys().cloned().collect()
        })
    }

    /// A step that stores no value.
    fn change<T>(&self, field: &Bytes, change: impl FnOnce(&mut Slot) -> T) -> T {
        self.step(|state, now| {
            let mut slot = state.slot(field, now);
            let outcome = change(&mut slot);
            state.keep(field, slot);
            outcome
        })
    }

    fn step<T>(&self, step: impl FnOnce(&mut StructureState, Instant) -> T) -> T {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if state.until.is_some_and(|until| until <= now) {
            state.clear();
        }
        step(&mut state, now)
    }
}

impl StructureState {
    /// Returns the entry as it is now, and removes what has expired.
    fn slot(&mut self, field: &Bytes, now: Instant) -> Slot {
        let text = self.entries.get(field).map(|entry| entry.text.clone());
        let was_there = text.is_some();
        let slot = Slot { text, lease: self.leases.get(field).cloned(), copy: None }.expire(now);
        if was_there && slot.text.is_none() {
            self.forget(field);
        }
        slot
    }

    /// Writes back the entry after a step that stored no value.
    fn keep(&mut self, field: &Bytes, Slot { text, lease, .. }: Slot) {
        self.keep_lease(field, lease);
        match (text, self.entries.get_mut(field)) {
            (None, None) => {}
            (None, Some(_)) => self.forget(field),
            (Some(text), Some(entry)) if !text.is_claim() => entry.text = text,
            (Some(claim), _) => self.insert(field, claim, 0.0),
        }
    }

    fn keep_lease(&mut self, field: &Bytes, lease: Option<Lease>) {
        match lease {
            Some(lease) => self.leases.insert(field.clone(), lease),
            None => self.leases.remove(field),
        };
    }

    /// Inserts a text, and removes the one before.
    fn insert(&mut self, field: &Bytes, text: Text, place: f64) {
        self.take(field);
        self.ends.insert((text.ends, field.clone()));
        if !text.is_claim() {
            self.queue.insert(field.clone(), place);
        }
        self.entries.insert(field.clone(), Placed { text, place });
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
        if !entry.text.is_claim() {
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

    /// Writes back the entry after a step that stored a value. Returns how many entries were evicted to make room.
    fn store(
        &mut self,
        field: &Bytes,
        Slot { text, lease, .. }: Slot,
        life: Duration,
        rules: StructureRules,
        now: Instant,
    ) -> u64 {
        let Some(text) = text else { return 0 };
        self.keep_lease(field, lease);
        let mut evicted = 0;
        let known = self.entries.get(field).filter(|entry| !entry.text.is_claim()).map(|entry| entry.place);
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
        self.insert(field, text, place);
        self.live(rules.lifetime, life, now);
        evicted
    }

    fn use_place(&mut self, field: &Bytes, now: Instant) {
        let order = self.order(None, now);
        let Some(entry) = self.entries.get_mut(field) else { return };
        let Some(new) = self.eviction.used(entry.place, &order) else { return };
        self.queue.remove(field, entry.place);
        self.queue.insert(field.clone(), new);
        entry.place = new;
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
