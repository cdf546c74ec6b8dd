//! The format of the PyPI peer: `json.dumps` of what aiomysql's dict cursor returns.

use super::{Cell, Column, ColumnKind, RowError, calendar, decimal};
use crate::json::{self, number};
use crate::temporal::DateTime;

/// Returns the names. A repeated name gets its table in front, as in the dict cursor.
pub(super) fn names(columns: &[Column]) -> Result<Vec<String>, RowError> {
    let mut seen = std::collections::HashSet::with_capacity(columns.len());
    let mut names = Vec::with_capacity(columns.len());
    for column in columns {
        let name = match (seen.contains(&column.name), &column.table) {
            (false, _) => column.name.clone(),
            (true, Some(table)) => format!("{table}.{}", column.name),
            (true, None) => return Err(RowError::DuplicateColumn { name: column.name.clone() }),
        };
        seen.insert(name.clone());
        names.push(name);
    }
    Ok(names)
}

pub(super) fn write(cell: Cell<'_>, column: &Column, out: &mut Vec<u8>) -> Result<(), RowError> {
    if let Some(text) = decimal::fixed_float(cell, column) {
        return write(Cell::Number(&text), column, out);
    }
    match cell {
        Cell::Null => out.extend_from_slice(b"null"),
        Cell::Int(value) => number::integer(value, out),
        Cell::UInt(value) => number::unsigned(value, out),
        Cell::Float(value) => float(decimal::six_digits(value), out),
        Cell::Double(value) => float(value, out),
        Cell::Number(text) => float(decimal::parse_float(text, column)?, out),
        Cell::Decimal(digits) => decimal::parse(digits, column)?.python(out),
        Cell::Text(text) | Cell::Json(text) => json::string(text, out),
        Cell::Bytes(bytes) => decoded(bytes, out),
        Cell::Date(date) => calendar::quoted_date(date, out),
        Cell::DateTime(value) => datetime(value, column.kind, out),
        Cell::Time(value) => calendar::time(value, column.kind, out),
    }
    Ok(())
}

fn float(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() { number::python(value, out) } else { out.extend_from_slice(b"null") }
}

/// Writes `bytes.decode("utf-8", errors="ignore")`.
fn decoded(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for chunk in bytes.utf8_chunks() {
        json::escape(chunk.valid().as_bytes(), out);
    }
    out.push(b'"');
}

/// Writes `isoformat()`, or the server's text if the day doesn't exist. Python has no year 0.
fn datetime(value: DateTime, kind: ColumnKind, out: &mut Vec<u8>) {
    if value.date.year == 0 || !value.date.is_in_calendar() {
        return calendar::datetime(value, b' ', out, |out| calendar::fraction(value.micros, kind, out));
    }
    calendar::datetime(value, b'T', out, |out| {
        if value.micros != 0 {
            out.push(b'.');
            calendar::padded(value.micros, 6, out);
        }
    });
}
