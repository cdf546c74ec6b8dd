//! The codecs of a cache's values.

use bytes::Bytes;
use mrc_core::{RowFormat, RowsDeserializer};
use serde::de::{self, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::de::StrRead;

use crate::carry::{self, Numbers};
use crate::error::{Error, Result};
use crate::shape::{self, Shape};

/// The codec of a [`Cache`](crate::Cache)'s values. Default: JSON.
///
/// A value of another codec is a miss, and is overwritten: caches of one namespace share a codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Codec {
    /// JSON, which every language reads.
    #[default]
    Json,
    /// MessagePack, by rmp-serde: smaller, faster to read. Structs are written with field names.
    #[cfg(feature = "msgpack")]
    MessagePack,
    /// CBOR (RFC 8949), by ciborium.
    #[cfg(feature = "cbor")]
    Cbor,
}

/// The first byte of a binary value, which no JSON begins with. The codec's letter follows. The
/// last byte is one that no store trims.
#[cfg(any(feature = "msgpack", feature = "cbor"))]
const BINARY: u8 = 0x01;
#[cfg(any(feature = "msgpack", feature = "cbor"))]
const END: u8 = 0x00;

impl Codec {
    pub(crate) fn encode<T: Serialize + ?Sized>(self, value: &T) -> Result<Bytes> {
        match self {
            Self::Json => {
                carry::check(value, Numbers::Finite).map_err(Error::encode)?;
                // As `serde_json` writes it: JavaScript can't tell `2` from `2.0`, or write `-0.0`.
                serde_json::to_vec(value).map(Bytes::from).map_err(Error::encode)
            }
            #[cfg(feature = "msgpack")]
            Self::MessagePack => framed(b'm', value, |out| rmp_serde::encode::write_named(out, value)),
            #[cfg(feature = "cbor")]
            Self::Cbor => framed(b'c', value, |out| ciborium::into_writer(value, out)),
        }
    }

    pub(crate) fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, Unfit> {
        match self {
            Self::Json => from_json(bytes),
            #[cfg(feature = "msgpack")]
            Self::MessagePack => {
                let value = unframed::<T>(b'm', bytes)?;
                rmp_serde::from_slice(value)
                    .map_err(|error| Unfit::binary::<T>(error, rmp_serde::from_slice::<Whole>(value).is_ok()))
            }
            #[cfg(feature = "cbor")]
            Self::Cbor => {
                let value = unframed::<T>(b'c', bytes)?;
                ciborium::from_reader(value)
                    .map_err(|error| Unfit::binary::<T>(error, ciborium::from_reader::<Whole, _>(value).is_ok()))
            }
        }
    }
}

/// The reason why bytes can't be decoded into a caller's type.
#[derive(Debug)]
pub(crate) enum Unfit {
    /// The bytes are no document, or a torn one: useless to every caller.
    Garbage(Error),
    /// The bytes are a whole document of another type, which other callers may read.
    WrongType {
        asked_for: &'static str,
        /// The place that doesn't fit: `[0].price`. Empty if the codec can't tell.
        at: String,
        /// The expected type and the found one. `None` if this would show a text of the value.
        why: Option<String>,
        error: Error,
    },
}

impl Unfit {
    #[cfg(any(feature = "msgpack", feature = "cbor"))]
    fn binary<T>(error: impl Into<crate::error::BoxError>, is_whole: bool) -> Self {
        let error = Error::decode::<T>(error);
        if is_whole {
            Self::WrongType { asked_for: std::any::type_name::<T>(), at: String::new(), why: None, error }
        } else {
            Self::Garbage(error)
        }
    }
}

impl From<Unfit> for Error {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Garbage(error) | Unfit::WrongType { error, .. } => error,
        }
    }
}

/// Reads JSON; the value may borrow from it.
pub(crate) fn from_json<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, Unfit> {
    let text = text(json).map_err(Unfit::Garbage)?;
    serde_json::from_str(text).or_else(|_| located(text, |document| serde_path_to_error::deserialize(document)))
}

/// Reads the rows of a query into a `T` that takes a list, such as a `Vec`. `T` may borrow from the
/// JSON. `format` is the writer's, as far as known.
pub(crate) fn from_rows<'a, T: Deserialize<'a>>(json: &'a [u8], format: RowFormat) -> Result<T, Unfit> {
    let text = text(json).map_err(Unfit::Garbage)?;
    let read = |lenient: bool| {
        let mut document = serde_json::Deserializer::from_str(text);
        let new = if lenient { RowsDeserializer::new } else { RowsDeserializer::quick };
        let rows = T::deserialize(new(&mut document, format))?;
        document.end().map(|()| rows)
    };
    // Most types are read at once. Types that need a second look are rare, and so are errors.
    read(false).or_else(|_| read(true)).or_else(|_| {
        located(text, |document| serde_path_to_error::deserialize(RowsDeserializer::new(document, format)))
    })
}

/// Reads the rows of one id: see [`FromMany`](crate::FromMany). Returns `None` for an id without
/// rows, if `T` is a row. Several rows for one are an error that no other read would mend.
pub(crate) fn of_one_id<T: DeserializeOwned>(json: &[u8], format: RowFormat) -> Result<Result<Option<T>>, Unfit> {
    Ok(match shape::of::<T>() {
        Shape::List => Ok(Some(from_rows(json, format)?)),
        Shape::Option => one(from_rows::<Vec<T>>(json, format)?).map(|row| row.or_else(shape::nothing)),
        Shape::Row => one(from_rows::<Vec<T>>(json, format)?),
    })
}

/// Returns the one row of an answer. Returns `None` if it has no row.
pub(crate) fn one<T>(mut rows: Vec<T>) -> Result<Option<T>> {
    let (row, count) = (rows.pop(), rows.len() + 1);
    if count > 1 && row.is_some() {
        return Err(Error::decode::<T>(format!(
            "the query answered with {count} rows, and one was asked for: end it with LIMIT 1, or ask for all rows"
        )));
    }
    Ok(row)
}

/// Reads JSON that doesn't fit again, to find the place. Following the path is too slow for a hit.
#[cold]
fn located<'a, T>(
    text: &'a str,
    read: impl FnOnce(
        &mut serde_json::Deserializer<StrRead<'a>>,
    ) -> Result<T, serde_path_to_error::Error<serde_json::Error>>,
) -> Result<T, Unfit> {
    let mut json = serde_json::Deserializer::from_str(text);
    let read = read(&mut json);
    match read.map(|value| json.end().map(|()| value)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(torn)) => Err(Unfit::Garbage(Error::decode::<T>(torn))),
        Err(error) => {
            let at = error.path().to_string();
            // Our reasons show no text of the value; those of a type's own reader may.
            let is_ours = |why: &String| why.starts_with("expected ") && why.contains(", found ");
            let why = Some(error.inner().to_string()).filter(is_ours);
            let error = Error::decode::<T>(error);
            // The reader stopped at that place, so the rest of the text may be torn.
            if serde_json::from_str::<Whole>(text).is_ok() {
                Err(Unfit::WrongType { asked_for: std::any::type_name::<T>(), at, why, error })
            } else {
                Err(Unfit::Garbage(error))
            }
        }
    }
}

struct Whole;

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(document: D) -> Result<Self, D::Error> {
        document.deserialize_any(Self)
    }
}

macro_rules! any {
    ($($method:ident: $type:ty),*) => {
        $(fn $method<E: de::Error>(self, _: $type) -> Result<Self, E> {
            Ok(self)
        })*
    };
}

impl<'de> Visitor<'de> for Whole {
    type Value = Self;

    any!(
        visit_bool: bool, visit_i64: i64, visit_i128: i128, visit_u64: u64, visit_u128: u128, visit_f64: f64,
        visit_str: &str, visit_bytes: &[u8]
    );

    fn visit_unit<E: de::Error>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_none<E: de::Error>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_some<D: Deserializer<'de>>(self, document: D) -> Result<Self, D::Error> {
        document.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, document: D) -> Result<Self, D::Error> {
        document.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self, A::Error> {
        while elements.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        while members.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a document")
    }
}

pub(crate) fn text(json: &[u8]) -> Result<&str> {
    // Checked once, with SIMD: decoding text is then faster than decoding bytes.
    simdutf8::basic::from_utf8(json).map_err(|_| Error::NotUtf8)
}

impl std::str::FromStr for Codec {
    type Err = UnknownCodec;

    /// Parses `json`, and with their features `msgpack` and `cbor`.
    fn from_str(name: &str) -> Result<Self, UnknownCodec> {
        match name {
            "json" => Ok(Self::Json),
            #[cfg(feature = "msgpack")]
            "msgpack" => Ok(Self::MessagePack),
            #[cfg(feature = "cbor")]
            "cbor" => Ok(Self::Cbor),
            _ => Err(UnknownCodec),
        }
    }
}

/// The name of no codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a codec is json, or msgpack or cbor where mrc was built with that feature")]
pub struct UnknownCodec;

#[cfg(any(feature = "msgpack", feature = "cbor"))]
fn framed<T: Serialize + ?Sized, E: Into<crate::error::BoxError>>(
    letter: u8,
    value: &T,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<Bytes> {
    carry::check(value, Numbers::Any).map_err(Error::encode)?;
    let mut out = vec![BINARY, letter];
    write(&mut out).map_err(Error::encode)?;
    out.push(END);
    Ok(out.into())
}

#[cfg(any(feature = "msgpack", feature = "cbor"))]
fn unframed<T>(letter: u8, bytes: &[u8]) -> Result<&[u8], Unfit> {
    match bytes {
        [BINARY, codec, value @ .., END] if *codec == letter => Ok(value),
        _ => Err(Unfit::Garbage(Error::decode::<T>("it was written in another codec"))),
    }
}
