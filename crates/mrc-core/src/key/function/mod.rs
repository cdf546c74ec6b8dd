//! The key of a function call: the function's identity and its arguments.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use serde::Serialize;

use super::TextHash;
use super::canonical::{self, Failure};
use crate::nesting::Nesting;

/// The longest arguments that a key shows as text, in bytes. Longer ones are hashed.
const READABLE: usize = 160;

/// The key of a cached function call: `identity@version(name=value,…)`.
///
/// Arguments are typed: `1`, `1.0`, `"1"`, `None` and `"None"` have five keys; `("a", "b")` and
/// `"a,b"` have two. Values that serialize alike share a key: an integer of any width, `x` and
/// `Some(x)`, a newtype and its content. Maps are sorted by their keys. A `HashSet` isn't: equal
/// sets can serialize in different orders, so that calls miss. Use a `BTreeSet`.
///
/// The key shows arguments of at most 160 bytes that have no control character and no brace. (A
/// brace would choose the node of a Redis cluster.) Other arguments are replaced by their SHA-1:
/// `identity@version(#…)`. The identity isn't escaped: `"f(x=1)"` has the key of that call of `f`.
///
/// ```
/// use mrc_core::FunctionKey;
///
/// let key = FunctionKey::of("shop::users::profile").version(2).arg("user_id", &42).arg("lang", &Some("de")).key()?;
/// assert_eq!(key, r#"shop::users::profile@2(user_id=42,lang="de")"#);
/// assert_eq!(FunctionKey::of("user:42").key()?, "user:42");
/// # Ok::<(), mrc_core::FunctionKeyError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct FunctionKey {
    identity: Cow<'static, str>,
    version: u32,
    args: Vec<u8>,
    /// The range of each name in `args`.
    names: Vec<Range<usize>>,
    failed: Option<FunctionKeyError>,
}

/// This call has no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FunctionKeyError {
    /// The identity is empty.
    #[error(
        "the identity of the function is empty: functions would share their entries; give its path, such as shop::users::profile"
    )]
    EmptyIdentity,
    /// Two arguments with one name.
    #[error("the argument {name} is given twice: give each argument a name of its own")]
    GivenTwice {
        /// The name.
        name: String,
    },
    /// NaN or an infinity.
    #[error(
        "the argument {name} has a number that is not finite: NaN is not even equal to itself; leave it out of the key, or refuse it before"
    )]
    NotFinite {
        /// The name of the argument.
        name: String,
    },
    /// A map with a key that is no string, number, bool or unit variant.
    #[error(
        "the argument {name} has a map whose keys are not text-like: pass it as a list of pairs, or leave it out of the key"
    )]
    MapKey {
        /// The name of the argument.
        name: String,
    },
    /// A value that nests deeper than [`Nesting::LEVELS`].
    #[error(
        "the argument {name} nests deeper than {} levels: pass what identifies it, or leave it out of the key",
        Nesting::LEVELS
    )]
    TooDeep {
        /// The name of the argument.
        name: String,
    },
    /// A value that can't be serialized.
    #[error("the argument {name} can't be serialized: {message}; pass what identifies it, or leave it out of the key")]
    Unserializable {
        /// The name of the argument.
        name: String,
        /// The message of its `Serialize`.
        message: String,
    },
}

impl FunctionKey {
    /// Starts a key with a function's path, unique in the cache's namespace, or with a literal key.
    pub fn of(identity: impl Into<Cow<'static, str>>) -> Self {
        let identity = identity.into();
        let failed = identity.is_empty().then_some(FunctionKeyError::EmptyIdentity);
        Self { identity, version: 0, args: Vec::new(), names: Vec::new(), failed }
    }

    /// Sets the version of the function. Each version has its own entries. Default: 0, not written.
    pub fn version(self, version: u32) -> Self {
        Self { version, ..self }
    }

    /// Adds an argument. The order counts: give arguments in the order of the signature.
    ///
    /// [`key`](Self::key) returns the first error.
    pub fn arg<T: Serialize + ?Sized>(mut self, name: &str, value: &T) -> Self {
        if self.failed.is_none() {
            self.failed = self.write(name, value).err();
        }
        self
    }

    /// Returns the key.
    ///
    /// # Errors
    /// [`FunctionKeyError`]: an empty identity, a repeated name, or an argument without a text.
    pub fn key(self) -> Result<String, FunctionKeyError> {
        if let Some(failed) = self.failed {
            return Err(failed);
        }
        if self.version == 0 && self.args.is_empty() {
            return Ok(self.identity.into_owned());
        }
        // At most `@4294967295(`, the arguments or `#` and their hash, and `)`.
        let mut key = String::with_capacity(self.identity.len() + 13 + self.args.len().clamp(41, READABLE));
        key.push_str(&self.identity);
        if self.version > 0 {
            // Writing into a `String` can't fail.
            _ = write!(key, "@{}", self.version);
        }
        if !self.args.is_empty() {
            let args = String::from_utf8_lossy(&self.args);
            key.push('(');
            let is_special = |char: char| char.is_control() || matches!(char, '{' | '}');
            if args.len() <= READABLE && !args.contains(is_special) {
                key.push_str(&args);
            } else {
                key.push('#');
                key.extend(TextHash::of(&args).0.map(char::from));
            }
            key.push(')');
        }
        Ok(key)
    }

    fn write<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), FunctionKeyError> {
        if self.args.is_empty() {
            self.args.reserve(64);
        } else {
            self.args.push(b',');
        }
        let start = self.args.len();
        canonical::write_name(name, &mut self.args);
        let range = start..self.args.len();
        let name = || name.to_owned();
        if self.names.iter().any(|earlier| self.args[earlier.clone()] == self.args[range.clone()]) {
            return Err(FunctionKeyError::GivenTwice { name: name() });
        }
        self.names.push(range);
        self.args.push(b'=');
        canonical::write(value, &mut self.args).map_err(|failure| match failure {
            Failure::NotFinite => FunctionKeyError::NotFinite { name: name() },
            Failure::MapKey => FunctionKeyError::MapKey { name: name() },
            Failure::TooDeep => FunctionKeyError::TooDeep { name: name() },
            Failure::Said(message) => FunctionKeyError::Unserializable { name: name(), message },
        })
    }
}

#[cfg(test)]
mod tests;
