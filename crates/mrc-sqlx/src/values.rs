//! The values of the binary protocol. Params have the types of `MySqlExecutor`: sqlx has no zero
//! dates, and binds bytes as a `BLOB`. Cells borrow from the row. Only numbers are copied.

use mrc_core::{Cell, ColumnKind, Date, DateTime, Time, Value};
use mrc_store::driver::text;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::mysql::types::MySqlTime;
use sqlx::mysql::{MySql, MySqlTypeInfo, MySqlValueRef};
use sqlx::{Decode, Encode, Type};

use crate::columns::Layout;

/// A value to bind. Lists are expanded earlier.
pub(crate) struct Bound<'a>(pub(crate) &'a Value);

impl Type<MySql> for Bound<'_> {
    fn type_info() -> MySqlTypeInfo {
        str::type_info()
    }
}

impl Encode<'_, MySql> for Bound<'_> {
    fn encode_by_ref(&self, out: &mut Vec<u8>) -> Result<IsNull, BoxDynError> {
        match self.0 {
            Value::Bool(bool) => i64::from(*bool).encode_by_ref(out),
            Value::Int(int) => int.encode_by_ref(out),
            Value::UInt(int) => int.encode_by_ref(out),
            Value::Float(float) => float.encode_by_ref(out),
            Value::Decimal(digits) => digits.as_str().encode_by_ref(out),
            Value::Text(text) => (&**text).encode_by_ref(out),
            Value::Bytes(bytes) => (&**bytes).encode_by_ref(out),
            Value::Date(date) => {
                put_date_time(DateTime { date: *date, hour: 0, minute: 0, second: 0, micros: 0 }, out);
                Ok(IsNull::No)
            }
            Value::DateTime(at) => {
                put_date_time(*at, out);
                Ok(IsNull::No)
            }
            Value::Time(time) => {
                put_time(*time, out);
                Ok(IsNull::No)
            }
            Value::Json(json) => json.to_string().encode_by_ref(out),
            _ => Ok(IsNull::Yes),
        }
    }

    fn produces(&self) -> Option<MySqlTypeInfo> {
        Some(match self.0 {
            // As in the peers' literals, 1 has one type, whichever Rust type holds it.
            Value::UInt(int) if i64::try_from(*int).is_err() => u64::type_info(),
            Value::Bool(_) | Value::Int(_) | Value::UInt(_) => i64::type_info(),
            Value::Float(_) => f64::type_info(),
            Value::Date(_) | Value::DateTime(_) => stored("Datetime")?,
            Value::Time(_) => MySqlTime::type_info(),
            Value::Null | Value::List(_) => stored("Null")?,
            _ => str::type_info(),
        })
    }
}

/// Returns a type without a public name in sqlx, from the form of sqlx's offline files.
fn stored(name: &str) -> Option<MySqlTypeInfo> {
    serde_json::from_value(serde_json::json!({ "type": name, "flags": "", "collation": 63, "max_size": null })).ok()
}

fn put_date_time(DateTime { date, hour, minute, second, micros }: DateTime, out: &mut Vec<u8>) {
    let ([y0, y1], [u0, u1, u2, u3]) = (date.year.to_le_bytes(), micros.to_le_bytes());
    put(&[y0, y1, date.month, date.day, hour, minute, second, u0, u1, u2, u3], [0, 4, 7], out);
}

fn put_time(Time { negative, hours, minutes, seconds, micros }: Time, out: &mut Vec<u8>) {
    let is_negative = negative && (hours, minutes, seconds, micros) != (0, 0, 0, 0);
    // The protocol has a part for days. The remainder of 24 fits into a `u8`.
    let ([d0, d1, d2, d3], [u0, u1, u2, u3]) = (u32::from(hours / 24).to_le_bytes(), micros.to_le_bytes());
    let hours = (hours % 24) as u8;
    put(&[is_negative.into(), d0, d1, d2, d3, hours, minutes, seconds, u0, u1, u2, u3], [0, 8, 8], out);
}

/// Writes parts up to the first of `lengths` that leaves out only zeros. The length shows when
/// MySQL compares the param with a text: `-01:02:03` differs from `-01:02:03.000000`.
fn put(parts: &[u8], lengths: [usize; 3], out: &mut Vec<u8>) {
    let is_zero = |from: &usize| parts.iter().skip(*from).all(|part| *part == 0);
    let length = lengths.into_iter().find(is_zero).unwrap_or(parts.len());
    out.push(length as u8);
    out.extend(parts.iter().take(length));
}

/// Returns one value of a row.
///
/// # Errors
/// The reason why the value can't be read.
pub(crate) fn cell<'r>(kind: ColumnKind, layout: Layout, value: MySqlValueRef<'r>) -> Result<Cell<'r>, String> {
    // `is_null` of sqlx also holds for all-zero dates. Only a real NULL has no bytes.
    match <&[u8] as Decode<'r, MySql>>::decode(value) {
        Err(_) => Ok(Cell::Null),
        Ok(bytes) => read(kind, layout, bytes),
    }
}

fn read(kind: ColumnKind, layout: Layout, bytes: &[u8]) -> Result<Cell<'_>, String> {
    let broken = || format!("{} bytes are no {kind:?}", bytes.len());
    Ok(match layout {
        Layout::Int { unsigned: true } => Cell::UInt(unsigned(bytes).ok_or_else(broken)?),
        Layout::Int { unsigned: false } => Cell::Int(signed(bytes).ok_or_else(broken)?),
        Layout::Float => Cell::Float(f32::from_le_bytes(bytes.try_into().map_err(|_| broken())?)),
        Layout::Double => Cell::Double(f64::from_le_bytes(bytes.try_into().map_err(|_| broken())?)),
        Layout::Date => {
            let at = date_time(bytes).ok_or_else(broken)?;
            if kind == ColumnKind::Date { Cell::Date(at.date) } else { Cell::DateTime(at) }
        }
        Layout::Time => Cell::Time(time(bytes).ok_or_else(broken)?),
        Layout::Bytes => match kind {
            ColumnKind::Decimal => Cell::Decimal(text(bytes)?),
            ColumnKind::Json => Cell::Json(text(bytes)?),
            ColumnKind::Binary | ColumnKind::Geometry | ColumnKind::Bit | ColumnKind::BitDigits => Cell::Bytes(bytes),
            _ => Cell::Text(text(bytes)?),
        },
    })
}

/// Reads 1, 2, 4 or 8 bytes, the lowest first.
fn unsigned(bytes: &[u8]) -> Option<u64> {
    let mut wide = [0; 8];
    wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(u64::from_le_bytes(wide))
}

fn signed(bytes: &[u8]) -> Option<i64> {
    let missing = 64 - 8 * u32::try_from(bytes.len()).ok().filter(|bytes| (1..=8).contains(bytes))?;
    Some((unsigned(bytes)? << missing) as i64 >> missing)
}

/// Reads the length in bytes, then the parts. Zeros at the end are left out.
fn date_time(bytes: &[u8]) -> Option<DateTime> {
    let part = |at: usize| bytes.get(at).copied().unwrap_or_default();
    let date = Date { year: u16::from_le_bytes([part(1), part(2)]), month: part(3), day: part(4) };
    let micros = u32::from_le_bytes([part(8), part(9), part(10), part(11)]);
    let at = DateTime { date, hour: part(5), minute: part(6), second: part(7), micros };
    is_whole(bytes, &[0, 4, 7, 11]).then_some(at)
}

/// Reads the length in bytes, the sign, the days, and so on.
fn time(bytes: &[u8]) -> Option<Time> {
    let part = |at: usize| bytes.get(at).copied().unwrap_or_default();
    let days = u32::from_le_bytes([part(2), part(3), part(4), part(5)]);
    let micros = u32::from_le_bytes([part(9), part(10), part(11), part(12)]);
    let hours = u16::try_from(days.checked_mul(24)?.checked_add(part(6).into())?).ok()?;
    let time = Time { negative: part(1) != 0, hours, minutes: part(7), seconds: part(8), micros };
    is_whole(bytes, &[0, 8, 12]).then_some(time)
}

fn is_whole(bytes: &[u8], lengths: &[u8]) -> bool {
    bytes.split_first().is_some_and(|(length, rest)| lengths.contains(length) && rest.len() == usize::from(*length))
}

#[cfg(test)]
mod tests {
    use sqlx::TypeInfo;

    use super::*;

    #[test]
    fn each_value_has_its_own_type() {
        let name = |value: Value| Bound(&value).produces().map(|info| info.name().to_owned());
        let day = Date { year: 0, month: 0, day: 0 };
        for (value, expected) in [
            (Value::Null, "NULL"),
            (true.into(), "BIGINT"),
            (7_u8.into(), "BIGINT"),
            (u64::MAX.into(), "BIGINT UNSIGNED"),
            (1.5.into(), "DOUBLE"),
            ("x".into(), "VARCHAR"),
            (vec![0_u8].into(), "VARCHAR"),
            (day.into(), "DATETIME"),
            (Time { negative: true, hours: 1, minutes: 0, seconds: 0, micros: 0 }.into(), "TIME"),
        ] {
            assert_eq!(name(value.clone()).as_deref(), Some(expected), "{value:?}");
        }
    }

    #[test]
    fn zeros_at_the_end_are_left_out() {
        let time = |hours, micros| {
            let mut out = Vec::new();
            put_time(Time { negative: true, hours, minutes: 0, seconds: 0, micros }, &mut out);
            out
        };
        assert_eq!(time(838, 1), [12, 1, 34, 0, 0, 0, 22, 0, 0, 1, 0, 0, 0]);
        assert_eq!(time(838, 0), [8, 1, 34, 0, 0, 0, 22, 0, 0]);
        assert_eq!(time(0, 0), [0]);
        let date = |year, hour, micros| {
            let mut out = Vec::new();
            let date = Date { year, month: 0, day: 0 };
            put_date_time(DateTime { date, hour, minute: 0, second: 0, micros }, &mut out);
            out
        };
        assert_eq!(date(2025, 10, 7), [11, 0xE9, 7, 0, 0, 10, 0, 0, 7, 0, 0, 0]);
        assert_eq!(date(2025, 10, 0), [7, 0xE9, 7, 0, 0, 10, 0, 0]);
        assert_eq!((date(2025, 0, 0), date(0, 0, 0)), (vec![4, 0xE9, 7, 0, 0], vec![0]));
    }

    #[test]
    fn integers_of_each_width_keep_their_sign() {
        assert_eq!(signed(&[0x80]), Some(-128));
        assert_eq!(signed(&(-30_000_i16).to_le_bytes()), Some(-30_000));
        assert_eq!(signed(&i64::MIN.to_le_bytes()), Some(i64::MIN));
        assert_eq!(unsigned(&[0x80]), Some(128));
        assert_eq!(unsigned(&u64::MAX.to_le_bytes()), Some(u64::MAX));
        assert_eq!((signed(&[]), signed(&[0; 9]), unsigned(&[0; 9])), (None, None, None));
    }

    #[test]
    fn zero_parts_of_a_time_are_left_out() {
        let zero = Date { year: 0, month: 0, day: 0 };
        assert_eq!(date_time(&[0]), Some(DateTime { date: zero, hour: 0, minute: 0, second: 0, micros: 0 }));
        let day = Date { year: 2025, month: 1, day: 15 };
        assert_eq!(date_time(&[4, 0xE9, 7, 1, 15]).map(|at| at.date), Some(day));
        let whole = DateTime { date: day, hour: 10, minute: 30, second: 5, micros: 7 };
        assert_eq!(date_time(&[11, 0xE9, 7, 1, 15, 10, 30, 5, 7, 0, 0, 0]), Some(whole));
        assert_eq!((date_time(&[]), date_time(&[4, 1]), date_time(&[3, 1, 1, 1])), (None, None, None));
    }

    #[test]
    fn a_time_of_many_days_counts_in_hours() {
        let longest = Time { negative: true, hours: 838, minutes: 59, seconds: 59, micros: 0 };
        assert_eq!(time(&[8, 1, 34, 0, 0, 0, 22, 59, 59]), Some(longest));
        assert_eq!(time(&[12, 0, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0]), Time::new(1, 2, 3, 4).ok());
        assert_eq!(time(&[0]), Time::new(0, 0, 0, 0).ok());
        assert_eq!(time(&[8, 0, 255, 255, 255, 255, 0, 0, 0]), None);
    }
}
