//! Random replacement: a set, without an order.

use super::eviction::{Eviction, Order, Victim};

pub(super) struct Rr;

impl Eviction for Rr {
    fn victim(&self) -> Victim {
        Victim::Random
    }

    fn arrival(&self, _: &Order) -> f64 {
        0.0
    }

    fn used(&self, _: f64, _: &Order) -> Option<f64> {
        None
    }

    #[cfg(feature = "redis")]
    fn lua(&self) -> &'static str {
        r"
local policy = { used = function() end }
"
    }
}
