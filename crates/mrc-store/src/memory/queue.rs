//! The entries of a structure, in the order of eviction.

use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use rand::Rng;

use crate::bound::policy::Victim;

/// The entries, each with its place.
pub(super) enum Queue {
    Ordered {
        /// With the bits of each place. No place is negative, so they have its order.
        entries: BTreeSet<(u64, Bytes)>,
        victim: Victim,
    },
    /// The entries in no order, and the position of each.
    Any { entries: Vec<Bytes>, at: HashMap<Bytes, usize> },
}

impl Queue {
    pub(super) fn new(victim: Victim) -> Self {
        match victim {
            Victim::Random => Self::Any { entries: Vec::new(), at: HashMap::new() },
            victim => Self::Ordered { entries: BTreeSet::new(), victim },
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Ordered { entries, .. } => entries.len(),
            Self::Any { entries, .. } => entries.len(),
        }
    }

    pub(super) fn lowest(&self) -> Option<f64> {
        match self {
            Self::Ordered { entries, .. } => entries.first().map(|(place, _)| f64::from_bits(*place)),
            Self::Any { .. } => None,
        }
    }

    pub(super) fn highest(&self) -> Option<f64> {
        match self {
            Self::Ordered { entries, .. } => entries.last().map(|(place, _)| f64::from_bits(*place)),
            Self::Any { .. } => None,
        }
    }

    pub(super) fn insert(&mut self, field: Bytes, place: f64) {
        match self {
            Self::Ordered { entries, .. } => {
                entries.insert((place.to_bits(), field));
            }
            Self::Any { entries, at } => {
                at.insert(field.clone(), entries.len());
                entries.push(field);
            }
        }
    }

    pub(super) fn remove(&mut self, field: &Bytes, place: f64) {
        match self {
            Self::Ordered { entries, .. } => {
                entries.remove(&(place.to_bits(), field.clone()));
            }
            Self::Any { entries, at } => {
                let Some(gap) = at.remove(field) else { return };
                entries.swap_remove(gap);
                if let Some(moved) = entries.get(gap) {
                    at.insert(moved.clone(), gap);
                }
            }
        }
    }

    pub(super) fn clear(&mut self) {
        match self {
            Self::Ordered { entries, .. } => entries.clear(),
            Self::Any { entries, at } => {
                entries.clear();
                at.clear();
            }
        }
    }

    /// Returns the entry to evict next, and its place.
    pub(super) fn next(&self) -> Option<(Bytes, f64)> {
        let (place, field) = match self {
            Self::Ordered { entries, victim: Victim::Highest } => entries.last().cloned()?,
            Self::Ordered { entries, .. } => entries.first().cloned()?,
            Self::Any { entries, .. } if entries.is_empty() => return None,
            Self::Any { entries, .. } => (0, entries[rand::rng().random_range(..entries.len())].clone()),
        };
        Some((field, f64::from_bits(place)))
    }
}
