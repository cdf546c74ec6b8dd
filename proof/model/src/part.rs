//! The parts of the protocol, each of which can be left out.

use crate::setting::{Change, Faults, Setting, Tagging};

/// A part of the protocol. Without a part that is needed, some run ends in a counterexample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Part {
    /// `fill` stores only while L holds the token of its claim.
    TokenCheck,
    /// After an unknown outcome a claim is sent again with a new token, never with the same.
    NewToken,
    /// `fill` stores only if K still exists. Without it L is a lease key alone.
    ClaimCheck,
    /// A refresh marks the value that it will replace with a space, and `fill` replaces no other.
    RefreshMark,
    /// A follower takes a value only if its fill was accepted, or its read began after the join.
    FollowerRule,
    /// A leader closes its flight before it sends the fill.
    CloseFirst,
    /// `fill` writes the copy only if S still exists, perhaps empty since the claim.
    CopyCheck,
    /// The name of S contains that of K, so every SCAN for K returns S too.
    CopyName,
    /// `track` checks whether the tag was invalidated since.
    Epoch,
    /// `track` checks the epoch when the entry is registered, and not before.
    EpochLast,
    /// The epoch is remembered until every fill with an earlier moment would come too late.
    EpochKept,
    /// Tags are tracked before the fill is sent, and not after it.
    TrackFirst,
    /// `prune` removes no registration that was renewed since it was listed.
    PruneScores,
    /// `drop` deletes the value whenever there is a lease.
    DropLease,
    /// `drop` deletes the copy even where the value stays.
    DropCopy,
    /// A fill with tags replaces the earlier tags.
    TagsReplaced,
    /// A value says that it has tags, so that a loss of its tags shows.
    TagMark,
    /// A fill with tags but no copy deletes an older copy, which the tags don't describe.
    CopyTags,
    /// A value has the moment of its source entry, unless every invalidation in between has ended.
    NestedMoment,
    /// A drop by a param asks the index after its scan has ended, and not before.
    DropOrder,
    /// An invalidation writes the bucket of its tag, whether the tag has an index or not.
    BucketWritten,
    /// The bucket is written before the index is asked.
    BucketFirst,
    /// A fill looks at the bucket after its entry was registered in the index.
    BucketLast,
    /// A late command doesn't set a bucket back.
    BucketNewest,
    /// A bucket is remembered until every fill with an earlier moment would come too late.
    BucketKept,
    /// A follower of the binlog waits until a change is visible before it invalidates.
    VisibilityWait,
    /// The position is written after the invalidation.
    PositionLast,
    /// A follower that starts goes on from the position.
    PositionResumed,
    /// The position lies in the Redis that it is about, and goes back with it.
    PositionInside,
    /// The position is written only if Redis has the one that was read or written last.
    PositionCompared,
    /// A follower looks at the position even when there are no events.
    PositionLooked,
    /// If Redis has another history than at the last position, the batch is invalidated again.
    BatchAgain,
    /// In a cluster, each primary has a copy of the position with its history, which is compared.
    PrimaryCopies,
    /// If a primary went back, all entries with tags are removed.
    PrimaryRemoval,
    /// Before the entries, all claims are removed: of entries that are being filled.
    PrimaryClaims,
    /// A fill goes over the connection of its tracks.
    FillConnection,
    /// A scheme is registered before the claim.
    SchemeFirst,
    /// A fill is refused if its scheme isn't registered.
    SchemeThere,
    /// A fill is refused if its scheme was registered after the claim.
    SchemeMoment,
    /// The registry is read after the change is visible.
    SchemesLast,
    /// A registration lasts as long as the entries that are filled under it.
    SchemeKept,
}

impl Part {
    /// Returns what the protocol lacks without it.
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
            Self::BucketWritten => "a tag without an index, and no bucket",
            Self::BucketFirst => "the index asked before the bucket is written",
            Self::BucketLast => "a bucket looked at before the index was written",
            Self::BucketNewest => "a late command that sets a bucket back",
            Self::BucketKept => "a bucket forgotten early",
            Self::VisibilityWait => "an event taken for a visible change",
            Self::PositionLast => "a position written before the invalidation",
            Self::PositionResumed => "a start after the newest event",
            Self::PositionInside => "a position kept outside the cache",
            Self::PositionCompared => "a position written without a comparison",
            Self::PositionLooked => "a position looked at only with events",
            Self::BatchAgain => "a position written again without its batch",
            Self::PrimaryCopies => "a cluster with one position alone",
            Self::PrimaryRemoval => "a primary that went back, and no removal",
            Self::PrimaryClaims => "a removal that leaves the claims",
            Self::FillConnection => "a fill sent again on another connection",
            Self::SchemeFirst => "a scheme registered with the fill",
            Self::SchemeThere => "a fill whose scheme may have been lost",
            Self::SchemeMoment => "a fill whose scheme was lost and registered anew",
            Self::SchemesLast => "the registry read before the change is visible",
            Self::SchemeKept => "a registration that ends before its entries",
        }
    }

    /// Returns the smallest setting that shows its absence, and in which the whole protocol holds.
    #[must_use]
    pub fn setting(self) -> Setting {
        let alone = Setting { readers: 1, writes: vec![1], ..Setting::default() };
        let tagged = Setting { writes: Vec::new(), tags: Tagging::Ours, tag_writes: vec![1], ..alone.clone() };
        let followed = Setting::followed(&tagged, vec![Change::Ours]);
        let none = Faults::default();
        let back = Faults { goes_back: 1, ..none };
        match self {
            Self::TokenCheck => Setting { readers: 2, ..alone },
            Self::NewToken => alone.with(Faults { timeouts: 1, ..none }),
            Self::ClaimCheck => alone,
            Self::RefreshMark => Setting { refresh: true, ..alone.with(Faults { peer_fills: 1, ..none }) },
            Self::FollowerRule | Self::CloseFirst => Setting { followers: 1, ..alone },
            // A peer deletes K and S apart. Ours doesn't: then K and S must expire by themselves.
            Self::CopyCheck => Setting { copies: 1, writes: Vec::new(), peer_writes: vec![1], ..alone },
            Self::CopyName => Setting { copies: 1, ..alone },
            Self::Epoch | Self::EpochLast | Self::TrackFirst => tagged,
            Self::EpochKept => tagged.with(Faults { epoch_goes: 1, ..none }),
            Self::PruneScores => Setting { readers: 2, tag_writes: vec![2], ..tagged },
            Self::DropLease => Setting { refresh: true, ..tagged },
            Self::DropCopy => Setting { copies: 1, ..tagged.with(Faults { peer_fills: 1, ..none }) },
            Self::TagsReplaced => Setting { readers: 2, refresh: true, tags: Tagging::Any, ..tagged },
            Self::TagMark => tagged.with(Faults { g_goes: 1, ..none }),
            Self::CopyTags => {
                Setting { outer: 1, tags: Tagging::Any, ..tagged.with(Faults { k_goes: 1, failed_reads: 1, ..none }) }
            }
            Self::NestedMoment => Setting { readers: 0, outer: 1, ..tagged },
            Self::DropOrder => Setting { readers: 1, outer: 1, ..Setting::dropped(&tagged) },
            Self::BucketWritten | Self::BucketFirst | Self::BucketLast => Setting { buckets: true, ..tagged },
            Self::BucketNewest => {
                Setting { buckets: true, tag_writes: vec![2], ..tagged.with(Faults { repeats: 1, ..none }) }
            }
            Self::BucketKept => Setting { buckets: true, ..tagged.with(Faults { bucket_goes: 1, ..none }) },
            Self::VisibilityWait | Self::PositionLast => followed,
            Self::PositionResumed => followed.with(Faults { follower_crashes: 1, ..none }),
            Self::PositionInside | Self::PositionLooked | Self::BatchAgain | Self::FillConnection => {
                followed.with(back)
            }
            Self::PrimaryCopies | Self::PrimaryRemoval | Self::PrimaryClaims => {
                Setting { cluster: true, ..followed.with(back) }
            }
            Self::PositionCompared => Setting { log: vec![Change::Ours, Change::Other], ..followed.with(back) },
            Self::SchemeFirst | Self::SchemesLast => Setting { schemes: true, ..followed },
            Self::SchemeThere => Setting { further_calls: 1, schemes: true, remembered: true, ..followed },
            Self::SchemeMoment => Setting { readers: 2, schemes: true, remembered: true, ..followed },
            Self::SchemeKept => Setting { schemes: true, ..followed.with(Faults { scheme_goes: 1, ..none }) },
        }
    }
}
