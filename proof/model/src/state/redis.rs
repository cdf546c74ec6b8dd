//! An entry of the cache: K, L, S and G, and the scripts. Each script runs as one step.
//! Only the invariant uses the floor: the oldest versions that may still be anywhere.

use std::fmt;

use crate::part::Part;
use crate::state::Tags;

/// The version of the database's row that a value was read from.
pub(crate) type Version = u8;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Value {
    pub(crate) version: Version,
    /// Whether it depends on the row of the tag, known or not. Only the invariant uses this.
    pub(crate) depends: bool,
    /// The value says that it has tags; G says which.
    pub(crate) tagged: bool,
}

impl Value {
    /// Returns a value that no tag is about.
    pub(crate) fn plain(version: Version) -> Self {
        Self { version, depends: false, tagged: false }
    }
}

/// Distinguishes claims: the reader, and the number of its claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Token {
    pub(crate) reader: u8,
    pub(crate) claim: u8,
}

/// The content of K or S. The copy is never being refreshed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Content {
    /// There is no such key.
    Absent,
    /// `""`: claimed, a fill is in flight.
    Claimed,
    /// JSON.
    Value(Value),
    /// JSON and a trailing space: it is being refreshed, and is still good.
    Refreshing(Value),
}

impl Content {
    /// Returns the value that a GET hits.
    pub(crate) fn value(self) -> Option<Value> {
        match self {
            Self::Absent | Self::Claimed => None,
            Self::Value(value) | Self::Refreshing(value) => Some(value),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Entry {
    pub(crate) k: Content,
    pub(crate) l: Option<Token>,
    /// The copy, which outlives K: the last value that was filled and not invalidated since.
    pub(crate) s: Content,
    /// The tags of the last value that was filled with tags.
    pub(crate) g: Tags,
}

/// The key that a command deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Keys {
    K,
    S,
}

impl Keys {
    /// Returns the pair of K and S with `new` where this key stands.
    pub(crate) fn put<T: Copy>(self, new: T, [k, s]: [T; 2]) -> [T; 2] {
        match self {
            Self::K => [new, s],
            Self::S => [k, new],
        }
    }
}

/// The reply of `claim`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    Hit(Value),
    Busy,
    Granted,
}

impl Entry {
    pub(crate) const EMPTY: Self = Self { k: Content::Absent, l: None, s: Content::Absent, g: Tags::None };

    pub(crate) fn claim(&mut self, token: Token, refresh: bool, copy: bool, without: Option<Part>) -> Claim {
        if let Some(value) = self.k.value()
            && !refresh
        {
            return Claim::Hit(value);
        }
        if self.k != Content::Absent && self.l.is_some() {
            return Claim::Busy;
        }
        self.k = match self.k {
            Content::Absent | Content::Claimed => Content::Claimed,
            Content::Value(value) if without == Some(Part::RefreshMark) => Content::Value(value),
            Content::Value(value) | Content::Refreshing(value) => Content::Refreshing(value),
        };
        self.l = Some(token);
        if copy && self.s == Content::Absent {
            self.s = Content::Claimed;
        }
        Claim::Granted
    }

    /// Returns whether the value was stored.
    pub(crate) fn fill(&mut self, token: Token, value: Value, tags: Tags, copy: bool, without: Option<Part>) -> bool {
        if self.l != Some(token) && without != Some(Part::TokenCheck) {
            return false;
        }
        match self.k {
            Content::Absent if without != Some(Part::ClaimCheck) => return false,
            Content::Value(_) if without != Some(Part::RefreshMark) => return false,
            _ => {}
        }
        self.k = Content::Value(value);
        self.l = None;
        if copy && (self.s != Content::Absent || without == Some(Part::CopyCheck)) {
            self.s = Content::Value(value);
        }
        if tags != Tags::None {
            // G would describe the copy too, so an older copy must not stay.
            if !copy && without != Some(Part::CopyTags) {
                self.s = Content::Absent;
            }
            if self.g == Tags::None || without != Some(Part::TagsReplaced) {
                self.g = tags;
            }
        }
        true
    }

    /// Returns whether the claim was still ours.
    pub(crate) fn release(&mut self, token: Token) -> bool {
        if self.l != Some(token) {
            return false;
        }
        self.l = None;
        for key in [&mut self.k, &mut self.s] {
            if *key == Content::Claimed {
                *key = Content::Absent;
            }
        }
        true
    }

    /// Returns the tags of `value`, which is in K or S. Returns `None` if its tags are lost.
    pub(crate) fn tags_of(&self, value: Value, without: Option<Part>) -> Option<Tags> {
        match self.g {
            _ if !value.tagged && without != Some(Part::TagMark) => Some(Tags::None),
            Tags::None if value.tagged && without != Some(Part::TagMark) => None,
            tags => Some(tags),
        }
    }

    /// Removes an invalidated entry, unless it has another value by now. Returns whether K stays.
    pub(crate) fn drop_tagged(&mut self, without: Option<Part>) -> bool {
        let other =
            self.k.value().is_some_and(|value| matches!(self.tags_of(value, without), Some(Tags::None | Tags::Others)));
        let stays = other && (self.l.is_none() || without == Some(Part::DropLease));
        if !stays {
            self.k = Content::Absent;
            self.g = Tags::None;
        }
        // The copy may be of a value before K's.
        if !stays || without != Some(Part::DropCopy) {
            self.s = Content::Absent;
        }
        stays
    }

    pub(crate) fn unlink(&mut self, keys: Keys) {
        [self.k, self.s] = keys.put(Content::Absent, [self.k, self.s]);
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.reader + 1, self.claim)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}{}", self.version, if self.tagged { "#" } else { "" })
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.pad("-"),
            Self::Claimed => f.pad("\"\""),
            Self::Value(value) => f.pad(&value.to_string()),
            Self::Refreshing(value) => f.pad(&format!("{value}+space")),
        }
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::K => "K",
            Self::S => "S",
        })
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let l = self.l.map_or_else(|| "-".to_owned(), |token| token.to_string());
        write!(f, "K={:<9} L={l:<4} S={:<3}", self.k, self.s)
    }
}

/// The row's version at the start of the newest returned invalidation, for the invariant alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Floor {
    /// The floor of invalidations that are about every value.
    pub(crate) all: Version,
    /// The floor of invalidations that are about the tag.
    pub(crate) tagged: Version,
}

impl Floor {
    /// Returns whether such a value may exist.
    pub(crate) fn allows(self, value: Value) -> bool {
        value.version >= self.all && (value.version >= self.tagged || !value.depends)
    }
}
