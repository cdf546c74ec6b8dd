//! JSON as Python's `json.dumps` prints it by default: with `, ` and `: `, in ASCII.

use std::io::Write as _;

use super::value::{PyValue, text};
use crate::json;

/// The order of a dict's members.
#[derive(Clone, Copy)]
pub(super) enum MemberOrder {
    /// The order of insertion.
    Given,
    /// `sort_keys=True`, in nested dicts too.
    Sorted,
}

impl PyValue {
    /// Returns the default output of `json.dumps`: ASCII, with a space after each comma and colon.
    ///
    /// NaN and the infinities become `NaN` and `Infinity`, which are no JSON.
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        write(self, MemberOrder::Given, &mut out);
        text(out)
    }
}

pub(super) fn write(value: &PyValue, order: MemberOrder, out: &mut Vec<u8>) {
    match value {
        PyValue::None => out.extend_from_slice(b"null"),
        PyValue::Bool(bool) => out.extend_from_slice(if *bool { b"true" } else { b"false" }),
        PyValue::Int(int) => append(out, format_args!("{int}")),
        PyValue::Float(float) => json::number::python(*float, out),
        PyValue::Str(text) => string(text, out),
        PyValue::List(values) | PyValue::Tuple(values) => {
            out.push(b'[');
            for (at, value) in values.iter().enumerate() {
                separate(at, out);
                write(value, order, out);
            }
            out.push(b']');
        }
        PyValue::Dict(members) => {
            let members = match order {
                MemberOrder::Given => members.iter().collect(),
                MemberOrder::Sorted => sorted(members),
            };
            out.push(b'{');
            for (at, (name, value)) in members.into_iter().enumerate() {
                separate(at, out);
                string(name, out);
                out.extend_from_slice(b": ");
                write(value, order, out);
            }
            out.push(b'}');
        }
    }
}

/// Returns the members by name, in the order of code points, as Python sorts.
pub(super) fn sorted<T: AsRef<str>>(members: &[(T, PyValue)]) -> Vec<&(T, PyValue)> {
    let mut members: Vec<_> = members.iter().collect();
    members.sort_by(|(one, _), (other, _)| one.as_ref().cmp(other.as_ref()));
    members
}

/// Appends a comma before all members but the first.
pub(super) fn separate(at: usize, out: &mut Vec<u8>) {
    if at > 0 {
        out.extend_from_slice(b", ");
    }
}

fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for char in text.chars() {
        match u8::try_from(char) {
            Ok(ascii @ ..0x7f) => json::escape(&[ascii], out),
            _ => {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    append(out, format_args!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push(b'"');
}

fn append(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing into a Vec can't fail.
    let _ = out.write_fmt(text);
}
