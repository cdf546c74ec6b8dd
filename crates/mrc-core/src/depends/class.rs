//! The class of a constant: what a column must be like to compare with it by plain equality.

use std::fmt::{self, Write as _};

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
            // Writing into a `String` can't fail.
            Self::Dec(digits) => _ = write!(out, "~{digits}:"),
            Self::NText => out.push_str("~t"),
            Self::Bytes => out.push_str("~x"),
            Self::Date => out.push_str("~d"),
        }
    }

    /// The classes without digits, as a scheme has them.
    const NAMES: [(Self, &'static str); 6] = [
        (Self::Int, "int"),
        (Self::Text, "text"),
        (Self::NText, "ntext"),
        (Self::Bytes, "bytes"),
        (Self::Date, "date"),
        (Self::Null, "null"),
    ];

    /// Reads what `Display` writes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let known = Self::NAMES.iter().find(|(_, name)| *name == text);
        known.map_or_else(|| Some(Self::Dec(text.strip_prefix("dec")?.parse().ok()?)), |(class, _)| Some(*class))
    }
}

impl fmt::Display for Class {
    /// Writes the class as a scheme has it: `int`, `dec2`, `text`, `ntext`, `bytes`, `date`,
    /// `null`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dec(digits) => write!(f, "dec{digits}"),
            class => Self::NAMES.iter().filter(|(known, _)| known == class).try_for_each(|(_, name)| f.write_str(name)),
        }
    }
}
