//! The trait of the policies, and their view of a structure.

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
    pub(super) fn last(&self) -> f64 {
        self.highest.unwrap_or(0.0) + 1.0
    }

    /// Returns the time, or the place behind all entries if the clock was set back.
    pub(super) fn latest(&self) -> f64 {
        self.now.max(self.last())
    }
}

/// The entry to evict.
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

/// A policy. Places are numbers that a double holds exactly.
///
/// Its Lua form is the table `policy` with `arrival(gone)` and `used(place)`, which may call
/// `lowest()`, `highest()`, `last()` and `latest()`.
pub(crate) trait Eviction: Sync {
    /// Returns the entry to evict first.
    fn victim(&self) -> Victim;

    /// Returns the place of a new entry.
    fn arrival(&self, order: &Order) -> f64;

    /// Returns the new place of a used entry. Returns `None` if it keeps its place.
    fn used(&self, place: f64, order: &Order) -> Option<f64>;

    /// Returns the same policy in Lua.
    #[cfg(feature = "redis")]
    fn lua(&self) -> &'static str;
}
