//! The schemes of one version of a table, and the columns of the log as schemes compare them.

use mrc_core::depends::{self, BoundScheme, CollationFolding, ColumnType, RowValue, TableColumn, TableColumns};

use super::{Book, Known};
use crate::event::{BINARY, Cell, Change, Column, ColumnType as Stored, Image, Table};
use crate::rules::{Charset, Effects, Reason, TableName, date};

/// The schemes of one version of a table. Make one for each table id and generation.
#[derive(Debug)]
pub(crate) struct Plan {
    table: TableName,
    /// The positions of the columns that a scheme has, sorted.
    wanted: Vec<usize>,
    columns: Vec<Reading>,
    /// Or why every change ends everything of the table.
    schemes: Result<Vec<BoundScheme>, Reason>,
}

impl Plan {
    /// Returns the plan of a table. Returns `None` if the table has no schemes.
    pub(crate) fn of(table: &Table, known: &Known, book: &Book, mariadb: bool) -> Option<Self> {
        let (name, schemes) = known.of(&table.schema, &table.name)?;
        let name_of_column = |at: usize| table.columns.get(at)?.name.as_ref().map(|name| name.to_lowercase());
        let mut plan = Self { table: name.clone(), wanted: Vec::new(), columns: Vec::new(), schemes: Ok(Vec::new()) };
        if schemes.is_empty() {
            plan.schemes = Err(Reason::Registry);
            return Some(plan);
        }
        if (0..table.columns.len()).any(|at| name_of_column(at).is_none()) {
            plan.schemes = Err(Reason::Metadata);
            return Some(plan);
        }
        let is_wanted = |at: &usize| {
            let name = name_of_column(*at);
            schemes.iter().flat_map(|known| known.scheme.columns()).any(|(wanted, _)| Some(wanted) == name.as_deref())
        };
        plan.wanted = (0..table.columns.len()).filter(is_wanted).collect();
        let mut columns = TableColumns::default();
        for column in plan.wanted.iter().filter_map(|at| table.columns.get(*at)) {
            let (kind, reading) = Reading::of(column, mariadb, |id| book.folding(known, id));
            columns.0.push(TableColumn { name: column.name.clone().unwrap_or_default(), kind });
            plan.columns.push(reading);
        }
        let name = depends::TableName::new(&name.schema, &name.name);
        plan.schemes = Ok(schemes.iter().map(|known| known.scheme.bind(&name, &columns)).collect());
        Some(plan)
    }

    pub(crate) fn wanted(&self) -> &[usize] {
        &self.wanted
    }

    /// Adds the tags of a changed row. Its images have the wanted columns from `first` on.
    pub(crate) fn apply(&self, change: &Change<'_>, first: usize, effects: &mut Effects) {
        if effects.is_whole(&self.table) {
            return;
        }
        if let Err(reason) = self.add(change, first, effects) {
            effects.mark_whole(&self.table, reason);
        }
    }

    fn add(&self, change: &Change<'_>, first: usize, effects: &mut Effects) -> Result<(), Reason> {
        let schemes = self.schemes.as_ref().map_err(Reason::clone)?;
        let before = change.before.as_ref().map(|image| self.row(image, first));
        let after = change.after.as_ref().map(|image| self.row(image, first));
        let mut buffers = <[String; 2]>::default();
        for scheme in schemes {
            // Its tag ends the entries of all rows.
            if effects.ends_scheme(scheme.tag()) {
                continue;
            }
            match scheme.texts(before.as_deref(), after.as_deref(), &mut buffers) {
                Ok(mut texts) => texts.try_for_each(|tag| effects.end_row(tag))?,
                Err(_) => effects.end_scheme(scheme.tag().clone()),
            }
        }
        Ok(())
    }

    fn row<'c>(&'c self, image: &'c Image<'_>, first: usize) -> Vec<RowValue<'c>> {
        let cells = image.iter().skip(first).chain(std::iter::repeat(&Cell::Absent));
        self.columns.iter().zip(cells).map(|(column, cell)| column.value(cell)).collect()
    }
}

/// A value that isn't `NULL`, of which nothing else is known. Only columns of bytes compare bytes.
const NOT_NULL: RowValue<'static> = RowValue::Bytes(&[]);

#[derive(Debug, Clone, PartialEq)]
enum Reading {
    Int,
    Decimal,
    /// `None`: texts of the charset aren't read.
    Text(Option<Charset>),
    /// The members. One is `None` if it can't be read.
    Enum(Vec<Option<String>>),
    Bytes,
    Date,
    /// Only whether a value is `NULL`.
    Null,
}

impl Reading {
    /// Returns how a column compares with constants, and how its values are read.
    fn of(column: &Column, mariadb: bool, folding: impl FnOnce(u16) -> CollationFolding) -> (ColumnType, Self) {
        let folding = |id| if id == BINARY { CollationFolding::EXACT } else { folding(id) };
        match (column.kind, column.collation) {
            (Stored::Tiny | Stored::Short | Stored::Medium | Stored::Long | Stored::LongLong, _)
                if column.unsigned.is_some() =>
            {
                (ColumnType::Int, Self::Int)
            }
            (Stored::Decimal { scale, .. }, _) => (ColumnType::Decimal { scale }, Self::Decimal),
            // They look like UUID, INET4 and INET6, whose constants are texts.
            (Stored::Char(4 | 16), Some(BINARY)) if mariadb => (ColumnType::Other, Self::Null),
            (Stored::Varchar(_) | Stored::Char(_) | Stored::Blob(_), Some(BINARY)) => (ColumnType::Bytes, Self::Bytes),
            (Stored::Varchar(_) | Stored::Char(_) | Stored::Blob(_), Some(id)) => {
                (ColumnType::Text(folding(id)), Self::Text(Charset::of(id)))
            }
            (Stored::Enum(_), Some(id)) if !column.members.is_empty() => {
                let charset = Charset::of(id);
                let members = column.members.iter().map(|member| charset?.text(member));
                (ColumnType::Enum(folding(id)), Self::Enum(members.collect()))
            }
            (Stored::Date, _) => (ColumnType::Date, Self::Date),
            (Stored::DateTime(_) | Stored::Timestamp(_) | Stored::OldTemporal(_) | Stored::Unknown(_), _) => {
                (ColumnType::DateTime, Self::Null)
            }
            _ => (ColumnType::Other, Self::Null),
        }
    }

    fn value<'c>(&'c self, cell: &'c Cell<'_>) -> RowValue<'c> {
        match (self, cell) {
            // An update's image after lacks what it doesn't change, and columns that are generated.
            (_, Cell::Absent) => RowValue::Other,
            (_, Cell::Null) => RowValue::Null,
            (Self::Int, Cell::Int(int)) => RowValue::Int((*int).into()),
            (Self::Int, Cell::UInt(int)) => RowValue::Int((*int).into()),
            (Self::Decimal, Cell::Decimal(digits)) => RowValue::Decimal(digits),
            (Self::Text(Some(charset)), Cell::Bytes(bytes)) => text(*charset, bytes),
            (Self::Enum(members), Cell::Enum(number)) => {
                let member = usize::from(*number).checked_sub(1).and_then(|at| members.get(at));
                member.and_then(Option::as_deref).map_or(NOT_NULL, RowValue::Text)
            }
            (Self::Bytes, Cell::Bytes(bytes)) => RowValue::Bytes(bytes),
            (Self::Bytes, Cell::Padded(bytes)) => RowValue::Bytes(bytes),
            (Self::Date, Cell::Date(text)) => date(text).map_or(NOT_NULL, RowValue::Date),
            (Self::Bytes, _) => RowValue::Other,
            _ => NOT_NULL,
        }
    }
}

fn text(charset: Charset, bytes: &[u8]) -> RowValue<'_> {
    match (charset, std::str::from_utf8(bytes)) {
        (Charset::Utf8, Ok(text)) => RowValue::Text(text),
        (_, Ok(text)) if text.is_ascii() => RowValue::Text(text),
        // Which letters these are makes no difference: constants have none that aren't ASCII.
        (Charset::Latin1, _) => RowValue::Text("é"),
        _ => NOT_NULL,
    }
}
