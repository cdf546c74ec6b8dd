//! Tags on their way to an entry: those that its function names, and those of the entries that it reads.

use std::collections::BTreeMap;

use mrc_core::Tag;
use mrc_store::{INVALIDATION_LIMIT, Moment, Tags};

/// Tags on their way to an entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Carried {
    tags: BTreeMap<Tag, Since>,
    /// An entry was read whose tags are lost: nobody could invalidate what is made of it.
    lost: bool,
}

/// From when on an invalidation of a tag counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    /// From when the entry was claimed.
    Claim,
    /// From an earlier moment of the store with this number.
    Moment(StoreId, Moment),
    /// From moments of several stores.
    Several,
}

impl Since {
    fn earlier(self, other: Self) -> Self {
        match (self, other) {
            (Self::Claim, since) | (since, Self::Claim) => since,
            (Self::Moment(store, one), Self::Moment(same, another)) if store == same => {
                Self::Moment(store, one.min(another))
            }
            _ => Self::Several,
        }
    }
}

/// Tells stores apart: moments of two can't be compared.
pub(crate) type StoreId = usize;

impl Carried {
    /// Tags that count from the claim of their entry on.
    pub(crate) fn of(tags: impl IntoIterator<Item = Tag>) -> Self {
        Self { tags: tags.into_iter().map(|tag| (tag, Since::Claim)).collect(), lost: false }
    }

    /// The tags of an entry that was found in a store. None: it has some, and they are lost.
    pub(crate) fn found(store: StoreId, tags: Option<Tags>) -> Self {
        let lost = tags.is_none();
        let tags = tags.into_iter().flatten();
        Self { tags: tags.map(|(tag, since)| (tag, Since::Moment(store, since))).collect(), lost }
    }

    /// Marks the tags as lost.
    pub(crate) fn lose(&mut self) {
        self.lost = true;
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &Tag> {
        self.tags.keys()
    }

    /// Adds others; of two moments the earlier counts.
    pub(crate) fn add(&mut self, others: &Self) {
        self.lost |= others.lost;
        for (tag, since) in &others.tags {
            self.tags.entry(tag.clone()).and_modify(|known| *known = known.earlier(*since)).or_insert(*since);
        }
    }

    /// The tags as an entry has them that was claimed at this moment.
    ///
    /// A value that was hit while the entry was computed may have been about to be removed by an invalidation that began before the claim.
    /// So its own moment counts; one that is longer ago than an invalidation can take says no more than that.
    pub(crate) fn at(&self, store: StoreId, claimed: Moment) -> Tags {
        let earliest = claimed.earlier(INVALIDATION_LIMIT);
        let since = |since: &Since| match since {
            Since::Claim => claimed,
            Since::Moment(of, moment) if *of == store => (*moment).clamp(earliest, claimed),
            Since::Moment(..) | Since::Several => earliest,
        };
        self.tags.iter().map(|(tag, from)| (tag.clone(), since(from))).collect()
    }
}
