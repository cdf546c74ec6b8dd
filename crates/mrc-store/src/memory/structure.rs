//! The structures of bounded caches: the entries, and the leases of fills in flight.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use mrc_core::Tag;
use tokio::time::Instant;

use super::entry::{Lease, Slot, Text, after};
use super::queue::Queue;
use crate::bound::layout::{Member, VALUES};
use crate::bound::policy::Order;
use crate::bound::{Bound, Lifetime, Policy};
use crate::lock::lock;
use crate::store::{Claim, Terms, Token};

/// From this number of leases on, expired ones are removed whenever the number has doubled.
const LEAST_LEASES: usize = 1_000;

/// The entries of one structure. Each step of the protocol happens under its lock.
pub(super) struct Structure(Mutex<StructureState>);

struct StructureState {
    policy: Policy,
    began: Instant,
    /// The values and claims.
    entries: HashMap<Bytes, Placed>,
    /// The leases by field. As in Redis a lease outlives its entry, and allows nothing without it.
    leases: HashMap<Bytes, Lease>,
    /// The number of leases at which expired ones are removed next.
    leases_due: usize,
    /// The values, without claims.
    queue: Queue,
    /// The entries by the time at which they expire.
    ends: BTreeSet<(Instant, Bytes)>,
    /// The time at which all entries expire. `None` before the first entry.
    until: Option<Instant>,
}

struct Placed {
    text: Text,
    place: f64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct StructureRules {
    pub(super) room: usize,
    pub(super) lifetime: Lifetime,
}

impl Structure {
    fn new(policy: Policy) -> Self {
        let queue = Queue::new(policy.victim());
        let (entries, leases) = (HashMap::new(), HashMap::new());
        let (ends, leases_due) = (BTreeSet::new(), LEAST_LEASES);
        let began = Instant::now();
        Self(Mutex::new(StructureState { policy, began, entries, leases, leases_due, queue, ends, until: None }))
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
            // A copy would be an entry beyond the bound.
            let claim = slot.claim(token, terms.copy(false), state.until, now);
            if claim == Claim::Granted {
                state.keep(field, slot);
                state.live(rules.lifetime, terms.lease, now);
            }
            claim
        })
    }

    /// Stores a value if the claim of `token` still stands. Returns how many entries were evicted
    /// to make room. Returns `None` if the claim doesn't stand.
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

    pub(super) fn ttl(&self, field: &Bytes) -> Option<Duration> {
        self.step(|state, now| {
            let slot = state.slot(field, now);
            slot.value().map(|text| text.left(state.until, now))
        })
    }

    /// Returns whether an entry has these tags, or may get them.
    pub(super) fn may_have(&self, field: &Bytes, tags: &[Tag]) -> bool {
        self.step(|state, now| state.slot(field, now).may_have(tags))
    }

    /// Returns the number of values.
    pub(super) fn len(&self) -> u64 {
        self.step(|state, now| {
            state.reap(now);
            state.queue.len() as u64
        })
    }

    /// Removes all entries, and returns the number of values.
    pub(super) fn purge(&self) -> u64 {
        self.step(|state, now| {
            state.reap(now);
            let count = state.queue.len() as u64;
            state.clear();
            count
        })
    }

    /// Returns the fields of the structure, including claims.
    pub(super) fn fields(&self) -> Vec<Bytes> {
        self.step(|state, now| {
            state.reap(now);
            state.entries.keys().cloned().collect()
        })
    }

    /// Runs a step that stores no value.
    pub(super) fn change<T>(&self, field: &Bytes, change: impl FnOnce(&mut Slot) -> T) -> T {
        self.step(|state, now| {
            let mut slot = state.slot(field, now);
            let outcome = change(&mut slot);
            state.keep(field, slot);
            outcome
        })
    }

    fn step<T>(&self, step: impl FnOnce(&mut StructureState, Instant) -> T) -> T {
        let mut state = lock(&self.0);
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

    /// Removes an entry, but not the structure: another entry replaces it.
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

    /// Writes back the entry after a step that stored a value. Returns the number of evictions.
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
            self.policy.used(place, &self.order(None, now)).unwrap_or(place)
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
            self.policy.arrival(&self.order(gone, now))
        };
        self.insert(field, text, place);
        self.live(rules.lifetime, life, now);
        evicted
    }

    fn use_place(&mut self, field: &Bytes, now: Instant) {
        let order = self.order(None, now);
        let Some(entry) = self.entries.get_mut(field) else { return };
        let Some(new) = self.policy.used(entry.place, &order) else { return };
        self.queue.remove(field, entry.place);
        self.queue.insert(field.clone(), new);
        entry.place = new;
    }

    fn order(&self, gone: Option<f64>, now: Instant) -> Order {
        let now = (now - self.began).as_micros() as f64;
        Order { lowest: self.queue.lowest(), highest: self.queue.highest(), gone, now }
    }

    /// Sets the time at which the structure expires.
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

/// All structures of a store, by the common beginning of their keys in Redis.
#[derive(Default)]
pub(super) struct Structures(Mutex<HashMap<Bytes, Arc<Structure>>>);

impl Structures {
    pub(super) fn get_or_make(&self, base: String, policy: Policy) -> Arc<Structure> {
        let make = || Arc::new(Structure::new(policy));
        Arc::clone(lock(&self.0).entry(base.into()).or_insert_with(make))
    }

    /// Returns the structure and the field of a bounded entry in the index of a tag.
    pub(super) fn of_member(&self, member: &Bytes) -> Option<(Arc<Structure>, Bytes)> {
        let member = Member::of(member)?;
        Some((Arc::clone(lock(&self.0).get(&member.base)?), member.field))
    }

    /// Returns the structure that has this key in Redis.
    pub(super) fn of_key(&self, key: &[u8]) -> Option<Arc<Structure>> {
        lock(&self.0).get(key.strip_suffix(VALUES.as_bytes())?).cloned()
    }

    /// Returns the keys that the structures have in Redis, without empty structures.
    pub(super) fn keys(&self) -> Vec<Bytes> {
        let structures: Vec<_> = lock(&self.0).iter().map(|(base, it)| (base.clone(), Arc::clone(it))).collect();
        let there = structures.into_iter().filter(|(_, structure)| !structure.fields().is_empty());
        there.map(|(base, _)| [&base[..], VALUES.as_bytes()].concat().into()).collect()
    }

    pub(super) fn of_functions(&self, namespace: &str, bound: &Bound) -> Vec<Arc<Structure>> {
        let beginning = bound.beginning(namespace);
        let all = lock(&self.0);
        all.iter().filter(|(base, _)| bound.is_of_a_function(&beginning, base)).map(|(_, it)| Arc::clone(it)).collect()
    }

    pub(super) fn purge(&self) {
        lock(&self.0).clear();
    }
}
