//! Removal and counting of keys by a scan.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use bytes::Bytes;
use futures_util::TryStreamExt;
use futures_util::future::join;

use crate::error::StoreError;
use crate::store::{CacheStore, KeyPages, ScanPattern};

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

/// Removes the matching keys of a scan, and adds to `progress` as it goes. A dry run counts those that
/// hold a value or a claim instead.
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
        // A scan may return a key twice. Removed keys don't come again; counted ones must be
        // remembered.
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
