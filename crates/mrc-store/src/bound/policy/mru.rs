//! Most recently used: the queue of LRU, from its other end.

use super::{Eviction, Order, Victim};

pub(super) struct Mru;

impl Eviction for Mru {
    fn victim(&self) -> Victim {
        Victim::Highest
    }

    fn arrival(&self, order: &Order) -> f64 {
        order.last()
    }

    fn used(&self, place: f64, order: &Order) -> Option<f64> {
        // What is last already stays there: nothing is written.
        (order.highest != Some(place)).then(|| order.last())
    }

    #[cfg(feature = "redis")]
    fn lua(&self) -> &'static str {
        r"
local policy = {
  victim = 'ZPOPMAX',
  arrival = function(gone) return last() end,
  used = function(place)
    local last = highest()
    return place ~= last and last + 1 or nil
  end,
}
"
    }
}
