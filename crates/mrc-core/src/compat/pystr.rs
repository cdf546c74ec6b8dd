//! Text as Python's `str` prints it: a text as it is, everything else and nested texts by `repr`.

use std::fmt;
use std::io::Write as _;

use super::pyjson::separate;
use super::value::{PyValue, text};
use crate::json;
use crate::key::python::repr_str;

impl fmt::Display for PyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::new();
        write(self, &mut out);
        f.write_str(&text(out))
    }
}

fn write(value: &PyValue, out: &mut Vec<u8>) {
    match value {
        PyValue::Str(text) => out.extend_from_slice(text.as_bytes()),
        value => repr(value, out),
    }
}

fn repr(value: &PyValue, out: &mut Vec<u8>) {
    match value {
        PyValue::None => out.extend_from_slice(b"None"),
        PyValue::Bool(bool) => out.extend_from_slice(if *bool { b"True" } else { b"False" }),
        PyValue::Int(int) => {
            // Writing into a Vec can't fail.
            let _ = write!(out, "{int}");
        }
        PyValue::Float(float) => repr_float(*float, out),
        PyValue::Str(text) => repr_str(text, out),
        PyValue::List(values) => {
            out.push(b'[');
            elements(values, out);
            out.push(b']');
        }
        PyValue::Tuple(values) => {
            out.push(b'(');
            elements(values, out);
            if values.len() == 1 {
                out.push(b',');
            }
            out.push(b')');
        }
        PyValue::Dict(members) => {
            out.push(b'{');
            for (at, (name, value)) in members.iter().enumerate() {
                separate(at, out);
                repr_str(name, out);
                out.extend_from_slice(b": ");
                repr(value, out);
            }
            out.push(b'}');
        }
    }
}

fn elements(values: &[PyValue], out: &mut Vec<u8>) {
    for (at, value) in values.iter().enumerate() {
        separate(at, out);
        repr(value, out);
    }
}

/// Writes a float. `json.dumps` spells NaN and infinities in another way.
fn repr_float(value: f64, out: &mut Vec<u8>) {
    match value {
        _ if value.is_nan() => out.extend_from_slice(b"nan"),
        f64::INFINITY => out.extend_from_slice(b"inf"),
        f64::NEG_INFINITY => out.extend_from_slice(b"-inf"),
        _ => json::number::python(value, out),
    }
}
