//! First in, first out: a queue.

use super::eviction::{Eviction, Order, Victim};

pub(super) struct Fifo;

impl Eviction for Fifo {
    fn victim(&self) -> Victim {
        Victim::Lowest
    }

    fn arrival(&self, order: &Order) -> f64 {
        order.last()
    }

    fn used(&self, _: f64, _: &Order) -> Option<f64> {
        None
    }

    #[cfg(feature = "redis")]
    fn lua(&self) -> &'static str {
        r"
local policy = {
  arrival = function(gone) return last() end,
  used = function(place) return nil end,
}
"
    }
}
