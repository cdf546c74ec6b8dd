//! The cache: K, L, S, and the three scripts, each of which runs as one step.

use std::fmt;

use crate::part::Part;

/// The version of the database's row that a value was read from.
pub(crate) type Version = u8;

/// What tells claimants apart: the reader, and the number of its claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Token {
    pub(crate) reader: u8,
    pub(crate) claim: u8,
}

/// What the value key holds, or the copy, which is never being refreshed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Content {
    /// There is no such key.
    Absent,
    /// `""`: claimed, a fill is in flight.
    Claimed,
    /// JSON.
    Value(Version),
    /// JSON and a trailing space: it is being refreshed, and is still good.
    Refreshing(Version),
}

impl Content {
    /// What a GET hits.
    pub(crate) fn value(self) -> Option<Version> {
        match self {
            Self::Absent | Self::Claimed => None,
            Self::Value(version) | Self::Refreshing(version) => Some(version),
        }
    }
}

/// The three keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Redis {
    pub(crate) k: Content,
    pub(crate) l: Option<Token>,
    /// The copy, which outlives K: of the last value that was filled and not invalidated since.
    pub(crate) s: Content,
}

/// The keys that a command deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Keys {
    K,
    S,
    Both,
}

impl Keys {
    /// Of something that K has and S has, puts `new` where these keys have it.
    pub(crate) fn put<T: Copy>(self, new: T, [k, s]: [T; 2]) -> [T; 2] {
        match self {
            Self::K => [new, s],
            Self::S => [k, new],
            Self::Both => [new; 2],
        }
    }
}

/// What `claim` replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    Hit(Version),
    Busy,
    Granted,
}

impl Redis {
    pub(crate) fn claim(&mut self, token: Token, refresh: bool, copy: bool, without: Option<Part>) -> Claim {
        if let Some(version) = self.k.value()
            && !refresh
        {
            return Claim::Hit(version);
        }
        if self.k != Content::Absent && self.l.is_some() {
            return Claim::Busy;
        }
        self.k = match self.k {
            Content::Absent | Content::Claimed => Content::Claimed,
            Content::Value(version) if without == Some(Part::RefreshMark) => Content::Value(version),
            Content::Value(version) | Content::Refreshing(version) => Content::Refreshing(version),
        };
        self.l = Some(token);
        if copy && self.s == Content::Absent {
            self.s = Content::Claimed;
        }
        Claim::Granted
    }

    /// True: stored.
    pub(crate) fn fill(&mut self, token: Token, version: Version, copy: bool, without: Option<Part>) -> bool {
        if self.l != Some(token) && without != Some(Part::TokenCheck) {
            return false;
        }
        match self.k {
            Content::Absent if without != Some(Part::ClaimCheck) => return false,
            Content::Value(_) if without != Some(Part::RefreshMark) => return false,
            _ => {}
        }
        self.k = Content::Value(version);
        self.l = None;
        if copy && (self.s != Content::Absent || without == Some(Part::CopyCheck)) {
            self.s = Content::Value(version);
        }
        true
    }

    /// True: the claim was still ours.
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

    pub(crate) fn unlink(&mut self, keys: Keys) {
        [self.k, self.s] = keys.put(Content::Absent, [self.k, self.s]);
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.reader + 1, self.claim)
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.pad("-"),
            Self::Claimed => f.pad("\"\""),
            Self::Value(version) => f.pad(&format!("v{version}")),
            Self::Refreshing(version) => f.pad(&format!("v{version}+space")),
        }
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::K => "K",
            Self::S => "S",
            Self::Both => "K S",
        })
    }
}

impl fmt::Display for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let l = self.l.map_or_else(|| "-".to_owned(), |token| token.to_string());
        write!(f, "K={:<9} L={l:<4} S={:<3}", self.k, self.s)
    }
}
