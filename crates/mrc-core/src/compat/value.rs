//! A Python value, and its texts by `str` and by `json.dumps`.
//!
//! Writing into a `Vec` can't fail.

use std::fmt;
use std::io::Write as _;

use crate::json::{self, number};
use crate::key::repr_str;

/// An argument as Python has it. Its type decides the output of `str` and `json.dumps`.
///
/// [`Display`](std::fmt::Display) prints the output of `str`.
///
/// ```
/// use mrc_core::compat::PyValue;
///
/// let list = PyValue::from(vec![PyValue::from(1.5), "it's".into(), true.into(), PyValue::None]);
/// assert_eq!(list.to_string(), r#"[1.5, "it's", True, None]"#);
/// assert_eq!(list.to_json(), r#"[1.5, "it's", true, null]"#);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum PyValue {
    /// `None`
    None,
    /// `True` or `False`
    Bool(bool),
    /// An `int`. Python's have no limit; these have 128 bits.
    Int(i128),
    /// A `float`
    Float(f64),
    /// A `str`
    Str(String),
    /// A `list`
    List(Vec<PyValue>),
    /// A `tuple`: `json.dumps` prints it as a list, `str` doesn't.
    Tuple(Vec<PyValue>),
    /// A `dict` with texts as keys, in insertion order, which the output shows.
    Dict(Vec<(String, PyValue)>),
}

crate::value::from! { PyValue:
    bool => Bool,
    i8 => Int, i16 => Int, i32 => Int, i64 => Int, i128 => Int, isize as i128 => Int,
    u8 => Int, u16 => Int, u32 => Int, u64 => Int, usize as i128 => Int,
    f64 => Float,
    &str => Str,
    String => Str,
}

impl<T: Into<PyValue>> From<Option<T>> for PyValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}

impl<T: Into<PyValue>> From<Vec<T>> for PyValue {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl From<serde_json::Value> for PyValue {
    /// Converts as `json.loads` does, but members keep `serde_json`'s order: by default, by name.
    fn from(value: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match value {
            Json::Null => Self::None,
            Json::Bool(bool) => Self::Bool(bool),
            Json::Number(number) => {
                let int = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
                int.map_or_else(|| Self::Float(number.as_f64().unwrap_or(f64::NAN)), Self::Int)
            }
            Json::String(text) => Self::Str(text),
            Json::Array(values) => values.into(),
            Json::Object(members) => {
                Self::Dict(members.into_iter().map(|(name, value)| (name, value.into())).collect())
            }
        }
    }
}

/// How a value is printed.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum PyPrint {
    /// As by `json.dumps`, with members in the order of insertion.
    Json,
    /// As by `json.dumps(sort_keys=True)`, in nested dicts too.
    SortedJson,
    /// As by `repr`.
    Repr,
}

impl PyValue {
    /// Returns the default output of `json.dumps`: ASCII, with a space after each comma and colon.
    ///
    /// NaN and the infinities become `NaN` and `Infinity`, which are no JSON.
    pub fn to_json(&self) -> String {
        let mut out = Vec::new();
        write(self, PyPrint::Json, &mut out);
        json::into_text(out)
    }
}

impl fmt::Display for PyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Str(text) = self {
            return f.write_str(text);
        }
        let mut out = Vec::new();
        write(self, PyPrint::Repr, &mut out);
        f.write_str(&json::into_text(out))
    }
}

pub(super) fn write(value: &PyValue, print: PyPrint, out: &mut Vec<u8>) {
    let is_repr = print == PyPrint::Repr;
    let mut word = |json: &str, repr: &str| out.extend_from_slice(if is_repr { repr } else { json }.as_bytes());
    match value {
        PyValue::None => word("null", "None"),
        PyValue::Bool(true) => word("true", "True"),
        PyValue::Bool(false) => word("false", "False"),
        PyValue::Int(int) => _ = write!(out, "{int}"),
        PyValue::Float(float) if float.is_nan() => word("NaN", "nan"),
        // Rust and Python print `inf` and `-inf`, and JSON has words.
        PyValue::Float(float) if is_repr && float.is_infinite() => _ = write!(out, "{float}"),
        PyValue::Float(float) => number::python(*float, out),
        PyValue::Str(text) => string(text, is_repr, out),
        PyValue::Tuple(values) if is_repr => {
            out.push(b'(');
            json::joined(values, b", ", out, |value, out| write(value, print, out));
            out.extend_from_slice(if values.len() == 1 { b",)" } else { b")" });
        }
        PyValue::List(values) | PyValue::Tuple(values) => {
            out.push(b'[');
            json::joined(values, b", ", out, |value, out| write(value, print, out));
            out.push(b']');
        }
        PyValue::Dict(members) => {
            let sorted = if print == PyPrint::SortedJson { sorted(members) } else { members.iter().collect() };
            out.push(b'{');
            json::joined(sorted, b", ", out, |(name, value), out| {
                string(name, is_repr, out);
                out.extend_from_slice(b": ");
                write(value, print, out);
            });
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

fn string(text: &str, is_repr: bool, out: &mut Vec<u8>) {
    if is_repr {
        return repr_str(text, out);
    }
    out.push(b'"');
    for char in text.chars() {
        match u8::try_from(char) {
            Ok(ascii @ ..0x7f) => json::escape(&[ascii], out),
            _ => char.encode_utf16(&mut [0; 2]).iter().for_each(|unit| json::unicode_escape(*unit, out)),
        }
    }
    out.push(b'"');
}
