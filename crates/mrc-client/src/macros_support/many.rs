//! The expansion of `#[cached(many)]`.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::hash::Hash;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Carrier;
use crate::frame;
use crate::{Cache, Error, Many, Source, Spec};

/// The return type of a function of many ids.
#[diagnostic::on_unimplemented(
    message = "a function of `&[{Id}]` with `many` returns `HashMap<{Id}, T>` or `Result<HashMap<{Id}, T>, E>`",
    label = "this function returns `{Self}`"
)]
pub trait Map<Id>: Sized {
    type Value;

    /// Calls [`Cache::get_many`].
    fn get_many<S, F, Fut>(cache: &Cache, ids: &[Id], spec: S, function: F) -> impl Future<Output = Self>
    where
        S: Fn(&Id) -> Spec,
        F: Fn(Vec<Id>) -> Fut,
        Fut: Future<Output = Self>;
}

impl<Id, T, E> Map<Id> for Result<HashMap<Id, T>, E>
where
    Id: Clone + Eq + Hash,
    T: Serialize + DeserializeOwned,
    E: Carrier + fmt::Display,
{
    type Value = T;

    async fn get_many<S, F, Fut>(cache: &Cache, ids: &[Id], spec: S, function: F) -> Self
    where
        S: Fn(&Id) -> Spec,
        F: Fn(Vec<Id>) -> Fut,
        Fut: Future<Output = Self>,
    {
        cache.get_many(ids.iter().cloned(), spec, function).await
    }
}

/// If the cache fails, the function runs for all ids.
impl<Id, T> Map<Id> for HashMap<Id, T>
where
    Id: Clone + Eq + Hash,
    T: Serialize + DeserializeOwned,
{
    type Value = T;

    async fn get_many<S, F, Fut>(cache: &Cache, ids: &[Id], spec: S, function: F) -> Self
    where
        S: Fn(&Id) -> Spec,
        F: Fn(Vec<Id>) -> Fut,
        Fut: Future<Output = Self>,
    {
        let function = &function;
        let of_missing = |ids| async move { Ok::<_, Error>(function(ids).await) };
        match cache.endless().get_many(ids.iter().cloned(), spec, of_missing).await {
            Ok(found) => found,
            Err(_) => {
                // The tags of the specs aren't known here: no entry that reads the values is
                // stored.
                frame::lose_tags();
                frame::answered(Source::Computed);
                let mut all = HashMap::with_capacity(ids.len());
                for ids in ids.chunks(Many::MOST) {
                    all.extend(function(ids.to_vec()).await);
                }
                all
            }
        }
    }
}

/// Returns the body. If the body can't run twice, the compiler points into the body.
pub fn repeatable<R, Id, F: AsyncFn(&[Id]) -> R>(body: F) -> F {
    body
}
