//! The store behind a client.

use std::sync::Arc;

use bytes::Bytes;
use mrc_store::{CacheStore, StoreError};

use crate::scope::StoreId;

/// A store by its trait; Redis by its type as well, so that a hit needs no box.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    shared: Arc<dyn CacheStore>,
    #[cfg(feature = "redis")]
    redis: Option<Arc<mrc_store::RedisStore>>,
}

impl Store {
    /// The store by its trait: for every call but a hit's.
    pub(crate) fn shared(&self) -> &Arc<dyn CacheStore> {
        &self.shared
    }

    /// Tells this store from others.
    pub(crate) fn id(&self) -> StoreId {
        Arc::as_ptr(&self.shared).cast::<()>().addr()
    }

    /// The value under `key`: the one call that every hit makes.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        #[cfg(feature = "redis")]
        if let Some(redis) = &self.redis {
            return redis.get_unboxed(key).await;
        }
        self.shared.get(key).await
    }
}

impl From<Arc<dyn CacheStore>> for Store {
    fn from(shared: Arc<dyn CacheStore>) -> Self {
        Self {
            #[cfg(feature = "redis")]
            redis: Arc::downcast(Arc::clone(&shared) as Arc<dyn std::any::Any + Send + Sync>).ok(),
            shared,
        }
    }
}
