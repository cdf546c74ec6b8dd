//! Least frequently used, with dynamic ageing: the age of the cache is the place of what went last, and a newcomer begins above it.

use super::eviction::{Eviction, Order, Victim};

pub(super) struct Lfu;

/// What a use is worth, where an eviction ages the cache by one. Tried: docs/bounds.md.
const USE: f64 = 4.0;

impl Eviction for Lfu {
    fn victim(&self) -> Victim {
        Victim::Lowest
    }

    fn arrival(&self, order: &Order) -> f64 {
        // Where there was room the age is not known; no lower than it is the lowest count.
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
