//! The tags of an entry, with the moments after which their invalidation makes the entry stale.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::time::Duration;

use bytes::Bytes;
use mrc_core::{Tag, TagError};

/// A moment of one store's own clock, in µs. It orders invalidations and claims of all processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(u64);

impl Moment {
    /// Returns the moment `micros` µs after the clock's beginning.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Returns the µs since the clock's beginning.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Returns the moment `by` earlier, but at least the clock's beginning.
    #[must_use]
    pub fn earlier(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(by.as_micros()).unwrap_or(u64::MAX)))
    }
}

/// The tags of an entry, each with a moment, after which its invalidation makes the entry stale.
/// The moment is no later than the beginning of the first read that the value depends on.
///
/// ```
/// use mrc_store::{Moment, Tags};
///
/// let mut tags = Tags::default();
/// tags.add("user:42".into(), Moment::from_micros(20));
/// tags.add("user:42".into(), Moment::from_micros(10)); // the earlier one counts
/// assert_eq!(tags.iter().collect::<Vec<_>>(), [(&"user:42".into(), Moment::from_micros(10))]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tags(BTreeMap<Tag, Moment>);

impl Tags {
    /// The highest number of tags that an entry can have.
    pub const MOST: usize = 1_000;

    /// Adds a tag. If the tag is present, the earlier moment counts.
    pub fn add(&mut self, tag: Tag, since: Moment) {
        self.0.entry(tag).and_modify(|known| *known = since.min(*known)).or_insert(since);
    }

    /// Returns the tags and their moments, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Tag, Moment)> {
        self.0.iter().map(|(tag, since)| (tag, *since))
    }

    /// Returns the moment of a tag. Returns `None` if the entry lacks the tag.
    pub fn since(&self, tag: &str) -> Option<Moment> {
        self.0.get(tag).copied()
    }

    /// Returns the number of tags.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are no tags.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks whether an entry can have these tags.
    ///
    /// # Errors
    /// [`TagError`]: a tag can't be used, or there are more than [`MOST`](Self::MOST).
    pub fn check(&self) -> Result<(), TagError> {
        if self.len() > Self::MOST {
            return Err(TagError::TooMany { tags: self.len(), limit: Self::MOST });
        }
        self.0.keys().try_for_each(Tag::check)
    }
}

impl FromIterator<(Tag, Moment)> for Tags {
    fn from_iter<I: IntoIterator<Item = (Tag, Moment)>>(tags: I) -> Self {
        let mut all = Self::default();
        tags.into_iter().for_each(|(tag, since)| all.add(tag, since));
        all
    }
}

impl IntoIterator for Tags {
    type Item = (Tag, Moment);
    type IntoIter = btree_map::IntoIter<Tag, Moment>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Returns the tags of an invalidation without duplicates.
#[cfg(any(feature = "redis", feature = "memory"))]
pub(crate) fn all_of(tags: &[Tag]) -> Result<Vec<Tag>, TagError> {
    if tags.is_empty() {
        return Err(TagError::Missing);
    }
    let tags: Tags = tags.iter().map(|tag| (tag.clone(), Moment::default())).collect();
    tags.check()?;
    Ok(tags.into_iter().map(|(tag, _)| tag).collect())
}

/// A value and the tags of its entry at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The value.
    pub value: Bytes,
    /// The tags. `None` if they are lost (eviction, another program): cache nothing that uses it.
    pub tags: Option<Tags>,
}
