//! The entries of a structure, in the order of eviction.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use bytes::Bytes;
use rand::Rng;

use crate::bound::policy::Victim;

/// The entries, each with its place.
pub(super) enum Queue {
    Ordered {
        entries: BTreeSet<(Rank, Bytes)>,
        victim: Victim,
    },
    /// The entries in no order, and the position of each.
    Any {
        entries: Vec<Bytes>,
        at: HashMap<Bytes, usize>,
    },
}

/// A place in the order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rank(pub(super) f64);

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
            Self::Ordered { entries, .. } => entries.first().map(|(place, _)| place.0),
            Self::Any { .. } => None,
        }
    }

    pub(super) fn highest(&self) -> Option<f64> {
        match self {
            Self::Ordered { entries, .. } => entries.last().map(|(place, _)| place.0),
            Self::Any { .. } => None,
        }
    }

    pub(super) fn insert(&mut self, field: Bytes, place: f64) {
        match self {
            Self::Ordered { entries, .. } => {
                entries.insert((Rank(place), field));
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
                entries.remove(&(Rank(place), field.clone()));
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
            Self::Any { entries, .. } => (Rank(0.0), entries[rand::rng().random_range(..entries.len())].clone()),
        };
        Some((field, place.0))
    }
}

impl PartialEq for Rank {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Rank {}

impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}
