//! One entry of a cache.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use mrc_core::Key;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Cache;
use super::spec::Spec;
use crate::codec::{Codec, Unfit};
use crate::error::Error;

/// One entry of type `T`: from [`Cache::entry`], or as the companion of a `#[cached]` function.
pub struct Entry<T> {
    cache: Cache,
    spec: Spec,
    decode: fn(Codec, &[u8]) -> Result<T, Unfit>,
    encode: fn(Codec, &T) -> Result<Bytes, Error>,
}

impl<T: Serialize + DeserializeOwned> Entry<T> {
    pub(super) fn new(cache: Cache, spec: Spec) -> Self {
        Self { cache, spec, decode: Codec::decode, encode: Codec::encode }
    }
}

impl<T: Serialize + DeserializeOwned, E> Entry<Result<T, E>> {
    /// Returns the entry of a function's `Ok`: its errors aren't stored.
    pub(crate) fn of_ok(cache: Cache, spec: Spec) -> Self {
        let encode = |codec: Codec, outcome: &Result<T, E>| match outcome {
            Ok(value) => codec.encode(value),
            Err(_) => Err(Error::encode("an error is no value of this entry: store an `Ok`")),
        };
        Self { cache, spec, decode: |codec, value| codec.decode(value).map(Ok), encode }
    }
}

impl<T> Entry<T> {
    /// Returns the entry's key, as the store has it.
    ///
    /// # Errors
    /// [`Error::FunctionKey`].
    pub fn key(&self) -> Result<Key, Error> {
        self.cache.key(self.spec.clone())
    }

    /// Returns the entry's value. Returns `None` if the cache doesn't have it: see [`Cache::get`].
    ///
    /// # Errors
    /// Those of [`Cache::get`].
    pub async fn get(&self) -> Result<Option<T>, Error> {
        self.cache.get_by(self.spec.clone(), self.decode).await
    }

    /// Stores a value, and replaces the entry's value: see [`Cache::set`].
    ///
    /// # Errors
    /// Those of [`Cache::set`].
    pub async fn set(&self, value: &T) -> Result<bool, Error> {
        self.cache.set_by(self.spec.clone(), value, self.encode).await
    }

    /// Removes the entry: see [`Cache::remove`].
    ///
    /// # Errors
    /// Those of [`Cache::remove`].
    pub async fn remove(&self) -> Result<bool, Error> {
        self.cache.remove(self.spec.clone()).await
    }

    /// Returns the entry's remaining TTL: see [`Cache::ttl`].
    ///
    /// # Errors
    /// Those of [`Cache::ttl`].
    pub async fn ttl(&self) -> Result<Option<Duration>, Error> {
        self.cache.ttl(self.spec.clone()).await
    }
}

impl Cache {
    /// Returns a handle to one entry, to read or change it more than once.
    ///
    /// ```
    /// # async fn example(cache: mrc_client::Cache) -> Result<(), mrc_client::Error> {
    /// let greeting = cache.entry::<String>("greeting");
    /// greeting.set(&"hello".into()).await?;
    /// assert_eq!(greeting.get().await?.as_deref(), Some("hello"));
    /// greeting.remove().await?;
    /// # Ok(()) }
    /// ```
    pub fn entry<T: Serialize + DeserializeOwned>(&self, spec: impl Into<Spec>) -> Entry<T> {
        Entry::new(self.clone(), spec.into())
    }
}

impl<T> fmt::Debug for Entry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("cache", &self.cache).field("spec", &self.spec).finish()
    }
}
