//! Values, to and from the driver. Cells borrow from the row: nothing is copied.

use mrc_core::{Cell, ColumnKind, Date, DateTime, Time, Value};
use mysql_async::Value as Driver;

/// One value of a row.
///
/// # Errors
/// Why it can't be read.
pub(super) fn cell(kind: ColumnKind, value: &Driver) -> Result<Cell<'_>, String> {
    Ok(match value {
        Driver::NULL => Cell::Null,
        Driver::Int(int) => Cell::Int(*int),
        Driver::UInt(int) => Cell::UInt(*int),
        Driver::Float(float) => Cell::Float(*float),
        Driver::Double(float) => Cell::Double(*float),
        Driver::Date(year, month, day, hour, minute, second, micros) => {
            let date = Date { year: *year, month: *month, day: *day };
            match kind {
                ColumnKind::Date => Cell::Date(date),
                _ => Cell::DateTime(DateTime { date, hour: *hour, minute: *minute, second: *second, micros: *micros }),
            }
        }
        Driver::Time(negative, days, hours, minutes, seconds, micros) => Cell::Time(Time {
            negative: *negative,
            hours: u16::try_from(days * 24 + u32::from(*hours)).map_err(|_| format!("{days} days are no TIME"))?,
            minutes: *minutes,
            seconds: *seconds,
            micros: *micros,
        }),
        Driver::Bytes(bytes) => match kind {
            ColumnKind::Text => Cell::Text(text(bytes)?),
            ColumnKind::Decimal => Cell::Decimal(text(bytes)?),
            ColumnKind::Json => Cell::Json(text(bytes)?),
            ColumnKind::Binary | ColumnKind::Geometry | ColumnKind::Bit => Cell::Bytes(bytes),
            // A server that sends text for a number would be a surprise, but it is readable.
            _ => Cell::Text(text(bytes)?),
        },
    })
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    simdutf8::basic::from_utf8(bytes)
        .map_err(|_| "its text isn't UTF-8: select CONVERT(… USING utf8mb4), or CAST(… AS BINARY) for bytes".into())
}

/// One value to bind. Lists were expanded before.
pub(super) fn bind(value: &Value) -> Driver {
    match value {
        Value::Bool(bool) => Driver::Int((*bool).into()),
        Value::Int(int) => Driver::Int(*int),
        // As the peers' literals: 1 has one type, whichever type of Rust it comes from.
        Value::UInt(int) => i64::try_from(*int).map_or(Driver::UInt(*int), Driver::Int),
        Value::Float(float) => Driver::Double(*float),
        Value::Decimal(digits) => Driver::Bytes(digits.as_str().into()),
        Value::Text(text) => Driver::Bytes(text.as_bytes().into()),
        Value::Bytes(bytes) => Driver::Bytes(bytes.to_vec()),
        Value::Date(Date { year, month, day }) => Driver::Date(*year, *month, *day, 0, 0, 0, 0),
        Value::DateTime(DateTime { date, hour, minute, second, micros }) => {
            Driver::Date(date.year, date.month, date.day, *hour, *minute, *second, *micros)
        }
        Value::Time(Time { negative, hours, minutes, seconds, micros }) => {
            // The protocol wants days; the remainder of 24 fits.
            Driver::Time(*negative, u32::from(hours / 24), (hours % 24) as u8, *minutes, *seconds, *micros)
        }
        Value::Json(json) => Driver::Bytes(json.to_string().into_bytes()),
        Value::Null | Value::List(_) => Driver::NULL,
        _ => Driver::NULL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_many_days_counts_in_hours() {
        let longest = Time::new(838, 59, 59, 0).unwrap();
        for time in [longest, -longest, Time::new(1, 2, 3, 4).unwrap(), Time::new(24, 0, 0, 0).unwrap()] {
            let there = bind(&Value::Time(time));
            assert_eq!(cell(ColumnKind::Time { fraction: 6 }, &there), Ok(Cell::Time(time)));
        }
        assert_eq!(bind(&Value::Time(-longest)), Driver::Time(true, 34, 22, 59, 59, 0));
    }

    #[test]
    fn whole_numbers_are_signed_where_they_fit() {
        assert_eq!(bind(&Value::from(1_u32)), bind(&Value::from(1_i32)));
        assert_eq!(bind(&Value::from(i64::MAX as u64)), Driver::Int(i64::MAX));
        assert_eq!(bind(&Value::from(u64::MAX)), Driver::UInt(u64::MAX));
    }

    #[test]
    fn zero_dates_are_dates() {
        let zero = Driver::Date(0, 0, 0, 0, 0, 0, 0);
        let date = Date { year: 0, month: 0, day: 0 };
        assert_eq!(cell(ColumnKind::Date, &zero), Ok(Cell::Date(date)));
        let midnight = DateTime { date, hour: 0, minute: 0, second: 0, micros: 0 };
        assert_eq!(cell(ColumnKind::DateTime { fraction: 0 }, &zero), Ok(Cell::DateTime(midnight)));
    }

    #[test]
    fn bytes_are_what_the_column_says() {
        let digits = Driver::Bytes(b"1.50".to_vec());
        assert_eq!(cell(ColumnKind::Text, &digits), Ok(Cell::Text("1.50")));
        assert_eq!(cell(ColumnKind::Decimal, &digits), Ok(Cell::Decimal("1.50")));
        assert_eq!(cell(ColumnKind::Json, &digits), Ok(Cell::Json("1.50")));
        assert_eq!(cell(ColumnKind::Bit, &digits), Ok(Cell::Bytes(b"1.50")));
    }

    #[test]
    fn text_that_is_not_utf8_is_refused() {
        let latin1 = Driver::Bytes(b"caf\xe9".to_vec());
        assert!(cell(ColumnKind::Text, &latin1).unwrap_err().contains("CONVERT"));
        assert_eq!(cell(ColumnKind::Binary, &latin1), Ok(Cell::Bytes(b"caf\xe9")));
    }
}
