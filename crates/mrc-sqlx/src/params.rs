//! Params with the types of `MySqlExecutor`. sqlx has no zero dates, and binds bytes as a `BLOB`.

use mrc_core::{DateTime, Time, Value};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::mysql::types::MySqlTime;
use sqlx::mysql::{MySql, MySqlTypeInfo};
use sqlx::{Encode, Type};

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

#[cfg(test)]
mod tests {
    use mrc_core::Date;
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
}
