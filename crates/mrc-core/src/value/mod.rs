//! One SQL value: a caller binds it to a placeholder, and a key has it as a segment.

mod foreign;

use std::borrow::Cow;

use bytes::Bytes;

use crate::nesting::Nesting;
use crate::temporal::{Date, DateTime, Time};

/// A value to bind to a placeholder.
///
/// `From` converts Rust's own types, and types of chrono, time, uuid and rust_decimal by features
/// of these names. A moment with a zone is bound in UTC, an `f32` as a double, which is what a
/// `FLOAT` column compares with.
///
/// ```
/// use mrc_core::{Decimal, Value};
///
/// assert_eq!(Value::from(6), Value::Int(6));
/// assert_eq!(Value::from("open"), Value::Text("open".into()));
/// assert_eq!(Value::from(None::<i32>), Value::Null);
/// assert_eq!(Value::from(vec![1, 2]), Value::List(vec![1.into(), 2.into()]));
/// let price = Value::from(Decimal::new("10.50")?);
/// # let _ = price;
/// # Ok::<(), mrc_core::DecimalError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// SQL `NULL`.
    Null,
    /// `TRUE` or `FALSE`.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    UInt(u64),
    /// A double. NaN and the infinities are refused when a key is made.
    Float(f64),
    /// An exact decimal number.
    Decimal(Decimal),
    /// Text.
    Text(Cow<'static, str>),
    /// Bytes that aren't text.
    Bytes(Bytes),
    /// A calendar date.
    Date(Date),
    /// A date with a time of day, without a time zone.
    DateTime(DateTime),
    /// A time of day, or a span of time up to 838 hours.
    Time(Time),
    /// A JSON document.
    Json(serde_json::Value),
    /// The list that one `IN (?)` takes. Lists don't nest.
    List(Vec<Value>),
}

impl Value {
    /// Returns the name of the type, for error messages.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::UInt(_) => "integer",
            Self::Float(_) => "float",
            Self::Decimal(_) => "decimal",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Date(_) => "date",
            Self::DateTime(_) => "datetime",
            Self::Time(_) => "time",
            Self::Json(_) => "JSON",
            Self::List(_) => "list",
        }
    }

    /// Returns whether JSON in the value nests too deep. A list inside a list is refused by itself.
    pub(crate) fn is_too_deep(&self) -> bool {
        let is_too_deep = |value: &Self| matches!(value, Self::Json(document) if Nesting::is_exceeded_by(document));
        match self {
            Self::List(values) => values.iter().any(is_too_deep),
            value => is_too_deep(value),
        }
    }
}

/// A decimal number that keeps its digits as they were given.
///
/// ```
/// use mrc_core::Decimal;
///
/// assert_eq!(Decimal::new("-10.50")?.as_str(), "-10.50");
/// assert!(Decimal::new("1e5").is_err());
/// # Ok::<(), mrc_core::DecimalError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decimal(String);

impl Decimal {
    /// Reads `-?digits` or `-?digits.digits`.
    ///
    /// # Errors
    /// [`DecimalError`] when the text is anything else, such as `1e5`, `+1`, ` 1` or `1.`.
    pub fn new(digits: impl Into<String>) -> Result<Self, DecimalError> {
        let digits = digits.into();
        let unsigned = digits.strip_prefix('-').unwrap_or(&digits);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if is_number(whole) && is_number(fraction) { Ok(Self(digits)) } else { Err(DecimalError(digits)) }
    }

    /// Returns the digits as they were given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text isn't a decimal number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a decimal number: write digits with at most one point and a leading minus, such as \"-10.50\"")]
pub struct DecimalError(String);

/// Implements `From` for types that convert into what a variant holds.
macro_rules! from {
    ($for:ty: $($from:ty $(as $cast:ty)? => $variant:ident),* $(,)?) => {$(
        impl From<$from> for $for {
            fn from(value: $from) -> Self {
                Self::$variant((value $(as $cast)?).into())
            }
        }
    )*};
}
#[cfg(feature = "compat")]
pub(crate) use from;

from! { Value:
    bool => Bool,
    i8 => Int, i16 => Int, i32 => Int, i64 => Int, isize as i64 => Int,
    u8 => UInt, u16 => UInt, u32 => UInt, u64 => UInt, usize as u64 => UInt,
    f32 => Float, f64 => Float,
    Decimal => Decimal,
    String => Text, Cow<'static, str> => Text,
    Bytes => Bytes, Vec<u8> => Bytes,
    Date => Date, DateTime => DateTime, Time => Time,
    serde_json::Value => Json,
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned().into())
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        value.as_str().into()
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A type that a list may hold. `u8` isn't one, since `Vec<u8>` and `[u8]` are bytes.
pub trait Element: Into<Value> {}

macro_rules! element {
    ($($type:ty),*) => {$(impl Element for $type {})*};
}
element!(
    bool, i8, i16, i32, i64, u16, u32, u64, usize, isize, f32, f64, Decimal, &str, &String, String, Date, DateTime,
    Time, Value
);

impl<T: Element> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Element + Clone> From<&[T]> for Value {
    fn from(values: &[T]) -> Self {
        Self::List(values.iter().cloned().map(Into::into).collect())
    }
}

impl<T: Element + Clone> From<&Vec<T>> for Value {
    fn from(values: &Vec<T>) -> Self {
        values.as_slice().into()
    }
}

impl<T: Element, const N: usize> From<[T; N]> for Value {
    fn from(values: [T; N]) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}
