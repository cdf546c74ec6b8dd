//! The parts of the protocol, each of which can be taken away.

use crate::setting::{Faults, Setting};

/// A part of the protocol. A run without it must end in a counterexample, or the part isn't needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Part {
    /// `fill` stores only while L holds the token of its claim.
    TokenCheck,
    /// After an unknown outcome a claim is sent again with a new token, never with the same.
    NewToken,
    /// `fill` stores only if K still stands. Without it L is a lease key alone.
    ClaimCheck,
    /// A refresh marks the value that it will replace with a trailing space, and `fill` replaces no other.
    RefreshMark,
    /// A follower takes a value only if its fill was accepted, or if it was read after the follower joined.
    FollowerRule,
    /// A leader closes its flight before it sends the fill.
    CloseFirst,
    /// `fill` writes the copy only if S still stands, be it empty since the claim.
    CopyCheck,
    /// The name of S contains that of K, so that every SCAN for K returns S too.
    CopyName,
}

impl Part {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 8] = [
        Self::TokenCheck,
        Self::NewToken,
        Self::ClaimCheck,
        Self::RefreshMark,
        Self::FollowerRule,
        Self::CloseFirst,
        Self::CopyCheck,
        Self::CopyName,
    ];

    /// What the protocol lacks without it.
    #[must_use]
    pub fn lack(self) -> &'static str {
        match self {
            Self::TokenCheck => "no token check in fill",
            Self::NewToken => "a token used again at a retry",
            Self::ClaimCheck => "no look at K in fill: a lease key alone",
            Self::RefreshMark => "no trailing space in a refresh",
            Self::FollowerRule => "followers that take any value",
            Self::CloseFirst => "a flight still open while its fill is on the way",
            Self::CopyCheck => "a copy that fill writes although it is gone",
            Self::CopyName => "a copy whose name a scan for its key doesn't match",
        }
    }

    /// The smallest setting in which its absence shows, and in which the whole protocol holds.
    #[must_use]
    pub fn setting(self) -> Setting {
        let alone = Setting { readers: 1, writes: vec![1], ..Setting::default() };
        match self {
            Self::TokenCheck => Setting { readers: 2, ..alone },
            Self::NewToken => Setting { faults: Faults { timeouts: 1, ..Faults::default() }, ..alone },
            Self::ClaimCheck => alone,
            Self::RefreshMark => {
                Setting { refresh: true, faults: Faults { peer_fills: 1, ..Faults::default() }, ..alone }
            }
            Self::FollowerRule | Self::CloseFirst => Setting { followers: 1, ..alone },
            // A peer's deletions leave time between K and S. Ours don't: then K and S must go by themselves too.
            Self::CopyCheck => Setting { copies: 1, writes: Vec::new(), peer_writes: vec![1], ..alone },
            Self::CopyName => Setting { copies: 1, ..alone },
        }
    }
}
