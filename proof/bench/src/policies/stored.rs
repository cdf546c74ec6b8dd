//! Measures mrc's own policies, through its store in memory.

use std::sync::Arc;

use bytes::Bytes;
use mrc::store::CacheStore;
use mrc::{Bound, MemoryStore, Policy};

use super::simulated::name;
use crate::Res;
use crate::data::TTL;

/// Returns how many of the requests after the warm-up are hits. A miss puts the entry.
pub(super) fn hits(policy: Policy, requests: &[u64], room: usize, warm_up: usize) -> Res<u64> {
    let store: Arc<dyn CacheStore> = Arc::new(MemoryStore::new());
    let cache = store.bounded("bench", &Bound::new(policy).max(room))?;
    let mut hits = 0;
    tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
        for (at, key) in requests.iter().enumerate() {
            let key = format!("bench:{:016x}", name(*key));
            if cache.get(&key).await?.is_none() {
                cache.put(&key, Bytes::from_static(b"1"), TTL * 24).await?;
            } else if at >= warm_up {
                hits += 1;
            }
        }
        Ok(hits)
    })
}
