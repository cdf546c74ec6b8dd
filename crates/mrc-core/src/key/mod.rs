//! Keys: `{name}={value}_…_{sha1 hex of the text}`, byte for byte as the peers compute them.
//!
//! A key must identify the statement and every param. A param without a name is refused. A key is
//! [ambiguous](Key::ambiguity) if a value's spelling isn't unique. Where only the type is in doubt,
//! a [mark](Key::mark) in the entry shows the type; otherwise the call bypasses the cache.

mod ambiguity;
mod canonical;
mod format;
mod function;
mod reading;

use std::fmt;

use crate::json;
use crate::param::{KeyError, Params};
use crate::value::Value;

pub use ambiguity::Ambiguity;
#[cfg(feature = "compat")]
pub(crate) use format::repr_str;
pub use format::{KeyFormat, UnknownKeyFormat};
pub use function::{FunctionKey, FunctionKeyError};
pub use reading::Mark;

/// The rules for keys: the format, and whether params need names.
///
/// ```
/// use mrc_core::{KeyScheme, params};
///
/// let key = KeyScheme::default().key("SELECT * FROM users WHERE id = ?", &params! { "UserId" => 123 })?;
/// assert_eq!(key.as_str(), "UserId=123_d6f3536ac027efd4916a172a39156f97c989bfd3");
/// # Ok::<(), mrc_core::KeyError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyScheme {
    format: KeyFormat,
    allow_unnamed: bool,
}

/// A key, and whether other params could have the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    text: String,
    mark: Mark,
    types: u64,
    /// In a box, since few keys have one and every call moves its key.
    ambiguity: Option<Box<Ambiguity>>,
}

/// The SHA-1 of a text, in hexadecimal: the last part of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TextHash([u8; 40]);

impl KeyScheme {
    /// Returns a scheme for keys in this format. It refuses params without a name.
    pub const fn new(format: KeyFormat) -> Self {
        Self { format, allow_unnamed: false }
    }

    /// Sets whether keys omit params without a name, as both peers do. Default: false, an error.
    ///
    /// Calls that differ only in such a param share an entry, so they must have one answer.
    #[must_use]
    pub const fn allow_unnamed(self, allow: bool) -> Self {
        Self { allow_unnamed: allow, ..self }
    }

    /// Returns the format of the keys.
    pub const fn format(self) -> KeyFormat {
        self.format
    }

    /// Returns the key of a text (a query's, or a function's signature) and its params.
    ///
    /// # Errors
    /// [`KeyError`] when a param has no usable name, or a value that no row can equal.
    pub fn key(self, text: &str, params: &Params) -> Result<Key, KeyError> {
        self.key_of(&TextHash::of(text), params)
    }

    /// Returns the key of a text that was hashed before.
    ///
    /// # Errors
    /// As [`key`](Self::key).
    pub fn key_of(self, hash: &TextHash, params: &Params) -> Result<Key, KeyError> {
        let mut out = Vec::with_capacity(40 + params.len() * 24);
        for (at, param) in params.iter().enumerate() {
            let Some(name) = &param.name else {
                if self.allow_unnamed {
                    continue;
                }
                return Err(KeyError::Unnamed { position: at + 1 });
            };
            check(at + 1, name, &param.value)?;
            write_segment(name, &param.value, self.format, &mut out);
            out.push(b'_');
        }
        let (mark, ambiguity) = match Ambiguity::find(self.format, params, &out) {
            None => reading::mark(params, self.format),
            bypasses => (Mark::default(), bypasses),
        };
        out.extend_from_slice(&hash.0);
        let text = json::into_text(out);
        Ok(Key { text, mark, types: reading::types(params, self.format), ambiguity: ambiguity.map(Box::new) })
    }

    /// Returns the key that the peer of this format computes for these lists. Nothing is refused.
    ///
    /// The lists may differ in length. The npm peer writes `undefined` for a name without a value;
    /// the PyPI peer omits the name. Both omit a value without a name. For tools that predict a
    /// peer's key; a cache uses [`key`](Self::key).
    pub fn peer_key(self, text: &str, values: &[Value], names: &[impl AsRef<str>]) -> String {
        let mut out = Vec::new();
        if !values.is_empty() {
            for (at, name) in names.iter().map(AsRef::as_ref).enumerate() {
                match (values.get(at), self.format) {
                    (Some(value), format) => write_segment(name, value, format, &mut out),
                    (None, KeyFormat::TypeScript) => out.extend_from_slice(format!("{name}=undefined").as_bytes()),
                    (None, KeyFormat::Python) => break,
                }
                out.push(b'_');
            }
        }
        out.extend_from_slice(&TextHash::of(text).0);
        String::from_utf8_lossy(&out).into_owned()
    }
}

impl Key {
    /// Returns a key that the caller knows to be unique.
    pub fn unambiguous(text: impl Into<String>) -> Self {
        Self { text: text.into(), mark: Mark::default(), types: 0, ambiguity: None }
    }

    /// Returns the key as Redis stores it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns why other params could have the same key. Returns `None` if no others can.
    pub fn ambiguity(&self) -> Option<&Ambiguity> {
        self.ambiguity.as_deref()
    }

    /// Returns why calls with this key bypass the cache. Returns `None` if they use the cache: the
    /// key is unique, or the [mark](Self::mark) distinguishes its entries from others.
    pub fn bypass(&self) -> Option<&Ambiguity> {
        self.ambiguity().filter(|ambiguity| ambiguity.bypasses())
    }

    /// Returns a number for the types of this key's params. If all calls of a text have one number,
    /// each placeholder has one type. An entry without a mark is then read as those types.
    pub fn types(&self) -> u64 {
        self.types
    }

    /// Returns the mark of the types of this key's params.
    pub fn mark(&self) -> &Mark {
        &self.mark
    }

    /// Returns the key as a string.
    pub fn into_string(self) -> String {
        self.text
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl AsRef<str> for Key {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl TextHash {
    /// Returns the hash of a text's UTF-8 bytes.
    pub fn of(text: &str) -> Self {
        let mut hex = [0; 40];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(sha1_smol::Sha1::from(text).digest().bytes()) {
            const DIGITS: &[u8; 16] = b"0123456789abcdef";
            pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
        Self(hex)
    }
}

impl fmt::Display for TextHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| write!(f, "{}", char::from(*digit)))
    }
}

fn write_segment(name: &str, value: &Value, format: KeyFormat, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    format.write(value, out);
}

fn check(position: usize, name: &str, value: &Value) -> Result<(), KeyError> {
    if name.is_empty() {
        return Err(KeyError::EmptyName { position });
    }
    if name.contains('=') {
        return Err(KeyError::NameWithEquals { name: name.to_owned() });
    }
    if value.is_too_deep() {
        return Err(KeyError::TooDeep { name: name.to_owned() });
    }
    let not_finite = |value: &Value| matches!(value, Value::Float(float) if !float.is_finite());
    match value {
        Value::List(values) if values.is_empty() => Err(KeyError::EmptyList { name: name.to_owned() }),
        Value::List(values) if values.iter().any(|value| matches!(value, Value::List(_))) => {
            Err(KeyError::NestedList { name: name.to_owned() })
        }
        Value::List(values) if values.iter().any(not_finite) => Err(KeyError::NotFinite { name: name.to_owned() }),
        value if not_finite(value) => Err(KeyError::NotFinite { name: name.to_owned() }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
