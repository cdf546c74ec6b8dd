//! The expansion of `#[cached]` and `#[invalidates]`, besides code that callers can write. Not API.

mod many;

use std::any::type_name;
use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;

use mrc_store::Bound;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Cache, Entry, Error, Spec};

pub use self::many::{Map, repeatable};

/// An argument that a key can contain.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't stand in the key of a cached call: it doesn't implement `Serialize`",
    label = "this argument is part of the key",
    note = "leave it out of the key by `skip(…)`, or choose what identifies a call by `key(…)`"
)]
pub trait Argument: Serialize {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + ?Sized> Argument for T {}

/// Calls [`Spec::param`]. Any other argument gets the error above.
pub fn param<T: Argument + ?Sized>(spec: Spec, name: &str, value: &T) -> Spec {
    spec.param(name, value)
}

/// An error that can carry an error of the cache.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't carry an error of the cache: it doesn't implement `From<mrc::Error>`",
    label = "the errors of this function",
    note = "with thiserror it is a variant: `Cache(#[from] mrc::Error)`"
)]
pub trait Carrier: From<Error> {}

#[diagnostic::do_not_recommend]
impl<E: From<Error>> Carrier for E {}

/// The return type of a function. A `Result` counts under any alias, but not as a type parameter.
///
/// A method of its own precedes a method of a trait: this tells the `Result`s apart.
pub struct Returns<T>(PhantomData<fn() -> T>);

impl<T> Returns<T> {
    #[expect(clippy::new_without_default, reason = "what #[cached] expands to calls it")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T, E> Returns<Result<T, E>> {
    pub fn kind(self) -> OkAlone {
        OkAlone
    }

    /// Returns the entry of the `Ok`.
    pub fn ok_entry(self, cache: &Cache, spec: Spec) -> Entry<T>
    where
        T: Serialize + DeserializeOwned,
    {
        cache.entry(spec)
    }

    /// Returns the entry of the whole `Result`, for a companion whose type only the alias names.
    pub fn entry(self, cache: &Cache, spec: Spec) -> Entry<Result<T, E>>
    where
        T: Serialize + DeserializeOwned,
    {
        Entry::of_ok(cache.clone(), spec)
    }
}

/// Does the same for every other type.
pub trait OfAnyType<T>: Sized {
    fn kind(self) -> Whole {
        Whole
    }

    fn entry(self, cache: &Cache, spec: Spec) -> Entry<T>
    where
        T: Serialize + DeserializeOwned,
    {
        cache.entry(spec)
    }
}

impl<T> OfAnyType<T> for Returns<T> {}

/// The function may fail, and its errors aren't cached.
pub struct OkAlone;

impl OkAlone {
    pub fn get<T, E, F, Fut>(self, cache: &Cache, spec: Spec, function: F) -> impl Future<Output = Result<T, E>>
    where
        T: Serialize + DeserializeOwned,
        E: Carrier + fmt::Display,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        cache.get_or_try(spec, function)
    }
}

/// The function's result is cached as it is.
pub struct Whole;

impl Whole {
    pub fn get<T, F, Fut>(self, cache: &Cache, spec: Spec, function: F) -> impl Future<Output = T>
    where
        T: Serialize + DeserializeOwned,
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        cache.get_or(spec, function)
    }
}

/// A value that may be absent.
#[diagnostic::on_unimplemented(
    message = "`skip_none` is for what returns `Option<T>` or `Result<Option<T>, E>`",
    label = "this function returns `{Self}`"
)]
pub trait Optional {
    fn is_nothing(&self) -> bool;
}

impl<T> Optional for Option<T> {
    fn is_nothing(&self) -> bool {
        self.is_none()
    }
}

impl<T, E> Optional for Result<Option<T>, E> {
    fn is_nothing(&self) -> bool {
        matches!(self, Ok(None))
    }
}

pub fn is_nothing<T: Optional>(outcome: &T) -> bool {
    outcome.is_nothing()
}

/// A value that may be an error.
#[diagnostic::on_unimplemented(
    message = "`cache_err` is for what returns `Result<T, E>`",
    label = "this function returns `{Self}`"
)]
pub trait Fallible {
    type Ok;
    type Err;

    fn as_outcome(&self) -> &Result<Self::Ok, Self::Err>;
}

impl<T, E> Fallible for Result<T, E> {
    type Ok = T;
    type Err = E;

    fn as_outcome(&self) -> &Self {
        self
    }
}

pub fn as_outcome<R: Fallible>(outcome: &R) -> &Result<R::Ok, R::Err> {
    outcome.as_outcome()
}

/// A return type that can carry the error of an invalidation.
#[diagnostic::on_unimplemented(
    message = "an invalidation can fail, and nobody would hear of it: return a `Result<T, E>` with `E: From<mrc::Error>`",
    label = "this function returns `{Self}`"
)]
pub trait Heard {
    type Ok;
    type Err;

    fn outcome(self) -> Result<Self::Ok, Self::Err>;
}

impl<T, E> Heard for Result<T, E> {
    type Ok = T;
    type Err = E;

    fn outcome(self) -> Self {
        self
    }
}

pub fn outcome<R: Heard>(outcome: R) -> Result<R::Ok, R::Err> {
    outcome.outcome()
}

/// Returns the function's own part of a cache. Each call returns the error of an unusable bound.
pub fn bounded(cache: &Cache, bound: Bound) -> Cache {
    cache.bounded(bound.per_function()).unwrap_or_else(|error| cache.failing(error))
}

pub fn failed<T, E: Carrier>(error: Error) -> Result<T, E> {
    Err(error.into())
}

/// Returns the path of the function that made `closure`, without its own type arguments, and with
/// `name` as its last part.
///
/// The path contains the type of a method, with its arguments, and the outer function of a nested
/// one. `module_path!` omits both.
pub fn identity<C>(closure: &C, name: &'static str) -> Cow<'static, str> {
    let path = path_of(closure);
    let (parent, own) = split(path);
    if own == name { path.into() } else { format!("{parent}::{name}").into() }
}

/// Returns the identity that a caller chose, with the arguments of a generic type.
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

/// Returns `shop::feed` for `shop::feed<u8, fn(u8) -> u8>`.
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
