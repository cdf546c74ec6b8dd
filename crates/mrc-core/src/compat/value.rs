//! A Python value.

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

/// Converts the output. Every writer appends UTF-8 only, so the buffer is moved, not copied.
pub(super) fn text(out: Vec<u8>) -> String {
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

macro_rules! from {
    ($($from:ty => $variant:ident),* $(,)?) => {$(
        impl From<$from> for PyValue {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

from! {
    bool => Bool,
    i8 => Int, i16 => Int, i32 => Int, i64 => Int, i128 => Int,
    u8 => Int, u16 => Int, u32 => Int, u64 => Int,
    f64 => Float,
    &str => Str,
    String => Str,
}

impl From<usize> for PyValue {
    fn from(value: usize) -> Self {
        Self::Int(value as i128)
    }
}

impl From<isize> for PyValue {
    fn from(value: isize) -> Self {
        Self::Int(value as i128)
    }
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
