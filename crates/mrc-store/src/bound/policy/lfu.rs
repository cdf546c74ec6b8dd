//! Least frequently used, with dynamic ageing: new entries begin above the last evicted place.

use super::eviction::{Eviction, Order, Victim};

pub(super) struct Lfu;

/// The worth of a use; an eviction ages the cache by one. Measured in docs/bounds.md.
const USE: f64 = 4.0;

impl Eviction for Lfu {
    fn victim(&self) -> Victim {
        Victim::Lowest
    }

    fn arrival(&self, order: &Order) -> f64 {
        // If there was room, the age is unknown. The lowest count is a lower bound for it.
        order.gone.map_or_else(|| order.lowest.unwrap_or(1.0), |age| age + 1.0)
    }

    fn used(&self, place: f64, _: &Order) -> Option<f64> {
        Some(place + USE)
    }

    #[cfg(feature = "redis")]
    fn lua(&self) -> &'static str {
        r"
local policy = {
  arrival = function(gone) return gone and gone + 1 or lowest() or 1 end,
  -- Python counts by one.
  used = function(place) return place + (theirs and 1 or 4) end,
}
"
    }
}
