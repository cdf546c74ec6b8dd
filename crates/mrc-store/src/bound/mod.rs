//! Bounds: how many entries a cache has at most, which of them goes first, and how long all of them live.

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

/// The bound of a cache: so many entries at most, and what goes when one more comes.
///
/// ```
/// use mrc_store::{Bound, Policy, Sliding};
///
/// let bound = Bound::new(Policy::LruT).max(10_000).ttl(Sliding(3600));
/// let each = Bound::new(Policy::Lfu).max(500).per_function(); // every function has 500 of its own
/// # let _ = (bound, each);
/// ```
///
/// All entries of a bounded cache lie in one structure, which in a Redis cluster is in one slot, on one server; [`shards`](Self::shards)
/// spreads a large one. Caches of one namespace and one policy share it, in every process: give them the same bound.
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
    /// The most entries that a bound can have.
    pub const MOST: usize = 1_000_000_000;

    /// A bound of 1,024 entries for the whole namespace.
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

    /// How many entries there are at most. Default: 1,024.
    ///
    /// It may be changed at any time. Where there are more, the next new entry that is stored makes room, a thousand at a time.
    pub fn max(self, max: usize) -> Self {
        Self { max, ..self }
    }

    /// How long the structure as a whole lives, with all its entries: [`Sliding`] or [`Fixed`]. Default: as long as its longest entry.
    ///
    /// An entry ends with its own TTL besides, which bounds how old a value can be; a sliding life only bounds how long nobody asks.
    pub fn ttl(self, lifetime: impl Into<Lifetime>) -> Self {
        Self { lifetime: lifetime.into(), ..self }
    }

    /// Gives each function a bound of its own. Default: all functions of the namespace share one.
    ///
    /// A function is what stands before the first parenthesis of a key.
    pub fn per_function(self) -> Self {
        Self { per_function: true, ..self }
    }

    /// Spreads the entries over so many structures, and thereby over the servers of a cluster. Together they have no more entries than
    /// [`max`](Self::max); each evicts by itself. Another number is another cache. Default: 1.
    pub fn shards(self, shards: NonZeroU16) -> Self {
        Self { shards, ..self }
    }

    /// Shares the cache with Python's `redis_func_cache`: its keys, its fields. Default: a layout of mrc's own.
    #[cfg(feature = "compat")]
    pub fn func_cache(self, layout: FuncCache) -> Self {
        Self { func_cache: Some(layout), ..self }
    }

    /// Whether the cache is shared with Python's `redis_func_cache`.
    #[cfg(feature = "compat")]
    pub fn is_shared(&self) -> bool {
        self.func_cache.is_some()
    }

    /// Whether it can be used.
    ///
    /// # Errors
    /// [`StoreError::Config`] says what can't, and how to say it.
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

/// Which entry goes when a bounded cache is full.
///
/// | | goes first | a use |
/// |---|---|---|
/// | `Lru` | what was used least recently | moves an entry to the end of the queue |
/// | `LruT` | the same, by the server's clock | sets its time |
/// | `Mru` | what was used most recently | moves it to the end of the queue |
/// | `Fifo` | what came first | nothing |
/// | `FifoT` | the same, by the server's clock | nothing |
/// | `Lfu` | what was used least often, by LFU with dynamic ageing | counts |
/// | `Rr` | any | nothing |
///
/// A use is a hit, and to store an entry anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Policy {
    /// Least recently used.
    Lru,
    /// Least recently used, by the time.
    LruT,
    /// Most recently used: for what is read round and round, and is larger than the cache.
    Mru,
    /// First in, first out.
    Fifo,
    /// First in, first out, by the time.
    FifoT,
    /// Least frequently used, with dynamic ageing: each eviction ages the cache, a newcomer begins just above what went for it, and each use
    /// is worth four evictions. So newcomers aren't the next to go whatever comes, and what was popular once goes in the end. A simplification
    /// of LFU-DA (Arlitt et al., "Evaluating Content Management Techniques for Web Proxy Caches", 2000).
    Lfu,
    /// Random replacement.
    Rr,
}

impl Policy {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Lru, Self::LruT, Self::Mru, Self::Fifo, Self::FifoT, Self::Lfu, Self::Rr];

    /// Its name in keys and settings: `lru`, `lru_t`, `mru`, `fifo`, `fifo_t`, `lfu`, `rr`.
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

/// How long the structure of a bounded cache lives, with all that is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lifetime {
    /// As long as the longest of its entries. Default.
    #[default]
    Entries,
    /// So long after it was asked or written last, exact to a hundredth.
    Sliding(Duration),
    /// So long after its first entry came.
    Fixed(Duration),
}

/// A life that begins anew with each use: a [`Duration`], or whole seconds.
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

/// The names that Python's `redis_func_cache` gives to the keys of a cache.
#[cfg(feature = "compat")]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[must_use]
pub struct FuncCache {
    pub(crate) prefix: String,
    pub(crate) cluster: bool,
}

#[cfg(feature = "compat")]
impl FuncCache {
    /// The names of its policies for one server: `LruPolicy`, and with [`Bound::per_function`] `LruMultiplePolicy`.
    pub fn single() -> Self {
        Self { prefix: "func-cache:".into(), cluster: false }
    }

    /// The names of its policies for a cluster: `LruClusterPolicy`, and with [`Bound::per_function`] `LruClusterMultiplePolicy`.
    pub fn cluster() -> Self {
        Self { cluster: true, ..Self::single() }
    }

    /// The cache's `prefix`. Default: `func-cache:`.
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_nothing_is_refused() {
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
