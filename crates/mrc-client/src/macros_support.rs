//! What the attributes `#[cached]` and `#[invalidates]` expand to, besides what a caller can write. No part of the API.

use std::any::type_name;
use std::borrow::Cow;
use std::fmt;
use std::future::Future;

use mrc_store::Bound;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Cache, Error, Spec};

/// An argument that can stand in a key.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't stand in the key of a cached call: it doesn't implement `Serialize`",
    label = "this argument is part of the key",
    note = "leave it out of the key by `skip(…)`, or choose what identifies a call by `key(…)`"
)]
pub trait Argument: Serialize {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + ?Sized> Argument for T {}

/// [`Spec::param`], with the error above for what can't be one.
pub fn param<T: Argument + ?Sized>(spec: Spec, name: &str, value: &T) -> Spec {
    spec.param(name, value)
}

/// An error that can be one of the cache's.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't carry an error of the cache: it doesn't implement `From<mrc::Error>`",
    label = "the errors of this function",
    note = "with thiserror it is a variant: `Cache(#[from] mrc::Error)`"
)]
pub trait Carrier: From<Error> {}

#[diagnostic::do_not_recommend]
impl<E: From<Error>> Carrier for E {}

pub fn get_or_try<T, E, F, Fut>(cache: &Cache, spec: Spec, function: F) -> impl Future<Output = Result<T, E>>
where
    T: Serialize + DeserializeOwned,
    E: Carrier + fmt::Display,
    F: FnOnce() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    cache.get_or_try(spec, function)
}

/// The part of a cache that is a function's own. A bound that can't be used is told by the call.
pub fn bounded(cache: &Cache, bound: Bound) -> Cache {
    cache.bounded(bound.per_function()).unwrap_or_else(|error| cache.failing(error))
}

pub fn failed<T, E: Carrier>(error: Error) -> Result<T, E> {
    Err(error.into())
}

/// The path of the function that `closure` was made in, its own type arguments apart, and with `name` in the place of its own.
///
/// It names the type that a method belongs to, with its arguments, and the function that a function was made in: `module_path!` does not.
pub fn identity<C>(closure: &C, name: &'static str) -> Cow<'static, str> {
    let path = path_of(closure);
    let (parent, own) = split(path);
    if own == name { path.into() } else { format!("{parent}::{name}").into() }
}

/// The identity that a caller chose; a type that has arguments stays in it.
pub fn prefixed<C>(closure: &C, path: &'static str) -> Cow<'static, str> {
    let (parent, _) = split(path_of(closure));
    match parent.find('<') {
        None => path.into(),
        Some(arguments) => format!("{path}{}", &parent[arguments..]).into(),
    }
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once("::").unwrap_or(("", path))
}

fn path_of<C>(_: &C) -> &'static str {
    let mut path = type_name::<C>();
    while let Some(outer) = path.strip_suffix("::{{closure}}") {
        path = outer;
    }
    without_arguments(path)
}

/// `shop::feed<u8, fn(u8) -> u8>` is `shop::feed`.
fn without_arguments(path: &str) -> &str {
    let mut depth = 0;
    for (at, char) in path.char_indices().rev() {
        match char {
            '>' if !path[..at].ends_with('-') => depth += 1,
            '<' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return if char == '<' { &path[..at] } else { path };
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_without_its_own_arguments_and_with_those_of_its_type() {
        let check = |path, expect| assert_eq!(without_arguments(path), expect);
        check("shop::feed", "shop::feed");
        check("shop::feed<'_, u8, fn(u8) -> Vec<u8>>", "shop::feed");
        check("shop::Repo<shop::User>::load", "shop::Repo<shop::User>::load");
        check("<shop::Repo<u8> as shop::Load>::load<u8>", "<shop::Repo<u8> as shop::Load>::load");
    }
}
