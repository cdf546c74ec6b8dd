//! One value of a row, read as the type that a field asks for.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::value::SeqDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::special::{self, Special};
use crate::row::RowFormat;

/// The limit up to which doubles hold every whole number.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// The type that a field asks for.
#[derive(Clone, Copy)]
pub(super) enum Ask {
    Bool,
    Integer,
    Float,
    Text,
    Bytes,
    /// A list, a map or a struct.
    Document,
    Special(Special),
}

/// A value as it stands in the document.
pub(super) struct Leaf<'de> {
    pub(super) raw: &'de str,
    /// The format of the rows' writer. It decides how a field of bytes reads a text.
    pub(super) format: RowFormat,
}

impl<'de> Leaf<'de> {
    pub(super) fn read<V: Visitor<'de>, E: de::Error>(&self, ask: Ask, visitor: V) -> Result<V::Value, E> {
        match ask {
            Ask::Bool => match self.flag() {
                Some(flag) => visitor.visit_bool(flag),
                None => Err(self.misfit(&visitor)),
            },
            Ask::Integer => match self.integer() {
                Some(number) => number.give(visitor),
                None => Err(self.misfit(&visitor)),
            },
            Ask::Float => match special::number(self.raw).and_then(|digits| digits.parse().ok()) {
                Some(number) => visitor.visit_f64(number),
                None => Err(self.misfit(&visitor)),
            },
            Ask::Text => match self.text() {
                Some(Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
                Some(Cow::Owned(text)) => visitor.visit_string(text),
                None => Err(self.misfit(&visitor)),
            },
            Ask::Bytes => match self.bytes() {
                Some(bytes) => give_bytes(bytes, visitor),
                None => Err(self.misfit(&visitor)),
            },
            Ask::Document => self.document_in_text(visitor),
            Ask::Special(special) => match special.read(self.raw) {
                Some(found) => found.give(visitor),
                None => Err(self.misfit(&visitor)),
            },
        }
    }

    /// Reads a JSON column of Python's rows, or JSON that the server calls a text.
    fn document_in_text<V: Visitor<'de>, E: de::Error>(&self, visitor: V) -> Result<V::Value, E> {
        let document = special::quoted(self.raw).and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
        match document {
            Some(document) if document.is_object() || document.is_array() => {
                document.deserialize_any(visitor).map_err(E::custom)
            }
            _ => Err(self.misfit(&visitor)),
        }
    }

    fn flag(&self) -> Option<bool> {
        match self.raw {
            "1" | "true" => Some(true),
            "0" | "false" => Some(false),
            // A BIT(1): Python's rows have it as a text of one character.
            _ if self.format == RowFormat::Python => match &*special::quoted(self.raw)? {
                "\u{1}" => Some(true),
                "\0" => Some(false),
                _ => None,
            },
            _ => match self.buffer()?[..] {
                [byte @ (0 | 1)] => Some(byte == 1),
                _ => None,
            },
        }
    }

    fn integer(&self) -> Option<Integer> {
        if let Some(bits) = self.buffer() {
            // A BIT in TypeScript's rows, with the most significant byte first.
            let is_one = (1..=8).contains(&bits.len());
            return is_one.then(|| Integer::Positive(bits.iter().fold(0, |bits, byte| bits << 8 | u128::from(*byte))));
        }
        let digits = special::number(self.raw)?;
        if let Ok(number) = digits.parse() {
            return Some(Integer::Positive(number));
        }
        if let Ok(number) = digits.parse() {
            return Some(Integer::Negative(number));
        }
        let number: f64 = digits.parse().ok()?;
        // A double holds this whole number exactly.
        #[expect(clippy::cast_possible_truncation, reason = "within 53 bits")]
        (number.fract() == 0.0 && number.abs() <= WHOLE).then_some(number as i128).map(|number| {
            match u128::try_from(number) {
                Ok(number) => Integer::Positive(number),
                Err(_) => Integer::Negative(number),
            }
        })
    }

    fn text(&self) -> Option<Cow<'de, str>> {
        match self.raw.as_bytes().first()? {
            b'"' => special::quoted(self.raw),
            b'-' | b'0'..=b'9' | b'[' => Some(Cow::Borrowed(self.raw)),
            b'{' => match self.buffer() {
                Some(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
                None => Some(Cow::Borrowed(self.raw)),
            },
            _ => None,
        }
    }

    fn bytes(&self) -> Option<Vec<u8>> {
        match (special::quoted(self.raw), self.format) {
            (Some(text), RowFormat::Python) => Some(text.into_owned().into_bytes()),
            (Some(text), _) => STANDARD.decode(&*text).ok(),
            (None, _) => self.buffer(),
        }
    }

    /// Returns the bytes of `{"type":"Buffer","data":[…]}`.
    fn buffer(&self) -> Option<Vec<u8>> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Buffer {
            r#type: String,
            data: Vec<u8>,
        }
        let buffer: Buffer = self.raw.starts_with('{').then(|| serde_json::from_str(self.raw).ok())??;
        (buffer.r#type == "Buffer").then_some(buffer.data)
    }

    /// Returns the error. It shows no text, since a text may be a secret.
    fn misfit<'a, V: Visitor<'a>, E: de::Error>(&self, visitor: &V) -> E {
        let found = match self.raw.as_bytes().first() {
            Some(b'"') => "a text",
            Some(b'{') => "a document",
            Some(b'[') => "a list",
            _ => self.raw,
        };
        E::custom(format_args!("expected {}, found {found}", Expected(visitor)))
    }
}

enum Integer {
    Positive(u128),
    Negative(i128),
}

impl Integer {
    fn give<'de, V: Visitor<'de>, E: de::Error>(self, visitor: V) -> Result<V::Value, E> {
        match self {
            Self::Positive(number) => match u64::try_from(number) {
                Ok(number) => visitor.visit_u64(number),
                Err(_) => visitor.visit_u128(number),
            },
            Self::Negative(number) => match i64::try_from(number) {
                Ok(number) => visitor.visit_i64(number),
                Err(_) => visitor.visit_i128(number),
            },
        }
    }
}

/// The text of a visitor's expectation.
struct Expected<'a, V>(&'a V);

impl<'a, V: Visitor<'a>> fmt::Display for Expected<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }
}

/// Passes bytes to the visitor. A `Vec<u8>` takes them as a list of numbers.
fn give_bytes<'de, V: Visitor<'de>, E: de::Error>(bytes: Vec<u8>, visitor: V) -> Result<V::Value, E> {
    if special::is::<V::Value, Vec<u8>>() {
        return visitor.visit_seq(SeqDeserializer::new(bytes.into_iter()));
    }
    visitor.visit_byte_buf(bytes)
}

/// Returns the value of a row's only column.
pub(super) fn only_column<E: de::Error>(row: &str) -> Result<&str, E> {
    struct Only;

    impl<'de> Visitor<'de> for Only {
        type Value = &'de RawValue;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a row of one column")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut columns: A) -> Result<&'de RawValue, A::Error> {
            let only = columns.next_entry::<de::IgnoredAny, &RawValue>()?;
            let mut more = 0;
            while columns.next_entry::<de::IgnoredAny, de::IgnoredAny>()?.is_some() {
                more += 1;
            }
            match only {
                Some((_, only)) if more == 0 => Ok(only),
                only => {
                    let count = more + usize::from(only.is_some());
                    Err(de::Error::custom(format_args!("expected a row of one column, found one of {count}")))
                }
            }
        }
    }

    serde_json::Deserializer::from_str(row).deserialize_map(Only).map(RawValue::get).map_err(E::custom)
}
