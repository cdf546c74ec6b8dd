//! Least recently used, by the time of the last use.

use super::eviction::{Eviction, Order, Victim};

pub(super) struct LruT;

impl Eviction for LruT {
    fn victim(&self) -> Victim {
        Victim::Lowest
    }

    fn arrival(&self, order: &Order) -> f64 {
        order.latest()
    }

    fn used(&self, _: f64, order: &Order) -> Option<f64> {
        Some(order.latest())
    }

    #[cfg(feature = "redis")]
    fn lua(&self) -> &'static str {
        r"
local policy = {
  arrival = function(gone) return latest() end,
  used = function(place) return latest() end,
}
"
    }
}
