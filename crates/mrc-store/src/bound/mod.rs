//! Bounds: the size of a cache, its eviction policy, and the life of its structure.

#[cfg(any(feature = "redis", feature = "memory"))]
pub(crate) mod layout;
#[cfg(any(feature = "redis", feature = "memory"))]
#[cfg_attr(not(feature = "memory"), allow(dead_code, reason = "Redis takes the half in Lua"))]
pub(crate) mod policy;

use std::fmt;
use std::num::NonZeroU16;
use std::str::FromStr;
use std::time::Duration;

use mrc_core::Ttl;

use crate::error::StoreError;

/// The bound of a cache: its maximal number of entries, and its eviction policy.
///
/// ```
/// use mrc_store::{Bound, Policy, Sliding};
///
/// let bound = Bound::new(Policy::LruT).max(10_000).ttl(Sliding(3600));
/// let each = Bound::new(Policy::Lfu).max(500).per_function(); // every function has 500 of its own
/// # let _ = (bound, each);
/// ```
///
/// All entries of a bounded cache lie in one structure. In a Redis cluster that is one slot on one
/// server; [`shards`](Self::shards) spreads a large cache. Caches of one namespace and policy share
/// the structure in every process: give them the same bound.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[must_use]
pub struct Bound {
    pub(crate) policy: Policy,
    pub(crate) max: usize,
    pub(crate) lifetime: Lifetime,
    pub(crate) per_function: bool,
    pub(crate) shards: NonZeroU16,
    #[cfg(feature = "compat")]
    pub(crate) func_cache: Option<FuncCache>,
}

impl Bound {
    /// The highest maximum of a bound.
    pub const MOST: usize = 1_000_000_000;

    /// Returns a bound of 1,024 entries for the whole namespace.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            max: 1_024,
            lifetime: Lifetime::Entries,
            per_function: false,
            shards: NonZeroU16::MIN,
            #[cfg(feature = "compat")]
            func_cache: None,
        }
    }

    /// Sets the maximal number of entries. Default: 1,024.
    ///
    /// It may change at any time. The next new entry evicts a surplus, up to 1,000 at a time.
    pub fn max(self, max: usize) -> Self {
        Self { max, ..self }
    }

    /// Sets the structure's life: [`Sliding`] or [`Fixed`]. Default: that of its longest entry.
    ///
    /// Each entry also has its own TTL, which limits a value's age. A sliding life limits idleness.
    pub fn ttl(self, lifetime: impl Into<Lifetime>) -> Self {
        Self { lifetime: lifetime.into(), ..self }
    }

    /// Gives each function a bound of its own. Default: all functions of the namespace share one.
    ///
    /// The function is the text before the first parenthesis of a key.
    pub fn per_function(self) -> Self {
        Self { per_function: true, ..self }
    }

    /// Spreads the entries over `shards` structures, and so over a cluster's servers. Default: 1.
    ///
    /// [`max`](Self::max) counts for all together. Each number of shards is a cache of its own.
    pub fn shards(self, shards: NonZeroU16) -> Self {
        Self { shards, ..self }
    }

    /// Shares the cache with Python's `redis_func_cache`, by its keys and fields. Default: no.
    #[cfg(feature = "compat")]
    pub fn func_cache(self, layout: FuncCache) -> Self {
        Self { func_cache: Some(layout), ..self }
    }

    /// Returns whether the cache is shared with Python's `redis_func_cache`.
    #[cfg(feature = "compat")]
    pub fn is_shared(&self) -> bool {
        self.func_cache.is_some()
    }

    /// Checks the bound.
    ///
    /// # Errors
    /// [`StoreError::Config`]: a setting can't be used. The text names it and a valid one.
    pub fn check(&self) -> Result<(), StoreError> {
        let refuse = |reason: &str| Err(StoreError::Config(reason.into()));
        if self.max == 0 || self.max > Self::MOST {
            return refuse("a bound has room for one entry at least, and for a billion at most: give it `.max(1_000)`");
        }
        if self.max < usize::from(self.shards.get()) {
            return refuse("a bound of fewer entries than shards leaves some without room: use fewer shards");
        }
        if let Lifetime::Sliding(life) | Lifetime::Fixed(life) = self.lifetime
            && life < Duration::from_millis(1)
        {
            return refuse(
                "a bound whose structure lives for less than a millisecond keeps nothing: give it a longer TTL",
            );
        }
        #[cfg(feature = "compat")]
        if self.func_cache.is_some() && self.shards.get() > 1 {
            return refuse("redis_func_cache knows no shards: leave them out, or don't share the cache with it");
        }
        Ok(())
    }
}

/// The policy that chooses which entry a full bounded cache evicts.
///
/// | | evicts first | a use |
/// |---|---|---|
/// | `Lru` | the least recently used entry | moves an entry to the end of the queue |
/// | `LruT` | the same, by the server's clock | sets the entry's time |
/// | `Mru` | the most recently used entry | moves an entry to the end of the queue |
/// | `Fifo` | the oldest entry | nothing |
/// | `FifoT` | the same, by the server's clock | nothing |
/// | `Lfu` | the least often used entry, by LFU with dynamic ageing | counts |
/// | `Rr` | a random entry | nothing |
///
/// A use is a hit, or storing an existing entry again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Policy {
    /// Least recently used.
    Lru,
    /// Least recently used, by time.
    LruT,
    /// Most recently used, for cyclic reads of more entries than the cache holds.
    Mru,
    /// First in, first out.
    Fifo,
    /// First in, first out, by time.
    FifoT,
    /// Least frequently used, with dynamic ageing. Each eviction ages the cache. A new entry begins
    /// just above the entry evicted for it, and a use is worth four evictions. So a new entry isn't
    /// always the next victim, and formerly popular entries are evicted in the end. Simplifies
    /// LFU-DA (Arlitt, "Evaluating Content Management Techniques for Web Proxy Caches", 2000).
    Lfu,
    /// Random replacement.
    Rr,
}

impl Policy {
    /// All policies.
    pub const ALL: [Self; 7] = [Self::Lru, Self::LruT, Self::Mru, Self::Fifo, Self::FifoT, Self::Lfu, Self::Rr];

    /// Returns the name in keys and settings: `lru`, `lru_t`, `mru`, `fifo`, `fifo_t`, `lfu`, `rr`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lru => "lru",
            Self::LruT => "lru_t",
            Self::Mru => "mru",
            Self::Fifo => "fifo",
            Self::FifoT => "fifo_t",
            Self::Lfu => "lfu",
            Self::Rr => "rr",
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Policy {
    type Err = StoreError;

    fn from_str(name: &str) -> Result<Self, StoreError> {
        let found = Self::ALL.into_iter().find(|policy| policy.name() == name);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            StoreError::Config(format!("{name:?} is no eviction policy: they are {names}"))
        })
    }
}

/// The life of a bounded cache's structure with all its entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lifetime {
    /// The life of its longest entry. Default.
    #[default]
    Entries,
    /// Expires this time after the last read or write (±1 %).
    Sliding(Duration),
    /// Expires this time after the first entry was stored.
    Fixed(Duration),
}

/// A life that restarts with each use: a [`Duration`], or whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sliding<T>(pub T);

/// A life that ends at a fixed time: a [`Duration`], or whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fixed<T>(pub T);

impl<T: Into<Ttl>> From<Sliding<T>> for Lifetime {
    fn from(life: Sliding<T>) -> Self {
        Self::Sliding(life.0.into().base())
    }
}

impl<T: Into<Ttl>> From<Fixed<T>> for Lifetime {
    fn from(life: Fixed<T>) -> Self {
        Self::Fixed(life.0.into().base())
    }
}

/// The key names that Python's `redis_func_cache` uses.
#[cfg(feature = "compat")]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[must_use]
pub struct FuncCache {
    pub(crate) prefix: String,
    pub(crate) cluster: bool,
}

#[cfg(feature = "compat")]
impl FuncCache {
    /// Returns the names for one server: `LruPolicy`, or per function `LruMultiplePolicy`.
    pub fn single() -> Self {
        Self { prefix: "func-cache:".into(), cluster: false }
    }

    /// Returns the names for a cluster: `LruClusterPolicy`, or `LruClusterMultiplePolicy`.
    pub fn cluster() -> Self {
        Self { cluster: true, ..Self::single() }
    }

    /// Sets the cache's `prefix`. Default: `func-cache:`.
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_without_room_are_refused() {
        let bound = || Bound::new(Policy::Lru);
        let refused = [
            bound().max(0),
            bound().max(Bound::MOST + 1),
            bound().max(2).shards(NonZeroU16::new(3).unwrap()),
            bound().ttl(Sliding(0)),
            bound().ttl(Fixed(Duration::from_micros(1))),
        ];
        for bound in refused {
            assert!(matches!(bound.check(), Err(StoreError::Config(_))), "{bound:?}");
        }
        assert!(bound().max(1).ttl(Fixed(1)).check().is_ok());
    }

    #[test]
    fn policies_have_names() {
        for policy in Policy::ALL {
            assert_eq!(policy.name().parse::<Policy>().unwrap(), policy);
        }
        assert!("LRU".parse::<Policy>().unwrap_err().to_string().contains("lru_t"));
    }
}
