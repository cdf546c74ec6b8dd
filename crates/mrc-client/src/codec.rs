//! How a cache writes values.

use bytes::Bytes;
use mrc_core::json;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// How a [`Cache`](crate::Cache) writes values. Default: JSON.
///
/// A value that was written in another codec is a miss, and is overwritten: caches that share a namespace share a codec.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Codec {
    /// JSON, which every language reads.
    #[default]
    Json,
    /// MessagePack, by rmp-serde: smaller, and quicker to read. Structs are written with the names of their fields.
    #[cfg(feature = "msgpack")]
    MessagePack,
    /// CBOR (RFC 8949), by ciborium.
    #[cfg(feature = "cbor")]
    Cbor,
}

/// What a binary value begins with; no JSON does. After it comes the codec's letter, at the end a byte that no store trims.
#[cfg(any(feature = "msgpack", feature = "cbor"))]
const BINARY: u8 = 0x01;
#[cfg(any(feature = "msgpack", feature = "cbor"))]
const END: u8 = 0x00;

impl Codec {
    pub(crate) fn encode<T: Serialize + ?Sized>(self, value: &T) -> Result<Bytes, Error> {
        match self {
            Self::Json => json::to_vec(value).map(Bytes::from).map_err(Error::encode),
            #[cfg(feature = "msgpack")]
            Self::MessagePack => framed(b'm', |out| rmp_serde::encode::write_named(out, value)),
            #[cfg(feature = "cbor")]
            Self::Cbor => framed(b'c', |out| ciborium::into_writer(value, out)),
        }
    }

    pub(crate) fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, Error> {
        match self {
            Self::Json => from_json(bytes),
            #[cfg(feature = "msgpack")]
            Self::MessagePack => rmp_serde::from_slice(unframed::<T>(b'm', bytes)?).map_err(Error::decode::<T>),
            #[cfg(feature = "cbor")]
            Self::Cbor => ciborium::from_reader(unframed::<T>(b'c', bytes)?).map_err(Error::decode::<T>),
        }
    }
}

/// Reads JSON; what is read may borrow from it.
pub(crate) fn from_json<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, Error> {
    serde_json::from_str(text(json)?).map_err(Error::decode::<T>)
}

pub(crate) fn text(json: &[u8]) -> Result<&str, Error> {
    // Checked once, with SIMD: decoding text is then faster than decoding bytes.
    simdutf8::basic::from_utf8(json).map_err(|_| Error::NotUtf8)
}

impl std::str::FromStr for Codec {
    type Err = UnknownCodec;

    /// `json`, and with their features `msgpack` and `cbor`.
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

/// The name is no codec's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a codec is json, or msgpack or cbor where mrc was built with that feature")]
pub struct UnknownCodec;

#[cfg(any(feature = "msgpack", feature = "cbor"))]
fn framed<E: Into<crate::error::BoxError>>(
    letter: u8,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
) -> Result<Bytes, Error> {
    let mut out = vec![BINARY, letter];
    write(&mut out).map_err(Error::encode)?;
    out.push(END);
    Ok(out.into())
}

#[cfg(any(feature = "msgpack", feature = "cbor"))]
fn unframed<T>(letter: u8, bytes: &[u8]) -> Result<&[u8], Error> {
    match bytes {
        [BINARY, codec, value @ .., END] if *codec == letter => Ok(value),
        _ => Err(Error::decode::<T>("it was written in another codec")),
    }
}
