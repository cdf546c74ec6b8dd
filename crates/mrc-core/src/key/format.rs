//! The two spellings of values in a key: by JavaScript's string conversion, as the npm peer writes
//! them, and by Python's `str`, with `repr` inside a list, as the PyPI peer does.
//!
//! Writing into a `Vec` can't fail.

use std::io::Write as _;

use crate::json::{self, number};
use crate::nesting::Nesting;
use crate::temporal::{Date, DateTime};
use crate::value::Value;

/// The spelling of values in a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum KeyFormat {
    /// Default. As the npm package `@actvalue/mysql-redis-cache`: `null`, `true`, `1e-7`, `1,2,3`.
    #[default]
    TypeScript,
    /// As in the PyPI package `actvalue.mysql-redis-cache`: `None`, `True`, `1e-07`, `[1, 2, 3]`.
    Python,
}

impl KeyFormat {
    /// Appends a value as a key spells it.
    pub(crate) fn write(self, value: &Value, out: &mut Vec<u8>) {
        match (value, self) {
            (Value::Null, Self::TypeScript) => out.extend_from_slice(b"null"),
            (Value::Null, Self::Python) => out.extend_from_slice(b"None"),
            (Value::Bool(bool), Self::TypeScript) => out.extend_from_slice(if *bool { b"true" } else { b"false" }),
            (Value::Bool(bool), Self::Python) => out.extend_from_slice(if *bool { b"True" } else { b"False" }),
            (Value::Int(int), _) => _ = write!(out, "{int}"),
            (Value::UInt(int), _) => _ = write!(out, "{int}"),
            (Value::Float(float), Self::TypeScript) => number::ecmascript(*float, out),
            (Value::Float(float), Self::Python) => number::python(*float, out),
            (Value::Decimal(decimal), _) => out.extend_from_slice(decimal.as_str().as_bytes()),
            (Value::Text(text), _) => out.extend_from_slice(text.as_bytes()),
            (Value::Bytes(bytes), Self::TypeScript) => {
                out.extend_from_slice(String::from_utf8_lossy(bytes).as_bytes());
            }
            (Value::Bytes(bytes), Self::Python) => {
                out.push(b'b');
                quote(bytes.iter().map(|byte| char::from(*byte)), |char| matches!(char, ' '..='~'), out);
            }
            (Value::Date(date), Self::TypeScript) => write_date(date.midnight(), out),
            (Value::Date(date), Self::Python) => _ = write!(out, "{date}"),
            (Value::DateTime(at), Self::TypeScript) => write_date(*at, out),
            (Value::DateTime(at), Self::Python) => _ = write!(out, "{at}"),
            (Value::Time(time), _) => _ = write!(out, "{time}"),
            (Value::Json(document), _) => write_json(document, out),
            (Value::List(values), Self::TypeScript) => json::joined(values, b",", out, |value, out| match value {
                // An array's string conversion leaves null and undefined empty.
                Value::Null => {}
                value => self.write(value, out),
            }),
            (Value::List(values), Self::Python) => {
                out.push(b'[');
                json::joined(values, b", ", out, repr);
                out.push(b']');
            }
        }
    }
}

impl std::str::FromStr for KeyFormat {
    type Err = UnknownKeyFormat;

    /// Reads `typescript` or `python`.
    fn from_str(name: &str) -> Result<Self, UnknownKeyFormat> {
        match name {
            "typescript" => Ok(Self::TypeScript),
            "python" => Ok(Self::Python),
            _ => Err(UnknownKeyFormat),
        }
    }
}

/// The name belongs to no format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key format is typescript or python")]
pub struct UnknownKeyFormat;

/// Writes JSON as `JSON.stringify` prints it, for both peers: their callers pass a text. Writes
/// nothing if the document nests too deep, since no key holds such a document.
fn write_json(document: &serde_json::Value, out: &mut Vec<u8>) {
    if !Nesting::is_exceeded_by(document) {
        out.extend(json::to_vec(document).unwrap_or_default());
    }
}

/// Writes a date as `Date.prototype.toString` prints it in the time zone UTC.
fn write_date(at: DateTime, out: &mut Vec<u8>) {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let Date { year, month, day } = at.date;
    let (Some(weekday), Some(month)) = (at.date.weekday(), MONTHS.get(usize::from(month).wrapping_sub(1))) else {
        return out.extend_from_slice(b"Invalid Date");
    };
    let weekday = DAYS.get(weekday).unwrap_or(&"");
    _ = write!(out, "{weekday} {month} {day:02} {year:04} {:02}:{:02}:{:02}", at.hour, at.minute, at.second);
    out.extend_from_slice(b" GMT+0000 (Coordinated Universal Time)");
}

/// Writes an element of a list as Python does.
fn repr(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Text(text) => repr_str(text, out),
        Value::Decimal(decimal) => _ = write!(out, "Decimal('{}')", decimal.as_str()),
        Value::Date(date) => _ = write!(out, "datetime.date({}, {}, {})", date.year, date.month, date.day),
        Value::DateTime(at) => {
            let Date { year, month, day } = at.date;
            _ = write!(out, "datetime.datetime({year}, {month}, {day}, {}, {}", at.hour, at.minute);
            if at.second > 0 || at.micros > 0 {
                _ = write!(out, ", {}", at.second);
            }
            if at.micros > 0 {
                _ = write!(out, ", {}", at.micros);
            }
            out.push(b')');
        }
        value => KeyFormat::Python.write(value, out),
    }
}

pub(crate) fn repr_str(text: &str, out: &mut Vec<u8>) {
    quote(text.chars(), is_printable, out);
}

/// Writes characters between quotes, and escapes those that aren't plain.
fn quote(chars: impl Iterator<Item = char> + Clone, is_plain: fn(char) -> bool, out: &mut Vec<u8>) {
    let has = |wanted| chars.clone().any(|char| char == wanted);
    let quote = if has('\'') && !has('"') { '"' } else { '\'' };
    _ = write!(out, "{quote}");
    for char in chars {
        match char {
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\\' => out.extend_from_slice(b"\\\\"),
            char if char == quote => _ = write!(out, "\\{char}"),
            char if is_plain(char) => _ = write!(out, "{char}"),
            char => match u32::from(char) {
                code @ 0..=0xff => _ = write!(out, "\\x{code:02x}"),
                code @ 0x100..=0xffff => _ = write!(out, "\\u{code:04x}"),
                code => _ = write!(out, "\\U{code:08x}"),
            },
        }
    }
    _ = write!(out, "{quote}");
}

/// Returns Python's `str.isprintable`, except for unassigned code points: they vary by version.
fn is_printable(char: char) -> bool {
    let separator = char.is_whitespace() && char != ' ';
    let format = matches!(u32::from(char),
        0xad | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x890..=0x891 | 0x8e2 | 0x180e | 0x200b..=0x200f | 0x202a..=0x202e
        | 0x2060..=0x206f | 0xfeff | 0xfff9..=0xfffb | 0x110bd | 0x110cd | 0x13430..=0x1343f | 0x1bca0..=0x1bca3
        | 0x1d173..=0x1d17a | 0xe0001 | 0xe0020..=0xe007f);
    let private = matches!(u32::from(char), 0xe000..=0xf8ff | 0xf_0000..=0x10_ffff);
    !(char.is_control() || separator || format || private)
}
