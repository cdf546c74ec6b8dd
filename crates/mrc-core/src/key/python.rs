//! Values in a key as the PyPI peer writes them: by Python's `str`, and by `repr` inside a list.

use std::io::Write as _;

use crate::json;
use crate::value::Value;

pub(super) fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"None"),
        Value::Bool(bool) => out.extend_from_slice(if *bool { b"True" } else { b"False" }),
        Value::Int(int) => append(out, format_args!("{int}")),
        Value::UInt(int) => append(out, format_args!("{int}")),
        Value::Float(float) => json::number::python(*float, out),
        Value::Decimal(decimal) => out.extend_from_slice(decimal.as_str().as_bytes()),
        Value::Text(text) => out.extend_from_slice(text.as_bytes()),
        Value::Bytes(bytes) => repr_bytes(bytes, out),
        Value::Date(date) => append(out, format_args!("{date}")),
        Value::DateTime(at) => append(out, format_args!("{at}")),
        Value::Time(time) => append(out, format_args!("{time}")),
        Value::Json(document) => super::typescript::write_json(document, out),
        Value::List(values) => {
            out.push(b'[');
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    out.extend_from_slice(b", ");
                }
                repr(value, out);
            }
            out.push(b']');
        }
    }
}

fn repr(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Text(text) => repr_str(text, out),
        Value::Decimal(decimal) => append(out, format_args!("Decimal('{}')", decimal.as_str())),
        Value::Date(date) => append(out, format_args!("datetime.date({}, {}, {})", date.year, date.month, date.day)),
        Value::DateTime(at) => {
            let date = at.date;
            append(out, format_args!("datetime.datetime({}, {}, {}", date.year, date.month, date.day));
            append(out, format_args!(", {}, {}", at.hour, at.minute));
            if at.second > 0 || at.micros > 0 {
                append(out, format_args!(", {}", at.second));
            }
            if at.micros > 0 {
                append(out, format_args!(", {}", at.micros));
            }
            out.push(b')');
        }
        value => write(value, out),
    }
}

pub(crate) fn repr_str(text: &str, out: &mut Vec<u8>) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    append(out, format_args!("{quote}"));
    for char in text.chars() {
        match char {
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\\' => out.extend_from_slice(b"\\\\"),
            char if char == quote => append(out, format_args!("\\{char}")),
            char if is_printable(char) => append(out, format_args!("{char}")),
            char => match u32::from(char) {
                code @ 0..=0xff => append(out, format_args!("\\x{code:02x}")),
                code @ 0x100..=0xffff => append(out, format_args!("\\u{code:04x}")),
                code => append(out, format_args!("\\U{code:08x}")),
            },
        }
    }
    append(out, format_args!("{quote}"));
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

fn repr_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { b'"' } else { b'\'' };
    out.extend_from_slice(&[b'b', quote]);
    for &byte in bytes {
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\\' => out.extend_from_slice(b"\\\\"),
            byte if byte == quote => out.extend_from_slice(&[b'\\', byte]),
            0x20..=0x7e => out.push(byte),
            byte => append(out, format_args!("\\x{byte:02x}")),
        }
    }
    out.push(quote);
}

fn append(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing into a Vec can't fail.
    let _ = out.write_fmt(text);
}
