//! The parts of a cache with a bound.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use mrc_store::Bound;

use crate::error::Error;

/// The maximum number of parts of a cache: each has its own flights and claims, and stays.
const MOST: usize = 1_000;

pub(super) struct Parts<C>(RwLock<HashMap<Bound, C>>);

impl<C> Default for Parts<C> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<C: Clone> Parts<C> {
    pub(super) fn get_or_make(&self, bound: Bound, make: impl FnOnce(Bound) -> Result<C, Error>) -> Result<C, Error> {
        if let Some(part) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&bound) {
            return Ok(part.clone());
        }
        let mut parts = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(part) = parts.get(&bound) {
            return Ok(part.clone());
        }
        if parts.len() == MOST {
            let reason = format!("a cache has {MOST} parts at most: a bound must not depend on the call");
            return Err(Error::Config(reason));
        }
        let part = make(bound.clone())?;
        parts.insert(bound, part.clone());
        Ok(part)
    }
}

#[cfg(test)]
mod tests {
    use mrc_store::{MemoryStore, Policy};

    use super::*;
    use crate::Cache;

    #[test]
    fn a_bound_is_one_part_and_there_are_not_too_many() {
        let cache = Cache::builder(MemoryStore::new()).namespace("app").build().unwrap();
        let bound = |max| Bound::new(Policy::Lru).max(max);
        let of = |max| cache.bounded(bound(max)).map(|part| std::sync::Arc::as_ptr(&part.inner));
        for max in 1..=MOST {
            assert_eq!(of(max).unwrap(), of(max).unwrap());
        }
        assert_ne!(of(1).unwrap(), of(2).unwrap());
        assert!(of(MOST + 1).unwrap_err().to_string().contains("must not depend on the call"));
        assert!(of(MOST).is_ok());
    }
}
