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

/// One entry of a cache, of the type `T`: what [`Cache::entry`] returns, and the companion that `#[cached]` makes of a function.
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
    /// The entry of a function's `Ok`: its errors aren't stored.
    pub(crate) fn of_ok(cache: Cache, spec: Spec) -> Self {
        let encode = |codec: Codec, outcome: &Result<T, E>| match outcome {
            Ok(value) => codec.encode(value),
            Err(_) => Err(Error::encode("an error is no value of this entry: store an `Ok`")),
        };
        Self { cache, spec, decode: |codec, value| codec.decode(value).map(Ok), encode }
    }
}

impl<T> Entry<T> {
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
    pub async fn get(&self) -> Result<Option<T>, Error> {
        self.cache.get_by(self.spec.clone(), self.decode).await
    }

    /// Stores a value, whatever is there: see [`Cache::set`].
    ///
    /// # Errors
    /// As there.
    pub async fn set(&self, value: &T) -> Result<bool, Error> {
        self.cache.set_by(self.spec.clone(), value, self.encode).await
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

impl Cache {
    /// One entry, to look at or to change more than once.
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
