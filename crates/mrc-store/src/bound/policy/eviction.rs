//! The trait of the policies, and what a policy sees of a structure.

/// The order of a structure, as far as a policy asks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Order {
    /// The lowest place. None: it is empty.
    pub(crate) lowest: Option<f64>,
    /// The highest place. None: it is empty.
    pub(crate) highest: Option<f64>,
    /// The highest place of what has just gone to make room. None: there was room.
    pub(crate) gone: Option<f64>,
    /// The time in µs.
    pub(crate) now: f64,
}

impl Order {
    /// Behind everything that is there.
    pub(super) fn last(&self) -> f64 {
        self.highest.unwrap_or(0.0) + 1.0
    }

    /// The time, or where the clock was set back, just behind everything that is there.
    pub(super) fn latest(&self) -> f64 {
        self.now.max(self.last())
    }
}

/// Which entry goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Victim {
    /// That with the lowest place; of several, the one whose name comes first.
    Lowest,
    /// That with the highest place; of several, the one whose name comes last.
    Highest,
    /// Any: there is no order.
    Random,
}

#[cfg(feature = "redis")]
impl Victim {
    /// The command that takes entries out of the order.
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
/// In Lua it is the table `policy` with `arrival(gone)` and `used(place)`, which may ask `lowest()`, `highest()`, `last()` and `latest()`.
pub(crate) trait Eviction: Sync {
    /// What goes first.
    fn victim(&self) -> Victim;

    /// The place of an entry that comes.
    fn arrival(&self, order: &Order) -> f64;

    /// The place of an entry that is used. None: it stays where it is.
    fn used(&self, place: f64, order: &Order) -> Option<f64>;

    /// The same in Lua.
    #[cfg(feature = "redis")]
    fn lua(&self) -> &'static str;
}
