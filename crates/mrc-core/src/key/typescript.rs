//! Values in a key as the npm peer writes them: by JavaScript's string conversion.

use std::io::Write as _;

use crate::json;
use crate::nesting::Nesting;
use crate::temporal::{Date, DateTime};
use crate::value::Value;

pub(super) fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(bool) => out.extend_from_slice(if *bool { b"true" } else { b"false" }),
        Value::Int(int) => append(out, format_args!("{int}")),
        Value::UInt(int) => append(out, format_args!("{int}")),
        Value::Float(float) => json::number::ecmascript(*float, out),
        Value::Decimal(decimal) => out.extend_from_slice(decimal.as_str().as_bytes()),
        Value::Text(text) => out.extend_from_slice(text.as_bytes()),
        Value::Bytes(bytes) => out.extend_from_slice(String::from_utf8_lossy(bytes).as_bytes()),
        Value::Date(date) => write_date(DateTime { date: *date, hour: 0, minute: 0, second: 0, micros: 0 }, out),
        Value::DateTime(datetime) => write_date(*datetime, out),
        Value::Time(time) => append(out, format_args!("{time}")),
        Value::Json(document) => write_json(document, out),
        Value::List(values) => {
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                // An array's string conversion leaves null and undefined empty.
                if *value != Value::Null {
                    write(value, out);
                }
            }
        }
    }
}

/// Writes JSON as `JSON.stringify` prints it, for both peers: their callers pass a text. Writes
/// nothing if the document nests too deep, since no key holds such a document.
pub(super) fn write_json(document: &serde_json::Value, out: &mut Vec<u8>) {
    if Nesting::is_exceeded_by(document) {
        return;
    }
    if let Ok(text) = json::to_vec(document) {
        out.extend_from_slice(&text);
    }
}

/// Writes a date as `Date.prototype.toString` prints it in the time zone UTC.
fn write_date(at: DateTime, out: &mut Vec<u8>) {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let Date { year, month, day } = at.date;
    let (Some(weekday), Some(month)) = (at.date.weekday(), MONTHS.get(usize::from(month).wrapping_sub(1))) else {
        out.extend_from_slice(b"Invalid Date");
        return;
    };
    let weekday = DAYS.get(weekday).unwrap_or(&"");
    append(
        out,
        format_args!(
            "{weekday} {month} {day:02} {year:04} {:02}:{:02}:{:02} GMT+0000 (Coordinated Universal Time)",
            at.hour, at.minute, at.second
        ),
    );
}

fn append(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing into a Vec can't fail.
    let _ = out.write_fmt(text);
}
