//! Columns of the log, as schemes compare them.

use mrc_core::depends::{CollationFolding, ColumnType, RowValue};

use crate::event::{Cell, Column, ColumnType as Stored};
use crate::rules::{Charset, date};

/// The number of the collation of bytes without a charset.
const BINARY: u16 = 63;

/// A value that isn't `NULL`, of which nothing else is known. Only columns of bytes compare bytes.
const NOT_NULL: RowValue<'static> = RowValue::Bytes(&[]);

/// How the values of one column are read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reading {
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
    pub(super) fn of(
        column: &Column,
        mariadb: bool,
        folding: impl FnOnce(u16) -> CollationFolding,
    ) -> (ColumnType, Self) {
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
                let read = |member: &Vec<u8>| {
                    let mut text = String::new();
                    charset?.read(member, &mut text).map(|()| text)
                };
                (ColumnType::Enum(folding(id)), Self::Enum(column.members.iter().map(read).collect()))
            }
            (Stored::Date, _) => (ColumnType::Date, Self::Date),
            (Stored::DateTime(_) | Stored::Timestamp(_) | Stored::OldTemporal(_) | Stored::Unknown(_), _) => {
                (ColumnType::DateTime, Self::Null)
            }
            _ => (ColumnType::Other, Self::Null),
        }
    }

    /// Returns the value of a cell.
    pub(super) fn value<'c>(&'c self, cell: &'c Cell<'_>) -> RowValue<'c> {
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
