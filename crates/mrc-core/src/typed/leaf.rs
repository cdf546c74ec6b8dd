//! One value of a row, read as the type that a field asks for.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::special::{self, Found, Special};
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
        let found = match ask {
            Ask::Bool => self.flag().map(Found::Bool),
            Ask::Integer => self.integer(),
            Ask::Float => special::number(self.raw).and_then(|digits| digits.parse().ok()).map(Found::Float),
            Ask::Text => self.text().map(Found::Text),
            Ask::Bytes => self.bytes().map(Found::Bytes),
            Ask::Document => self.document_in_text().map(Found::Document),
            Ask::Special(special) => special.read(self.raw),
        };
        match found {
            Some(found) => found.give(visitor),
            None => Err(self.misfit(&visitor)),
        }
    }

    /// Reads a JSON column of Python's rows, or JSON that the server calls a text.
    fn document_in_text(&self) -> Option<serde_json::Value> {
        let document: serde_json::Value = serde_json::from_str(&special::quoted(self.raw)?).ok()?;
        (document.is_object() || document.is_array()).then_some(document)
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

    fn integer(&self) -> Option<Found<'de>> {
        if let Some(bits) = self.buffer() {
            // A BIT in TypeScript's rows, with the most significant byte first.
            let is_one = (1..=8).contains(&bits.len());
            return is_one.then(|| Found::Positive(bits.iter().fold(0, |bits, byte| bits << 8 | u128::from(*byte))));
        }
        let digits = special::number(self.raw)?;
        if let Ok(number) = digits.parse() {
            return Some(Found::Positive(number));
        }
        if let Ok(number) = digits.parse() {
            return Some(Found::Negative(number));
        }
        let number: f64 = digits.parse().ok()?;
        // A double holds this whole number exactly.
        #[expect(clippy::cast_possible_truncation, reason = "within 53 bits")]
        (number.fract() == 0.0 && number.abs() <= WHOLE).then_some(number as i128).map(|number| {
            match u128::try_from(number) {
                Ok(number) => Found::Positive(number),
                Err(_) => Found::Negative(number),
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
        E::custom(format_args!("expected {}, found {found}", visitor as &dyn de::Expected))
    }
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
