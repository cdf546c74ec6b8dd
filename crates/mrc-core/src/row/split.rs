//! The rows of a batch, apart by the value of one column.

use std::collections::HashMap;

use bytes::Bytes;

use super::{Cell, Column, ColumnKind, RowError, canonical};
use crate::value::Value;

/// The documents of a batch: one for each value that was asked for.
#[derive(Debug, Default)]
pub(super) struct Split {
    column: String,
    asked: Vec<Value>,
    /// The column's place among the cells.
    pub(super) at: Option<usize>,
    /// The document of each value, by the value's text.
    places: HashMap<Box<[u8]>, usize>,
    /// The document of each value: that of the first value with its text.
    same: Vec<usize>,
    /// The rows of each value, with a bracket or comma before each. Empty without rows.
    documents: Vec<Vec<u8>>,
    /// The document of the open row.
    open: Option<usize>,
    scratch: Vec<u8>,
    /// The bytes of all documents.
    pub(super) bytes: usize,
}

impl Split {
    pub(super) fn new(column: String, asked: Vec<Value>) -> Self {
        let documents = vec![Vec::new(); asked.len()];
        let same = (0..asked.len()).collect();
        Self { column, asked, same, documents, ..Self::default() }
    }

    /// Finds the column, and writes each value as the column's cells are written.
    pub(super) fn columns(&mut self, columns: &[Column]) -> Result<(), RowError> {
        let mut named = columns.iter().enumerate().filter(|(_, column)| column.name == self.column);
        let (Some((at, column)), None) = (named.next(), named.next()) else {
            return Err(RowError::NoSplitColumn { name: self.column.clone() });
        };
        self.at = Some(at);
        for (place, value) in self.asked.iter().enumerate() {
            let cell = cell_of(value, column.kind);
            if cell == Cell::Null {
                continue;
            }
            self.scratch.clear();
            canonical::write(cell, column, &mut self.scratch)?;
            let first = *self.places.entry(unquoted(&self.scratch).into()).or_insert(place);
            self.same.splice(place..=place, [first]);
        }
        Ok(())
    }

    /// Chooses the document of the open row by its cell of the column.
    pub(super) fn choose(&mut self, cell: Cell<'_>, column: &Column) -> Result<(), RowError> {
        self.scratch.clear();
        canonical::write(cell, column, &mut self.scratch)?;
        let place = self.places.get(unquoted(&self.scratch)).copied();
        // The text `null` isn't NULL.
        self.open = place.filter(|_| cell != Cell::Null);
        if self.open.is_some() { Ok(()) } else { Err(RowError::NotAsked { column: self.column.clone() }) }
    }

    /// Adds a whole row to its document.
    pub(super) fn push(&mut self, row: &[u8]) {
        let Some(document) = self.open.take().and_then(|place| self.documents.get_mut(place)) else { return };
        document.push(if document.is_empty() { b'[' } else { b',' });
        document.extend_from_slice(row);
        self.bytes += row.len() + 1;
    }

    pub(super) fn finish(self) -> Vec<Bytes> {
        let whole = |mut document: Vec<u8>| {
            if document.is_empty() {
                return Bytes::from_static(b"[]");
            }
            document.push(b']');
            Bytes::from(document)
        };
        let documents: Vec<Bytes> = self.documents.into_iter().map(whole).collect();
        self.same.iter().filter_map(|first| documents.get(*first).cloned()).collect()
    }
}

/// Returns the text that tells a value from others of its column. Numbers and texts of the same
/// digits are one value, as they are to MySQL. The canonical format has one spelling a value.
fn unquoted(json: &[u8]) -> &[u8] {
    json.strip_prefix(b"\"").and_then(|json| json.strip_suffix(b"\"")).unwrap_or(json)
}

/// Returns a param as a cell of a column of this kind. Returns NULL, which has no rows, for a value
/// that can't tell rows apart.
fn cell_of(value: &Value, kind: ColumnKind) -> Cell<'_> {
    match value {
        Value::Bool(value) => Cell::Int(i64::from(*value)),
        Value::Int(value) => Cell::Int(*value),
        Value::UInt(value) => Cell::UInt(*value),
        Value::Decimal(digits) => Cell::Decimal(digits.as_str()),
        Value::Text(text) if kind == ColumnKind::Binary => Cell::Bytes(text.as_bytes()),
        Value::Text(text) => Cell::Text(text),
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if kind == ColumnKind::Text => Cell::Text(text),
            _ => Cell::Bytes(bytes),
        },
        Value::Date(date) => Cell::Date(*date),
        Value::DateTime(at) => Cell::DateTime(*at),
        Value::Time(time) => Cell::Time(*time),
        Value::Null | Value::Float(_) | Value::Json(_) | Value::List(_) => Cell::Null,
    }
}
