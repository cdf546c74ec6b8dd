//! A value of Python.

/// An argument as Python has it: what `str` and `json.dumps` print depends on its type there.
///
/// [`Display`](std::fmt::Display) prints what `str` does.
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
    /// A `tuple`: JSON knows it as a list, `str` does not.
    Tuple(Vec<PyValue>),
    /// A `dict` with texts for keys, in the order in which they were inserted: it shows.
    Dict(Vec<(String, PyValue)>),
}

/// Every writer appends UTF-8 only; a lossy copy would be made for nothing.
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
    /// As `json.loads` makes it; but the members of an object are in the order that `serde_json` keeps, by default sorted by name.
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
