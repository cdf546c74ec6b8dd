//! A scan that counts the keys it reads.

use bytes::Bytes;
use futures_util::future::join;
use futures_util::stream::{BoxStream, try_unfold};
use futures_util::{StreamExt, TryStreamExt};

use crate::error::StoreError;
use crate::store::{CacheStore, KeyPages, ScanPattern};

/// The approximate number of keys that one page of a scan reads.
const KEYS_A_PAGE: u64 = 1_000;

/// A page of a walk: the matching keys, and the number of keys of any kind read so far.
pub type Looked = (Vec<Bytes>, u64);

/// Scans a store and counts the keys that its servers read to find the matching ones.
///
/// The last page has the exact number. Earlier pages estimate it from the number of pages. If the
/// store doesn't know its size, only the returned keys are counted.
pub fn walk<'a>(store: &'a dyn CacheStore, pattern: &ScanPattern) -> BoxStream<'a, Result<Looked, StoreError>> {
    let walk = Walk { store, pages: store.scan(pattern), size: None, looked: 0, returned: 0, ended: false };
    try_unfold(walk, |mut walk| async move { Ok(walk.next().await?.map(|page| (page, walk))) }).boxed()
}

struct Walk<'a> {
    store: &'a dyn CacheStore,
    pages: KeyPages<'a>,
    size: Option<u64>,
    looked: u64,
    returned: u64,
    ended: bool,
}

impl Walk<'_> {
    async fn next(&mut self) -> Result<Option<Looked>, StoreError> {
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
        let page = page.unwrap_or_default();
        self.returned += page.len() as u64;
        self.looked = self.looked.max(self.returned);
        Ok(Some((page, self.looked)))
    }
}
