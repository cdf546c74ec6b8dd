//! A query: the text that runs, and the text that its key is made of. And the description of a
//! query for many ids, with the collections of its results.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};
use std::time::Duration;

use mrc_core::{Param, Params, Tag, Value};
use mrc_store::ExecuteError;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// A statement to run, and the text of its key. Usually a plain `&str`.
///
/// ```
/// use mrc_client::Query;
///
/// // The Python services write this statement with `%s`: hash their text, run ours.
/// let shared = Query::new("SELECT * FROM users WHERE id = ?").keyed_as("SELECT * FROM users WHERE id = %s");
/// let plain: Query<'_> = "SELECT 1".into();
/// let tagged = Query::new("SELECT * FROM orders WHERE store_id = ?").tag("orders").tag_by_params();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a query does nothing until a client gets it"]
pub struct Query<'a> {
    pub(crate) sql: Cow<'a, str>,
    pub(crate) keyed_as: Option<Cow<'a, str>>,
    pub(crate) trusted: bool,
    pub(crate) tags: Vec<Tag>,
    pub(crate) tagged_by_params: bool,
}

impl<'a> Query<'a> {
    /// Returns the query of a statement, with `?` for each param.
    pub fn new(sql: impl Into<Cow<'a, str>>) -> Self {
        Self { sql: sql.into(), keyed_as: None, trusted: false, tags: Vec::new(), tagged_by_params: false }
    }

    /// Hashes another service's text, or your own name, for the key. Default: the statement itself.
    pub fn keyed_as(self, text: impl Into<Cow<'a, str>>) -> Self {
        Self { keyed_as: Some(text.into()), ..self }
    }

    /// Caches the statement although mrc can't tell that it only reads.
    ///
    /// For stored functions that only read, and for reads in a syntax that the check doesn't know.
    /// The result must depend on the params and the data alone.
    pub fn trust_read_only(self) -> Self {
        Self { trusted: true, ..self }
    }

    /// Adds a tag to the entry. The cost of its invalidation grows with its entries, not all keys.
    pub fn tag(mut self, tag: impl Into<Tag>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Adds a tag for each named param, such as `StoreId=6`. A drop by params can then use the
    /// index instead of a scan. Default: false.
    pub fn tag_by_params(self) -> Self {
        Self { tagged_by_params: true, ..self }
    }

    pub(crate) fn key_text(&self) -> &str {
        self.keyed_as.as_deref().unwrap_or(&self.sql)
    }
}

impl<'a> From<&'a str> for Query<'a> {
    fn from(sql: &'a str) -> Self {
        Self::new(sql)
    }
}

impl<'a> From<&'a String> for Query<'a> {
    fn from(sql: &'a String) -> Self {
        Self::new(sql.as_str())
    }
}

impl From<String> for Query<'_> {
    fn from(sql: String) -> Self {
        Self::new(sql)
    }
}

/// A query by id, and the statement that answers it for many ids at once.
///
/// Each id is an entry of its own, under the key of the query for one id. So
/// [`query_with_cache`](crate::MrcClient::query_with_cache), drops, tags and the peers share it.
///
/// ```
/// use mrc_client::Many;
///
/// // The query of one id, the column that tells rows apart, and the name of the id in the key.
/// let users = Many::new("SELECT id, name FROM users WHERE id = ?", "id", "UserId")
///     .batch("SELECT id, name FROM users WHERE id IN (?)");
/// ```
///
/// Both statements must select the same columns in the same order, and return the same rows of an
/// id in the same order. A `LIMIT` counts rows of all ids together, so neither may have one.
#[derive(Debug, Clone)]
#[must_use = "a description of a query does nothing until a client gets it"]
pub struct Many {
    pub(crate) single: Query<'static>,
    batch: Option<Query<'static>>,
    pub(crate) column: Cow<'static, str>,
    name: Cow<'static, str>,
    pub(crate) before: Params,
    pub(crate) after: Params,
    pub(crate) most: usize,
    pub(crate) tick: Duration,
}

impl Many {
    /// The default number of ids of one statement.
    pub const MOST: usize = 1_000;

    /// Returns the query of one id. `column` is the selected column that holds the id, and `name`
    /// is the name of the id's param. The query's tags and its other key are those of each entry.
    pub fn new(
        single: impl Into<Query<'static>>,
        column: impl Into<Cow<'static, str>>,
        name: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            single: single.into(),
            batch: None,
            column: column.into(),
            name: name.into(),
            before: Params::new(),
            after: Params::new(),
            most: Self::MOST,
            tick: Duration::ZERO,
        }
    }

    /// Sets the statement of many ids, with `IN (?)` for the ids. No default: each call needs it.
    pub fn batch(self, batch: impl Into<Query<'static>>) -> Self {
        Self { batch: Some(batch.into()), ..self }
    }

    /// Sets the params before the id's: the same ones in both statements. Default: none.
    ///
    /// ```
    /// # use mrc_core::params;
    /// let single = "SELECT id, total FROM orders WHERE store_id = ? AND id = ?";
    /// let orders = mrc_client::Many::new(single, "id", "OrderId")
    ///     .batch("SELECT id, total FROM orders WHERE store_id = ? AND id IN (?)")
    ///     .params_before(params! { "StoreId" => 6 });
    /// ```
    pub fn params_before(self, params: Params) -> Self {
        Self { before: params, ..self }
    }

    /// Sets the params after the id's: the same ones in both statements. Default: none.
    pub fn params_after(self, params: Params) -> Self {
        Self { after: params, ..self }
    }

    /// Sets the largest number of ids of one statement. More ids are read by several statements at
    /// the same time. Default: 1,000.
    pub fn at_most(self, ids: usize) -> Self {
        Self { most: ids.max(1), ..self }
    }

    /// Sets how long a [`Loader`](crate::Loader) gathers the ids of single calls before it asks the
    /// database. Zero gathers those of the tasks that are ready to run now. Default: zero.
    pub fn coalesce(self, tick: Duration) -> Self {
        Self { tick, ..self }
    }

    pub(crate) fn statement(&self) -> Result<&Query<'static>> {
        let none = "this `Many` has no statement for many ids: give it `.batch(\"… IN (?)\")`";
        self.batch.as_ref().ok_or_else(|| Error::Config(none.into()))
    }

    /// Returns the params of one id, or of a list of ids.
    pub(crate) fn params(&self, id: Value) -> Params {
        let id = Param { name: Some(self.name.clone()), value: id };
        self.before.iter().cloned().chain([id]).chain(self.after.iter().cloned()).collect()
    }

    pub(crate) fn check_id(&self, id: &Value) -> Result<()> {
        let reason = match id {
            Value::Null => "no row has the id NULL: leave it out",
            Value::Float(_) => "a float is no exact id: bind an integer or a decimal",
            Value::Json(_) | Value::List(_) => "rows can't be told apart by it: bind a number, a text, bytes or a date",
            _ => return Ok(()),
        };
        let (position, type_name) = (self.before.len() + 1, id.type_name());
        Err(ExecuteError::Param { position, type_name, reason: reason.into() }.into())
    }
}

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
    fn from_many(values: Vec<(Id, Option<Self::Value>)>) -> Result<Self>;
}

impl<Id: Eq + Hash, T: DeserializeOwned, S: BuildHasher + Default> FromMany<Id> for HashMap<Id, T, S> {
    type Value = T;

    fn from_many(values: Vec<(Id, Option<T>)>) -> Result<Self> {
        Ok(values.into_iter().filter_map(|(id, value)| Some((id, value?))).collect())
    }
}

impl<Id: Ord, T: DeserializeOwned> FromMany<Id> for BTreeMap<Id, T> {
    type Value = T;

    fn from_many(values: Vec<(Id, Option<T>)>) -> Result<Self> {
        Ok(values.into_iter().filter_map(|(id, value)| Some((id, value?))).collect())
    }
}

impl<Id, T: DeserializeOwned> FromMany<Id> for Vec<T> {
    type Value = T;

    fn from_many(values: Vec<(Id, Option<T>)>) -> Result<Self> {
        let place = |(at, (_, value)): (usize, (Id, Option<T>))| {
            value.ok_or_else(|| {
                Error::decode::<T>(format!("id {at}, counted from 0, has no row: ask for a `Vec<Option<…>>`, or a map"))
            })
        };
        values.into_iter().enumerate().map(place).collect()
    }
}
