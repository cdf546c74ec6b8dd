//! The spec of a cached function's call: its key, its TTL, its tags.

use mrc_core::{FunctionKey, Tag, Ttl};
use serde::Serialize;

/// The entry of one call: the function's name and arguments, the TTL, and the tags.
///
/// ```
/// use mrc_client::Spec;
///
/// let feed = Spec::of("shop::feed").version(2).param("user_id", 42).ttl(60).tag("user:42");
/// let plain: Spec = "greeting".into(); // an entry by name, without arguments
/// # let _ = (feed, plain);
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
    pub fn of(name: impl Into<std::borrow::Cow<'static, str>>) -> Self {
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

    /// Sets the TTL: a [`Duration`](std::time::Duration), or whole seconds. Default: the cache's.
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
