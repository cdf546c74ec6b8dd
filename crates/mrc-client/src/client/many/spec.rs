//! The description of a query for many ids.

use std::borrow::Cow;
use std::time::Duration;

use mrc_core::{Param, Params, Value};
use mrc_store::ExecuteError;

use crate::client::query::Query;
use crate::error::Error;

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
/// # let _ = users;
/// ```
///
/// Both statements must select the same columns in the same order, and return the same rows of an
/// id in the same order. A `LIMIT` counts rows of all ids together, so neither may have one.
#[derive(Debug, Clone)]
#[must_use = "a description of a query does nothing until a client gets it"]
pub struct Many {
    pub(super) single: Query<'static>,
    batch: Option<Query<'static>>,
    pub(super) column: Cow<'static, str>,
    name: Cow<'static, str>,
    pub(super) before: Params,
    pub(super) after: Params,
    pub(super) most: usize,
    pub(super) tick: Duration,
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
    /// # use mrc_client::Many;
    /// use mrc_core::params;
    ///
    /// let orders = Many::new("SELECT id, total FROM orders WHERE store_id = ? AND id = ?", "id", "OrderId")
    ///     .batch("SELECT id, total FROM orders WHERE store_id = ? AND id IN (?)")
    ///     .params_before(params! { "StoreId" => 6 });
    /// # let _ = orders;
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

    pub(super) fn statement(&self) -> Result<&Query<'static>, Error> {
        let none = "this `Many` has no statement for many ids: give it `.batch(\"… IN (?)\")`";
        self.batch.as_ref().ok_or_else(|| Error::Config(none.into()))
    }

    /// Returns the params of one id, or of a list of ids.
    pub(super) fn params(&self, id: Value) -> Params {
        let id = Param { name: Some(self.name.clone()), value: id };
        self.before.iter().cloned().chain([id]).chain(self.after.iter().cloned()).collect()
    }

    pub(super) fn check_id(&self, id: &Value) -> Result<(), Error> {
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
