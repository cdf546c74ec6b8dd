//! The canonical format: without loss.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Cell, Column, ColumnKind, RowError, calendar, decimal};
use crate::json::{self, Spelling, number};

/// Returns the names as they are. Two columns with one name are an error.
pub(super) fn names(columns: &[Column]) -> Result<Vec<String>, RowError> {
    let mut seen = std::collections::HashSet::with_capacity(columns.len());
    match columns.iter().find(|column| !seen.insert(&column.name)) {
        Some(column) => Err(RowError::DuplicateColumn { name: column.name.clone() }),
        None => Ok(columns.iter().map(|column| column.name.clone()).collect()),
    }
}

pub(super) fn write(cell: Cell<'_>, column: &Column, out: &mut Vec<u8>) -> Result<(), RowError> {
    match cell {
        Cell::Null => out.extend_from_slice(b"null"),
        Cell::Int(value) => number::integer(value, out),
        Cell::UInt(value) => number::unsigned(value, out),
        Cell::Float(value) => number::ecmascript_f32(value, out),
        Cell::Double(value) => number::ecmascript(value, out),
        Cell::Number(text) => number::ecmascript(decimal::parse_float(text, column)?, out),
        Cell::Decimal(digits) => decimal::parse(digits, column)?.canonical(out),
        Cell::Text(text) => json::string(text, out),
        Cell::Bytes(bytes) if column.kind == ColumnKind::Bit => number::unsigned(bits(bytes, column)?, out),
        Cell::Bytes(bytes) if column.kind == ColumnKind::BitDigits => {
            decimal::parse(&String::from_utf8_lossy(bytes), column)?.canonical(out);
        }
        Cell::Bytes(bytes) => base64(bytes, out),
        Cell::Json(text) => document(text, Spelling::Kept, column, out)?,
        Cell::Date(date) => calendar::quoted_date(date, out),
        Cell::DateTime(value) => {
            calendar::datetime(value, b'T', out, |out| calendar::fraction(value.micros, column.kind, out));
        }
        Cell::Time(value) => calendar::time(value, column.kind, out),
    }
    Ok(())
}

/// Appends a JSON document. Any other text is an error.
pub(super) fn document(text: &str, spelling: Spelling, column: &Column, out: &mut Vec<u8>) -> Result<(), RowError> {
    json::rewrite(text, spelling, out).map_err(|_| RowError::InvalidJson { column: column.name.clone() })
}

fn bits(bytes: &[u8], column: &Column) -> Result<u64, RowError> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let bytes = bytes.get(zeros..).unwrap_or_default();
    if bytes.len() > 8 {
        return Err(RowError::WideBit { column: column.name.clone(), bytes: bytes.len() });
    }
    Ok(bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, b'=');
    // The room has exactly the size of the encoding.
    _ = out.get_mut(start..).map(|room| STANDARD.encode_slice(bytes, room));
    out.push(b'"');
}
