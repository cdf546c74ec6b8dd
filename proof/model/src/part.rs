//! The parts of the protocol, each of which can be taken away.

use crate::setting::{Faults, Setting, Tagging};

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
    /// `track` looks whether the tag was invalidated since.
    Epoch,
    /// `track` looks at the epoch when the entry is registered, and not before.
    EpochLast,
    /// The epoch is remembered until every fill with a moment before it would come too late.
    EpochKept,
    /// Tags are tracked before the fill is sent, and not after it.
    TrackFirst,
    /// `prune` removes no registration that was renewed since it was listed.
    PruneScores,
    /// `drop` lets nothing stay while there is a lease.
    DropLease,
    /// `drop` deletes the copy even where the value stays.
    DropCopy,
    /// A fill with tags puts them in the place of those before.
    TagsReplaced,
    /// A value says of itself that it has tags, so that it shows when they are lost.
    TagMark,
    /// A fill with tags but without a copy deletes the copy of an older value, of which the tags would say nothing.
    CopyTags,
    /// What is made of another entry has that one's moment, unless every invalidation between the two has ended.
    NestedMoment,
    /// A drop by a param asks the index after its scan has ended, and not before.
    DropOrder,
}

impl Part {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 20] = [
        Self::TokenCheck,
        Self::NewToken,
        Self::ClaimCheck,
        Self::RefreshMark,
        Self::FollowerRule,
        Self::CloseFirst,
        Self::CopyCheck,
        Self::CopyName,
        Self::Epoch,
        Self::EpochLast,
        Self::EpochKept,
        Self::TrackFirst,
        Self::PruneScores,
        Self::DropLease,
        Self::DropCopy,
        Self::TagsReplaced,
        Self::TagMark,
        Self::CopyTags,
        Self::NestedMoment,
        Self::DropOrder,
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
            Self::Epoch => "late tags without an epoch",
            Self::EpochLast => "epoch looked at before the index was written",
            Self::EpochKept => "epoch forgotten early",
            Self::TrackFirst => "a fill before its tags are tracked",
            Self::PruneScores => "prune without comparing scores",
            Self::DropLease => "a drop that doesn't look at the lease",
            Self::DropCopy => "a drop that leaves the copy of what stays",
            Self::TagsReplaced => "a refill that leaves the tags of the value before",
            Self::TagMark => "a value whose tags can be lost unnoticed",
            Self::CopyTags => "a copy older than the tags beside it",
            Self::NestedMoment => "an entry made of another, with its own moment",
            Self::DropOrder => "a drop that asks the index before its scan",
        }
    }

    /// The smallest setting in which its absence shows, and in which the whole protocol holds.
    #[must_use]
    pub fn setting(self) -> Setting {
        let alone = Setting { readers: 1, writes: vec![1], ..Setting::default() };
        let tagged = Setting { writes: Vec::new(), tags: Tagging::Ours, tag_writes: vec![1], ..alone.clone() };
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
            Self::Epoch | Self::EpochLast | Self::TrackFirst => tagged,
            Self::EpochKept => Setting { faults: Faults { epoch_goes: 1, ..Faults::default() }, ..tagged },
            Self::PruneScores => Setting { readers: 2, tag_writes: vec![2], ..tagged },
            Self::DropLease => Setting { refresh: true, ..tagged },
            Self::DropCopy => Setting { copies: 1, faults: Faults { peer_fills: 1, ..Faults::default() }, ..tagged },
            Self::TagsReplaced => Setting { readers: 2, refresh: true, tags: Tagging::Any, ..tagged },
            Self::TagMark => Setting { faults: Faults { g_goes: 1, ..Faults::default() }, ..tagged },
            Self::CopyTags => Setting {
                outer: 1,
                tags: Tagging::Any,
                faults: Faults { k_goes: 1, failed_reads: 1, ..Faults::default() },
                ..tagged
            },
            Self::NestedMoment => Setting { readers: 0, outer: 1, ..tagged },
            Self::DropOrder => Setting { readers: 1, outer: 1, ..Setting::dropped(&tagged) },
        }
    }
}
