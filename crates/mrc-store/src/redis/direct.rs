//! A store in Redis by its type, so that a hit needs no box.

use std::sync::Arc;

use super::bounded::BoundedRedis;
use super::store::RedisStore;
use crate::sealed::Ours;
use crate::store::CacheStore;

/// A store in Redis, or a view of one.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub enum Direct {
    Whole(Arc<RedisStore>),
    Bounded(Arc<BoundedRedis>),
}

/// Returns the store by its type. Returns `None` if it isn't in Redis.
#[doc(hidden)]
pub fn direct(store: &Arc<dyn CacheStore>) -> Option<Direct> {
    let store = Arc::clone(store).into_any(Ours::PROOF);
    Arc::downcast(store).map(Direct::Whole).or_else(|store| Arc::downcast(store).map(Direct::Bounded)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bound::{Bound, Policy};
    use crate::redis::RedisConfig;

    #[test]
    fn stores_in_redis_are_known_by_their_type() {
        let config = RedisConfig::from_url("redis://127.0.0.1:6379").unwrap();
        let store: Arc<dyn CacheStore> = Arc::new(RedisStore::new(config).unwrap());
        assert!(matches!(direct(&store), Some(Direct::Whole(_))));
        let view = store.bounded("app", &Bound::new(Policy::Lru)).unwrap();
        assert!(matches!(direct(&view), Some(Direct::Bounded(_))));
    }
}
