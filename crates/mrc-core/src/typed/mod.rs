//! Rows, read from JSON as the types that a caller asks for.

mod leaf;
mod special;
#[cfg(test)]
mod tests;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use self::leaf::{Ask, Leaf};
use self::special::Special;
use crate::nesting::Nesting;
use crate::row::RowFormat;

/// The name of serde_json's type that takes a value as it stands.
const RAW: &str = "$serde_json::private::RawValue";

/// Reads a JSON array of rows, in any [`RowFormat`], into a list of structs, tuples or values.
///
/// JSON has fewer types than MySQL, and formats spell some in their own way. A BOOLEAN is `1`, a
/// BLOB is base64 or a list of numbers. A column is read as the field's type, without an attribute.
/// A type that the column can't have is an error.
///
/// | a field of | reads, besides what serde_json reads |
/// |---|---|
/// | `bool` | `0`, `1`, a BIT(1) |
/// | an integer | digits in a text, `10.0`, a BIT |
/// | a float | digits in a text |
/// | `String` | a number, with its digits as they stand; a JSON document; a BLOB that is UTF-8 |
/// | `Vec<u8>` and types that ask for bytes | a BLOB of each format |
/// | a struct, a map or a list | a JSON document in a text |
/// | `rust_decimal::Decimal` (feature `rust_decimal`) | a number, with all its digits |
/// | types of `chrono` and `time` (features of these names) | dates of each format; without a zone they are UTC |
///
/// Types of `chrono` and `time` refuse zero dates: read them as `String`. Fields behind
/// `#[serde(flatten)]` and in untagged enums are read as serde_json reads them.
///
/// A row is a struct or a map by the columns' names, or a tuple by their order. A row of one column
/// is also its number, text, date or bytes. A document alone needs a tuple: `(Document,)`.
///
/// ```
/// use mrc_core::{RowFormat, RowsDeserializer};
/// use serde::Deserialize;
///
/// #[derive(Deserialize, PartialEq, Debug)]
/// struct User { id: u64, active: bool }
///
/// let json = r#"[{"id":1,"active":1},{"id":2,"active":0}]"#;
/// let mut document = serde_json::Deserializer::from_str(json);
/// let users = Vec::<User>::deserialize(RowsDeserializer::new(&mut document, RowFormat::Canonical))?;
/// assert_eq!(users, [User { id: 1, active: true }, User { id: 2, active: false }]);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub struct RowsDeserializer<D> {
    inner: D,
    rules: ReadRules,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    /// The list of rows.
    Rows,
    Row,
    /// A column, and the values inside it.
    Column,
}

#[derive(Clone, Copy)]
struct ReadRules {
    level: Level,
    /// The format of the rows' writer. It decides how a field of bytes reads a text.
    format: RowFormat,
    /// Whether values are inspected first: slower, and needed if a field asks for another type.
    lenient: bool,
    /// The number of levels that may follow.
    levels: u8,
}

impl ReadRules {
    fn at(self, level: Level) -> Self {
        Self { level, ..self }
    }
}

impl<D> RowsDeserializer<D> {
    /// Reads rows. `format` is that of the rows' writer. A field of bytes takes a text of Python's
    /// format as it is, and a text of other formats as base64.
    pub fn new(document: D, format: RowFormat) -> Self {
        let rules = ReadRules { level: Level::Rows, format, lenient: true, levels: Nesting::LEVELS };
        Self { inner: document, rules }
    }

    /// As [`new`](Self::new), but as fast as serde_json: only flags, decimals, dates and bytes are
    /// read leniently. Other values that need inspection are errors; all else reads as by `new`.
    pub fn quick(document: D, format: RowFormat) -> Self {
        let Self { inner, rules } = Self::new(document, format);
        Self { inner, rules: ReadRules { lenient: false, ..rules } }
    }
}

impl<'de, D: Deserializer<'de>> RowsDeserializer<D> {
    /// Returns whether to inspect: the field has a type of its own, or is one value of a row.
    fn is_looked_at(&self) -> bool {
        self.rules.level == Level::Row || self.may_be_a_document()
    }

    /// Returns whether a text of the value may hold the document that the field asks for.
    fn may_be_a_document(&self) -> bool {
        self.rules.lenient && self.rules.level == Level::Column
    }

    /// Returns the text of the value, or of the only column if the value is a row.
    fn raw(self) -> Result<&'de str, D::Error> {
        let raw = <&RawValue>::deserialize(self.inner)?.get();
        if self.rules.level == Level::Row && raw.starts_with('{') { leaf::only_column(raw) } else { Ok(raw) }
    }

    fn leaf<V: Visitor<'de>>(self, ask: Ask, visitor: V) -> Result<V::Value, D::Error> {
        let rules = self.rules;
        let raw = self.raw()?;
        let is_document = match ask {
            Ask::Bytes => raw.starts_with('['),
            Ask::Document => raw.starts_with(['[', '{']),
            _ => false,
        };
        if !is_document {
            return Leaf { raw, format: rules.format }.read(ask, visitor);
        }
        // Each level is a new document to serde_json, so its limit doesn't see the levels outside.
        let Some(levels) = rules.levels.checked_sub(1) else {
            return Err(de::Error::custom("the document nests too deep"));
        };
        let inside = Ruled { inner: visitor, rules: ReadRules { level: Level::Column, levels, ..rules } };
        serde_json::Deserializer::from_str(raw).deserialize_any(inside).map_err(de::Error::custom)
    }
}

/// Methods that ask for one value.
macro_rules! values {
    ($($method:ident: $ask:expr),*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            match Special::of::<V::Value>() {
                Some(special) => self.leaf(Ask::Special(special), visitor),
                None if self.is_looked_at() => self.leaf($ask, visitor),
                None => self.inner.$method(visitor),
            }
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for RowsDeserializer<D> {
    type Error = D::Error;

    values!(
        deserialize_i8: Ask::Integer, deserialize_i16: Ask::Integer, deserialize_i32: Ask::Integer, deserialize_i64: Ask::Integer,
        deserialize_u8: Ask::Integer, deserialize_u16: Ask::Integer, deserialize_u32: Ask::Integer, deserialize_u64: Ask::Integer,
        deserialize_i128: Ask::Integer, deserialize_u128: Ask::Integer,
        deserialize_f32: Ask::Float, deserialize_f64: Ask::Float,
        deserialize_char: Ask::Text, deserialize_str: Ask::Text, deserialize_string: Ask::Text
    );

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        match Special::of::<V::Value>() {
            Some(special) => self.leaf(Ask::Special(special), visitor),
            None => self.inner.deserialize_any(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        if self.is_looked_at() { self.leaf(Ask::Bool, visitor) } else { self.inner.deserialize_any(Flag(visitor)) }
    }

    // serde_json reads a text as bytes, so it must not read the value first.
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.leaf(Ask::Bytes, visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.leaf(Ask::Bytes, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        if self.rules.level != Level::Row {
            return self.inner.deserialize_option(Ruled { inner: visitor, rules: self.rules });
        }
        let (raw, rules) = (<&RawValue>::deserialize(self.inner)?.get(), self.rules);
        if raw == "null" || leaf::only_column::<D::Error>(raw).is_ok_and(|column| column == "null") {
            return visitor.visit_none();
        }
        let inner = &mut serde_json::Deserializer::from_str(raw);
        visitor.visit_some(RowsDeserializer { inner, rules }).map_err(de::Error::custom)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_unit(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_unit_struct(name, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        if name == RAW {
            self.inner.deserialize_newtype_struct(name, visitor)
        } else {
            visitor.visit_newtype_struct(self)
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let is_bytes = special::is::<V::Value, Vec<u8>>();
        match self.rules.level {
            Level::Row if is_bytes => self.leaf(Ask::Bytes, visitor),
            Level::Row => {
                self.inner.deserialize_any(Columns(Ruled { inner: visitor, rules: self.rules.at(Level::Column) }))
            }
            Level::Column if self.rules.lenient => {
                self.leaf(if is_bytes { Ask::Bytes } else { Ask::Document }, visitor)
            }
            _ => self.inner.deserialize_seq(Ruled { inner: visitor, rules: self.rules }),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, D::Error> {
        match (Special::of::<V::Value>(), self.rules.level) {
            (Some(special), _) => self.leaf(Ask::Special(special), visitor),
            (None, Level::Column) => self.inner.deserialize_tuple(len, Ruled { inner: visitor, rules: self.rules }),
            (None, _) => self.deserialize_seq(visitor),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        if self.may_be_a_document() {
            return self.leaf(Ask::Document, visitor);
        }
        self.inner.deserialize_map(Ruled { inner: visitor, rules: self.rules })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        if self.may_be_a_document() {
            return self.leaf(Ask::Document, visitor);
        }
        self.inner.deserialize_struct(name, fields, Ruled { inner: visitor, rules: self.rules })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        if self.rules.level != Level::Row {
            return self.inner.deserialize_enum(name, variants, visitor);
        }
        let inner = &mut serde_json::Deserializer::from_str(self.raw()?);
        inner.deserialize_enum(name, variants, visitor).map_err(de::Error::custom)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_identifier(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_ignored_any(visitor)
    }
}

/// A part of serde's way into a value, which passes the rules on: a visitor, the elements of a
/// list, the members of a map, or the seed of one of these.
struct Ruled<T> {
    inner: T,
    rules: ReadRules,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Ruled<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.expecting(f)
    }

    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(RowsDeserializer { inner, rules: self.rules })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let level = if self.rules.level == Level::Rows { Level::Row } else { Level::Column };
        self.inner.visit_seq(Ruled { inner, rules: self.rules.at(level) })
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Ruled { inner, rules: self.rules.at(Level::Column) })
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Ruled<A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        self.inner.next_element_seed(Ruled { inner: seed, rules: self.rules })
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Ruled<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.inner.next_key_seed(seed)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        self.inner.next_value_seed(Ruled { inner: seed, rules: self.rules })
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Ruled<T> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<T::Value, D::Error> {
        self.inner.deserialize(RowsDeserializer { inner, rules: self.rules })
    }
}

/// A row as the list of its columns.
struct Columns<V>(Ruled<V>);

impl<'de, V: Visitor<'de>> Visitor<'de> for Columns<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let mut columns = InOrder { columns: Ruled { inner, rules: self.0.rules }, count: 0 };
        let row = self.0.inner.visit_seq(&mut columns)?;
        let expected = columns.count;
        while (&mut columns).next_element::<IgnoredAny>()?.is_some() {}
        if expected == columns.count {
            return Ok(row);
        }
        let found = columns.count;
        Err(de::Error::custom(format_args!("expected a row of {expected} columns, found one of {found}")))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(inner)
    }
}

struct InOrder<A> {
    columns: Ruled<A>,
    count: usize,
}

impl<'de, A: MapAccess<'de>> SeqAccess<'de> for &mut InOrder<A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        if self.columns.inner.next_key::<IgnoredAny>()?.is_none() {
            return Ok(None);
        }
        self.count += 1;
        self.columns.next_value_seed(seed).map(Some)
    }
}

/// A bool that may be `0` or `1`.
struct Flag<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Flag<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.expecting(f)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<V::Value, E> {
        self.0.visit_bool(value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<V::Value, E> {
        match value {
            0 | 1 => self.0.visit_bool(value == 1),
            _ => Err(E::invalid_type(de::Unexpected::Unsigned(value), &self)),
        }
    }
}
