//! The entries of a structure, in the order of eviction.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use rand::Rng;

use crate::bound::policy::Victim;

/// The entries, each with its place.
pub(super) struct Queue {
    victim: Victim,
    /// The entries with the bits of their places. No place is negative, so the bits have its order.
    ordered: BTreeSet<(u64, Bytes)>,
    /// With a random victim: the entries in no order instead, and the position of each.
    any: Vec<Bytes>,
    at: HashMap<Bytes, usize>,
}

impl Queue {
    pub(super) fn new(victim: Victim) -> Self {
        Self { victim, ordered: BTreeSet::new(), any: Vec::new(), at: HashMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.ordered.len() + self.any.len()
    }

    pub(super) fn lowest(&self) -> Option<f64> {
        self.ordered.first().map(|(place, _)| f64::from_bits(*place))
    }

    pub(super) fn highest(&self) -> Option<f64> {
        self.ordered.last().map(|(place, _)| f64::from_bits(*place))
    }

    pub(super) fn insert(&mut self, field: Bytes, place: f64) {
        if self.victim == Victim::Random {
            self.at.insert(field.clone(), self.any.len());
            self.any.push(field);
        } else {
            self.ordered.insert((place.to_bits(), field));
        }
    }

    pub(super) fn remove(&mut self, field: &Bytes, place: f64) {
        self.ordered.remove(&(place.to_bits(), field.clone()));
        let Some(gap) = self.at.remove(field) else { return };
        self.any.swap_remove(gap);
        if let Some(moved) = self.any.get(gap) {
            self.at.insert(moved.clone(), gap);
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.victim);
    }

    /// Returns the entry to evict next, and its place.
    pub(super) fn next(&self) -> Option<(Bytes, f64)> {
        let (place, field) = match self.victim {
            Victim::Lowest => self.ordered.first().cloned()?,
            Victim::Highest => self.ordered.last().cloned()?,
            Victim::Random if self.any.is_empty() => return None,
            Victim::Random => (0, self.any[rand::rng().random_range(..self.any.len())].clone()),
        };
        Some((field, f64::from_bits(place)))
    }
}
