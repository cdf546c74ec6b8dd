//! The rows of a batch, from the database.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use mrc_core::maybe_equal;
use mrc_core::statement::select_alike;
use mrc_core::{RowEncoder, RowError, Value};
use mrc_store::{ExecuteError, lock};

use crate::client::MrcClient;
use crate::client::inner::{ClientInner, Read};
use crate::client::query::{Many, Query};
use crate::compute::{Compute as _, Made};
use crate::error::Result;
use crate::frame::Said;
use crate::inherited::StoreId;
use crate::pipeline::many::Source;

/// The queries of a batch's ids.
#[derive(Debug, Clone)]
pub(super) struct Queries {
    client: Arc<ClientInner>,
    many: Many,
    statement: Query<'static>,
    ids: Vec<Value>,
}

impl Queries {
    pub(super) fn new(client: &MrcClient, many: &Many, statement: &Query<'static>) -> Self {
        Self { client: Arc::clone(&client.inner), many: many.clone(), statement: statement.clone(), ids: Vec::new() }
    }

    pub(super) fn push(&mut self, id: Value) {
        self.ids.push(id);
    }

    pub(super) fn id(&self, at: usize) -> Option<&Value> {
        self.ids.get(at)
    }

    pub(super) fn store_id(&self) -> StoreId {
        self.client.pipeline.store.id()
    }

    /// Returns the query of one id.
    pub(super) fn one(&self, at: usize) -> Read<'_> {
        let Query { sql, trusted, .. } = &self.many.single;
        let params = self.many.params(self.ids.get(at).cloned().unwrap_or(Value::Null));
        Read { client: &self.client, sql, params: Cow::Owned(params), trusted: *trusted }
    }

    /// Reads the rows of several ids, and makes sure that no text has the rows of another.
    ///
    /// To a collation, two texts may be one, such as `Ann` and `ann`: the query of one id finds the
    /// rows of both. A batch would give each row to the text of its spelling alone. So texts are
    /// asked for once more, without those that may be the same: then such a row is an error.
    async fn documents(&self, places: &[usize]) -> Result<Vec<Bytes>> {
        let mut documents = self.batch(places).await?;
        let (mut lacking, mut having) = (Vec::new(), Vec::new());
        for (at, (place, document)) in places.iter().zip(&documents).enumerate() {
            match self.ids.get(*place).and_then(text) {
                Some(_) if document.as_ref() == b"[]" => lacking.push((at, *place)),
                Some(text) => having.push((text, *place)),
                None => {}
            }
        }
        if lacking.len() < places.len() && !lacking.is_empty() {
            let asked: Vec<usize> = lacking.iter().map(|(_, place)| *place).collect();
            for ((at, _), document) in lacking.into_iter().zip(self.batch(&asked).await?) {
                if let Some(place) = documents.get_mut(at) {
                    *place = document;
                }
            }
        }
        let texts: Vec<&str> = having.iter().map(|(text, _)| *text).collect();
        let suspects = maybe_equal(&texts);
        let suspects = suspects.iter().filter_map(|at| Some(having.get(*at)?.1)).collect();
        for half in halves(suspects) {
            self.batch(&half).await?;
        }
        Ok(documents)
    }

    /// Reads the rows of several ids by one statement.
    async fn batch(&self, places: &[usize]) -> Result<Vec<Bytes>> {
        let ids: Vec<Value> = places.iter().filter_map(|at| self.ids.get(*at)).cloned().collect();
        let rows = RowEncoder::split(self.client.rows, self.many.column.clone(), ids.clone());
        let Query { sql, trusted, .. } = &self.statement;
        let rows = self.client.read_into(rows, sql, &self.many.params(Value::List(ids)), *trusted).await?;
        self.check_columns(places, &rows).await?;
        Ok(rows.finish_split().map_err(ExecuteError::from)?)
    }

    /// Compares the columns of the batch with those of the query of one id, unless the texts show
    /// that they are the same. Runs that query for one id if nobody has before.
    async fn check_columns(&self, places: &[usize], batch: &RowEncoder) -> Result<()> {
        let single = &self.many.single;
        if select_alike(&single.sql, &self.statement.sql) {
            return Ok(());
        }
        let text = self.client.texts.of(&single.sql);
        let known = Arc::clone(&lock(&text.columns));
        if is_alike(&known, batch) {
            return Ok(());
        }
        let Some(id) = places.first().and_then(|at| self.ids.get(*at)) else { return Ok(()) };
        let (rows, params) = (RowEncoder::new(self.client.rows), self.many.params(id.clone()));
        let rows = self.client.read_into(rows, &single.sql, &params, single.trusted).await?;
        let columns: Arc<[String]> = rows.column_names().map(str::to_owned).collect();
        *lock(&text.columns) = Arc::clone(&columns);
        if is_alike(&columns, batch) {
            return Ok(());
        }
        let batch: Vec<&str> = batch.column_names().collect();
        Err(ExecuteError::Row(RowError::OtherColumns { single: columns.join(", "), batch: batch.join(", ") }).into())
    }
}

fn is_alike(columns: &[String], batch: &RowEncoder) -> bool {
    columns.iter().map(String::as_str).eq(batch.column_names())
}

impl Source for Queries {
    const TAGS: bool = false;

    fn detached(&self, at: usize) -> Option<BoxFuture<'static, Result<Made>>> {
        self.one(at).detached()
    }

    fn most(&self) -> usize {
        self.many.most
    }

    async fn read(&self, _: StoreId, places: &[usize]) -> Result<Vec<Result<Made>>> {
        let documents = match places {
            [at] => {
                let Read { sql, params, trusted, .. } = self.one(*at);
                vec![self.client.read(sql, &params, trusted).await?]
            }
            places => self.documents(places).await?,
        };
        Ok(documents.into_iter().map(|value| Ok(Made { value, said: Said::default() })).collect())
    }
}

/// Returns a value that a column of texts is compared with.
fn text(id: &Value) -> Option<&str> {
    match id {
        Value::Text(text) => Some(text),
        Value::Bytes(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}

/// Returns halves of these places: of any two places, one half has exactly one.
fn halves(places: Vec<usize>) -> impl Iterator<Item = Vec<usize>> {
    let bits = usize::BITS - places.len().saturating_sub(1).leading_zeros();
    // Two numbers differ in a bit.
    let half = move |bit| places.iter().enumerate().filter(|(at, _)| at >> bit & 1 == 1).map(|(_, one)| *one).collect();
    (0..bits).map(half)
}
