//! The answer of a call: JSON, and its source.

use std::sync::Arc;

use bytes::Bytes;
use mrc_core::{RowEncoder, RowFormat};
use mrc_store::ExecuteError;
use serde::Deserialize;

use crate::codec;
use crate::error::Error;
use crate::frame;
use crate::inherited::Carried;
use crate::source::Source;

/// The JSON of a result, as the cache has it. It is decoded on request, or not at all.
///
/// ```
/// # use mrc_client::Answer;
/// # fn show(answer: Answer) -> Result<(), mrc_client::Error> {
/// #[derive(serde::Deserialize)]
/// struct Order<'a> {
///     id: u64,
///     #[serde(borrow)]
///     state: std::borrow::Cow<'a, str>, // borrows from the answer where the text has no escapes
/// }
///
/// let orders: Vec<Order<'_>> = answer.rows()?;
/// # let _ = orders.iter().map(|order| (order.id, &order.state)).count();
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    json: Bytes,
    source: Source,
    /// The tags of the entry. `None` if nobody has looked.
    tags: Option<Arc<Carried>>,
    /// The format of the reader's own rows.
    rows: RowFormat,
}

impl Answer {
    /// Returns the same answer, and notes its source if the task asks for it.
    pub(crate) fn noted(self) -> Self {
        frame::answered(self.source);
        self
    }

    pub(crate) fn cached(json: Bytes) -> Self {
        Self { json, source: Source::Cache, tags: None, rows: RowFormat::default() }
    }

    pub(crate) fn computed(json: Bytes) -> Self {
        Self { source: Source::Computed, ..Self::cached(json) }
    }

    pub(crate) fn stale(json: Bytes) -> Self {
        Self { source: Source::Stale, ..Self::cached(json) }
    }

    pub(crate) fn followed(self) -> Self {
        Self { source: Source::Followed, ..self }
    }

    pub(crate) fn tagged(self, tags: Carried) -> Self {
        Self { tags: Some(Arc::new(tags)), ..self }
    }

    pub(crate) fn of_rows(rows: RowEncoder) -> Result<Self, ExecuteError> {
        let format = rows.format();
        Ok(Self::computed(rows.finish()?).with_rows(format))
    }

    pub(crate) fn with_rows(self, rows: RowFormat) -> Self {
        Self { rows, ..self }
    }

    pub(crate) fn tags(&self) -> Option<&Carried> {
        self.tags.as_deref()
    }

    /// Returns the source of the answer.
    pub fn source(&self) -> Source {
        self.source
    }

    /// Returns whether the cache had the answer.
    pub fn is_hit(&self) -> bool {
        self.source == Source::Cache
    }

    /// Returns the rows, one `T` a row: a struct by the columns' names, a tuple by their order, or
    /// the type of a single column. `T` may borrow from the answer.
    ///
    /// The field's type decides how a column is read, in each row format: `0` and `1` as a `bool`,
    /// a BLOB as bytes, a DECIMAL with all its digits into a `String` or a `rust_decimal::Decimal`:
    /// [the table](mrc_core::RowsDeserializer). Cached bytes count as this client's [row
    /// format](crate::MrcClientBuilder::row_format), unless they name their own.
    ///
    /// ```
    /// # use mrc_client::Answer;
    /// # fn show(answer: Answer) -> Result<(), mrc_client::Error> {
    /// let by_order: Vec<(u64, bool)> = answer.rows()?; // SELECT id, is_open FROM orders
    /// let names: Vec<String> = answer.rows()?; // SELECT name FROM stores
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`Error::Decode`], with the place and the type: `[0].is_open: expected a boolean, found 7`.
    pub fn rows<'a, T: Deserialize<'a>>(&'a self) -> Result<Vec<T>, Error> {
        Ok(codec::from_rows(&self.json, self.rows)?)
    }

    /// Returns the one row, read like [`rows`](Self::rows). Returns `None` if there is no row.
    ///
    /// ```
    /// # use mrc_client::Answer;
    /// # fn show(answer: Answer) -> Result<(), mrc_client::Error> {
    /// let count: Option<u64> = answer.row()?; // SELECT COUNT(*) FROM orders
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Decode`]: as in `rows`, and if there are several rows.
    pub fn row<'a, T: Deserialize<'a>>(&'a self) -> Result<Option<T>, Error> {
        codec::one(self.rows()?)
    }

    /// Returns the whole document as one `T`, read like serde_json. `T` may borrow from the answer.
    ///
    /// # Errors
    /// [`Error::Decode`], with the place: the JSON isn't a `T`.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Error> {
        Ok(codec::from_json(&self.json)?)
    }

    /// Returns the JSON as text.
    ///
    /// # Errors
    /// [`Error::NotUtf8`]: neither this library nor a peer wrote the value.
    pub fn as_str(&self) -> Result<&str, Error> {
        codec::text(&self.json)
    }

    /// Returns the JSON, as the cache has it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.json
    }

    /// Returns the JSON, as the cache has it, unparsed.
    ///
    /// The bytes may share memory with other answers of one packet: copy them for long use.
    pub fn into_bytes(self) -> Bytes {
        self.json
    }
}
