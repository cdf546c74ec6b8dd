//! What a cached function's call is: its key, its TTL, its tags.

use mrc_core::{FunctionKey, Tag, Ttl};
use serde::Serialize;

/// The entry of one call: what is computed, of which arguments; how long it lives, and what invalidates it.
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
    /// The entry of a function without arguments, or of whatever has this name in its namespace.
    pub fn of(name: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        FunctionKey::of(name).into()
    }

    /// The version of the function: change it with what the function computes, and its old entries are forgotten. Default: 0, which isn't
    /// written.
    pub fn version(self, version: u32) -> Self {
        Self { key: self.key.version(version), ..self }
    }

    /// An argument, by name and type: `1`, `"1"` and `1.0` are three entries. An argument that no key can be made of is told by the call.
    pub fn param(self, name: &str, value: impl Serialize) -> Self {
        Self { key: self.key.arg(name, &value), ..self }
    }

    /// How long the entry lives: a [`Duration`](std::time::Duration), or whole seconds. Default: the cache's TTL.
    pub fn ttl(self, ttl: impl Into<Ttl>) -> Self {
        Self { ttl: Some(ttl.into()), ..self }
    }

    /// A tag of the entry. The function may add more while it runs: [`scope::tag`](fn@crate::scope::tag).
    pub fn tag(mut self, tag: impl Into<Tag>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Several tags.
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
