//! Simulates policies that mrc doesn't have, and the best possible one, without values.

use std::collections::{BTreeSet, HashMap};

use super::workload::{Random, mix};

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Variant {
    /// Evicts any entry.
    Random,
    /// LFU whose newcomers have one use.
    Plain,
    /// LFU whose newcomers have one use more than the lowest.
    AboveLowest,
    /// LFU-DA as Arlitt et al. define it. A use sets the place to the present age plus all uses.
    Published,
    /// mrc's LFU with this weight for a hit. A newcomer has one more than the last evicted entry.
    Weighted(f64),
}

/// Returns the name of a key, unrelated to its popularity: equal counts are evicted by name.
pub(super) fn name(key: u64) -> u64 {
    mix(key ^ 0x5bd1_e995)
}

/// Returns how many of the requests after the warm-up are hits.
pub(super) fn hits(variant: Variant, requests: &[u64], room: usize, warm_up: usize) -> u64 {
    let mut cache = Cache { variant, room, order: BTreeSet::new(), entries: HashMap::new(), age: 0.0 };
    let mut any = Any { room, entries: Vec::new(), at: HashMap::new(), random: Random(1) };
    let is_hit = requests.iter().map(|key| match variant {
        Variant::Random => any.ask(*key),
        _ => cache.ask(name(*key)),
    });
    is_hit.skip(warm_up).map(u64::from).sum()
}

struct Cache {
    variant: Variant,
    room: usize,
    /// Places as bits, which for numbers above zero have the same order; and names.
    order: BTreeSet<(u64, u64)>,
    /// By name: the place, and the number of uses.
    entries: HashMap<u64, (f64, f64)>,
    /// The place of the entry that was evicted last.
    age: f64,
}

impl Cache {
    /// Returns whether the entry was there. Adds it if not.
    fn ask(&mut self, name: u64) -> bool {
        let known = self.entries.get(&name).copied();
        let (place, uses) = match known {
            Some((place, uses)) => {
                self.order.remove(&(place.to_bits(), name));
                (self.used(place, uses), uses + 1.0)
            }
            None => (self.arrival(), 1.0),
        };
        self.order.insert((place.to_bits(), name));
        self.entries.insert(name, (place, uses));
        known.is_some()
    }

    fn used(&self, place: f64, uses: f64) -> f64 {
        match self.variant {
            Variant::Published => self.age + uses + 1.0,
            Variant::Weighted(weight) => place + weight,
            _ => place + 1.0,
        }
    }

    fn arrival(&mut self) -> f64 {
        let is_full = self.entries.len() >= self.room;
        if let Some((place, name)) = is_full.then(|| self.order.pop_first()).flatten() {
            self.age = f64::from_bits(place);
            self.entries.remove(&name);
        }
        let lowest = self.order.first().map(|(place, _)| f64::from_bits(*place));
        match self.variant {
            Variant::Plain | Variant::Random => 1.0,
            Variant::AboveLowest => lowest.unwrap_or(0.0) + 1.0,
            Variant::Published => self.age + 1.0,
            Variant::Weighted(_) if is_full => self.age + 1.0,
            Variant::Weighted(_) => lowest.unwrap_or(1.0),
        }
    }
}

struct Any {
    room: usize,
    entries: Vec<u64>,
    at: HashMap<u64, usize>,
    random: Random,
}

impl Any {
    fn ask(&mut self, key: u64) -> bool {
        if self.at.contains_key(&key) {
            return true;
        }
        let gap = if self.entries.len() < self.room {
            self.entries.push(key);
            self.entries.len() - 1
        } else {
            let gap = (self.random.next() % self.room as u64) as usize;
            self.at.remove(&self.entries[gap]);
            self.entries[gap] = key;
            gap
        };
        self.at.insert(key, gap);
        false
    }
}

/// Returns how many of the requests after the warm-up are hits with the best eviction (Belady).
pub(super) fn best(requests: &[u64], room: usize, warm_up: usize) -> u64 {
    let mut next = vec![usize::MAX; requests.len()];
    let mut last = HashMap::new();
    for (at, key) in requests.iter().enumerate().rev() {
        next[at] = last.insert(key, at).unwrap_or(usize::MAX);
    }
    let (mut order, mut entries, mut hits) = (BTreeSet::new(), HashMap::new(), 0);
    for (at, (key, next)) in requests.iter().zip(next).enumerate() {
        if let Some(due) = entries.insert(key, next) {
            order.remove(&(due, key));
            hits += u64::from(at >= warm_up);
        } else if order.len() >= room
            && let Some((_, victim)) = order.pop_last()
        {
            entries.remove(victim);
        }
        order.insert((next, key));
    }
    hits
}
