//! One entry of a cache.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use mrc_core::Key;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Cache;
use crate::error::Error;
use crate::spec::Spec;

/// One entry of a cache, of the type `T`: what [`Cache::entry`] returns, and the companion that `#[cached]` makes of a function.
pub struct Entry<T> {
    cache: Cache,
    spec: Spec,
    of: PhantomData<fn() -> T>,
}

impl<T> Entry<T> {
    pub(super) fn new(cache: Cache, spec: Spec) -> Self {
        Self { cache, spec, of: PhantomData }
    }

    /// Its key, as it lies in the store.
    ///
    /// # Errors
    /// [`Error::FunctionKey`].
    pub fn key(&self) -> Result<Key, Error> {
        self.cache.key(self.spec.clone())
    }

    /// Its value, if there is one: see [`Cache::get`].
    ///
    /// # Errors
    /// As there.
    pub async fn get(&self) -> Result<Option<T>, Error>
    where
        T: DeserializeOwned,
    {
        self.cache.get(self.spec.clone()).await
    }

    /// Stores a value, whatever is there: see [`Cache::set`].
    ///
    /// # Errors
    /// As there.
    pub async fn set(&self, value: &T) -> Result<bool, Error>
    where
        T: Serialize,
    {
        self.cache.set(self.spec.clone(), value).await
    }

    /// Removes it: see [`Cache::remove`].
    ///
    /// # Errors
    /// As there.
    pub async fn remove(&self) -> Result<bool, Error> {
        self.cache.remove(self.spec.clone()).await
    }

    /// What is left of its life: see [`Cache::ttl`].
    ///
    /// # Errors
    /// As there.
    pub async fn ttl(&self) -> Result<Option<Duration>, Error> {
        self.cache.ttl(self.spec.clone()).await
    }
}

impl<T> fmt::Debug for Entry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("cache", &self.cache).field("spec", &self.spec).finish()
    }
}
