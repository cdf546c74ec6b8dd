//! The terms of the fill protocol: claims, lives and limits.

use std::time::Duration;

use bytes::Bytes;

use crate::tags::Tags;

/// The time limit of one attempt to invalidate: 60 s. After it the attempt fails, and is repeated.
/// So a value that a hit finds can't have been invalidated longer ago than this.
pub const INVALIDATION_LIMIT: Duration = Duration::from_secs(60);

/// The longest time from a tag's moment to the fill: 150 s. Invalidations are kept for 300 s.
pub const FILL_LIMIT: Duration = Duration::from_secs(150);

/// The time for which an invalidation is remembered.
#[cfg(any(feature = "redis", feature = "memory"))]
pub(crate) const REMEMBERED: Duration = FILL_LIMIT.saturating_mul(2);

/// The longest life, a century: an index is of doubles, which can't tell later microseconds apart.
#[cfg(any(feature = "redis", feature = "memory"))]
pub(crate) const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// The answer to a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The claim is granted: read, then fill or release.
    Granted,
    /// There is a value.
    Hit(Bytes),
    /// Another caller is filling the key.
    Busy {
        /// The rest of the other caller's lease, if the store knows it.
        lease_left: Option<Duration>,
    },
}

/// The terms of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terms {
    /// The longest time for which the claim stands (rounded up to milliseconds).
    pub lease: Duration,
    /// The purpose of the claim.
    pub mode: ClaimMode,
    /// Whether the fill also stores a stale copy. The claim makes an empty copy if there is none,
    /// and removing the key removes it. A fill that finds no copy stores none.
    pub copy: bool,
}

impl Terms {
    /// Returns the terms of a claim for this purpose, without a stale copy.
    pub fn new(lease: Duration, mode: ClaimMode) -> Self {
        Self { lease, mode, copy: false }
    }

    /// Returns the terms for a fill without a stale copy.
    pub fn fill(lease: Duration) -> Self {
        Self::new(lease, ClaimMode::Fill)
    }

    /// Returns the terms for a refresh without a stale copy.
    pub fn refresh(lease: Duration) -> Self {
        Self::new(lease, ClaimMode::Refresh)
    }

    /// Sets whether the fill also stores a stale copy. Default: no.
    #[must_use]
    pub fn copy(self, copy: bool) -> Self {
        Self { copy, ..self }
    }
}

/// The lives of a value and its stale copy, rounded up to milliseconds, and the entry's tags.
///
/// ```
/// use std::time::Duration;
/// use mrc_store::Life;
///
/// let life = Life::from(Duration::from_secs(600)).stale(Duration::from_secs(60));
/// assert_eq!(life.of_copy(), Duration::from_secs(660));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Life {
    /// The life of the value.
    pub ttl: Duration,
    /// How long the copy outlives the value. No copy is stored if it is zero.
    pub stale: Duration,
    /// The tags, whose invalidation removes the entry earlier.
    pub tags: Tags,
}

impl Life {
    /// Sets the life of the value.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl, ..self }
    }

    /// Sets how long the copy outlives the value. Default: zero, no copy.
    #[must_use]
    pub fn stale(self, stale: Duration) -> Self {
        Self { stale, ..self }
    }

    /// Sets the tags. Default: none.
    #[must_use]
    pub fn tags(self, tags: Tags) -> Self {
        Self { tags, ..self }
    }

    /// Returns the life of the copy, from the fill on.
    pub fn of_copy(&self) -> Duration {
        self.ttl.saturating_add(self.stale)
    }

    /// Returns whether a copy is stored.
    pub fn has_copy(&self) -> bool {
        !self.stale.is_zero()
    }
}

impl From<Duration> for Life {
    /// Returns the life of a value without a copy and without tags.
    fn from(ttl: Duration) -> Self {
        Self { ttl, ..Self::default() }
    }
}

/// The purpose of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimMode {
    /// A fill of a key that has no value: a value is a [`Claim::Hit`].
    Fill,
    /// A refresh of a key that may have a value. Until the fill other callers hit the old value.
    Refresh,
    /// A refresh of a value that expires soon. A longer life is a [`Claim::Hit`]: it was refreshed.
    Renew {
        /// The longest rest of the value's life to refresh (rounded up to milliseconds).
        left: Duration,
    },
}

impl ClaimMode {
    /// Returns whether a value with this rest of its life is a [`Claim::Hit`].
    pub fn is_hit(self, left: Duration) -> bool {
        match self {
            Self::Fill => true,
            Self::Refresh => false,
            Self::Renew { left: most } => left > most,
        }
    }
}

/// The name of one claim: 128 random bits, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Token(String);

impl Token {
    /// Returns the token of these bits. They must be random, and new for every claim.
    pub fn from_bits(bits: u128) -> Self {
        Self(format!("{bits:032x}"))
    }

    /// Returns the token as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One claim of [`CacheStore::claim_many`](crate::CacheStore::claim_many).
#[derive(Debug, Clone, Copy)]
pub struct ToClaim<'a> {
    /// The key.
    pub key: &'a str,
    /// The token, which is new at every attempt.
    pub token: &'a Token,
    /// The terms.
    pub terms: Terms,
}

/// One fill of [`CacheStore::fill_many`](crate::CacheStore::fill_many).
#[derive(Debug, Clone)]
pub struct ToFill<'a> {
    /// The key.
    pub key: &'a str,
    /// The token of the claim.
    pub token: &'a Token,
    /// The value.
    pub value: Bytes,
    /// The life of the value, and its tags.
    pub life: Life,
}
