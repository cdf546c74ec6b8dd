//! One entry of a cache, and its spec: the key, the TTL and the tags of a cached function's call.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use mrc_core::{FunctionKey, Key, Tag, Ttl};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Cache;
use crate::codec::{Codec, Unfit};
use crate::error::{Error, Result};

/// The entry of one call: the function's name and arguments, the TTL, and the tags.
///
/// ```
/// use mrc_client::Spec;
///
/// let feed = Spec::of("shop::feed").version(2).param("user_id", 42).ttl(60).tag("user:42");
/// let plain: Spec = "greeting".into(); // an entry by name, without arguments
/// ```
#[derive(Debug, Clone)]
#[must_use = "a spec does nothing until a cache gets it"]
pub struct Spec {
    pub(crate) key: FunctionKey,
    pub(crate) ttl: Option<Ttl>,
    pub(crate) tags: Vec<Tag>,
}

impl Spec {
    /// Returns the entry of a function without arguments, or of any name in the namespace.
    pub fn of(name: impl Into<Cow<'static, str>>) -> Self {
        FunctionKey::of(name).into()
    }

    /// Sets the version of the function. Change it with the function's result: old entries are no
    /// longer found. Default: 0, which isn't written.
    pub fn version(self, version: u32) -> Self {
        Self { key: self.key.version(version), ..self }
    }

    /// Adds an argument, by name and type: `1`, `"1"` and `1.0` are three entries. If no key can be
    /// made of an argument, the call returns the error.
    pub fn param(self, name: &str, value: impl Serialize) -> Self {
        Self { key: self.key.arg(name, &value), ..self }
    }

    /// Sets the TTL: a [`Duration`], or whole seconds. Default: the cache's.
    pub fn ttl(self, ttl: impl Into<Ttl>) -> Self {
        Self { ttl: Some(ttl.into()), ..self }
    }

    /// Adds a tag to the entry. The function may add more while it runs:
    /// [`scope::tag`](fn@crate::scope::tag).
    pub fn tag(mut self, tag: impl Into<Tag>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Adds several tags.
    pub fn tags<T: Into<Tag>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags.extend(tags.into_iter().map(Into::into));
        self
    }
}

impl From<FunctionKey> for Spec {
    fn from(key: FunctionKey) -> Self {
        Self { key, ttl: None, tags: Vec::new() }
    }
}

#[cfg(feature = "compat")]
impl From<mrc_core::compat::FuncCall> for Spec {
    fn from(call: mrc_core::compat::FuncCall) -> Self {
        FunctionKey::from(call).into()
    }
}

impl From<&str> for Spec {
    fn from(name: &str) -> Self {
        Self::of(name.to_owned())
    }
}

impl From<String> for Spec {
    fn from(name: String) -> Self {
        Self::of(name)
    }
}

/// One entry of type `T`: from [`Cache::entry`], or as the companion of a `#[cached]` function.
pub struct Entry<T> {
    cache: Cache,
    spec: Spec,
    decode: fn(Codec, &[u8]) -> Result<T, Unfit>,
    encode: fn(Codec, &T) -> Result<Bytes>,
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
    /// Returns the entry's key, as the store has it, or [`Error::FunctionKey`].
    pub fn key(&self) -> Result<Key> {
        self.cache.key(self.spec.clone())
    }

    /// Returns the entry's value. Returns `None` if the cache doesn't have it: see [`Cache::get`],
    /// also for the errors.
    pub async fn get(&self) -> Result<Option<T>> {
        self.cache.get_by(self.spec.clone(), self.decode).await
    }

    /// Stores a value, and replaces the entry's value: see [`Cache::set`], also for the errors.
    pub async fn set(&self, value: &T) -> Result<bool> {
        self.cache.set_by(self.spec.clone(), value, self.encode).await
    }

    /// Removes the entry: see [`Cache::remove`], also for the errors.
    pub async fn remove(&self) -> Result<bool> {
        self.cache.remove(self.spec.clone()).await
    }

    /// Returns the entry's remaining TTL: see [`Cache::ttl`], also for the errors.
    pub async fn ttl(&self) -> Result<Option<Duration>> {
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
