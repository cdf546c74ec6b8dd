//! The text of a value in a function key. One value has one text, whatever its type serializes as.
//!
//! | value | text |
//! |---|---|
//! | integers of any width, floats | `1`, `1.0` |
//! | strings and chars, bytes | `"a\n"`, `x"68690a"` |
//! | unit and unit structs, `None` | `()`, `null` |
//! | `Some(x)` | as `x`; `Some(…)` around only `Some`s and a `None` |
//! | sequences, tuples, tuple structs | `[a,b]` |
//! | maps, sorted by the texts of their keys | `#{k:v}` |
//! | structs, newtype structs | `{name:v}`, as their content |
//! | variants | `Name`, `Name(v)`, `Name(a,b)`, `Name{name:v}` |

use std::fmt;
use std::io::Write as _;

use serde::Serialize;
use serde::ser::{self, Serializer};

use crate::json;
use crate::nesting::Nesting;

/// Why a value has no text.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("a number is not finite")]
    NotFinite,
    #[error("a map has a key that is not text-like")]
    MapKey,
    #[error("it nests too deep")]
    TooDeep,
    #[error("{0}")]
    Said(String),
}

type Result<T = (), E = Failure> = std::result::Result<T, E>;

pub(super) fn write<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result {
    value.serialize(Canonical { out, nesting: Nesting::outermost() })
}

/// Appends a name as it is, or as `@"name"` if it could be read as something else.
pub(super) fn write_name(name: &str, out: &mut Vec<u8>) {
    if is_plain(name) {
        out.extend_from_slice(name.as_bytes());
    } else {
        out.push(b'@');
        json::string(name, out);
    }
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && name.chars().all(|char| char.is_alphanumeric() || matches!(char, '_' | '-'))
        && !matches!(name, "null" | "true" | "false" | "Some")
}

/// Returns whether a text belongs to a string, a number, a bool or a unit variant.
fn is_text_like(text: &[u8]) -> bool {
    text != b"null" && !text.starts_with(b"x\"") && !matches!(text.last(), None | Some(b']' | b'}' | b')'))
}

struct Canonical<'a> {
    out: &'a mut Vec<u8>,
    nesting: Nesting,
}

impl<'a> Canonical<'a> {
    fn display(self, value: impl fmt::Display) -> Result {
        // Writing into a `Vec` can't fail.
        _ = write!(self.out, "{value}");
        Ok(())
    }

    fn elements(self, open: u8, close: u8) -> Result<Bracketed<'a>> {
        let nesting = self.nesting.inside().ok_or(Failure::TooDeep)?;
        self.out.push(open);
        Ok(Bracketed { out: self.out, nesting, close, first: true })
    }
}

macro_rules! displayed {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, value: $type) -> Result {
            self.display(value)
        })*
    };
}

impl<'a> Serializer for Canonical<'a> {
    type Ok = ();
    type Error = Failure;
    type SerializeSeq = Bracketed<'a>;
    type SerializeTuple = Bracketed<'a>;
    type SerializeTupleStruct = Bracketed<'a>;
    type SerializeTupleVariant = Bracketed<'a>;
    type SerializeMap = Entries<'a>;
    type SerializeStruct = Bracketed<'a>;
    type SerializeStructVariant = Bracketed<'a>;

    displayed!(
        serialize_bool: bool,
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128
    );

    fn serialize_f32(self, value: f32) -> Result {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result {
        if !value.is_finite() {
            return Err(Failure::NotFinite);
        }
        // `Debug` always writes a point or an exponent.
        self.display(format_args!("{value:?}"))
    }

    fn serialize_char(self, value: char) -> Result {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result {
        json::string(value, self.out);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result {
        self.out.extend_from_slice(b"x\"");
        for byte in value {
            _ = write!(self.out, "{byte:02x}");
        }
        self.out.push(b'"');
        Ok(())
    }

    fn serialize_none(self) -> Result {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result {
        let start = self.out.len();
        let nesting = self.nesting.wrapped().ok_or(Failure::TooDeep)?;
        value.serialize(Canonical { out: &mut *self.out, nesting })?;
        let text = &self.out[start..];
        if text == b"null" || text.starts_with(b"Some(") {
            self.out.splice(start..start, *b"Some(");
            self.out.push(b')');
        }
        Ok(())
    }

    fn serialize_unit(self) -> Result {
        self.out.extend_from_slice(b"()");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &str) -> Result {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &str, _: u32, variant: &str) -> Result {
        write_name(variant, self.out);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &str, value: &T) -> Result {
        let nesting = self.nesting.wrapped().ok_or(Failure::TooDeep)?;
        value.serialize(Canonical { nesting, ..self })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(self, _: &str, _: u32, variant: &str, value: &T) -> Result {
        write_name(variant, self.out);
        let mut elements = self.elements(b'(', b')')?;
        elements.element(value)?;
        elements.end()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Bracketed<'a>> {
        self.elements(b'[', b']')
    }

    fn serialize_tuple(self, _: usize) -> Result<Bracketed<'a>> {
        self.elements(b'[', b']')
    }

    fn serialize_tuple_struct(self, _: &str, _: usize) -> Result<Bracketed<'a>> {
        self.elements(b'[', b']')
    }

    fn serialize_tuple_variant(self, _: &str, _: u32, variant: &str, _: usize) -> Result<Bracketed<'a>> {
        write_name(variant, self.out);
        self.elements(b'(', b')')
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Entries<'a>> {
        let nesting = self.nesting.inside().ok_or(Failure::TooDeep)?;
        Ok(Entries { out: self.out, nesting, entries: Vec::with_capacity(len.unwrap_or(0).min(1_024)) })
    }

    fn serialize_struct(self, _: &str, _: usize) -> Result<Bracketed<'a>> {
        self.elements(b'{', b'}')
    }

    fn serialize_struct_variant(self, _: &str, _: u32, variant: &str, _: usize) -> Result<Bracketed<'a>> {
        write_name(variant, self.out);
        self.elements(b'{', b'}')
    }
}

/// The elements between two brackets, with commas.
struct Bracketed<'a> {
    out: &'a mut Vec<u8>,
    nesting: Nesting,
    close: u8,
    first: bool,
}

impl Bracketed<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        self.comma();
        value.serialize(Canonical { out: &mut *self.out, nesting: self.nesting })
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result {
        self.comma();
        write_name(name, self.out);
        self.out.push(b':');
        value.serialize(Canonical { out: &mut *self.out, nesting: self.nesting })
    }

    fn comma(&mut self) {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
    }

    fn end(self) -> Result {
        self.out.push(self.close);
        Ok(())
    }
}

crate::serialize_compounds!(Bracketed<'_>, Failure);

/// The entries of a map, kept for sorting. Only the last entry may still lack its value.
struct Entries<'a> {
    out: &'a mut Vec<u8>,
    nesting: Nesting,
    entries: Vec<(Vec<u8>, Vec<u8>)>,
}

impl ser::SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = Failure;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result {
        let mut text = Vec::new();
        key.serialize(Canonical { out: &mut text, nesting: self.nesting })?;
        if !is_text_like(&text) {
            return Err(Failure::MapKey);
        }
        self.entries.push((text, Vec::new()));
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        match self.entries.last_mut() {
            Some((_, text)) => value.serialize(Canonical { out: text, nesting: self.nesting }),
            None => Err(ser::Error::custom("a map has a value without a key")),
        }
    }

    fn end(mut self) -> Result {
        self.entries.sort();
        self.out.extend_from_slice(b"#{");
        json::joined(&self.entries, b",", self.out, |(key, value), out| {
            out.extend_from_slice(key);
            out.push(b':');
            out.extend_from_slice(value);
        });
        self.out.push(b'}');
        Ok(())
    }
}

impl ser::Error for Failure {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Said(message.to_string())
    }
}

#[cfg(test)]
mod tests;
