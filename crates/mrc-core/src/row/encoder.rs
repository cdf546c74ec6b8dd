//! The encoder: it takes cells and writes JSON.

use bytes::Bytes;

use super::split::Split;
use super::{Cell, Column, RowError, RowFormat, canonical, python, typescript};
use crate::json;
use crate::value::Value;

/// Writes rows as a JSON array of objects, straight into one buffer.
///
/// ```
/// use mrc_core::{Cell, Column, ColumnKind, RowEncoder, RowFormat};
///
/// let mut rows = RowEncoder::new(RowFormat::Canonical);
/// rows.columns(&[Column::new("id", ColumnKind::Int), Column::new("price", ColumnKind::Decimal)])?;
/// rows.begin_row();
/// rows.cell(Cell::Int(6))?;
/// rows.cell(Cell::Decimal("10.50"))?;
/// rows.end_row();
/// assert_eq!(rows.finish()?, r#"[{"id":6,"price":10.5}]"#);
/// # Ok::<(), mrc_core::RowError>(())
/// ```
///
/// The first error stays: every later call returns it and writes nothing.
#[derive(Debug)]
pub struct RowEncoder {
    format: RowFormat,
    columns: Vec<Prepared>,
    /// An opening bracket, the whole rows so far, and the begun part of the open row.
    out: Vec<u8>,
    /// The place where the whole rows end and the open row begins.
    row_start: usize,
    /// The number of cells in the open row.
    cells: usize,
    in_row: bool,
    rows: u64,
    detour: Option<Detour>,
    split: Option<Split>,
    failed: Option<RowError>,
}

/// A column, and the text before each of its values: the brace or comma, and the name.
#[derive(Debug)]
struct Prepared {
    column: Column,
    lead: Vec<u8>,
}

/// A row whose members have another order than the columns. It waits here until it is whole.
#[derive(Debug)]
struct Detour {
    /// The column of each member.
    order: Vec<usize>,
    values: Vec<u8>,
    /// The end of each column's value in `values`.
    ends: Vec<usize>,
}

impl RowEncoder {
    /// Returns an encoder for one result.
    pub fn new(format: RowFormat) -> Self {
        Self {
            format,
            columns: Vec::new(),
            out: vec![b'['],
            row_start: 1,
            cells: 0,
            in_row: false,
            rows: 0,
            detour: None,
            split: None,
            failed: None,
        }
    }

    /// Returns an encoder for the result of a batch, which writes one array for each value in
    /// `asked`: the rows that have this value in `column`, in their order.
    ///
    /// A number and a text of the same digits are one value. See
    /// [`finish_split`](Self::finish_split).
    ///
    /// ```
    /// use mrc_core::{Cell, Column, ColumnKind, RowEncoder, RowFormat};
    ///
    /// let mut rows = RowEncoder::split(RowFormat::Canonical, "id", vec![6.into(), 7.into()]);
    /// rows.columns(&[Column::new("id", ColumnKind::Int)])?;
    /// rows.begin_row();
    /// rows.cell(Cell::Int(7))?;
    /// rows.end_row();
    /// assert_eq!(rows.finish_split()?, ["[]", r#"[{"id":7}]"#]);
    /// # Ok::<(), mrc_core::RowError>(())
    /// ```
    pub fn split(format: RowFormat, column: impl Into<String>, asked: Vec<Value>) -> Self {
        Self { split: Some(Split::new(column.into(), asked)), ..Self::new(format) }
    }

    /// Returns the format.
    pub fn format(&self) -> RowFormat {
        self.format
    }

    /// Returns the number of whole rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Returns the size of the whole rows with their brackets, in bytes.
    #[expect(clippy::len_without_is_empty, reason = "it is never empty: no rows are `[]`")]
    pub fn len(&self) -> usize {
        self.row_start + 1 + self.split.as_ref().map_or(0, |split| split.bytes)
    }

    /// Returns the names of the announced columns, in the order of the result.
    pub fn column_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.columns.iter().map(|prepared| prepared.column.name.as_str())
    }

    /// Announces the columns: once, before the first row, even if there is no row.
    ///
    /// # Errors
    /// - [`RowError::DuplicateColumn`] when the format can't hold two columns of the same name;
    /// - [`RowError::LateColumns`] when a row was already begun;
    /// - [`RowError::NoSplitColumn`] for a batch.
    pub fn columns(&mut self, columns: &[Column]) -> Result<(), RowError> {
        self.check()?;
        if self.in_row || self.rows > 0 {
            return self.fail(RowError::LateColumns);
        }
        let names = match self.format {
            RowFormat::Canonical => canonical::names(columns),
            RowFormat::TypeScript => Ok(typescript::names(columns)),
            RowFormat::Python => python::names(columns),
        };
        let split = self.split.as_mut().map_or(Ok(()), |split| split.columns(columns));
        let names = match names.and_then(|names| split.map(|()| names)) {
            Ok(names) => names,
            Err(error) => return self.fail(error),
        };
        let keys: Vec<&[u8]> = names.iter().map(String::as_bytes).collect();
        let order = json::member_order(&keys, self.format == RowFormat::TypeScript);
        let first = order.as_ref().and_then(|order| order.first().copied()).unwrap_or(0);
        let leads = names.iter().enumerate().map(|(at, name)| lead(name, at == first));
        self.columns = columns.iter().cloned().zip(leads).map(|(column, lead)| Prepared { column, lead }).collect();
        self.detour = order.map(|order| Detour { order, values: Vec::new(), ends: Vec::with_capacity(columns.len()) });
        Ok(())
    }

    /// Begins a row.
    pub fn begin_row(&mut self) {
        if self.in_row {
            self.end_row();
        }
        if self.failed.is_some() {
            return;
        }
        self.in_row = true;
        self.cells = 0;
        if self.rows > 0 && self.split.is_none() {
            self.out.push(b',');
        }
        if let Some(detour) = &mut self.detour {
            detour.values.clear();
            detour.ends.clear();
        }
    }

    /// Writes the next cell of the row.
    ///
    /// # Errors
    /// - [`RowError::CellCount`] when the row has all its cells, or the row before had too few;
    /// - [`RowError::InvalidJson`], [`RowError::InvalidDecimal`] or [`RowError::WideBit`] when the
    ///   value can't be written;
    /// - [`RowError::NotAsked`] when the row isn't one that the batch asked for;
    /// - the first error again, after an error.
    pub fn cell(&mut self, cell: Cell<'_>) -> Result<(), RowError> {
        self.check()?;
        if !self.in_row {
            self.begin_row();
        }
        let Some(Prepared { column, lead }) = self.columns.get(self.cells) else {
            let (expected, given) = (self.columns.len(), self.cells + 1);
            return self.fail(RowError::CellCount { expected, given });
        };
        if let Some(split) = &mut self.split
            && split.at == Some(self.cells)
            && let Err(error) = split.choose(cell, column)
        {
            return self.fail(error);
        }
        let out = match &mut self.detour {
            Some(detour) => &mut detour.values,
            None => {
                self.out.extend_from_slice(lead);
                &mut self.out
            }
        };
        let written = match self.format {
            RowFormat::Canonical => canonical::write(cell, column, out),
            RowFormat::TypeScript => typescript::write(cell, column, out),
            RowFormat::Python => python::write(cell, column, out),
        };
        if let Err(error) = written {
            return self.fail(error);
        }
        self.cells += 1;
        if let Some(detour) = &mut self.detour {
            detour.ends.push(detour.values.len());
        }
        Ok(())
    }

    /// Ends the row.
    ///
    /// If it has too few cells, the next [`cell`](Self::cell) and [`finish`](Self::finish) fail.
    pub fn end_row(&mut self) {
        if self.failed.is_some() {
            return;
        }
        if !self.in_row {
            self.begin_row();
        }
        if self.cells != self.columns.len() {
            let (expected, given) = (self.columns.len(), self.cells);
            _ = self.fail(RowError::CellCount { expected, given });
            return;
        }
        if let Some(detour) = &self.detour {
            detour.write(&self.columns, &mut self.out);
        }
        self.out.extend_from_slice(if self.columns.is_empty() { b"{}" } else { b"}" });
        self.in_row = false;
        if let Some(split) = &mut self.split {
            split.push(self.out.get(self.row_start..).unwrap_or_default());
            self.out.truncate(self.row_start);
        }
        self.row_start = self.out.len();
        self.rows += 1;
    }

    /// Returns the JSON array of all rows: `[]` if there are none.
    ///
    /// # Errors
    /// The first error; [`RowError::CellCount`] when an open row has too few cells.
    pub fn finish(mut self) -> Result<Bytes, RowError> {
        self.close()?;
        self.out.push(b']');
        Ok(Bytes::from(self.out))
    }

    /// Returns the JSON array of each value's rows, in the order of the values that were asked for:
    /// `[]` for a value without rows. Empty unless the encoder was made by [`split`](Self::split).
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn finish_split(mut self) -> Result<Vec<Bytes>, RowError> {
        self.close()?;
        Ok(self.split.map(Split::finish).unwrap_or_default())
    }

    /// Ends the open row.
    fn close(&mut self) -> Result<(), RowError> {
        if self.in_row {
            self.end_row();
        }
        self.check()
    }

    fn check(&self) -> Result<(), RowError> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    /// Keeps the error. The open row is left out at the end.
    #[cold]
    fn fail(&mut self, error: RowError) -> Result<(), RowError> {
        self.in_row = false;
        self.failed = Some(error.clone());
        Err(error)
    }
}

impl Detour {
    fn write(&self, columns: &[Prepared], out: &mut Vec<u8>) {
        for (column, at) in self.order.iter().filter_map(|at| Some((columns.get(*at)?, *at))) {
            let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
            let end = self.ends.get(at).copied().unwrap_or(start);
            out.extend_from_slice(&column.lead);
            out.extend_from_slice(self.values.get(start..end).unwrap_or_default());
        }
    }
}

fn lead(name: &str, first: bool) -> Vec<u8> {
    let mut lead = vec![if first { b'{' } else { b',' }];
    json::string(name, &mut lead);
    lead.push(b':');
    lead
}
