//! Values to and from the driver. Cells borrow from the row instead of copying.

use mrc_core::{Cell, ColumnKind, Date, DateTime, Time, Value};
use mysql_async::Value as Driver;

use crate::driver::text;

/// Returns one value of a row.
///
/// # Errors
/// The reason why the value can't be read.
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
        Driver::Bytes(bytes) => from_text(kind, bytes)?,
    })
}

/// Reads a value of the text protocol, or a value that is bytes in both protocols.
fn from_text(kind: ColumnKind, bytes: &[u8]) -> Result<Cell<'_>, String> {
    use ColumnKind::{Binary, Bit, BitDigits, Geometry, Vector};
    if matches!(kind, Binary | Bit | BitDigits | Geometry | Vector) {
        return Ok(Cell::Bytes(bytes));
    }
    let text = text(bytes)?;
    let parsed = match kind {
        ColumnKind::Decimal => Some(Cell::Decimal(text)),
        ColumnKind::Json => Some(Cell::Json(text)),
        ColumnKind::Float | ColumnKind::Double => Some(Cell::Number(text)),
        ColumnKind::Int | ColumnKind::Year => {
            text.parse().map(Cell::Int).or_else(|_| text.parse().map(Cell::UInt)).ok()
        }
        ColumnKind::Date => date(text).map(Cell::Date),
        ColumnKind::DateTime { .. } => datetime(text).map(Cell::DateTime),
        ColumnKind::Time { .. } => time(text).map(Cell::Time),
        _ => Some(Cell::Text(text)),
    };
    parsed.ok_or_else(|| format!("the server sent {text:?}, which can't be read as its type"))
}

/// `2025-01-15`
fn date(text: &str) -> Option<Date> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    Some(Date { year: year.parse().ok()?, month: month.parse().ok()?, day: day.parse().ok()? })
}

/// `2025-01-15 10:30:00.123`
fn datetime(text: &str) -> Option<DateTime> {
    let (day, rest) = text.split_once(' ')?;
    let time = time(rest)?;
    let (hour, minute, second) = (u8::try_from(time.hours).ok()?, time.minutes, time.seconds);
    Some(DateTime { date: date(day)?, hour, minute, second, micros: time.micros })
}

/// `-838:59:59.123`
fn time(text: &str) -> Option<Time> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let unsigned = clock.strip_prefix('-').unwrap_or(clock);
    let (hours, rest) = unsigned.split_once(':')?;
    let (minutes, seconds) = rest.split_once(':')?;
    Some(Time {
        negative: clock.len() > unsigned.len(),
        hours: hours.parse().ok()?,
        minutes: minutes.parse().ok()?,
        seconds: seconds.parse().ok()?,
        micros: micros(fraction)?,
    })
}

/// Returns the fraction of a second in µs: `12` is 120,000 µs.
fn micros(fraction: &str) -> Option<u32> {
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
    digits.map(|digit| char::from(digit).to_digit(10)).try_fold(0, |micros, digit| Some(micros * 10 + digit?))
}

/// Returns a value to bind. Lists must be expanded before.
pub(super) fn bind(value: &Value) -> Driver {
    match value {
        Value::Bool(bool) => Driver::Int((*bool).into()),
        Value::Int(int) => Driver::Int(*int),
        // Like the peers' literals: 1 has one type, whatever type it has in Rust.
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
            // The protocol has a field for days. The remainder of 24 fits into `u8`.
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
    fn bytes_are_read_by_the_type_of_the_column() {
        let digits = Driver::Bytes(b"1.50".to_vec());
        assert_eq!(cell(ColumnKind::Text, &digits), Ok(Cell::Text("1.50")));
        assert_eq!(cell(ColumnKind::Decimal, &digits), Ok(Cell::Decimal("1.50")));
        assert_eq!(cell(ColumnKind::Json, &digits), Ok(Cell::Json("1.50")));
        assert_eq!(cell(ColumnKind::Bit, &digits), Ok(Cell::Bytes(b"1.50")));
    }

    #[test]
    fn the_text_protocol_returns_the_same() {
        let check = |kind, text: &str, expected| {
            assert_eq!(cell(kind, &Driver::Bytes(text.into())), Ok(expected), "{text}");
        };
        let fraction = 6;
        check(ColumnKind::Int, "00000042", Cell::Int(42));
        check(ColumnKind::Int, "18446744073709551615", Cell::UInt(u64::MAX));
        check(ColumnKind::Year, "0000", Cell::Int(0));
        check(ColumnKind::Date, "2025-02-00", Cell::Date(Date { year: 2025, month: 2, day: 0 }));
        let date = Date { year: 2025, month: 1, day: 15 };
        let at = DateTime { date, hour: 10, minute: 30, second: 5, micros: 120_000 };
        check(ColumnKind::DateTime { fraction }, "2025-01-15 10:30:05.12", Cell::DateTime(at));
        check(ColumnKind::Time { fraction }, "-838:59:59", Cell::Time(-Time::new(838, 59, 59, 0).unwrap()));
        check(ColumnKind::Time { fraction }, "01:02:03.000004", Cell::Time(Time::new(1, 2, 3, 4).unwrap()));
        for kind in [ColumnKind::Int, ColumnKind::Date, ColumnKind::Time { fraction }] {
            assert!(cell(kind, &Driver::Bytes(b"x".into())).unwrap_err().contains("can't be read"));
        }
    }

    #[test]
    fn text_that_is_not_utf8_is_refused() {
        let latin1 = Driver::Bytes(b"caf\xe9".to_vec());
        assert!(cell(ColumnKind::Text, &latin1).unwrap_err().contains("CONVERT"));
        assert_eq!(cell(ColumnKind::Binary, &latin1), Ok(Cell::Bytes(b"caf\xe9")));
    }
}
