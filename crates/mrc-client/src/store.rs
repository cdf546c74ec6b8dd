//! The store behind a client.

use std::sync::Arc;

use bytes::Bytes;
#[cfg(feature = "redis")]
use mrc_store::redis::Direct as Redis;
use mrc_store::{Bound, CacheStore, StoreError};

use crate::inherited::StoreId;

/// A store by its trait; Redis by its type as well, so that a hit needs no box.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    shared: Arc<dyn CacheStore>,
    id: StoreId,
    #[cfg(feature = "redis")]
    redis: Option<Redis>,
}

impl Store {
    /// The store by its trait: for every call but a hit's.
    pub(crate) fn shared(&self) -> &Arc<dyn CacheStore> {
        &self.shared
    }

    /// Tells this store from others: moments of one can't be compared with another's. A view is the store that it is of.
    pub(crate) fn id(&self) -> StoreId {
        self.id
    }

    /// The view of a namespace with a bound.
    pub(crate) fn bounded(&self, namespace: &str, bound: &Bound) -> Result<Self, StoreError> {
        let view = Arc::clone(&self.shared).bounded(namespace, bound)?;
        Ok(Self { id: self.id, ..Self::from(view) })
    }

    /// The value under `key`: the one call that every hit makes.
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
