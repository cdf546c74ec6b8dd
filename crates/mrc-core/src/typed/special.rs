//! The values that visitors get, and types of other crates whose own `Deserialize` can't read every
//! row format, or loses digits. Each is behind a feature. The value that a visitor makes shows the
//! type: fields need no attribute.

use std::borrow::Cow;

use serde::de::value::SeqDeserializer;
use serde::de::{self, Deserializer as _, Visitor};

use crate::temporal::days_in_month;

/// A type that is read in its own way.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(all(feature = "chrono", feature = "time", feature = "rust_decimal")),
    expect(dead_code, reason = "by features")
)]
pub(super) enum Special {
    /// The digits of a number as they stand.
    Digits,
    /// `2025-01-15`
    Date,
    /// `2025-01-15T10:30:00.5`
    DateTime,
    /// `2025-01-15T10:30:00.5Z`
    Zoned,
    /// A list: year, day of the year.
    DateParts,
    /// A list: as `DateParts`, hour, minute, second, ns.
    DateTimeParts,
    /// A list: as `DateTimeParts`, and the parts of the offset.
    ZonedParts,
    /// A list: hour, minute, second, ns.
    TimeParts,
}

impl Special {
    #[inline]
    #[allow(
        clippy::extra_unused_type_parameters,
        clippy::match_single_binding,
        reason = "without the features there is no special type"
    )]
    pub(super) fn of<T>() -> Option<Self> {
        match () {
            #[cfg(feature = "rust_decimal")]
            () if is::<T, rust_decimal::Decimal>() => Some(Self::Digits),
            #[cfg(feature = "chrono")]
            () if is::<T, chrono::NaiveDate>() => Some(Self::Date),
            #[cfg(feature = "chrono")]
            () if is::<T, chrono::NaiveDateTime>() => Some(Self::DateTime),
            // Other zones are read through this type.
            #[cfg(feature = "chrono")]
            () if is::<T, chrono::DateTime<chrono::FixedOffset>>() => Some(Self::Zoned),
            #[cfg(feature = "time")]
            () if is::<T, time::Date>() => Some(Self::DateParts),
            #[cfg(feature = "time")]
            () if is::<T, time::PrimitiveDateTime>() || is::<T, time::UtcDateTime>() => Some(Self::DateTimeParts),
            #[cfg(feature = "time")]
            () if is::<T, time::OffsetDateTime>() => Some(Self::ZonedParts),
            #[cfg(feature = "time")]
            () if is::<T, time::Time>() => Some(Self::TimeParts),
            () => None,
        }
    }

    /// Returns the value for the visitor. Returns `None` if the value is of another kind.
    pub(super) fn read<'de>(self, raw: &'de str) -> Option<Found<'de>> {
        if self == Self::Digits {
            return number(raw).map(Found::Text);
        }
        let text = quoted(raw)?;
        if self == Self::TimeParts {
            return Some(Found::Parts(time_of(&text)?.into()));
        }
        let (day, rest) = text.split_at_checked("2025-01-15".len())?;
        let [year, of_year] = date_of(day)?;
        let time = rest.strip_prefix(['T', ' ']).map(|time| time.strip_suffix('Z').unwrap_or(time));
        if matches!(self, Self::Date | Self::DateParts) {
            // In TypeScript's rows, a date is the start of its day.
            let is_whole = rest.is_empty() || time_of(time?)? == [0; 4];
            let parts = || Found::Parts(vec![year, of_year]);
            return is_whole.then(|| if self == Self::Date { Found::Text(day.to_owned().into()) } else { parts() });
        }
        let time = time?;
        let parts = time_of(time)?;
        Some(match self {
            Self::DateTime => Found::Text(format!("{day}T{time}").into()),
            Self::Zoned => Found::Text(format!("{day}T{time}Z").into()),
            Self::ZonedParts => Found::Parts([&[year, of_year], &parts[..], &[0; 3]].concat()),
            _ => Found::Parts([&[year, of_year], &parts[..]].concat()),
        })
    }
}

/// The value that a visitor gets.
pub(super) enum Found<'de> {
    Bool(bool),
    Positive(u128),
    Negative(i128),
    Float(f64),
    Text(Cow<'de, str>),
    Bytes(Vec<u8>),
    Parts(Vec<i64>),
    Document(serde_json::Value),
}

impl<'de> Found<'de> {
    pub(super) fn give<V: Visitor<'de>, E: de::Error>(self, visitor: V) -> Result<V::Value, E> {
        match self {
            Self::Bool(flag) => visitor.visit_bool(flag),
            Self::Positive(number) => match u64::try_from(number) {
                Ok(number) => visitor.visit_u64(number),
                Err(_) => visitor.visit_u128(number),
            },
            Self::Negative(number) => match i64::try_from(number) {
                Ok(number) => visitor.visit_i64(number),
                Err(_) => visitor.visit_i128(number),
            },
            Self::Float(number) => visitor.visit_f64(number),
            Self::Text(Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
            Self::Text(Cow::Owned(text)) => visitor.visit_string(text),
            // A `Vec<u8>` takes bytes as a list of numbers.
            Self::Bytes(bytes) if is::<V::Value, Vec<u8>>() => {
                visitor.visit_seq(SeqDeserializer::new(bytes.into_iter()))
            }
            Self::Bytes(bytes) => visitor.visit_byte_buf(bytes),
            Self::Parts(parts) => visitor.visit_seq(SeqDeserializer::new(parts.into_iter())),
            Self::Document(document) => document.deserialize_any(visitor).map_err(E::custom),
        }
    }
}

/// Returns the year and its day, of `2025-01-15`. Returns `None` if the day doesn't exist.
fn date_of(text: &str) -> Option<[i64; 2]> {
    let [year, month, day] = numbers(text, '-')?;
    let month = u8::try_from(month).ok().filter(|month| (1..=12).contains(month))?;
    // The calendar repeats after 400 years.
    let days = |month| i64::from(days_in_month((year % 400) as u16, month));
    (1..=days(month)).contains(&day).then(|| [year, (1..month).map(days).sum::<i64>() + day])
}

/// Returns the hour, the minute, the second and its ns, of `10:30:00.5`.
fn time_of(text: &str) -> Option<[i64; 4]> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let [hour, minute, second] = numbers(clock, ':')?;
    let is_fraction = (1..=9).contains(&fraction.len()) && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let nanos = format!("{fraction:0<9}").parse().ok()?;
    is_fraction.then_some([hour, minute, second, nanos])
}

fn numbers(text: &str, between: char) -> Option<[i64; 3]> {
    let parts =
        text.split(between).map(|part| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?);
    parts.collect::<Option<Vec<i64>>>()?.try_into().ok()
}

/// Returns whether two types are one, lifetimes aside, which [`TypeId`](std::any::TypeId) refuses.
pub(super) fn is<T, U>() -> bool {
    std::any::type_name::<T>() == std::any::type_name::<U>()
}

/// Returns the digits of a number, or of a text that is a number.
pub(super) fn number(raw: &str) -> Option<Cow<'_, str>> {
    let digits = match quoted(raw) {
        Some(text) => text,
        None => Cow::Borrowed(raw),
    };
    let is_number = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
        && digits.parse::<f64>().is_ok();
    is_number.then_some(digits)
}

/// Returns the text inside the quotes. Returns `None` if the value is no text.
pub(super) fn quoted(raw: &str) -> Option<Cow<'_, str>> {
    let inside = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inside.contains('\\') { serde_json::from_str(raw).ok().map(Cow::Owned) } else { Some(inside.into()) }
}
