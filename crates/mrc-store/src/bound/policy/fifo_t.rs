//! First in, first out, by the time of arrival.

use super::eviction::{Eviction, Order, Victim};

pub(super) struct FifoT;

impl Eviction for FifoT {
    fn victim(&self) -> Victim {
        Victim::Lowest
    }

    fn arrival(&self, order: &Order) -> f64 {
        order.latest()
    }

    fn used(&self, _: f64, _: &Order) -> Option<f64> {
        None
    }

    #[cfg(feature = "redis")]
    fn lua(&self) -> &'static str {
        r"
local policy = {
  arrival = function(gone) return latest() end,
  used = function(place) return nil end,
}
"
    }
}
