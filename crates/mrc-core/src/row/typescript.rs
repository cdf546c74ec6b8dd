//! The format of the npm peer: `JSON.stringify` of what mysql2 returns, after the peer turned text of digits into numbers.

use super::server_float::{self, six_digits};
use super::{Cell, Column, ColumnKind, RowError, calendar, canonical, decimal, geometry};
use crate::json::{self, Spelling, number};
use crate::temporal::{Date, DateTime};

/// The greatest integer below which a double has no gaps.
const SAFE: u64 = 1 << 53;

/// The names as they are: of two with one name the encoder keeps the last.
pub(super) fn names(columns: &[Column]) -> Vec<String> {
    columns.iter().map(|column| column.name.clone()).collect()
}

pub(super) fn write(cell: Cell<'_>, column: &Column, out: &mut Vec<u8>) -> Result<(), RowError> {
    if let Some(text) = server_float::fixed(cell, column) {
        return write(Cell::Number(&text), column, out);
    }
    match cell {
        // mysql2 doesn't look whether there is a vector.
        Cell::Null if column.kind == ColumnKind::Vector => out.extend_from_slice(b"[]"),
        Cell::Null => null(out),
        Cell::Int(value) if value.unsigned_abs() <= SAFE => number::integer(value, out),
        Cell::Int(value) => number::ecmascript(value as f64, out),
        Cell::UInt(value) if value <= SAFE => number::unsigned(value, out),
        Cell::UInt(value) => number::ecmascript(value as f64, out),
        Cell::Float(value) => number::ecmascript(six_digits(value), out),
        Cell::Double(value) => double(value, out),
        Cell::Number(text) => {
            let double = server_float::parse(text, column)?;
            number::ecmascript(added_up(text).unwrap_or(double), out);
        }
        // mysql2 keeps the text. MySQL sends the bits of `IF(…, bit, 1)` as a decimal.
        Cell::Decimal(text) => match decimal::digits(text) {
            Some(digits) => digits.ecmascript(out),
            None => json::string(text, out),
        },
        Cell::Text(value) => text(value, out),
        Cell::Bytes(bytes) if column.kind == ColumnKind::Geometry => geometry::write(bytes, out),
        Cell::Bytes(bytes) if column.kind == ColumnKind::Vector => vector(bytes, out),
        Cell::Bytes(bytes) => buffer(bytes, out),
        Cell::Json(document) => json(document, column, out)?,
        Cell::Date(value) => date(value, out),
        Cell::DateTime(value) => datetime(value, out),
        Cell::Time(value) => {
            out.push(b'"');
            calendar::time(value, column.kind, out);
            out.push(b'"');
        }
    }
    Ok(())
}

fn null(out: &mut Vec<u8>) {
    out.extend_from_slice(b"null");
}

fn text(value: &str, out: &mut Vec<u8>) {
    if !looks_like_a_number(value, out) {
        json::string(value, out);
    }
}

/// Writes the number if the text is `-?\d+\.?\d*` and a double is large enough for it.
fn looks_like_a_number(value: &str, out: &mut Vec<u8>) -> bool {
    let first = value.bytes().find(|byte| *byte != b'-');
    if !first.is_some_and(|byte| byte.is_ascii_digit()) {
        return false;
    }
    match decimal::digits(value) {
        Some(digits) if digits.double().is_finite() => {
            digits.ecmascript(out);
            true
        }
        _ => false,
    }
}

/// A document, through `JSON.parse`; one that is nothing but a string of digits becomes a number like any text.
fn json(document: &str, column: &Column, out: &mut Vec<u8>) -> Result<(), RowError> {
    let start = out.len();
    canonical::document(document, Spelling::JavaScript, column, out)?;
    let inside = out.get(start..).and_then(|text| text.strip_prefix(b"\"")?.strip_suffix(b"\""));
    let digits = inside.filter(|inside| inside.iter().all(|byte| matches!(byte, b'-' | b'.' | b'0'..=b'9')));
    if let Some(digits) = digits.and_then(|digits| String::from_utf8(digits.to_vec()).ok()) {
        out.truncate(start);
        text(&digits, out);
    }
    Ok(())
}

/// A double as mysql2 reads it from the server's text.
fn double(value: f64, out: &mut Vec<u8>) {
    let start = out.len();
    number::ecmascript(value, out);
    let text = out.get(start..).and_then(|text| std::str::from_utf8(text).ok());
    // Fewer digits are added up without loss.
    let digits = text.filter(|text| text.len() == 17 && text.starts_with('9') && text.contains('.'));
    if let Some(value) = digits.and_then(added_up) {
        out.truncate(start);
        number::ecmascript(value, out);
    }
}

/// The number as mysql2 reads up to 17 characters without an exponent: digit by digit, and divided at the end. It rounds
/// twice where the digits are beyond 2^53.
fn added_up(text: &str) -> Option<f64> {
    if text.len() > 17 || text.contains(['e', 'E']) {
        return None;
    }
    let (mut sum, mut factor) = (0.0, if text.starts_with('-') { -1.0 } else { 1.0 });
    let mut is_fraction = false;
    for byte in text.trim_start_matches('-').bytes() {
        match byte {
            b'.' => is_fraction = true,
            byte => {
                sum = sum * 10.0 + f64::from(byte.wrapping_sub(b'0'));
                factor *= if is_fraction { 10.0 } else { 1.0 };
            }
        }
    }
    Some(sum / factor)
}

/// A `VECTOR`: its floats, each as the double that it is.
fn vector(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, float) in bytes.as_chunks().0.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        number::ecmascript(f32::from_le_bytes(*float).into(), out);
    }
    out.push(b']');
}

/// `JSON.stringify` of node's `Buffer`.
fn buffer(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"type":"Buffer","data":["#);
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        number::unsigned((*byte).into(), out);
    }
    out.extend_from_slice(b"]}");
}

/// A `DATE`: midnight. `Date` takes the years below 100 for 1900 and on.
fn date(value: Date, out: &mut Vec<u8>) {
    let year = if value.year < 100 { value.year + 1900 } else { value.year };
    let midnight = DateTime { date: rolled_over(Date { year, ..value }), hour: 0, minute: 0, second: 0, micros: 0 };
    iso(midnight, out);
}

/// A `DATETIME`: null when a part is zero.
fn datetime(value: DateTime, out: &mut Vec<u8>) {
    let date = value.date;
    let date = match date {
        Date { month: 0 | 13.., .. } | Date { day: 0 | 32.., .. } => None,
        Date { year: 0..100, .. } => short_year(date),
        _ => Some(date),
    };
    match date {
        Some(date) => iso(DateTime { date: rolled_over(date), ..value }, out),
        None => null(out),
    }
}

/// What `new Date("0005-02-03 …")` makes of a year below 100: 1 to 31 is a month, and what follows a day and a year.
fn short_year(date: Date) -> Option<Date> {
    let (year, month, day) = match date.year {
        1..=12 => (date.day.into(), u8::try_from(date.year).ok()?, date.month),
        13..=31 => return None,
        year => (year, date.month, date.day),
    };
    Some(Date { year: if year < 50 { year + 2000 } else { year + 1900 }, month, day })
}

/// The day that a day or month beyond its range means: 31 February is 3 March, the month 0 is December before.
fn rolled_over(date: Date) -> Date {
    let Date { mut year, mut month, mut day } = date;
    if month == 0 {
        (year, month) = (year.saturating_sub(1), 12);
    }
    let days = calendar::days_in_month(year, month);
    if day == 0 {
        (year, month) = if month == 1 { (year.saturating_sub(1), 12) } else { (year, month - 1) };
        day = calendar::days_in_month(year, month);
    } else if day > days {
        (year, month) = if month >= 12 { (year.saturating_add(1), 1) } else { (year, month + 1) };
        day -= days;
    }
    Date { year, month, day }
}

/// `toISOString()`, at UTC.
fn iso(value: DateTime, out: &mut Vec<u8>) {
    out.push(b'"');
    calendar::date(value.date, out);
    out.push(b'T');
    calendar::clock(value, out);
    out.push(b'.');
    calendar::padded(value.micros / 1000, 3, out);
    out.extend_from_slice(b"Z\"");
}
