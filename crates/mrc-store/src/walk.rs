//! A scan that counts the keys that it looks at.

use bytes::Bytes;
use futures_util::future::join;
use futures_util::stream::{BoxStream, try_unfold};
use futures_util::{StreamExt, TryStreamExt};

use crate::error::StoreError;
use crate::store::{CacheStore, KeyPages, ScanPattern};

/// About how many keys one page of a scan looks at.
const KEYS_A_PAGE: u64 = 1_000;

/// A page of a walk: the keys that match, and how many keys of any kind were looked at so far.
pub type Looked = (Vec<Bytes>, u64);

/// Scans a store, and counts the keys that it looks at: the servers look at every key, and return those that match.
///
/// The last page has the number of all of them; those before tell it by the number of pages. Where the store can't tell how many keys it has,
/// only those that it returns are counted.
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
            // Side by side. A server that doesn't tell its size is scanned all the same.
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
