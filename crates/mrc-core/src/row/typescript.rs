//! The format of the npm peer: `JSON.stringify` of mysql2's rows, with texts of digits as numbers.

use super::{Cell, Column, ColumnKind, RowError, calendar, canonical, decimal};
use crate::json::{self, Spelling, number};
use crate::temporal::{Date, DateTime, days_in_month};

/// The limit up to which a double holds every integer.
const SAFE: u64 = 1 << 53;

/// Returns the names as they are. Of two columns with one name, the encoder keeps the last.
pub(super) fn names(columns: &[Column]) -> Vec<String> {
    columns.iter().map(|column| column.name.clone()).collect()
}

pub(super) fn write(cell: Cell<'_>, column: &Column, out: &mut Vec<u8>) -> Result<(), RowError> {
    if let Some(text) = decimal::fixed_float(cell, column) {
        return write(Cell::Number(&text), column, out);
    }
    match cell {
        // mysql2 doesn't check whether there is a vector.
        Cell::Null if column.kind == ColumnKind::Vector => out.extend_from_slice(b"[]"),
        Cell::Null => out.extend_from_slice(b"null"),
        Cell::Int(value) if value.unsigned_abs() <= SAFE => number::integer(value, out),
        Cell::Int(value) => number::ecmascript(value as f64, out),
        Cell::UInt(value) if value <= SAFE => number::unsigned(value, out),
        Cell::UInt(value) => number::ecmascript(value as f64, out),
        Cell::Float(value) => number::ecmascript(decimal::six_digits(value), out),
        Cell::Double(value) => double(value, out),
        Cell::Number(text) => {
            let double = decimal::parse_float(text, column)?;
            number::ecmascript(added_up(text).unwrap_or(double), out);
        }
        // mysql2 keeps other text. MySQL sends the bits of `IF(…, bit, 1)` as a decimal.
        Cell::Decimal(text) => match decimal::digits(text) {
            Some(digits) => digits.ecmascript(out),
            None => json::string(text, out),
        },
        Cell::Text(value) => text(value, out),
        Cell::Bytes(bytes) if column.kind == ColumnKind::Geometry => geometry(bytes, out),
        Cell::Bytes(bytes) if column.kind == ColumnKind::Vector => vector(bytes, out),
        Cell::Bytes(bytes) => buffer(bytes, out),
        Cell::Json(document) => json(document, column, out)?,
        Cell::Date(value) => date(value, out),
        Cell::DateTime(value) => datetime(value, out),
        Cell::Time(value) => calendar::time(value, column.kind, out),
    }
    Ok(())
}

/// Writes a text: as a number if it is `-?\d+\.?\d*` and a double can hold it.
fn text(value: &str, out: &mut Vec<u8>) {
    let first = value.bytes().find(|byte| *byte != b'-');
    let digits = first.filter(u8::is_ascii_digit).and_then(|_| decimal::digits(value));
    match digits.filter(|digits| digits.double().is_finite()) {
        Some(digits) => digits.ecmascript(out),
        None => json::string(value, out),
    }
}

/// Writes a document, through `JSON.parse`. A string of digits alone becomes a number, as any text.
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

/// Writes a double as mysql2 reads it from the server's text.
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

/// Returns the number as mysql2 reads up to 17 characters without an exponent: digit by digit,
/// divided at the end. It rounds twice if the digits exceed 2^53.
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

/// Writes a `VECTOR`: each float as the equal double.
fn vector(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'[');
    let floats = bytes.as_chunks().0.iter().map(|float| f32::from_le_bytes(*float));
    json::joined(floats, b",", out, |float, out| number::ecmascript(float.into(), out));
    out.push(b']');
}

/// Writes the `JSON.stringify` of node's `Buffer`.
fn buffer(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"type":"Buffer","data":["#);
    json::joined(bytes, b",", out, |byte, out| number::unsigned((*byte).into(), out));
    out.extend_from_slice(b"]}");
}

/// Writes a `DATE`, at midnight. JavaScript's `Date` reads the years below 100 as 1900 and on.
fn date(value: Date, out: &mut Vec<u8>) {
    let year = if value.year < 100 { value.year + 1900 } else { value.year };
    iso(rolled_over(Date { year, ..value }).midnight(), out);
}

/// Writes a `DATETIME`, or null if a part is zero.
fn datetime(value: DateTime, out: &mut Vec<u8>) {
    let date = value.date;
    let date = match date {
        Date { month: 0 | 13.., .. } | Date { day: 0 | 32.., .. } => None,
        Date { year: 0..100, .. } => short_year(date),
        _ => Some(date),
    };
    match date {
        Some(date) => iso(DateTime { date: rolled_over(date), ..value }, out),
        None => out.extend_from_slice(b"null"),
    }
}

/// Returns the date of `new Date("0005-02-03 …")`: 1 to 31 is the month, then day and year follow.
fn short_year(date: Date) -> Option<Date> {
    let (year, month, day) = match date.year {
        1..=12 => (date.day.into(), u8::try_from(date.year).ok()?, date.month),
        13..=31 => return None,
        year => (year, date.month, date.day),
    };
    Some(Date { year: if year < 50 { year + 2000 } else { year + 1900 }, month, day })
}

/// Returns the day that an impossible one means: 31 February is 3 March, month 0 is last December.
fn rolled_over(date: Date) -> Date {
    let Date { mut year, mut month, mut day } = date;
    if month == 0 {
        (year, month) = (year.saturating_sub(1), 12);
    }
    let days = days_in_month(year, month);
    if day == 0 {
        (year, month) = if month == 1 { (year.saturating_sub(1), 12) } else { (year, month - 1) };
        day = days_in_month(year, month);
    } else if day > days {
        (year, month) = if month >= 12 { (year.saturating_add(1), 1) } else { (year, month + 1) };
        day -= days;
    }
    Date { year, month, day }
}

/// Writes `toISOString()`, at UTC.
fn iso(value: DateTime, out: &mut Vec<u8>) {
    calendar::datetime(value, b'T', out, |out| {
        out.push(b'.');
        calendar::padded(value.micros / 1000, 3, out);
        out.push(b'Z');
    });
}

/// The most levels of a collection; deeper ones are null. The server's own limit is far below.
const DEPTH: u32 = 64;

/// Writes a `GEOMETRY` as mysql2 parses it: points are objects, and all others are arrays of their
/// parts. The server sends 4 bytes of SRID, then WKB. Unreadable bytes are null.
fn geometry(bytes: &[u8], out: &mut Vec<u8>) {
    let mut reader = WkbReader { rest: bytes.get(4..).unwrap_or_default() };
    reader.geometry(0, out);
}

struct WkbReader<'a> {
    rest: &'a [u8],
}

impl WkbReader<'_> {
    /// Writes the next geometry, or null.
    fn geometry(&mut self, depth: u32, out: &mut Vec<u8>) {
        let start = out.len();
        if self.known(depth, out).is_none() {
            out.truncate(start);
            out.extend_from_slice(b"null");
        }
    }

    fn known(&mut self, depth: u32, out: &mut Vec<u8>) -> Option<()> {
        let (mark, rest) = self.rest.split_first()?;
        if rest.len() < 4 {
            return None;
        }
        self.rest = rest;
        let little = *mark != 0;
        match self.count(little)? {
            1 => self.point(little, out)?,
            2 => {
                let count = self.fitting(little, 16)?;
                self.list(count, out, |reader, out| reader.point(little, out));
            }
            3 => {
                let count = self.fitting(little, 4)?;
                self.list(count, out, |reader, out| {
                    let count = reader.count(little)?;
                    reader.list(count, out, |reader, out| reader.point(little, out));
                    Some(())
                });
            }
            4..=7 if depth < DEPTH => {
                let count = self.fitting(little, 9)?;
                self.list(count, out, |reader, out| {
                    reader.geometry(depth + 1, out);
                    Some(())
                });
            }
            _ => return None,
        }
        Some(())
    }

    /// Writes up to `count` items. The list ends before the first item that can't be read.
    fn list(&mut self, count: u32, out: &mut Vec<u8>, item: impl Fn(&mut Self, &mut Vec<u8>) -> Option<()>) {
        out.push(b'[');
        for at in 0..count {
            let start = out.len();
            if at > 0 {
                out.push(b',');
            }
            if item(self, out).is_none() {
                out.truncate(start);
                break;
            }
        }
        out.push(b']');
    }

    fn point(&mut self, little: bool, out: &mut Vec<u8>) -> Option<()> {
        let (x, y) = self.rest.split_at_checked(16)?.0.split_at_checked(8)?;
        let double = |bytes: &[u8]| {
            let bytes = bytes.try_into().ok()?;
            Some(if little { f64::from_le_bytes(bytes) } else { f64::from_be_bytes(bytes) })
        };
        let (x, y) = (double(x)?, double(y)?);
        self.rest = self.rest.get(16..)?;
        out.extend_from_slice(br#"{"x":"#);
        number::ecmascript(x, out);
        out.extend_from_slice(br#","y":"#);
        number::ecmascript(y, out);
        out.push(b'}');
        Some(())
    }

    /// Returns a count of items of at least `size` bytes. Returns `None` if the rest has no room.
    fn fitting(&mut self, little: bool, size: usize) -> Option<u32> {
        let count = self.count(little)?;
        if count as usize > self.rest.len() / size { None } else { Some(count) }
    }

    fn count(&mut self, little: bool) -> Option<u32> {
        let (bytes, rest) = self.rest.split_first_chunk::<4>()?;
        self.rest = rest;
        Some(if little { u32::from_le_bytes(*bytes) } else { u32::from_be_bytes(*bytes) })
    }
}
