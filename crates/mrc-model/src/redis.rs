//! The cache: K, L, and the three scripts, each of which runs as one step.

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

/// What the value key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Content {
    /// There is no K.
    Absent,
    /// `""`: a fill is in flight.
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

/// The two keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Redis {
    pub(crate) k: Content,
    pub(crate) l: Option<Token>,
}

/// What `claim` replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    Hit(Version),
    Busy,
    Granted,
}

impl Redis {
    pub(crate) fn claim(&mut self, token: Token, refresh: bool, without: Option<Part>) -> Claim {
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
        Claim::Granted
    }

    /// True: stored.
    pub(crate) fn fill(&mut self, token: Token, version: Version, without: Option<Part>) -> bool {
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
        true
    }

    /// True: the claim was still ours.
    pub(crate) fn release(&mut self, token: Token) -> bool {
        if self.l != Some(token) {
            return false;
        }
        self.l = None;
        if self.k == Content::Claimed {
            self.k = Content::Absent;
        }
        true
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.reader + 1, self.claim)
    }
}

impl fmt::Display for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let k = match self.k {
            Content::Absent => "-".to_owned(),
            Content::Claimed => "\"\"".to_owned(),
            Content::Value(version) => format!("v{version}"),
            Content::Refreshing(version) => format!("v{version}+space"),
        };
        let l = self.l.map_or_else(|| "-".to_owned(), |token| token.to_string());
        write!(f, "K={k:<9} L={l:<4}")
    }
}
