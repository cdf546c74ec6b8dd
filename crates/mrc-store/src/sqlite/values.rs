//! Values to and from SQLite, which has integers, doubles, text and bytes. Others are typed text.

use mrc_core::{Cell, ColumnKind, Date, Decimal, Time, Value};
use rusqlite::types::{Value as Bound, ValueRef};

use crate::error::ExecuteError;

/// Returns the kind of a declared type in capitals.
pub(super) fn declared(declared: &str) -> ColumnKind {
    let (name, length) = declared.split_once('(').unwrap_or((declared, ""));
    let fraction = length.trim_end_matches(')').trim().parse().unwrap_or(0).min(6);
    match name.trim() {
        "DATETIME" | "TIMESTAMP" => ColumnKind::DateTime { fraction },
        "DATE" => ColumnKind::Date,
        "TIME" => ColumnKind::Time { fraction },
        "YEAR" => ColumnKind::Year,
        "JSON" => ColumnKind::Json,
        "DECIMAL" | "NUMERIC" => ColumnKind::Decimal,
        "REAL" | "DOUBLE" | "DOUBLE PRECISION" | "FLOAT" => ColumnKind::Double,
        "BOOL" | "BOOLEAN" => ColumnKind::Int,
        name if name.contains("INT") => ColumnKind::Int,
        name if name.contains("BLOB") || name.contains("BINARY") => ColumnKind::Binary,
        _ => ColumnKind::Text,
    }
}

/// Returns the kind of an expression from its first value.
pub(super) fn kind_of(first: Option<ValueRef<'_>>) -> ColumnKind {
    match first {
        Some(ValueRef::Integer(_)) => ColumnKind::Int,
        Some(ValueRef::Real(_)) => ColumnKind::Double,
        Some(ValueRef::Blob(_)) => ColumnKind::Binary,
        Some(ValueRef::Text(_) | ValueRef::Null) | None => ColumnKind::Text,
    }
}

/// Returns one value of a row.
///
/// # Errors
/// The reason why the value can't be read.
pub(super) fn cell(kind: ColumnKind, value: ValueRef<'_>) -> Result<Cell<'_>, String> {
    Ok(match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(int) => Cell::Int(int),
        ValueRef::Real(float) => Cell::Double(float),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes),
        ValueRef::Text(bytes) => {
            let text = simdutf8::basic::from_utf8(bytes)
                .map_err(|_| "its text isn't UTF-8: select CAST(… AS BLOB) for bytes".to_owned())?;
            typed(kind, text).unwrap_or(Cell::Text(text))
        }
    })
}

/// Returns text as its column's type. Returns `None` for another type, or too many digits.
fn typed(kind: ColumnKind, text: &str) -> Option<Cell<'_>> {
    Some(match kind {
        ColumnKind::Json => Cell::Json(text),
        ColumnKind::Decimal => Decimal::new(text).ok().map(|_| Cell::Decimal(text))?,
        ColumnKind::Date => Cell::Date(date(text)?),
        ColumnKind::DateTime { fraction } => {
            let (day, time) = text.split_once([' ', 'T'])?;
            let Time { hours, minutes, seconds, micros, .. } = clock(time, fraction)?;
            Cell::DateTime(date(day)?.at(u8::try_from(hours).ok()?, minutes, seconds, micros).ok()?)
        }
        ColumnKind::Time { fraction } => match text.strip_prefix('-') {
            Some(time) => Cell::Time(-clock(time, fraction)?),
            None => Cell::Time(clock(text, fraction)?),
        },
        _ => return None,
    })
}

fn date(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let (year, month, day) = (digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    if parts.next().is_some() {
        return None;
    }
    Date::new(u16::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?).ok()
}

fn clock(text: &str, fraction: u8) -> Option<Time> {
    let (text, micros) = match text.split_once('.') {
        None => (text, 0),
        Some((text, part)) if part.len() <= usize::from(fraction) => (text, digits(&format!("{part:0<6}"), 6)?),
        Some(_) => return None,
    };
    let mut parts = text.split(':');
    let (hours, minutes) = (digits(parts.next()?, 3)?, digits(parts.next()?, 2)?);
    let seconds = parts.next().map_or(Some(0), |seconds| digits(seconds, 2))?;
    if parts.next().is_some() {
        return None;
    }
    Time::new(u16::try_from(hours).ok()?, u8::try_from(minutes).ok()?, u8::try_from(seconds).ok()?, micros).ok()
}

fn digits(text: &str, most: usize) -> Option<u32> {
    let plain = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// Returns a value to bind. Lists must be expanded before.
pub(super) fn bind(position: usize, value: &Value) -> Result<Bound, ExecuteError> {
    Ok(match value {
        Value::Bool(bool) => Bound::Integer((*bool).into()),
        Value::Int(int) => Bound::Integer(*int),
        Value::UInt(int) => Bound::Integer(i64::try_from(*int).map_err(|_| ExecuteError::Param {
            position,
            type_name: value.type_name(),
            reason: format!("{int} is above SQLite's highest integer, {}", i64::MAX),
        })?),
        Value::Float(float) => Bound::Real(*float),
        Value::Decimal(digits) => Bound::Text(digits.as_str().into()),
        Value::Text(text) => Bound::Text(text.as_ref().into()),
        Value::Bytes(bytes) => Bound::Blob(bytes.to_vec()),
        Value::Date(date) => Bound::Text(date.to_string()),
        Value::DateTime(at) => Bound::Text(at.to_string()),
        Value::Time(time) => Bound::Text(time.to_string()),
        Value::Json(json) => Bound::Text(json.to_string()),
        _ => Bound::Null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(declaration: &str, text: &'static str) -> Cell<'static> {
        cell(declared(declaration), ValueRef::Text(text.as_bytes())).unwrap()
    }

    #[test]
    fn declared_types_are_the_kinds_that_mysql_would_say() {
        for (declaration, kind) in [
            ("INTEGER", ColumnKind::Int),
            ("BIGINT UNSIGNED", ColumnKind::Int),
            ("DECIMAL(10,2)", ColumnKind::Decimal),
            ("DOUBLE PRECISION", ColumnKind::Double),
            ("VARCHAR(100)", ColumnKind::Text),
            ("VARBINARY(10)", ColumnKind::Binary),
            ("DATETIME", ColumnKind::DateTime { fraction: 0 }),
            ("DATETIME(3)", ColumnKind::DateTime { fraction: 3 }),
            ("JSON", ColumnKind::Json),
        ] {
            assert_eq!(declared(declaration), kind, "{declaration}");
        }
    }

    #[test]
    fn text_is_read_as_its_declared_type() {
        let day = Date::new(2025, 1, 15).unwrap();
        assert_eq!(read("DATE", "2025-01-15"), Cell::Date(day));
        assert_eq!(read("DATETIME", "2025-01-15 10:30:00"), Cell::DateTime(day.at(10, 30, 0, 0).unwrap()));
        assert_eq!(read("DATETIME(6)", "2025-01-15T10:30:00.12"), Cell::DateTime(day.at(10, 30, 0, 120_000).unwrap()));
        assert_eq!(read("TIME", "-838:59:59"), Cell::Time(-Time::new(838, 59, 59, 0).unwrap()));
        assert_eq!(read("DECIMAL(30,10)", "12345678901234567890.1"), Cell::Decimal("12345678901234567890.1"));
        assert_eq!(read("JSON", "{}"), Cell::Json("{}"));
    }

    #[test]
    fn text_that_does_not_fit_stays_text() {
        for (declaration, text) in [
            ("DATE", "yesterday"),
            ("DATE", "2025-13-01"),
            ("DATE", "2025-01-01-01"),
            ("DATETIME", "2025-01-15 10:30:00.5"),
            ("DATETIME", "2025-01-15 25:00:00"),
            ("TIME", "1:2:3:4"),
            ("DECIMAL", "1e5"),
            ("INTEGER", "none"),
        ] {
            assert_eq!(read(declaration, text), Cell::Text(text), "{declaration}");
        }
    }

    #[test]
    fn dates_are_bound_as_sqlite_writes_them() {
        let day = Date::new(2025, 1, 5).unwrap();
        let text = |value: Value| bind(1, &value).unwrap();
        assert_eq!(text(day.into()), Bound::Text("2025-01-05".into()));
        assert_eq!(text(day.at(1, 2, 3, 4).unwrap().into()), Bound::Text("2025-01-05 01:02:03.000004".into()));
        assert_eq!(text((-Time::new(1, 2, 3, 0).unwrap()).into()), Bound::Text("-01:02:03".into()));
        assert!(bind(2, &Value::UInt(u64::MAX)).unwrap_err().to_string().starts_with("param 2 (integer)"));
    }
}
