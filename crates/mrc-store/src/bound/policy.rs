//! Eviction policies: an entry's place in the order, in Rust for memory and in Lua for Redis.

use super::Policy;

/// The order of a structure, as far as policies need it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Order {
    /// The lowest place. `None` if the order is empty.
    pub(crate) lowest: Option<f64>,
    /// The highest place. `None` if the order is empty.
    pub(crate) highest: Option<f64>,
    /// The highest place among the entries just evicted. `None` if there was room.
    pub(crate) gone: Option<f64>,
    /// The time in µs.
    pub(crate) now: f64,
}

impl Order {
    /// Returns the place behind all entries.
    fn last(&self) -> f64 {
        self.highest.unwrap_or(0.0) + 1.0
    }

    /// Returns the time, or the place behind all entries if the clock was set back.
    fn latest(&self) -> f64 {
        self.now.max(self.last())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Victim {
    /// The entry with the lowest place; among equals, the first by name.
    Lowest,
    /// The entry with the highest place; among equals, the last by name.
    Highest,
    /// Any entry: there is no order.
    Random,
}

#[cfg(feature = "redis")]
impl Victim {
    /// Returns the command that removes entries from the order.
    pub(crate) fn command(self) -> &'static str {
        match self {
            Self::Lowest => "ZPOPMIN",
            Self::Highest => "ZPOPMAX",
            Self::Random => "SPOP",
        }
    }
}

/// The worth of a use for LFU; an eviction ages the cache by one. Measured in docs/bounds.md.
const USE: f64 = 4.0;

/// Places are numbers that a double holds exactly, and never negative.
impl Policy {
    pub(crate) fn victim(self) -> Victim {
        match self {
            Self::Lru | Self::LruT | Self::Fifo | Self::FifoT | Self::Lfu => Victim::Lowest,
            Self::Mru => Victim::Highest,
            Self::Rr => Victim::Random,
        }
    }

    /// Returns the place of a new entry.
    pub(crate) fn arrival(self, order: &Order) -> f64 {
        match self {
            Self::Lru | Self::Mru | Self::Fifo => order.last(),
            Self::LruT | Self::FifoT => order.latest(),
            // If there was room, the age is unknown. The lowest count is a lower bound for it.
            Self::Lfu => order.gone.map_or_else(|| order.lowest.unwrap_or(1.0), |age| age + 1.0),
            Self::Rr => 0.0,
        }
    }

    /// Returns the new place of a used entry. Returns `None` if it keeps its place.
    pub(crate) fn used(self, place: f64, order: &Order) -> Option<f64> {
        match self {
            // The last entry stays last: skip the write.
            Self::Lru | Self::Mru => (order.highest != Some(place)).then(|| order.last()),
            Self::LruT => Some(order.latest()),
            Self::Lfu => Some(place + USE),
            Self::Fifo | Self::FifoT | Self::Rr => None,
        }
    }

    /// Returns the same policy in Lua: the table `policy` with `arrival(gone)` and `used(place)`,
    /// which may call `lowest()`, `highest()`, `last()` and `latest()`.
    #[cfg(feature = "redis")]
    pub(crate) fn lua(self) -> &'static str {
        match self {
            Self::Lru | Self::Mru => {
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
            Self::LruT => {
                r"
local policy = {
  arrival = function(gone) return latest() end,
  used = function(place) return latest() end,
}
"
            }
            Self::Fifo => {
                r"
local policy = {
  arrival = function(gone) return last() end,
  used = function(place) return nil end,
}
"
            }
            Self::FifoT => {
                r"
local policy = {
  arrival = function(gone) return latest() end,
  used = function(place) return nil end,
}
"
            }
            Self::Lfu => {
                r"
local policy = {
  arrival = function(gone) return gone and gone + 1 or lowest() or 1 end,
  -- Python counts by one.
  used = function(place) return place + (theirs and 1 or 4) end,
}
"
            }
            Self::Rr => {
                r"
local policy = { used = function() end }
"
            }
        }
    }
}
