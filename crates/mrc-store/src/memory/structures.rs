//! The structures of all bounded caches of a store, by name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use super::structure::Structure;
use crate::bound::layout::{Member, VALUES};
use crate::bound::{Bound, Policy};
use crate::lock::lock;

/// All structures of a store, by the common beginning of their keys in Redis.
#[derive(Default)]
pub(super) struct Structures(Mutex<HashMap<Bytes, Arc<Structure>>>);

impl Structures {
    pub(super) fn get_or_make(&self, base: String, policy: Policy) -> Arc<Structure> {
        let make = || Arc::new(Structure::new(policy));
        Arc::clone(self.lock().entry(base.into()).or_insert_with(make))
    }

    /// Returns the structure and the field of a bounded entry in the index of a tag.
    pub(super) fn of_member(&self, member: &Bytes) -> Option<(Arc<Structure>, Bytes)> {
        let member = Member::of(member)?;
        Some((Arc::clone(self.lock().get(&member.base)?), member.field))
    }

    /// Returns the structure that has this key in Redis.
    pub(super) fn of_key(&self, key: &[u8]) -> Option<Arc<Structure>> {
        self.lock().get(key.strip_suffix(VALUES.as_bytes())?).cloned()
    }

    /// Returns the keys that the structures have in Redis, without empty structures.
    pub(super) fn keys(&self) -> Vec<Bytes> {
        let structures: Vec<_> = self.lock().iter().map(|(base, it)| (base.clone(), Arc::clone(it))).collect();
        let there = structures.into_iter().filter(|(_, structure)| !structure.fields().is_empty());
        there.map(|(base, _)| [&base[..], VALUES.as_bytes()].concat().into()).collect()
    }

    pub(super) fn of_functions(&self, namespace: &str, bound: &Bound) -> Vec<Arc<Structure>> {
        let beginning = bound.beginning(namespace);
        let all = self.lock();
        all.iter().filter(|(base, _)| bound.is_of_a_function(&beginning, base)).map(|(_, it)| Arc::clone(it)).collect()
    }

    pub(super) fn purge(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Bytes, Arc<Structure>>> {
        lock(&self.0)
    }
}
