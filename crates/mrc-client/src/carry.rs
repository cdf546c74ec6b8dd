//! Checks values before they are written: some come back from every codec as another, or as none.
//!
//! | value | comes back as |
//! |---|---|
//! | `Some(None)`, `Some(())` | `None` |
//! | NaN and infinities, in JSON | nothing that a number can be read from |
//! | a value that nests deeper than [`Nesting::LEVELS`] | nothing: no reader follows so deep |
//!
//! A map whose keys aren't texts, numbers or bools is refused by the writer of JSON itself.

use std::fmt;

use mrc_core::Nesting;
use serde::Serialize;
use serde::ser::{self, Serializer};

#[derive(Debug)]
pub(crate) struct Uncarried {
    /// From the inside out.
    path: Vec<String>,
    why: Why,
}

#[derive(Debug)]
enum Why {
    SomeOfNothing,
    NotFinite,
    TooDeep,
    Said(String),
}

/// Checks a value before it is written. `numbers`: whether numbers must be finite.
pub(crate) fn check<T: Serialize + ?Sized>(value: &T, numbers: Numbers) -> Result<(), Uncarried> {
    value.serialize(Probe { nesting: Nesting::outermost(), in_some: false, numbers, at: 0 })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    Finite,
    #[cfg(any(feature = "msgpack", feature = "cbor"))]
    Any,
}

#[derive(Clone, Copy)]
struct Probe {
    nesting: Nesting,
    /// Whether the value is directly inside a `Some`, or inside newtypes in one.
    in_some: bool,
    numbers: Numbers,
    /// The place of the next element.
    at: usize,
}

impl Probe {
    fn nothing(self) -> Result<(), Uncarried> {
        if self.in_some { Err(Why::SomeOfNothing.into()) } else { Ok(()) }
    }

    fn inside(self) -> Result<Self, Uncarried> {
        let nesting = self.nesting.inside().ok_or(Why::TooDeep)?;
        Ok(Self { nesting, in_some: false, at: 0, ..self })
    }

    fn wrapped(self, in_some: bool) -> Result<Self, Uncarried> {
        let nesting = self.nesting.wrapped().ok_or(Why::TooDeep)?;
        Ok(Self { nesting, in_some, ..self })
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Uncarried> {
        let at = self.at;
        self.at += 1;
        value.serialize(*self).map_err(|uncarried| uncarried.inside(format!("[{at}]")))
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Uncarried> {
        value.serialize(*self).map_err(|uncarried| uncarried.inside(format!(".{name}")))
    }

    fn end(self) -> Result<(), Uncarried> {
        Ok(())
    }
}

macro_rules! carried {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, _: $type) -> Result<(), Uncarried> {
            Ok(())
        })*
    };
}

impl Serializer for Probe {
    type Ok = ();
    type Error = Uncarried;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    carried!(
        serialize_bool: bool, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8],
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128
    );

    fn serialize_f32(self, value: f32) -> Result<(), Uncarried> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Uncarried> {
        if self.numbers == Numbers::Finite && !value.is_finite() { Err(Why::NotFinite.into()) } else { Ok(()) }
    }

    fn serialize_none(self) -> Result<(), Uncarried> {
        self.nothing()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Uncarried> {
        value.serialize(self.wrapped(true)?)
    }

    fn serialize_unit(self) -> Result<(), Uncarried> {
        self.nothing()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Uncarried> {
        self.nothing()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Uncarried> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Uncarried> {
        value.serialize(self.wrapped(self.in_some)?)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Uncarried> {
        self.inside()?.field(variant, value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Uncarried> {
        self.inside()
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Uncarried> {
        self.inside()
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Uncarried> {
        self.inside()
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Self, Uncarried> {
        // A map of one key, and a list in it.
        self.inside()?.inside()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self, Uncarried> {
        self.inside()
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Uncarried> {
        self.inside()
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Self, Uncarried> {
        self.inside()?.inside()
    }
}

mrc_core::serialize_compounds!(Probe, Uncarried);

impl ser::SerializeMap for Probe {
    type Ok = ();
    type Error = Uncarried;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Uncarried> {
        key.serialize(*self).map_err(|uncarried| uncarried.inside("[a key]".to_owned()))
    }

    /// The error omits the key, which is data: an error may be logged.
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Uncarried> {
        self.element(value)
    }

    fn end(self) -> Result<(), Uncarried> {
        self.end()
    }
}

impl Uncarried {
    fn inside(mut self, part: String) -> Self {
        self.path.push(part);
        self
    }
}

impl From<Why> for Uncarried {
    fn from(why: Why) -> Self {
        Self { path: Vec::new(), why }
    }
}

impl ser::Error for Uncarried {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Why::Said(message.to_string()).into()
    }
}

impl fmt::Display for Uncarried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            // The outermost parts say most, and a path may be long.
            let path: String = self.path.iter().rev().take(8).map(String::as_str).collect();
            write!(f, "{}: ", path.trim_start_matches('.'))?;
        }
        match &self.why {
            Why::SomeOfNothing => {
                f.write_str("`Some` of nothing, such as `Some(None)` or `Some(())`, would come back as `None`")
            }
            Why::NotFinite => f.write_str("JSON has no number that is not finite"),
            Why::TooDeep => write!(f, "the value nests deeper than {} levels", Nesting::LEVELS),
            Why::Said(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Uncarried {}
