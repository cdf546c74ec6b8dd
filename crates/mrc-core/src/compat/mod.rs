//! The keys of Python libraries. With the same key, mrc reads, writes and drops the same entry.
//!
//! | library | item | the key in Redis |
//! |---|---|---|
//! | `simple-dep-cache` (PyPI) | [`simple_dep_key`] | `{prefix}:{key}` |
//! | the component `redis_cache` | [`redis_cache_key`] | `[{key_prefix}:]{key}` |
//! | `redis_func_cache` (PyPI) | [`FuncCall`] | a field of a hash, in a cache with a bound |
//!
//! They distinguish less than a [`FunctionKey`]. `simple-dep-cache` has one key
//! for `f(1)` and `f("1")`; `redis_cache` sees neither the function nor positional arguments.

mod value;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use md5::{Digest as _, Md5};
use sha2::{Sha256, Sha512};

use self::value::PyPrint;
pub use self::value::PyValue;
use crate::key::FunctionKey;

/// Returns the key of `redis_cache` 1.0 (`generate_cache_key`), whatever the order of `params`.
///
/// ```
/// use mrc_core::compat::redis_cache_key;
///
/// assert_eq!(redis_cache_key("tasks", &[("user_id", 123.into())]), "tasks:a0238afa112aaf87");
/// ```
pub fn redis_cache_key(prefix: &str, params: &[(&str, PyValue)]) -> String {
    let pairs =
        value::sorted(params).into_iter().map(|(name, value)| PyValue::List(vec![(*name).into(), value.clone()]));
    let mut json = Vec::new();
    value::write(&PyValue::List(pairs.collect()), PyPrint::SortedJson, &mut json);
    let hex = format!("{:x}", Sha256::digest(&json));
    format!("{prefix}:{hex:.16}")
}

/// Returns the key in `simple-dep-cache` 0.3, by the function's `__module__` and `__qualname__`.
///
/// Python calls `f(1)` and `f(id=1)` two calls: pass arguments as Python does. If a class has its
/// own key (`__cache_key__`, `pk`, `id`), pass its text, such as `"User::7"`. Pass dates and
/// decimals as `str` prints them.
///
/// ```
/// use mrc_core::compat::simple_dep_key;
///
/// let key = simple_dep_key("app.users", "get_user", &[1.into()], &[("arg2", "test".into())]);
/// assert_eq!(key, "9b36c029e5daabe13605c3a0cff9baf7");
/// ```
pub fn simple_dep_key(module: &str, qualname: &str, args: &[PyValue], kwargs: &[(&str, PyValue)]) -> String {
    let args = args.iter().map(PyValue::to_string);
    let kwargs = value::sorted(kwargs).into_iter().map(|(name, value)| format!("{name}={value}"));
    let parts: Vec<String> = args.chain(kwargs).collect();
    format!("{:x}", Md5::digest(format!("{module}.{qualname}({})", parts.join(","))))
}

/// A call of a function that `redis_func_cache` 0.8 caches, for a cache that has its layout.
///
/// Python must hash calls by a `Json…HashMixin` with `use_bytecode=False`: only CPython makes
/// pickles and bytecode. Pass arguments as Python does: `f(1)`, `f(x=1)`, `f(x=1, y=2)` and
/// `f(y=2, x=1)` are four calls to it. With `excludes` there, pass the rest of its
/// `BoundArguments`: behind the first gap, all arguments are keyword arguments.
///
/// It becomes a [`FunctionKey`]. A cache takes it with a TTL and tags, but with no more arguments.
/// [`FunctionKey::key`] returns an error if no function is named or an argument is given twice.
///
/// ```
/// use mrc_core::FunctionKey;
/// use mrc_core::compat::{FuncCacheHash, FuncCall};
///
/// let call = FuncCall::new("app.users", "get_user").arg(123).arg("a").kwarg("x", 1).hash(FuncCacheHash::JsonSha1Hex);
/// // The field is 2cd39d32…, and stands in the key in hex once more.
/// assert!(FunctionKey::from(call).key()?.starts_with("app.users:get_user(3263643339643332"));
/// # Ok::<(), mrc_core::FunctionKeyError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct FuncCall {
    module: String,
    qualname: String,
    checksum: Option<String>,
    args: Vec<PyValue>,
    kwargs: Vec<(String, PyValue)>,
    hash: FuncCacheHash,
}

/// The text can't be the checksum of a function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} isn't the checksum of a function: it is the text between # and :0 in the first key that calc_keys returns, 22 characters"
)]
pub struct FuncChecksumError(String);

impl FuncCall {
    /// Returns a call without arguments, of the function with this `__module__` and `__qualname__`.
    pub fn new(module: impl Into<String>, qualname: impl Into<String>) -> Self {
        Self {
            module: module.into(),
            qualname: qualname.into(),
            checksum: None,
            args: Vec::new(),
            kwargs: Vec::new(),
            hash: FuncCacheHash::default(),
        }
    }

    /// Adds the next positional argument.
    pub fn arg(mut self, value: impl Into<PyValue>) -> Self {
        self.args.push(value.into());
        self
    }

    /// Adds the next keyword argument.
    pub fn kwarg(mut self, name: impl Into<String>, value: impl Into<PyValue>) -> Self {
        self.kwargs.push((name.into(), value.into()));
        self
    }

    /// Sets how Python hashes calls. Default: [`FuncCacheHash::JsonMd5`].
    pub fn hash(self, hash: FuncCacheHash) -> Self {
        Self { hash, ..self }
    }

    /// Sets the function's checksum, for a policy that has keys for each function
    /// (`LruMultiplePolicy`). Default: none, for functions that share their keys.
    ///
    /// Copy what Python prints: it covers the bytecode, so the function and CPython change it.
    ///
    /// ```python
    /// print(cache.policy.calc_keys(get_user.__wrapped__)[0])  # func-cache:nm:lru-m:app.users:get_user#<checksum>:0
    /// ```
    ///
    /// # Errors
    /// [`FuncChecksumError`] when the text isn't an MD5 in Base64 without padding.
    pub fn checksum(self, checksum: &str) -> Result<Self, FuncChecksumError> {
        match STANDARD_NO_PAD.decode(checksum) {
            Ok(md5) if md5.len() == 16 => Ok(Self { checksum: Some(checksum.to_owned()), ..self }),
            _ => Err(FuncChecksumError(checksum.to_owned())),
        }
    }

    /// Returns the field that holds the result in Python.
    fn field(&self) -> Vec<u8> {
        let mut text = format!("{}:{}", self.module, self.qualname).into_bytes();
        for part in [PyValue::List(self.args.clone()), PyValue::Dict(self.kwargs.clone())] {
            value::write(&part, PyPrint::Json, &mut text);
        }
        self.hash.of(&text)
    }

    /// Returns the name of a keyword argument that is given twice.
    fn given_twice(&self) -> Option<&str> {
        let names = || self.kwargs.iter().map(|(name, _)| name.as_str());
        names().enumerate().find_map(|(at, name)| names().take(at).any(|earlier| earlier == name).then_some(name))
    }
}

impl From<FuncCall> for FunctionKey {
    /// Makes `{module}:{qualname}[#{checksum}]({field in hex})`.
    fn from(call: FuncCall) -> Self {
        let FuncCall { module, qualname, checksum, .. } = &call;
        if module.is_empty() || qualname.is_empty() {
            return Self::of("");
        }
        let mut key = format!("{module}:{qualname}");
        if let Some(checksum) = checksum {
            key.extend(["#", checksum]);
        }
        // Writing into a String can't fail.
        _ = write!(key, "({})", hex(&call.field()));
        let key = Self::of(key);
        match call.given_twice() {
            Some(name) => key.arg(name, &()).arg(name, &()),
            None => key,
        }
    }
}

/// The hash of a policy of `redis_func_cache`: the mixin of this name and `HashMixin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum FuncCacheHash {
    /// `JsonMd5HashMixin`: MD5, as it is.
    #[default]
    JsonMd5,
    /// `JsonMd5HexHashMixin`: MD5 in hex.
    JsonMd5Hex,
    /// `JsonMd5Base64HashMixin`: MD5 in Base64, without padding.
    JsonMd5Base64,
    /// `JsonSha1HashMixin`: SHA-1, as it is.
    JsonSha1,
    /// `JsonSha1HexHashMixin`: SHA-1 in hex.
    JsonSha1Hex,
    /// `JsonSha1Base64HashMixin`: SHA-1 in Base64, without padding.
    JsonSha1Base64,
    /// `JsonSha256HashMixin`: SHA-256, as it is.
    JsonSha256,
    /// `JsonSha256HexHashMixin`: SHA-256 in hex.
    JsonSha256Hex,
    /// `JsonSha256Base64HashMixin`: SHA-256 in Base64, without padding.
    JsonSha256Base64,
    /// `JsonSha512HashMixin`: SHA-512, as it is.
    JsonSha512,
    /// `JsonSha512HexHashMixin`: SHA-512 in hex.
    JsonSha512Hex,
    /// `JsonSha512Base64HashMixin`: SHA-512 in Base64, without padding.
    JsonSha512Base64,
}

impl FuncCacheHash {
    /// All variants.
    pub const ALL: [Self; 12] = [
        Self::JsonMd5,
        Self::JsonMd5Hex,
        Self::JsonMd5Base64,
        Self::JsonSha1,
        Self::JsonSha1Hex,
        Self::JsonSha1Base64,
        Self::JsonSha256,
        Self::JsonSha256Hex,
        Self::JsonSha256Base64,
        Self::JsonSha512,
        Self::JsonSha512Hex,
        Self::JsonSha512Base64,
    ];

    fn of(self, text: &[u8]) -> Vec<u8> {
        use FuncCacheHash::*;
        let digest = match self {
            JsonMd5 | JsonMd5Hex | JsonMd5Base64 => Md5::digest(text).to_vec(),
            JsonSha1 | JsonSha1Hex | JsonSha1Base64 => sha1_smol::Sha1::from(text).digest().bytes().to_vec(),
            JsonSha256 | JsonSha256Hex | JsonSha256Base64 => Sha256::digest(text).to_vec(),
            JsonSha512 | JsonSha512Hex | JsonSha512Base64 => Sha512::digest(text).to_vec(),
        };
        match self {
            JsonMd5 | JsonSha1 | JsonSha256 | JsonSha512 => digest,
            JsonMd5Hex | JsonSha1Hex | JsonSha256Hex | JsonSha512Hex => hex(&digest).into(),
            JsonMd5Base64 | JsonSha1Base64 | JsonSha256Base64 | JsonSha512Base64 => {
                STANDARD_NO_PAD.encode(digest).into()
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests;
