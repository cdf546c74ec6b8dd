//! Least recently used: a queue in which every use moves the entry to the end.

use super::eviction::{Eviction, Order, Victim};

pub(super) struct Lru;

impl Eviction for Lru {
    fn victim(&self) -> Victim {
        Victim::Lowest
    }

    fn arrival(&self, order: &Order) -> f64 {
        order.last()
    }

    fn used(&self, place: f64, order: &Order) -> Option<f64> {
        // The last entry stays last: skip the write.
        (order.highest != Some(place)).then(|| order.last())
    }

    #[cfg(feature = "redis")]
    fn lua(&self) -> &'static str {
        r"
local policy = {
  arrival = function(gone) return last() end,
  used = function(place)
    local last = highest()
    return place ~= last and last + 1 or nil
  end,
}
"
    }
}
