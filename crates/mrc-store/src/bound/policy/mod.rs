//! Eviction policies: the place of an entry in the order, and which end is evicted first. Each
//! policy is in one file, in Rust for memory and in Lua for Redis.

mod eviction;
mod fifo;
mod fifo_t;
mod lfu;
mod lru;
mod lru_t;
mod mru;
mod rr;

use super::Policy;

#[cfg(feature = "memory")]
pub(crate) use self::eviction::Order;
pub(crate) use self::eviction::{Eviction, Victim};

pub(crate) fn of(policy: Policy) -> &'static dyn Eviction {
    match policy {
        Policy::Lru => &lru::Lru,
        Policy::LruT => &lru_t::LruT,
        Policy::Mru => &mru::Mru,
        Policy::Fifo => &fifo::Fifo,
        Policy::FifoT => &fifo_t::FifoT,
        Policy::Lfu => &lfu::Lfu,
        Policy::Rr => &rr::Rr,
    }
}
