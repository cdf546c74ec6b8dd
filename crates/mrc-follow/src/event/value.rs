//! One value of a row image. Decimals, dates and times become texts.

use super::read::Reader;
use super::{Cell, Column, ColumnType, Fault};

/// The number of the collation of bytes without a charset.
pub(crate) const BINARY: u16 = 63;

impl ColumnType {
    /// Passes over a value that isn't `NULL`.
    #[inline]
    pub(super) fn skip(self, read: &mut Reader<'_>) -> Result<(), Fault> {
        let length = match self {
            Self::Tiny | Self::Year => 1,
            Self::Short => 2,
            Self::Medium | Self::Date => 3,
            Self::Long | Self::Float => 4,
            Self::LongLong | Self::Double => 8,
            Self::Decimal { precision, scale } => decimal_length(precision, scale),
            Self::Varchar(most) | Self::Char(most) => return string(read, most).map(drop),
            Self::Blob(bytes)
            | Self::Json(bytes)
            | Self::Geometry(bytes)
            | Self::Vector(bytes)
            | Self::Compressed(bytes) => return blob(read, bytes).map(drop),
            Self::Enum(bytes) | Self::Set(bytes) | Self::OldTemporal(bytes) => usize::from(bytes),
            Self::Bit(bits) => usize::from(bits.div_ceil(8)),
            Self::Time(digits) => 3 + fraction_length(digits),
            Self::DateTime(digits) => 5 + fraction_length(digits),
            Self::Timestamp(digits) => 4 + fraction_length(digits),
            Self::Unknown(number) => return Err(Fault::Type(number)),
        };
        read.take(length).map(drop)
    }
}

impl Column {
    /// Reads a value that isn't `NULL`.
    pub(super) fn cell<'a>(&self, read: &mut Reader<'a>) -> Result<Cell<'a>, Fault> {
        Ok(match self.kind {
            ColumnType::Tiny => self.integer(read, 1)?,
            ColumnType::Short => self.integer(read, 2)?,
            ColumnType::Medium => self.integer(read, 3)?,
            ColumnType::Long => self.integer(read, 4)?,
            ColumnType::LongLong => self.integer(read, 8)?,
            ColumnType::Year => match read.u8()? {
                0 => Cell::Int(0),
                years => Cell::Int(1900 + i64::from(years)),
            },
            ColumnType::Float => Cell::Float(f32::from_le_bytes(read.array()?)),
            ColumnType::Double => Cell::Double(f64::from_le_bytes(read.array()?)),
            ColumnType::Decimal { precision, scale } => Cell::Decimal(decimal(read, precision, scale)?),
            ColumnType::Varchar(most) => Cell::Bytes(string(read, most)?),
            ColumnType::Char(most) => self.fixed(string(read, most)?, most),
            ColumnType::Blob(bytes) => Cell::Bytes(blob(read, bytes)?),
            ColumnType::Enum(bytes) => {
                Cell::Enum(u16::try_from(read.little(usize::from(bytes))?).map_err(|_| Fault::Invalid("an ENUM"))?)
            }
            ColumnType::Set(bytes) => Cell::Bits(read.little(usize::from(bytes))?),
            ColumnType::Bit(bits) => Cell::Bits(read.big(usize::from(bits.div_ceil(8)))?),
            ColumnType::Date => Cell::Date(date(read)?),
            ColumnType::Time(digits) => Cell::Time(time(read, digits)?),
            ColumnType::DateTime(digits) => Cell::DateTime(datetime(read, digits)?),
            ColumnType::Timestamp(digits) => {
                let (seconds, micros) = timestamp(read, digits)?;
                Cell::Timestamp { seconds, micros, digits }
            }
            ColumnType::Json(_)
            | ColumnType::Geometry(_)
            | ColumnType::Vector(_)
            | ColumnType::Compressed(_)
            | ColumnType::OldTemporal(_)
            | ColumnType::Unknown(_) => {
                self.kind.skip(read)?;
                Cell::Opaque
            }
        })
    }

    fn integer<'a>(&self, read: &mut Reader<'_>, length: usize) -> Result<Cell<'a>, Fault> {
        let number = read.little(length)?;
        if self.unsigned == Some(true) {
            return Ok(i64::try_from(number).map_or(Cell::UInt(number), Cell::Int));
        }
        let unused = 64_usize.saturating_sub(8 * length);
        Ok(Cell::Int(number.cast_signed() << unused >> unused))
    }

    /// Returns a value of `CHAR`, or of `BINARY` with the zeros at its end, which the binlog omits.
    fn fixed<'a>(&self, bytes: &'a [u8], length: u16) -> Cell<'a> {
        let length = usize::from(length);
        if self.collation == Some(BINARY) && bytes.len() < length {
            let mut padded = bytes.to_vec();
            padded.resize(length, 0);
            return Cell::Padded(padded);
        }
        Cell::Bytes(bytes)
    }
}

/// Reads a string of at most so many bytes. Its length has two bytes if one doesn't suffice.
#[inline]
fn string<'a>(read: &mut Reader<'a>, most: u16) -> Result<&'a [u8], Fault> {
    let length = if most < 256 { usize::from(read.u8()?) } else { usize::from(read.u16()?) };
    read.take(length)
}

#[inline]
fn blob<'a>(read: &mut Reader<'a>, length: u8) -> Result<&'a [u8], Fault> {
    let length = read.little(usize::from(length))?;
    read.take(usize::try_from(length).map_err(|_| Fault::Short)?)
}

/// The bytes of a group of so many digits.
const BYTES: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
const GROUP: usize = 9;

/// Returns the number of bytes of a `DECIMAL(precision, scale)`.
fn decimal_length(precision: u8, scale: u8) -> usize {
    groups_length(precision.saturating_sub(scale)) + groups_length(scale)
}

fn groups_length(digits: u8) -> usize {
    let digits = usize::from(digits);
    digits / GROUP * 4 + BYTES.get(digits % GROUP).copied().unwrap_or(0)
}

/// Reads a `DECIMAL(precision, scale)`, with all digits of its scale.
fn decimal(read: &mut Reader<'_>, precision: u8, scale: u8) -> Result<String, Fault> {
    let bytes = read.take(decimal_length(precision, scale))?;
    // The highest bit is inverted, and all bits are if the number is negative.
    let negative = bytes.first().is_some_and(|first| first & 0x80 == 0);
    let mut groups = Groups { bytes: Reader::new(bytes), negative, first: true };
    let whole = usize::from(precision.saturating_sub(scale));
    let mut text = Vec::with_capacity(usize::from(precision) + 3);
    groups.push(whole % GROUP, &mut text)?;
    for _ in 0..whole / GROUP {
        groups.push(GROUP, &mut text)?;
    }
    let zeros = text.iter().take_while(|digit| **digit == b'0').count();
    text.drain(..zeros);
    if text.is_empty() {
        text.push(b'0');
    }
    if negative {
        text.insert(0, b'-');
    }
    if scale > 0 {
        text.push(b'.');
        for _ in 0..usize::from(scale) / GROUP {
            groups.push(GROUP, &mut text)?;
        }
        groups.push(usize::from(scale) % GROUP, &mut text)?;
    }
    finished(text)
}

struct Groups<'a> {
    bytes: Reader<'a>,
    negative: bool,
    first: bool,
}

impl Groups<'_> {
    /// Appends a group of so many digits, with leading zeros.
    fn push(&mut self, digits: usize, text: &mut Vec<u8>) -> Result<(), Fault> {
        let length = BYTES.get(digits).copied().unwrap_or(0);
        if length == 0 {
            return Ok(());
        }
        let bits = length * 8;
        let mut number = self.bytes.big(length)?;
        if std::mem::take(&mut self.first) {
            number ^= 1 << (bits - 1);
        }
        if self.negative {
            number ^= (1 << bits) - 1;
        }
        if push_digits(text, number, digits) { Ok(()) } else { Err(Fault::Invalid("a DECIMAL")) }
    }
}

/// Reads a `DATE`. A zero date is valid.
fn date(read: &mut Reader<'_>) -> Result<String, Fault> {
    let packed = read.little(3)?;
    let mut text = Vec::with_capacity(10);
    push_date(&mut text, packed >> 9, packed >> 5 & 15, packed & 31)?;
    finished(text)
}

/// Reads a `TIME` with so many digits of fraction.
fn time(read: &mut Reader<'_>, precision: u8) -> Result<String, Fault> {
    let length = fraction_length(precision);
    let packed = read.big(3 + length)?;
    // The whole number, fraction included, is shifted to be positive.
    let zero = 0x80_0000_u64 << (8 * length);
    let is_negative = packed < zero;
    let packed = packed.abs_diff(zero);
    let micros = micros(packed & ((1 << (8 * length)) - 1), length)?;
    let packed = packed >> (8 * length);
    let mut text = Vec::with_capacity(17);
    if is_negative {
        text.push(b'-');
    }
    push_time(&mut text, packed, 838)?;
    push_fraction(&mut text, micros, precision);
    finished(text)
}

/// Reads a `DATETIME` with so many digits of fraction. A zero date is valid.
fn datetime(read: &mut Reader<'_>, precision: u8) -> Result<String, Fault> {
    const ZERO: u64 = 0x80_0000_0000;
    let packed = read.big(5)?.checked_sub(ZERO).ok_or(Fault::Invalid("a DATETIME"))?;
    let micros = fraction(read, precision)?;
    let (date, time) = (packed >> 17, packed & 0x1_FFFF);
    let months = date >> 5;
    let mut text = Vec::with_capacity(26);
    push_date(&mut text, months / 13, months % 13, date & 31)?;
    text.push(b' ');
    push_time(&mut text, time, 23)?;
    push_fraction(&mut text, micros, precision);
    finished(text)
}

/// Reads the seconds and microseconds of a `TIMESTAMP` with so many digits of fraction.
fn timestamp(read: &mut Reader<'_>, precision: u8) -> Result<(u32, u32), Fault> {
    let seconds = read.array().map(u32::from_be_bytes)?;
    Ok((seconds, fraction(read, precision)?))
}

/// Returns the number of bytes that hold so many digits of fraction.
fn fraction_length(precision: u8) -> usize {
    usize::from(precision.div_ceil(2))
}

fn fraction(read: &mut Reader<'_>, precision: u8) -> Result<u32, Fault> {
    let length = fraction_length(precision);
    micros(read.big(length)?, length)
}

/// Returns the microseconds of a fraction whose last byte holds two digits.
fn micros(fraction: u64, length: usize) -> Result<u32, Fault> {
    let unit = match length {
        0 | 3 => 1,
        1 => 10_000,
        _ => 100,
    };
    let micros = fraction.saturating_mul(unit);
    u32::try_from(micros).ok().filter(|micros| *micros < 1_000_000).ok_or(Fault::Invalid("a fraction of a second"))
}

fn push_date(text: &mut Vec<u8>, year: u64, month: u64, day: u64) -> Result<(), Fault> {
    if year > 9999 || month > 12 || day > 31 {
        return Err(Fault::Invalid("a date"));
    }
    push_digits(text, year, 4);
    text.push(b'-');
    push_digits(text, month, 2);
    text.push(b'-');
    push_digits(text, day, 2);
    Ok(())
}

/// Appends a time, packed into 6 bits for each of the seconds and the minutes.
fn push_time(text: &mut Vec<u8>, packed: u64, most_hours: u64) -> Result<(), Fault> {
    let (hour, minute, second) = (packed >> 12, packed >> 6 & 63, packed & 63);
    if hour > most_hours || minute > 59 || second > 59 {
        return Err(Fault::Invalid("a time"));
    }
    push_digits(text, hour, if hour > 99 { 3 } else { 2 });
    text.push(b':');
    push_digits(text, minute, 2);
    text.push(b':');
    push_digits(text, second, 2);
    Ok(())
}

fn push_fraction(text: &mut Vec<u8>, micros: u32, precision: u8) {
    if precision > 0 {
        text.push(b'.');
        let end = text.len() + usize::from(precision);
        push_digits(text, micros.into(), 6);
        text.truncate(end);
    }
}

/// Appends a number with so many digits, faster than `format!`. Returns `false` if it has more.
fn push_digits(text: &mut Vec<u8>, mut number: u64, digits: usize) -> bool {
    text.resize(text.len() + digits, b'0');
    for digit in text.iter_mut().rev().take(digits) {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
    number == 0
}

fn finished(text: Vec<u8>) -> Result<String, Fault> {
    String::from_utf8(text).map_err(|_| Fault::Invalid("a number"))
}
