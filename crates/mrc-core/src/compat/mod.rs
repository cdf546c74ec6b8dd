//! The keys of Python libraries: who makes the same key can drop, read and write the same entry.
//!
//! | library | what is here | the key in Redis |
//! |---|---|---|
//! | `simple-dep-cache` (PyPI) | [`simple_dep_key`] | `{prefix}:{key}` |
//! | the component `redis_cache` | [`redis_cache_key`] | `[{key_prefix}:]{key}` |
//! | `redis_func_cache` (PyPI) | [`FuncCall`] | a field of a hash, in a cache with a bound |
//!
//! None of them keeps apart what it hashes as these keys do for functions of Rust ([`FunctionKey`](crate::FunctionKey)): `f(1)` and `f("1")`
//! have one key in `simple-dep-cache`, and `redis_cache` sees neither the function nor its positional arguments.

mod func_cache;
mod pyjson;
mod pystr;
mod value;

use md5::{Digest as _, Md5};
use sha2::Sha256;

pub use func_cache::{FuncCacheHash, FuncCall, FuncChecksumError};
pub use value::PyValue;

/// The key that `redis_cache` 1.0 makes of a prefix and keyword arguments (`generate_cache_key`), whatever their order.
///
/// ```
/// use mrc_core::compat::redis_cache_key;
///
/// assert_eq!(redis_cache_key("tasks", &[("user_id", 123.into())]), "tasks:a0238afa112aaf87");
/// ```
pub fn redis_cache_key(prefix: &str, params: &[(&str, PyValue)]) -> String {
    let pairs =
        pyjson::sorted(params).into_iter().map(|(name, value)| PyValue::List(vec![(*name).into(), value.clone()]));
    let mut json = Vec::new();
    pyjson::write(&PyValue::List(pairs.collect()), pyjson::MemberOrder::Sorted, &mut json);
    let hex = format!("{:x}", Sha256::digest(&json));
    format!("{prefix}:{hex:.16}")
}

/// The key that `simple-dep-cache` 0.3 makes of a call: `module` and `qualname` are the function's `__module__` and `__qualname__`.
///
/// Python calls `f(1)` and `f(id=1)` two calls: give what is given there, the way it is given there. Arguments whose classes have a
/// key of their own (`__cache_key__`, `pk`, `id`) are given as its text, such as `"User::7"`; dates and decimals as `str` prints them.
///
/// ```
/// use mrc_core::compat::simple_dep_key;
///
/// let key = simple_dep_key("app.users", "get_user", &[1.into()], &[("arg2", "test".into())]);
/// assert_eq!(key, "9b36c029e5daabe13605c3a0cff9baf7");
/// ```
pub fn simple_dep_key(module: &str, qualname: &str, args: &[PyValue], kwargs: &[(&str, PyValue)]) -> String {
    let args = args.iter().map(PyValue::to_string);
    let kwargs = pyjson::sorted(kwargs).into_iter().map(|(name, value)| format!("{name}={value}"));
    let parts: Vec<String> = args.chain(kwargs).collect();
    format!("{:x}", Md5::digest(format!("{module}.{qualname}({})", parts.join(","))))
}

#[cfg(test)]
mod tests;
