//! The text of a cell, as a param of the same value has it in a key.

use std::fmt::Write as _;

use mrc_core::{Date, DateTime, Tag, Time, Value};

use super::{Reason, Server, TimeZone};
use crate::event::{Cell, Column, ColumnType};

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spelling {
    column: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Tiny,
    Integer,
    Decimal,
    Text(Charset),
    /// The members. One is `None` if it can't be read.
    Enum(Vec<Option<String>>),
    Date,
    Time,
    DateTime,
    Timestamp(TimeZone),
}

impl Spelling {
    /// Returns a column's spelling, unless its values have no natural text or aren't described.
    pub(super) fn of(name: &str, column: &Column, server: Server, zone: TimeZone) -> Result<Self, Reason> {
        let refused = |kind| Err(Reason::Type { column: name.to_owned(), kind });
        let charset = || match column.collation {
            None => Err(Reason::Metadata),
            Some(collation) => Charset::of(collation)
                .ok_or_else(|| Reason::Type { column: name.to_owned(), kind: "text of a charset that isn't read" }),
        };
        let kind = match column.kind {
            ColumnType::Tiny | ColumnType::Short | ColumnType::Medium | ColumnType::Long | ColumnType::LongLong
                if column.unsigned.is_none() =>
            {
                return Err(Reason::Metadata);
            }
            ColumnType::Tiny => Kind::Tiny,
            ColumnType::Short | ColumnType::Medium | ColumnType::Long | ColumnType::LongLong | ColumnType::Year => {
                Kind::Integer
            }
            ColumnType::Decimal { .. } => Kind::Decimal,
            ColumnType::Char(4 | 16) if server.mariadb && charset()? == Charset::Binary => {
                return refused("BINARY, or UUID, INET4 or INET6, which look the same");
            }
            ColumnType::Varchar(_) | ColumnType::Char(_) | ColumnType::Blob(_) => Kind::Text(charset()?),
            ColumnType::Enum(_) if column.members.is_empty() => return Err(Reason::Metadata),
            ColumnType::Enum(_) => {
                let charset = charset()?;
                Kind::Enum(column.members.iter().map(|member| charset.text(member)).collect())
            }
            ColumnType::Date => Kind::Date,
            ColumnType::Time(_) => Kind::Time,
            ColumnType::DateTime(_) => Kind::DateTime,
            ColumnType::Timestamp(_) => Kind::Timestamp(zone),
            ColumnType::Float | ColumnType::Double => return refused("FLOAT or DOUBLE"),
            ColumnType::Json(_) => return refused("JSON"),
            ColumnType::Geometry(_) => return refused("GEOMETRY"),
            ColumnType::Vector(_) => return refused("VECTOR"),
            ColumnType::Set(_) => return refused("SET"),
            ColumnType::Bit(_) => return refused("BIT"),
            ColumnType::Compressed(_) => return refused("COMPRESSED"),
            ColumnType::OldTemporal(_) => return refused("a date or time in the old format"),
            ColumnType::Unknown(_) => return refused("unknown"),
        };
        Ok(Self { column: name.to_owned(), kind })
    }

    /// Appends the text of a cell, unless the row lacks it or it can't be read for certain.
    pub(super) fn write(&self, cell: &Cell<'_>, out: &mut String) -> Result<(), Reason> {
        match cell {
            Cell::Absent => return Err(Reason::Absent { column: self.column.clone() }),
            // Nobody can have a tag that is longer.
            cell if bytes(cell).is_some_and(|bytes| bytes.len() > Tag::LONGEST) => return Err(Reason::TooLong),
            _ => {}
        }
        self.text(cell, out).ok_or_else(|| Reason::Unreadable { column: self.column.clone() })
    }

    fn text(&self, cell: &Cell<'_>, out: &mut String) -> Option<()> {
        match (&self.kind, cell) {
            (_, Cell::Null) => out.push_str("null"),
            (Kind::Tiny | Kind::Integer, Cell::Int(int)) => write!(out, "{int}").ok()?,
            (Kind::Tiny | Kind::Integer, Cell::UInt(int)) => write!(out, "{int}").ok()?,
            (Kind::Decimal, Cell::Decimal(digits)) => out.push_str(digits),
            (Kind::Text(charset), cell) => charset.read(bytes(cell)?, out)?,
            // 0 is the invalid value, which the server shows as an empty text.
            (Kind::Enum(_), Cell::Enum(0)) => {}
            (Kind::Enum(members), Cell::Enum(number)) => {
                out.push_str(members.get(usize::from(*number).checked_sub(1)?)?.as_ref()?);
            }
            (Kind::Date, Cell::Date(text)) => write!(out, "{}", date(text)?).ok()?,
            (Kind::Time, Cell::Time(text)) => write!(out, "{}", time(text)?).ok()?,
            (Kind::DateTime | Kind::Timestamp(_), cell) => write!(out, "{}", self.datetime(cell)?.0).ok()?,
            _ => return None,
        }
        Some(())
    }

    /// Returns the other values that a param of this cell may have, besides the text.
    pub(super) fn others(&self, cell: &Cell<'_>) -> Vec<Value> {
        match (&self.kind, cell) {
            (_, Cell::Null) => vec![Value::Null],
            (Kind::Tiny, Cell::Int(0)) => vec![false.into()],
            (Kind::Tiny, Cell::Int(1)) => vec![true.into()],
            (Kind::Decimal, Cell::Decimal(digits)) => decimals(digits),
            (Kind::Text(Charset::Binary), cell) => {
                let short = bytes(cell).filter(|bytes| bytes.len() <= Tag::LONGEST);
                short.map(|bytes| bytes.to_vec().into()).into_iter().collect()
            }
            (Kind::Date, Cell::Date(text)) => date(text).map(Value::Date).into_iter().collect(),
            (Kind::Time, Cell::Time(text)) => time(text).map(|_| text.into()).into_iter().collect(),
            (Kind::DateTime | Kind::Timestamp(_), cell) => match self.datetime(cell) {
                Some((datetime, text)) => vec![datetime.into(), text.into()],
                None => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// Returns a date with a time of day, and the server's text of it.
    fn datetime(&self, cell: &Cell<'_>) -> Option<(DateTime, String)> {
        match (&self.kind, cell) {
            (Kind::DateTime, Cell::DateTime(text)) => Some((datetime(text)?, text.clone())),
            (Kind::Timestamp(zone), Cell::Timestamp { seconds, micros, digits }) => {
                let local = zone.local(*seconds, *micros)?;
                let mut text = DateTime { micros: 0, ..local }.to_string();
                if *digits > 0 {
                    let fraction = format!(".{micros:06}");
                    text.push_str(fraction.get(..=usize::from(*digits))?);
                }
                Some((local, text))
            }
            _ => None,
        }
    }
}

fn bytes<'c>(cell: &'c Cell<'_>) -> Option<&'c [u8]> {
    match cell {
        Cell::Bytes(bytes) => Some(bytes),
        Cell::Padded(bytes) => Some(bytes),
        _ => None,
    }
}

/// Returns the other spellings of a decimal: a caller may bind `10.5` for `10.50`.
fn decimals(digits: &str) -> Vec<Value> {
    let short = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
    let double = digits.parse::<f64>().ok().filter(|double| double.is_finite()).map(Value::Float);
    std::iter::once(short.into()).chain(double).collect()
}

pub(crate) fn date(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

fn datetime(text: &str) -> Option<DateTime> {
    let (day, clock) = text.split_once(' ')?;
    let clock = time(clock)?;
    date(day)?.at(u8::try_from(clock.hours).ok()?, clock.minutes, clock.seconds, clock.micros).ok()
}

fn time(text: &str) -> Option<Time> {
    let unsigned = text.strip_prefix('-');
    let (clock, fraction) = match unsigned.unwrap_or(text).split_once('.') {
        Some((clock, fraction)) => (clock, fraction),
        None => (unsigned.unwrap_or(text), ""),
    };
    let micros = if fraction.len() > 6 { return None } else { format!("{fraction:0<6}").parse().ok()? };
    let mut parts = clock.splitn(3, ':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let time = Time::new(hours.parse().ok()?, minutes.parse().ok()?, seconds.parse().ok()?, micros).ok()?;
    Some(if unsigned.is_some() { -time } else { time })
}

/// The charset of a collation, as far as its texts can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    /// `utf8mb3` and `utf8mb4`.
    Utf8,
    /// `latin1`, which is Windows-1252.
    Latin1,
    /// Bytes.
    Binary,
    /// Another one, in which bytes below 128 are ASCII.
    Ascii,
}

impl Charset {
    /// Returns the charset of a collation. Returns `None` if it isn't known, or isn't based on
    /// ASCII, as `utf16` and `swe7` aren't.
    pub(crate) fn of(collation: u16) -> Option<Self> {
        // MariaDB's collations with NO PAD have the numbers of the others, plus 1,024.
        let number = if (1024..2048).contains(&collation) { collation - 1024 } else { collation };
        Some(match number {
            63 => Self::Binary,
            5 | 8 | 15 | 31 | 47..=49 | 94 => Self::Latin1,
            33 | 45 | 46 | 76 | 83 | 192..=215 | 223..=247 | 255..=323 | 576..=578 | 608..=610 | 2048..=2559 => {
                Self::Utf8
            }
            // swe7, ucs2, utf16, utf16le, utf32
            10 | 17 | 35 | 54..=56 | 60..=62 | 82 | 90 => return None,
            1..=99 | 248..=250 => Self::Ascii,
            _ => return None,
        })
    }

    /// Returns a text. Returns `None` if the bytes can't be read for certain.
    pub(crate) fn text(self, bytes: &[u8]) -> Option<String> {
        let mut text = String::new();
        self.read(bytes, &mut text).map(|()| text)
    }

    /// Appends a text, like [`text`](Self::text).
    fn read(self, bytes: &[u8], out: &mut String) -> Option<()> {
        match self {
            Self::Utf8 | Self::Binary => out.push_str(std::str::from_utf8(bytes).ok()?),
            Self::Ascii if !bytes.is_ascii() => return None,
            Self::Latin1 | Self::Ascii => out.extend(bytes.iter().map(|byte| latin1(*byte))),
        }
        Some(())
    }
}

fn latin1(byte: u8) -> char {
    /// The characters of 128 to 159. The server keeps the control characters where Windows has
    /// none.
    const SPECIAL: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    let special = byte.checked_sub(128).and_then(|at| SPECIAL.get(usize::from(at)));
    special.copied().unwrap_or(char::from(byte))
}
