//! One value of a row image.

use super::read::Reader;
use super::{Cell, Column, ColumnType, Fault, text};

/// The number of the collation of bytes without a charset.
const BINARY: u16 = 63;

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
            Self::Decimal { precision, scale } => text::decimal_length(precision, scale),
            Self::Varchar(most) | Self::Char(most) => return string(read, most).map(drop),
            Self::Blob(bytes)
            | Self::Json(bytes)
            | Self::Geometry(bytes)
            | Self::Vector(bytes)
            | Self::Compressed(bytes) => return blob(read, bytes).map(drop),
            Self::Enum(bytes) | Self::Set(bytes) | Self::OldTemporal(bytes) => usize::from(bytes),
            Self::Bit(bits) => usize::from(bits.div_ceil(8)),
            Self::Time(digits) => 3 + text::fraction_length(digits),
            Self::DateTime(digits) => 5 + text::fraction_length(digits),
            Self::Timestamp(digits) => 4 + text::fraction_length(digits),
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
            ColumnType::Decimal { precision, scale } => Cell::Decimal(text::decimal(read, precision, scale)?),
            ColumnType::Varchar(most) => Cell::Bytes(string(read, most)?),
            ColumnType::Char(most) => self.fixed(string(read, most)?, most),
            ColumnType::Blob(bytes) => Cell::Bytes(blob(read, bytes)?),
            ColumnType::Enum(bytes) => {
                Cell::Enum(u16::try_from(read.little(usize::from(bytes))?).map_err(|_| Fault::Invalid("an ENUM"))?)
            }
            ColumnType::Set(bytes) => Cell::Bits(read.little(usize::from(bytes))?),
            ColumnType::Bit(bits) => Cell::Bits(read.big(usize::from(bits.div_ceil(8)))?),
            ColumnType::Date => Cell::Date(text::date(read)?),
            ColumnType::Time(digits) => Cell::Time(text::time(read, digits)?),
            ColumnType::DateTime(digits) => Cell::DateTime(text::datetime(read, digits)?),
            ColumnType::Timestamp(digits) => {
                let (seconds, micros) = text::timestamp(read, digits)?;
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
