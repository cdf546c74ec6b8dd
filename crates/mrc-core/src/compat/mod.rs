//! The keys of Python libraries: who makes the same key can drop, read and write the same entry.
//!
//! | library | what is here | the key in Redis |
//! |---|---|---|
//! | `simple-dep-cache` (PyPI) | [`simple_dep_key`] | `{prefix}:{key}` |
//! | the component `redis_cache` | [`redis_cache_key`] | `[{key_prefix}:]{key}` |
//! | `redis_func_cache` (PyPI) | [`func_cache_hash`] | a field of the hash that [`func_cache_keys`] names |
//!
//! None of them keeps apart what it hashes as these keys do for functions of Rust ([`FunctionKey`](crate::FunctionKey)): `f(1)` and `f("1")`
//! have one key in `simple-dep-cache`, and `redis_cache` sees neither the function nor its positional arguments.

mod pyjson;
mod pystr;
mod value;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use md5::{Digest as _, Md5};
use sha2::Sha256;

pub use value::PyValue;

/// The key that `redis_cache` 1.0 makes of a prefix and keyword arguments (`generate_cache_key`), whatever their order.
///
/// ```
/// use mrc_core::compat::redis_cache_key;
///
/// assert_eq!(redis_cache_key("tasks", &[("user_id", 123.into())]), "tasks:a0238afa112aaf87");
/// ```
pub fn redis_cache_key(prefix: &str, params: &[(&str, PyValue)]) -> String {
    let pairs = sorted(params).into_iter().map(|(name, value)| PyValue::List(vec![(*name).into(), value.clone()]));
    let mut json = Vec::new();
    pyjson::write(&PyValue::List(pairs.collect()), pyjson::Order::Sorted, &mut json);
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
    let kwargs = sorted(kwargs).into_iter().map(|(name, value)| format!("{name}={value}"));
    let parts: Vec<String> = args.chain(kwargs).collect();
    format!("{:x}", Md5::digest(format!("{module}.{qualname}({})", parts.join(","))))
}

/// How a policy of `redis_func_cache` hashes calls: the name of its mixin. With `use_bytecode=True` or Pickle, only CPython can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FuncCacheHash {
    /// `JsonSha1HexHashMixin`
    JsonSha1Hex,
    /// `JsonMd5Base64HashMixin`
    JsonMd5Base64,
}

/// The field under which `redis_func_cache` 0.8 keeps the result of a call, where its `HashConfig` says `use_bytecode=False`.
///
/// The order of `kwargs` is that of the call: another order is another field there.
///
/// ```
/// use mrc_core::compat::{FuncCacheHash, func_cache_hash};
///
/// let field = func_cache_hash(FuncCacheHash::JsonMd5Base64, "app.users", "get_user", &[123.into()], &[]);
/// assert_eq!(field, "11j6EjyqdeZO6pM+RmzvSA");
/// ```
pub fn func_cache_hash(
    hash: FuncCacheHash,
    module: &str,
    qualname: &str,
    args: &[PyValue],
    kwargs: &[(&str, PyValue)],
) -> String {
    let mut text = format!("{module}:{qualname}").into_bytes();
    let kwargs = kwargs.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    for part in [PyValue::List(args.to_vec()), PyValue::Dict(kwargs.collect())] {
        pyjson::write(&part, pyjson::Order::Given, &mut text);
    }
    match hash {
        FuncCacheHash::JsonSha1Hex => sha1_smol::Sha1::from(&text).digest().to_string(),
        FuncCacheHash::JsonMd5Base64 => STANDARD_NO_PAD.encode(Md5::digest(&text)),
    }
}

/// The two keys of a cache of `redis_func_cache` with a single policy: the index (a sorted set; for `rr` a set) and the hash of results.
///
/// `prefix` is `func-cache:` unless the cache says otherwise; `policy` is the policy's `__key__`: `fifo`, `fifo_t`, `lfu`, `lru`, `lru_t`,
/// `mru` or `rr`.
pub fn func_cache_keys(prefix: &str, name: &str, policy: &str) -> [String; 2] {
    [0, 1].map(|part| format!("{prefix}{name}:{policy}:{part}"))
}

/// The same with a policy for clusters, whose `__key__` ends in `-c`: both keys are in one slot.
pub fn func_cache_cluster_keys(prefix: &str, name: &str, policy: &str) -> [String; 2] {
    [0, 1].map(|part| format!("{prefix}{{{name}:{policy}-c}}:{part}"))
}

/// By name, in the order of code points, as Python sorts.
fn sorted<T: AsRef<str>>(members: &[(T, PyValue)]) -> Vec<&(T, PyValue)> {
    let mut members: Vec<_> = members.iter().collect();
    members.sort_by(|(one, _), (other, _)| one.as_ref().cmp(other.as_ref()));
    members
}

#[cfg(test)]
mod tests;
