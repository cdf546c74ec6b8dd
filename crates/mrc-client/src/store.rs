//! The store behind a client.

use std::sync::Arc;

use bytes::Bytes;
#[cfg(feature = "redis")]
use mrc_store::redis::Direct as Redis;
use mrc_store::{Bound, CacheStore, StoreError};

use crate::inherited::StoreId;

/// A store by its trait; Redis also by its type, so that a hit needs no box.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    shared: Arc<dyn CacheStore>,
    id: StoreId,
    #[cfg(feature = "redis")]
    redis: Option<Redis>,
}

impl Store {
    /// Returns the store by its trait, for every call except a hit's.
    pub(crate) fn shared(&self) -> &Arc<dyn CacheStore> {
        &self.shared
    }

    /// Returns the store's number: moments of two stores can't be compared. A view has its store's.
    pub(crate) fn id(&self) -> StoreId {
        self.id
    }

    pub(crate) fn bounded(&self, namespace: &str, bound: &Bound) -> Result<Self, StoreError> {
        let view = Arc::clone(&self.shared).bounded(namespace, bound)?;
        Ok(Self { id: self.id, ..Self::from(view) })
    }

    /// Returns the value under `key`: the one call of every hit.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        #[cfg(feature = "redis")]
        if let Some(redis) = &self.redis {
            return match redis {
                Redis::Whole(store) => store.get_unboxed(key).await,
                Redis::Bounded(view) => view.get_unboxed(key).await,
            };
        }
        self.shared.get(key).await
    }
}

impl From<Arc<dyn CacheStore>> for Store {
    fn from(shared: Arc<dyn CacheStore>) -> Self {
        Self {
            #[cfg(feature = "redis")]
            redis: mrc_store::redis::direct(&shared),
            id: Arc::as_ptr(&shared).cast::<()>().addr(),
            shared,
        }
    }
}
