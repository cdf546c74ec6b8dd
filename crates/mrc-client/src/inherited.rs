//! Tags on their way to an entry: its function's own, and those of the entries that it reads.

use std::collections::BTreeMap;

use mrc_core::Tag;
use mrc_store::{INVALIDATION_LIMIT, Moment, Tags};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Carried {
    tags: BTreeMap<Tag, Since>,
    /// An entry with lost tags was read: an invalidation couldn't reach an entry that contains it.
    pub(crate) lost: bool,
}

/// The start from which invalidations of a tag count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    /// The claim of the entry.
    Claim,
    /// An earlier moment of the store with this number.
    Moment(StoreId, Moment),
    /// Moments of several stores.
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

/// The number of a store: moments of two stores can't be compared.
pub(crate) type StoreId = usize;

impl Carried {
    /// Returns tags that count from the claim of their entry on.
    pub(crate) fn of(tags: impl IntoIterator<Item = Tag>) -> Self {
        Self { tags: tags.into_iter().map(|tag| (tag, Since::Claim)).collect(), lost: false }
    }

    /// Returns the tags of an entry that was found in a store. `None` means that its tags are lost.
    pub(crate) fn found(store: StoreId, tags: Option<Tags>) -> Self {
        let lost = tags.is_none();
        let tags = tags.into_iter().flatten();
        Self { tags: tags.map(|(tag, since)| (tag, Since::Moment(store, since))).collect(), lost }
    }

    /// Returns a tag that counts from a moment of a store on.
    pub(crate) fn since(store: StoreId, tag: Tag, moment: Moment) -> Self {
        Self { tags: [(tag, Since::Moment(store, moment))].into(), lost: false }
    }

    pub(crate) fn lost() -> Self {
        Self { lost: true, ..Self::default() }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &Tag> {
        self.tags.keys()
    }

    /// Adds other tags. The earlier of two moments counts.
    pub(crate) fn add(&mut self, others: &Self) {
        self.lost |= others.lost;
        for (tag, since) in &others.tags {
            self.tags.entry(tag.clone()).and_modify(|known| *known = known.earlier(*since)).or_insert(*since);
        }
    }

    /// Returns the tags for an entry that was claimed at this moment.
    ///
    /// An invalidation that began before the claim may have been about to remove a value that was
    /// hit since. So that value's own moment counts, but no older than an invalidation can take.
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
