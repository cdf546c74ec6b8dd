//! Most recently used: the queue of LRU, from its other end.

use super::eviction::{Eviction, Order, Victim};
use super::lru::Lru;

pub(super) struct Mru;

impl Eviction for Mru {
    fn victim(&self) -> Victim {
        Victim::Highest
    }

    fn arrival(&self, order: &Order) -> f64 {
        Lru.arrival(order)
    }

    fn used(&self, place: f64, order: &Order) -> Option<f64> {
        Lru.used(place, order)
    }

    #[cfg(feature = "redis")]
    fn lua(&self) -> &'static str {
        Lru.lua()
    }
}
