//! The results of a call for many ids.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

use serde::de::DeserializeOwned;

use crate::error::Error;

/// A collection that [`many_with_cache`](crate::MrcClient::many_with_cache) returns.
pub trait FromMany<Id>: Sized {
    /// The value of one id.
    ///
    /// A `Vec` takes all rows of the id, an `Option` its row or none. Any other type takes its row.
    /// Several rows are then an error.
    type Value: DeserializeOwned;

    /// Returns the collection of these values. They have the order of the ids. `None` stands for an
    /// id without a row.
    ///
    /// # Errors
    /// [`Error::Decode`]: the collection needs a row of each id.
    fn from_many(values: Vec<(Id, Option<Self::Value>)>) -> Result<Self, Error>;
}

impl<Id: Eq + Hash, T: DeserializeOwned, S: BuildHasher + Default> FromMany<Id> for HashMap<Id, T, S> {
    type Value = T;

    fn from_many(values: Vec<(Id, Option<T>)>) -> Result<Self, Error> {
        Ok(values.into_iter().filter_map(|(id, value)| Some((id, value?))).collect())
    }
}

impl<Id: Ord, T: DeserializeOwned> FromMany<Id> for BTreeMap<Id, T> {
    type Value = T;

    fn from_many(values: Vec<(Id, Option<T>)>) -> Result<Self, Error> {
        Ok(values.into_iter().filter_map(|(id, value)| Some((id, value?))).collect())
    }
}

impl<Id, T: DeserializeOwned> FromMany<Id> for Vec<T> {
    type Value = T;

    fn from_many(values: Vec<(Id, Option<T>)>) -> Result<Self, Error> {
        let place = |(at, (_, value)): (usize, (Id, Option<T>))| {
            value.ok_or_else(|| {
                Error::decode::<T>(format!("id {at}, counted from 0, has no row: ask for a `Vec<Option<…>>`, or a map"))
            })
        };
        values.into_iter().enumerate().map(place).collect()
    }
}
