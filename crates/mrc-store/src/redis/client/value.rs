//! The answer of a client: a value, or a fault.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

/// An argument of a command, or an answer. Texts and bytes are the same on the wire.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::redis) enum Value {
    Null,
    Integer(i64),
    Bytes(Bytes),
    Array(Vec<Value>),
}

impl Value {
    /// Returns a number, also one that was sent as text.
    pub(in crate::redis) fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Bytes(text) => std::str::from_utf8(text).ok()?.parse().ok(),
            Self::Null | Self::Array(_) => None,
        }
    }

    /// Returns a number that isn't negative, also one that was sent as text.
    pub(in crate::redis) fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Integer(number) => u64::try_from(*number).ok(),
            Self::Bytes(text) => std::str::from_utf8(text).ok()?.parse().ok(),
            Self::Null | Self::Array(_) => None,
        }
    }

    /// Returns a copy of a text or a number, as text.
    pub(in crate::redis) fn as_string(&self) -> Option<String> {
        self.clone().into_string()
    }

    /// Returns a text or a number, as text.
    pub(in crate::redis) fn into_string(self) -> Option<String> {
        String::from_utf8(self.into_bytes()?.into()).ok()
    }

    /// Returns a text or a number, as bytes.
    pub(in crate::redis) fn into_bytes(self) -> Option<Bytes> {
        match self {
            Self::Integer(number) => Some(number.to_string().into()),
            Self::Bytes(bytes) => Some(bytes),
            Self::Null | Self::Array(_) => None,
        }
    }

    /// Returns the items of an array, and any other value as the only item.
    pub(in crate::redis) fn into_array(self) -> Vec<Self> {
        match self {
            Self::Array(items) => items,
            other => vec![other],
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Bytes(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Bytes(text.into())
    }
}

/// The failure of a command or of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::redis) struct Fault {
    pub(in crate::redis) kind: FaultKind,
    pub(in crate::redis) text: Cow<'static, str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::redis) enum FaultKind {
    /// There was no answer in time. The command may still take effect.
    Timeout,
    /// The connection has ended, or none could be made.
    Closed,
    /// The operating system or TLS reported a failure of the connection.
    Io,
    /// An answer couldn't be read.
    Protocol,
    /// The settings can't work.
    Config,
    /// The server answered with an error. The text is the server's own.
    Server,
}

impl Fault {
    pub(in crate::redis) fn new(kind: FaultKind, text: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, text: text.into() }
    }

    /// Returns the first word, which is the server's own code in an answer of the server.
    pub(in crate::redis) fn first_word(&self) -> &str {
        self.text.split(' ').next().unwrap_or_default()
    }
}

impl FaultKind {
    /// Returns the kind's name in traces.
    pub(in crate::redis) fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::Io => "io",
            Self::Protocol => "protocol",
            Self::Config => "config",
            Self::Server => "server",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_be_sent_as_text() {
        let check = |value: Value, signed: Option<i64>, unsigned: Option<u64>, text: Option<&str>| {
            assert_eq!((value.as_i64(), value.as_u64()), (signed, unsigned), "{value:?}");
            assert_eq!(value.into_string().as_deref(), text);
        };
        check(7.into(), Some(7), Some(7), Some("7"));
        check("7".into(), Some(7), Some(7), Some("7"));
        check((-1).into(), Some(-1), None, Some("-1"));
        check("-1".into(), Some(-1), None, Some("-1"));
        check("a".into(), None, None, Some("a"));
        check(Value::Bytes(Bytes::from_static(b"\xff")), None, None, None);
        check(Value::Null, None, None, None);
        check(Value::Array(vec![7.into()]), None, None, None);
    }

    #[test]
    fn a_single_value_is_an_array_of_one() {
        assert_eq!(Value::Array(vec![]).into_array(), []);
        assert_eq!(Value::Null.into_array(), [Value::Null]);
    }
}
