//! Events with changed rows.

use std::borrow::Cow;
use std::sync::Arc;

use super::compress::decompress;
use super::read::{Reader, bit};
use super::{Cell, Change, ColumnType, DecodeError, Fault, Image, Table};

/// The kind of change of an event's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// The rows are new.
    Insert,
    /// The rows have changed.
    Update,
    /// The rows are gone.
    Delete,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    /// Whether extra data stands before the columns.
    pub(super) v2: bool,
    /// Whether MariaDB has compressed the rows.
    pub(super) compressed: bool,
    /// Whether JSON values may be differences.
    pub(super) partial: bool,
}

/// Changed rows of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows<'a> {
    kind: u8,
    id: u64,
    table: Option<Arc<Table>>,
    operation: Operation,
    is_last: bool,
    partial: bool,
    before: Option<Stored<'a>>,
    after: Option<Stored<'a>>,
    data: Cow<'a, [u8]>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Stored<'a> {
    columns: &'a [u8],
    count: usize,
}

impl<'a> Stored<'a> {
    fn read(read: &mut Reader<'a>, width: usize) -> Result<Self, Fault> {
        let columns = read.take(width.div_ceil(8))?;
        let count = (0..width).filter(|index| bit(columns, *index)).count();
        Ok(Self { columns, count })
    }
}

impl<'a> Rows<'a> {
    pub(super) fn table_and_flags(read: &mut Reader<'_>) -> Result<(u64, u16), Fault> {
        Ok((read.little(6)?, read.u16()?))
    }

    pub(super) fn ends_statement(flags: u16) -> bool {
        flags & 1 != 0
    }

    pub(super) fn read(
        kind: u8,
        mut read: Reader<'a>,
        header: Header,
        operation: Operation,
        flags: u16,
        id: u64,
        table: Option<Arc<Table>>,
    ) -> Result<Self, Fault> {
        if header.v2 {
            // The length counts itself.
            let extra = read.u16()?.checked_sub(2).ok_or(Fault::Invalid("the length of extra data"))?;
            read.take(usize::from(extra))?;
        }
        let width = read.length()?;
        if let Some(table) = &table
            && table.columns.len() != width
        {
            return Err(Fault::Columns { rows: width, table: table.columns.len() });
        }
        let first = Stored::read(&mut read, width)?;
        let (before, after) = match operation {
            Operation::Insert => (None, Some(first)),
            Operation::Update => (Some(first), Some(Stored::read(&mut read, width)?)),
            Operation::Delete => (Some(first), None),
        };
        let data = read.rest();
        let data = if header.compressed { Cow::Owned(decompress(data)?) } else { Cow::Borrowed(data) };
        let (is_last, partial) = (Self::ends_statement(flags), header.partial);
        Ok(Self { kind, id, table, operation, is_last, partial, before, after, data })
    }

    /// Returns the table of the rows. Returns `None` if no event has described it.
    pub fn table(&self) -> Option<&Arc<Table>> {
        self.table.as_ref()
    }

    /// Returns the kind of change of the rows.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// Returns whether the event is the last one of its statement.
    pub fn is_last_of_statement(&self) -> bool {
        self.is_last
    }

    /// Returns the changed rows, with the cells of these columns only, by their index from 0.
    ///
    /// A column that the table lacks is [`Cell::Absent`]. There is at least one item.
    ///
    /// # Errors
    /// A [`DecodeError`] with table and column if a row can't be read. It is the last item, and the
    /// rows behind it are unknown.
    pub fn changes(&self, wanted: &[usize]) -> Changes<'_> {
        let mut order: Vec<_> = wanted.iter().copied().enumerate().map(|(place, column)| (column, place)).collect();
        order.sort_unstable();
        Changes { rows: self, read: Reader::new(&self.data), order, state: State::First }
    }
}

/// The changed rows of an event, see [`Rows::changes`].
#[derive(Debug)]
pub struct Changes<'a> {
    rows: &'a Rows<'a>,
    read: Reader<'a>,
    /// The wanted columns and their places in an image, in the order of the table.
    order: Vec<(usize, usize)>,
    state: State,
}

#[derive(Debug, PartialEq)]
enum State {
    First,
    Further,
    Failed,
}

impl<'a> Iterator for Changes<'a> {
    type Item = Result<Change<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        // An image without columns takes no bytes, and still stands for a changed row.
        if self.state == State::Failed || self.state == State::Further && self.read.is_empty() {
            return None;
        }
        let rows = self.rows;
        let Some(table) = &rows.table else {
            self.state = State::Failed;
            return Some(Err(DecodeError::new(rows.kind, Fault::NoTable(rows.id))));
        };
        self.state = State::Further;
        let change = self.change(table).map_err(|(fault, column)| {
            self.state = State::Failed;
            let column = column.map(|index| {
                let name = table.columns.get(index).and_then(|column| column.name.clone());
                name.unwrap_or_else(|| format!("@{}", index + 1))
            });
            DecodeError::new(rows.kind, fault).in_table(&table.schema, &table.name, column)
        });
        Some(change)
    }
}

/// A fault and the index of the column, if it is the fault of one.
type At = (Fault, Option<usize>);

impl<'a> Changes<'a> {
    fn change(&mut self, table: &Table) -> Result<Change<'a>, At> {
        let rows = self.rows;
        let left = self.read.len();
        let before = rows.before.map(|stored| self.image(table, stored, false)).transpose()?;
        let after = rows.after.map(|stored| self.image(table, stored, rows.partial)).transpose()?;
        if self.read.len() == left && left > 0 {
            return Err((Fault::Long(left), None));
        }
        Ok(Change { before, after })
    }

    fn image(&mut self, table: &Table, stored: Stored<'_>, partial: bool) -> Result<Image<'a>, At> {
        let whole = |fault| (fault, None);
        if partial {
            skip_differences(&mut self.read, table).map_err(whole)?;
        }
        let nulls = self.read.take(stored.count.div_ceil(8)).map_err(whole)?;
        let mut image = vec![Cell::Absent; self.order.len()];
        let mut order = self.order.iter().peekable();
        let mut place_of_null = 0;
        for (index, column) in table.columns.iter().enumerate() {
            if !bit(stored.columns, index) {
                continue;
            }
            let at = |fault| (fault, Some(index));
            let is_null = bit(nulls, place_of_null);
            place_of_null += 1;
            while order.next_if(|(wanted, _)| *wanted < index).is_some() {}
            while let Some((_, place)) = order.next_if(|(wanted, _)| *wanted == index) {
                // A column may be wanted twice, so the reader stays before the value.
                let mut value = self.read;
                let cell = if is_null { Cell::Null } else { column.cell(&mut value).map_err(at)? };
                if let Some(slot) = image.get_mut(*place) {
                    *slot = cell;
                }
            }
            if !is_null {
                column.kind.skip(&mut self.read).map_err(at)?;
            }
        }
        Ok(image)
    }
}

/// Passes over the bits that tell which JSON values are differences: one for each JSON column.
fn skip_differences(read: &mut Reader<'_>, table: &Table) -> Result<(), Fault> {
    const PARTIAL_JSON: usize = 1;
    match read.length()? {
        0 => Ok(()),
        PARTIAL_JSON => {
            let count = table.columns.iter().filter(|column| matches!(column.kind, ColumnType::Json(_))).count();
            read.take(count.div_ceil(8)).map(drop)
        }
        _ => Err(Fault::Invalid("the option of the rows")),
    }
}
