//! `TABLE_MAP` events: the columns of a table.

use super::metadata::Metadata;
use super::number;
use super::read::{Reader, bit};
use super::{Column, ColumnType, DecodeError, Fault, Flavor, Table};

/// No server allows more columns.
const MOST_COLUMNS: usize = 4096;

/// The part of a `TABLE_MAP` event that names the table, and the reader of the other part.
pub(super) struct Named<'a> {
    pub(super) id: u64,
    pub(super) schema: &'a str,
    pub(super) name: &'a str,
    columns: Reader<'a>,
}

impl<'a> Named<'a> {
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Fault> {
        let mut read = Reader::new(body);
        let id = read.little(6)?;
        read.take(2)?; // Flags that mean nothing here.
        let (schema, name) = (read.name()?, read.name()?);
        Ok(Self { id, schema, name, columns: read })
    }

    /// Returns the table with these columns.
    pub(super) fn table(&self, columns: Vec<Column>) -> Table {
        Table { id: self.id, schema: self.schema.to_owned(), name: self.name.to_owned(), columns }
    }

    /// Returns an error that names the table.
    pub(super) fn error(&self, kind: u8, fault: Fault) -> DecodeError {
        DecodeError::new(kind, fault).in_table(self.schema, self.name, None)
    }

    pub(super) fn columns(&self, flavor: Flavor) -> Result<Vec<Column>, Fault> {
        let mut read = self.columns;
        let count = read.length()?;
        if count > MOST_COLUMNS {
            return Err(Fault::Invalid("the number of columns"));
        }
        let numbers = read.take(count)?;
        let mut types = Reader::new(read.counted()?);
        let nullable = read.take(count.div_ceil(8))?;
        let mut columns = Vec::with_capacity(count);
        let mut unknown = false;
        for (index, number) in numbers.iter().enumerate() {
            // The length of an unknown type's description is unknown, so all that follows is too.
            let kind = if unknown { None } else { column_type(flavor, *number, &mut types)? };
            unknown = kind.is_none();
            let kind = kind.unwrap_or(ColumnType::Unknown(*number));
            let nullable = bit(nullable, index);
            columns.push(Column { name: None, kind, unsigned: None, nullable, collation: None, members: Vec::new() });
        }
        if !unknown && !types.is_empty() {
            return Err(Fault::Long(types.len()));
        }
        Metadata::read(read)?.describe(flavor, numbers, &mut columns)?;
        Ok(columns)
    }
}

/// Returns the type with this number. Returns `None` if the number is unknown.
fn column_type(flavor: Flavor, number: u8, read: &mut Reader<'_>) -> Result<Option<ColumnType>, Fault> {
    Ok(Some(match number {
        number::TINY => ColumnType::Tiny,
        number::SHORT => ColumnType::Short,
        number::MEDIUM => ColumnType::Medium,
        number::LONG => ColumnType::Long,
        number::LONG_LONG => ColumnType::LongLong,
        number::YEAR => ColumnType::Year,
        number::FLOAT => sized(read, 4, ColumnType::Float)?,
        number::DOUBLE => sized(read, 8, ColumnType::Double)?,
        number::DATE | number::NEW_DATE => ColumnType::Date,
        // MariaDB's old types may have a fraction, of which the event tells nothing.
        number::OLD_TIMESTAMP | number::OLD_TIME | number::OLD_DATETIME if flavor == Flavor::MariaDb => {
            ColumnType::Unknown(number)
        }
        number::OLD_TIMESTAMP => ColumnType::OldTemporal(4),
        number::OLD_TIME => ColumnType::OldTemporal(3),
        number::OLD_DATETIME => ColumnType::OldTemporal(8),
        number::TIMESTAMP => ColumnType::Timestamp(up_to(read, 6)?),
        number::DATETIME => ColumnType::DateTime(up_to(read, 6)?),
        number::TIME => ColumnType::Time(up_to(read, 6)?),
        number::DECIMAL => {
            let [precision, scale] = read.array()?;
            if precision == 0 || precision > 65 || scale > precision {
                return Err(Fault::Invalid("a type"));
            }
            ColumnType::Decimal { precision, scale }
        }
        number::VARCHAR | number::VAR_STRING => ColumnType::Varchar(read.u16()?),
        number::BIT => {
            let [bits, bytes] = read.array()?;
            let bits = u16::from(bytes) * 8 + u16::from(bits);
            if bits > 64 {
                return Err(Fault::Invalid("a type"));
            }
            ColumnType::Bit(bits)
        }
        number::TINY_BLOB..=number::BLOB => ColumnType::Blob(up_to(read, 4)?),
        number::COMPRESSED_BLOB => ColumnType::Compressed(up_to(read, 4)?),
        number::COMPRESSED_VARCHAR => ColumnType::Compressed(if read.u16()? < 256 { 1 } else { 2 }),
        number::VECTOR => ColumnType::Vector(up_to(read, 4)?),
        number::JSON => ColumnType::Json(up_to(read, 4)?),
        number::GEOMETRY => ColumnType::Geometry(up_to(read, 4)?),
        number::STRING | number::ENUM | number::SET => string(read.array()?)?,
        _ => return Ok(None),
    }))
}

/// Reads the type behind the number of `CHAR`, which `ENUM` and `SET` share.
fn string([high, low]: [u8; 2]) -> Result<ColumnType, Fault> {
    match (high, low) {
        (number::ENUM, 1 | 2) => Ok(ColumnType::Enum(low)),
        (number::SET, 1..=8) => Ok(ColumnType::Set(low)),
        (number::ENUM | number::SET, _) => Err(Fault::Invalid("a type")),
        // Two bits of the length are inverted and in the type, which they don't change otherwise.
        _ if high | 0x30 == number::STRING => {
            Ok(ColumnType::Char(u16::from(low) | (u16::from(high & 0x30) ^ 0x30) << 4))
        }
        _ => Err(Fault::Invalid("a type")),
    }
}

fn sized(read: &mut Reader<'_>, length: u8, kind: ColumnType) -> Result<ColumnType, Fault> {
    if read.u8()? == length { Ok(kind) } else { Err(Fault::Invalid("a type")) }
}

fn up_to(read: &mut Reader<'_>, most: u8) -> Result<u8, Fault> {
    read.u8().and_then(|number| if number <= most { Ok(number) } else { Err(Fault::Invalid("a type")) })
}
