//! The selection of an invalidation, and the removal and counting of keys by a scan, implemented
//! with the methods that every store has.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::future::join;
use mrc_core::{Event, EventListener, Glob, Tag, TagError};

use crate::error::StoreError;
use crate::store::{CacheStore, KeyPages, ScanPattern};

/// A selection of entries to invalidate. A [`Tag`] and a [`Glob`] convert into one.
///
/// ```
/// use mrc_core::{Glob, Tag};
/// use mrc_store::Select;
///
/// let of_a_user: Select = Tag::new("user:42").into();
/// let of_either = Select::any(["user:42", "user:43"]);
/// let of_both = Select::all(["user:42", "lang:de"]);
/// let by_name: Select = Glob::beginning("feed(").into(); // looks at every key of the store
/// # let _ = (of_a_user, of_either, of_both, by_name);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Select {
    /// The entries with any of these tags, in every namespace.
    Any(Vec<Tag>),
    /// The entries with all of these tags, in every namespace.
    All(Vec<Tag>),
    /// The entries whose names match, in the namespace of the asked cache or in the whole store.
    Glob(Glob),
    /// Every entry of the namespace, or of the whole store.
    Everything,
}

impl Select {
    /// Selects the entries with any of these tags.
    pub fn any<T: Into<Tag>>(tags: impl IntoIterator<Item = T>) -> Self {
        Self::Any(tags.into_iter().map(Into::into).collect())
    }

    /// Selects the entries with all of these tags.
    pub fn all<T: Into<Tag>>(tags: impl IntoIterator<Item = T>) -> Self {
        Self::All(tags.into_iter().map(Into::into).collect())
    }

    /// Checks the tags of the selection.
    ///
    /// # Errors
    /// [`TagError`]: there is no tag, or a tag can't be used.
    pub fn check(&self) -> Result<(), TagError> {
        match self {
            Self::Any(tags) | Self::All(tags) if tags.is_empty() => Err(TagError::Missing),
            Self::Any(tags) | Self::All(tags) => tags.iter().try_for_each(Tag::check),
            Self::Glob(_) | Self::Everything => Ok(()),
        }
    }

    /// Removes the selected entries from a store, and returns their number. Names follow
    /// `namespace`, which is taken literally.
    ///
    /// # Errors
    /// The errors of the store. Some entries may already be removed: call it again.
    pub async fn remove_from(
        &self,
        store: &dyn CacheStore,
        namespace: &str,
        listener: &dyn EventListener,
    ) -> Result<u64, StoreError> {
        match self {
            Self::Any(tags) => {
                let each = store.invalidate_each(tags).await?;
                for (tag, entries) in tags.iter().zip(&each) {
                    listener.on_event(&Event::Invalidated { tags: std::slice::from_ref(tag), entries: *entries });
                }
                Ok(each.iter().sum())
            }
            Self::All(tags) => {
                let entries = store.invalidate(tags).await?;
                listener.on_event(&Event::Invalidated { tags, entries });
                Ok(entries)
            }
            Self::Glob(_) | Self::Everything => {
                if *self == Self::Everything
                    && let Some(entries) = store.purge().await?
                {
                    listener.on_event(&Event::Dropped { entries, scanned: 0 });
                    return Ok(entries);
                }
                let (mut progress, scan) = (Progress::default(), self.pattern(namespace));
                let matches = |key: &[u8]| self.matches(namespace, key);
                drop_matching(store, &scan, matches, false, &mut progress, |_| {}).await?;
                let Progress { dropped: entries, scanned } = progress;
                listener.on_event(&Event::Dropped { entries, scanned });
                Ok(entries)
            }
        }
    }

    /// Returns how many keys the selection matches by name, without the keys of bounded caches. It
    /// reads every key, except when it selects all of a bounded cache.
    ///
    /// # Errors
    /// The errors of the store.
    pub async fn count_in(&self, store: &dyn CacheStore, namespace: &str) -> Result<u64, StoreError> {
        if *self == Self::Everything
            && let Some(count) = store.count().await?
        {
            return Ok(count);
        }
        // A scan may return a key twice.
        let (hasher, mut seen, mut count) = (RandomState::new(), HashSet::new(), 0);
        let mut pages = store.scan(&self.pattern(namespace));
        while let Some(page) = pages.try_next().await? {
            let ours = page.into_iter().filter(|key| self.matches(namespace, key) && !is_structure(key));
            let new: Vec<Bytes> = ours.filter(|key| seen.insert(hasher.hash_one(key))).collect();
            count += store.exist(&new).await?;
        }
        Ok(count)
    }

    fn pattern(&self, namespace: &str) -> ScanPattern {
        let name = if let Self::Glob(glob) = self { glob.prefix() } else { "" };
        ScanPattern::Beginning([namespace, name].concat())
    }

    fn matches(&self, namespace: &str, key: &[u8]) -> bool {
        key.strip_prefix(namespace.as_bytes()).is_some_and(|name| match self {
            Self::Glob(glob) => glob.matches(name),
            Self::Everything => true,
            Self::Any(_) | Self::All(_) => false,
        })
    }
}

/// Returns whether the key belongs to a bounded cache as a whole and is no entry.
fn is_structure(key: &[u8]) -> bool {
    #[cfg(any(feature = "redis", feature = "memory"))]
    return crate::bound::layout::structure_of(key).is_some();
    #[cfg(not(any(feature = "redis", feature = "memory")))]
    key.is_empty()
}

impl From<Tag> for Select {
    fn from(tag: Tag) -> Self {
        Self::Any(vec![tag])
    }
}

impl From<&Tag> for Select {
    fn from(tag: &Tag) -> Self {
        Self::Any(vec![tag.clone()])
    }
}

/// Selects the entries with any of these tags.
impl<T: Into<Tag>, const N: usize> From<[T; N]> for Select {
    fn from(tags: [T; N]) -> Self {
        Self::any(tags)
    }
}

/// Selects the entries with this tag.
impl From<&str> for Select {
    fn from(tag: &str) -> Self {
        Self::any([tag])
    }
}

impl From<Glob> for Select {
    fn from(glob: Glob) -> Self {
        Self::Glob(glob)
    }
}

/// The approximate number of keys that one page of a scan reads.
const KEYS_A_PAGE: u64 = 1_000;

/// The progress of a drop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The number of keys read so far in the whole database, exact at the end. 0 by the index.
    pub scanned: u64,
    /// The number of dropped entries, or in a dry run the number that a drop would remove.
    pub dropped: u64,
}

/// Removes the matching keys of a scan, or counts their values and claims in a dry run.
pub(crate) async fn drop_matching(
    store: &dyn CacheStore,
    scan: &ScanPattern,
    matches: impl Fn(&[u8]) -> bool,
    dry_run: bool,
    progress: &mut Progress,
    tell: impl Fn(Progress),
) -> Result<(), StoreError> {
    let (hasher, mut counted, mut walk) = (RandomState::new(), HashSet::new(), Walk::new(store, scan));
    while let Some(mut page) = walk.next(&matches).await? {
        // A scan may return a key twice: a removed one doesn't come again, a counted one may.
        page.retain(|key| !dry_run || counted.insert(hasher.hash_one(key)));
        if !page.is_empty() {
            progress.dropped += if dry_run { store.exist(&page).await? } else { store.remove(&page).await? };
        }
        progress.scanned = walk.looked;
        tell(*progress);
    }
    Ok(())
}

/// A scan that counts the keys that its servers read to find the matching ones.
///
/// The last page has the exact number. Earlier pages estimate it from the number of pages. If the
/// store doesn't know its size, only the returned keys are counted.
struct Walk<'a> {
    store: &'a dyn CacheStore,
    pages: KeyPages<'a>,
    size: Option<u64>,
    looked: u64,
    returned: u64,
    ended: bool,
}

impl<'a> Walk<'a> {
    fn new(store: &'a dyn CacheStore, scan: &ScanPattern) -> Self {
        Self { store, pages: store.scan(scan), size: None, looked: 0, returned: 0, ended: false }
    }

    async fn next(&mut self, matches: impl Fn(&[u8]) -> bool) -> Result<Option<Vec<Bytes>>, StoreError> {
        if self.ended {
            return Ok(None);
        }
        let page = if self.size.is_none() {
            // Run both side by side. The scan works without the size.
            let (size, page) = join(self.store.scan_size(), self.pages.try_next()).await;
            self.size = Some(size.ok().flatten().unwrap_or_default());
            page?
        } else {
            self.pages.try_next().await?
        };
        let size = self.size.unwrap_or_default();
        self.ended = page.is_none();
        self.looked = if self.ended { size } else { (self.looked + KEYS_A_PAGE).min(size) };
        let mut page = page.unwrap_or_default();
        self.returned += page.len() as u64;
        self.looked = self.looked.max(self.returned);
        page.retain(|key| matches(key));
        Ok(Some(page))
    }
}
