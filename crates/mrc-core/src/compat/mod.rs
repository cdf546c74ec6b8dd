//! The keys of Python libraries. With the same key, mrc reads, writes and drops the same entry.
//!
//! | library | item | the key in Redis |
//! |---|---|---|
//! | `simple-dep-cache` (PyPI) | [`simple_dep_key`] | `{prefix}:{key}` |
//! | the component `redis_cache` | [`redis_cache_key`] | `[{key_prefix}:]{key}` |
//! | `redis_func_cache` (PyPI) | [`FuncCall`] | a field of a hash, in a cache with a bound |
//!
//! They distinguish less than a [`FunctionKey`](crate::FunctionKey). `simple-dep-cache` has one key
//! for `f(1)` and `f("1")`; `redis_cache` sees neither the function nor positional arguments.

mod func_cache;
mod value;

use md5::{Digest as _, Md5};
use sha2::Sha256;

pub use func_cache::{FuncCacheHash, FuncCall, FuncChecksumError};
pub use value::PyValue;

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
    value::write(&PyValue::List(pairs.collect()), value::PyPrint::SortedJson, &mut json);
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

#[cfg(test)]
mod tests;
