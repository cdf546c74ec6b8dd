//! The class of a constant: what a column must be like to compare with it by plain equality.

use std::fmt;

/// The class of the constants that a column is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Class {
    /// Integers, bools, and decimals without a fraction.
    Int,
    /// Decimals with at most so many digits of fraction.
    Dec(u8),
    /// Texts that begin with an ASCII letter.
    Text,
    /// Other texts: an `ENUM` may read them as an index.
    NText,
    /// Bytes.
    Bytes,
    /// Dates.
    Date,
    /// `IS NULL`.
    Null,
}

impl Class {
    /// Returns the class that has the constants of both. Returns `None` if there is none.
    pub(super) fn join(self, other: Self) -> Option<Self> {
        match (self, other) {
            (one, other) if one == other => Some(one),
            (Self::Int, Self::Dec(digits)) | (Self::Dec(digits), Self::Int) => Some(Self::Dec(digits)),
            (Self::Dec(one), Self::Dec(other)) => Some(Self::Dec(one.max(other))),
            (Self::Text, Self::NText) | (Self::NText, Self::Text) => Some(Self::NText),
            _ => None,
        }
    }

    /// Returns for people what a column must be, so that rows give tags of this class.
    pub(super) fn columns(self) -> String {
        match self {
            Self::Int => "an integer or DECIMAL column".into(),
            Self::Dec(digits) => format!("a DECIMAL column with {digits} or more digits after the point"),
            Self::Text => "a CHAR, VARCHAR, TEXT or ENUM column".into(),
            Self::NText => "a CHAR, VARCHAR or TEXT column".into(),
            Self::Bytes => "a BINARY or VARBINARY column".into(),
            Self::Date => "a DATE column".into(),
            Self::Null => "no DATE, DATETIME or TIMESTAMP column".into(),
        }
    }

    /// Appends the mark before a value of this class in a tag.
    ///
    /// Values escape `~`, so two classes never share a text. Integers and `Text` need no mark: they
    /// begin with a digit or a sign, and with a letter.
    pub(super) fn mark(self, out: &mut String) {
        match self {
            Self::Int | Self::Text | Self::Null => {}
            Self::Dec(digits) => {
                out.push('~');
                push_small(digits, out);
                out.push(':');
            }
            Self::NText => out.push_str("~t"),
            Self::Bytes => out.push_str("~x"),
            Self::Date => out.push_str("~d"),
        }
    }

    /// Reads what `Display` writes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "int" => Self::Int,
            "text" => Self::Text,
            "ntext" => Self::NText,
            "bytes" => Self::Bytes,
            "date" => Self::Date,
            "null" => Self::Null,
            _ => Self::Dec(text.strip_prefix("dec")?.parse().ok()?),
        })
    }
}

fn push_small(number: u8, out: &mut String) {
    use fmt::Write as _;
    // Writing into a `String` can't fail.
    _ = write!(out, "{number}");
}

impl fmt::Display for Class {
    /// Writes the class as a scheme has it: `int`, `dec2`, `text`, `ntext`, `bytes`, `date`, `null`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dec(digits) => write!(f, "dec{digits}"),
            Self::Int => f.write_str("int"),
            Self::Text => f.write_str("text"),
            Self::NText => f.write_str("ntext"),
            Self::Bytes => f.write_str("bytes"),
            Self::Date => f.write_str("date"),
            Self::Null => f.write_str("null"),
        }
    }
}
