//! `TABLE_MAP` events: the columns of a table.

use super::read::{Reader, bit};
use super::{Column, ColumnType, DecodeError, Fault, Flavor};

/// No server allows more columns.
const MOST_COLUMNS: usize = 4096;

/// The numbers of the types that share one number in a description.
const ENUM: u8 = 247;
const SET: u8 = 248;
const STRING: u8 = 254;

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
        1 => ColumnType::Tiny,
        2 => ColumnType::Short,
        3 => ColumnType::Long,
        4 => sized(read, 4, ColumnType::Float)?,
        5 => sized(read, 8, ColumnType::Double)?,
        8 => ColumnType::LongLong,
        9 => ColumnType::Medium,
        10 | 14 => ColumnType::Date,
        13 => ColumnType::Year,
        // `TIMESTAMP`, `TIME` and `DATETIME` from before MySQL 5.6. MariaDB's may have a fraction,
        // of which the event tells nothing.
        7 | 11 | 12 if flavor == Flavor::MariaDb => ColumnType::Unknown(number),
        7 => ColumnType::OldTemporal(4),
        11 => ColumnType::OldTemporal(3),
        12 => ColumnType::OldTemporal(8),
        17 => ColumnType::Timestamp(up_to(read, 6)?),
        18 => ColumnType::DateTime(up_to(read, 6)?),
        19 => ColumnType::Time(up_to(read, 6)?),
        246 => {
            let [precision, scale] = read.array()?;
            if precision == 0 || precision > 65 || scale > precision {
                return Err(Fault::Invalid("a type"));
            }
            ColumnType::Decimal { precision, scale }
        }
        15 | 253 => ColumnType::Varchar(read.u16()?),
        16 => {
            let [bits, bytes] = read.array()?;
            let bits = u16::from(bytes) * 8 + u16::from(bits);
            if bits > 64 {
                return Err(Fault::Invalid("a type"));
            }
            ColumnType::Bit(bits)
        }
        249..=252 => ColumnType::Blob(up_to(read, 4)?),
        140 => ColumnType::Compressed(up_to(read, 4)?),
        141 => ColumnType::Compressed(if read.u16()? < 256 { 1 } else { 2 }),
        242 => ColumnType::Vector(up_to(read, 4)?),
        245 => ColumnType::Json(up_to(read, 4)?),
        255 => ColumnType::Geometry(up_to(read, 4)?),
        STRING | ENUM | SET => string(read.array()?)?,
        _ => return Ok(None),
    }))
}

/// Reads the type behind the number of `CHAR`, which `ENUM` and `SET` share.
fn string([high, low]: [u8; 2]) -> Result<ColumnType, Fault> {
    match (high, low) {
        (ENUM, 1 | 2) => Ok(ColumnType::Enum(low)),
        (SET, 1..=8) => Ok(ColumnType::Set(low)),
        (ENUM | SET, _) => Err(Fault::Invalid("a type")),
        // Two bits of the length are inverted and in the type, which they don't change otherwise.
        _ if high | 0x30 == STRING => Ok(ColumnType::Char(u16::from(low) | (u16::from(high & 0x30) ^ 0x30) << 4)),
        _ => Err(Fault::Invalid("a type")),
    }
}

fn sized(read: &mut Reader<'_>, length: u8, kind: ColumnType) -> Result<ColumnType, Fault> {
    if read.u8()? == length { Ok(kind) } else { Err(Fault::Invalid("a type")) }
}

fn up_to(read: &mut Reader<'_>, most: u8) -> Result<u8, Fault> {
    read.u8().and_then(|number| if number <= most { Ok(number) } else { Err(Fault::Invalid("a type")) })
}

const SIGNS: u8 = 1;
const DEFAULT_CHARSET: u8 = 2;
const CHARSETS: u8 = 3;
const NAMES: u8 = 4;
const SET_MEMBERS: u8 = 5;
const ENUM_MEMBERS: u8 = 6;
const DEFAULT_CHARSET_OF_MEMBERS: u8 = 10;
const CHARSETS_OF_MEMBERS: u8 = 11;

/// The fields of the optional part that describe columns. An absent field is empty.
#[derive(Default)]
struct Metadata<'a> {
    signs: Option<&'a [u8]>,
    charsets: Charsets<'a>,
    charsets_of_members: Charsets<'a>,
    names: Option<Reader<'a>>,
    sets: Option<Reader<'a>>,
    enums: Option<Reader<'a>>,
}

#[derive(Default)]
enum Charsets<'a> {
    #[default]
    Untold,
    /// A collation, then the columns with another.
    Default(Reader<'a>),
    /// The collation of each column.
    Each(Reader<'a>),
}

impl<'a> Metadata<'a> {
    fn read(mut read: Reader<'a>) -> Result<Self, Fault> {
        let mut metadata = Self::default();
        while !read.is_empty() {
            let kind = read.u8()?;
            let field = read.counted()?;
            let value = Reader::new(field);
            match kind {
                SIGNS => metadata.signs = Some(field),
                DEFAULT_CHARSET => metadata.charsets = Charsets::Default(value),
                CHARSETS => metadata.charsets = Charsets::Each(value),
                NAMES => metadata.names = Some(value),
                SET_MEMBERS => metadata.sets = Some(value),
                ENUM_MEMBERS => metadata.enums = Some(value),
                DEFAULT_CHARSET_OF_MEMBERS => metadata.charsets_of_members = Charsets::Default(value),
                CHARSETS_OF_MEMBERS => metadata.charsets_of_members = Charsets::Each(value),
                // Keys, geometries, visibility, and fields of later versions.
                _ => {}
            }
        }
        Ok(metadata)
    }

    /// Adds to the columns what is known about them. `numbers` are their types in the protocol.
    fn describe(self, flavor: Flavor, numbers: &[u8], columns: &mut [Column]) -> Result<(), Fault> {
        if let Some(signs) = self.signs {
            let numeric = numbers.iter().zip(columns.iter_mut()).filter(|(number, _)| is_numeric(**number));
            for (index, (_, column)) in numeric.enumerate() {
                // The first column has the highest bit.
                let byte = signs.get(index / 8).ok_or(Fault::Short)?;
                column.unsigned = Some(byte << (index % 8) & 0x80 != 0);
            }
        }
        if let Some(mut names) = self.names {
            for column in columns.iter_mut() {
                let name = std::str::from_utf8(names.counted()?).map_err(|_| Fault::Invalid("a name"))?;
                column.name = Some(name.to_owned());
            }
        }
        if columns.iter().any(|column| matches!(column.kind, ColumnType::Unknown(_))) {
            // Which columns have a charset is unknown.
            return Ok(());
        }
        self.charsets.describe(columns, |kind| has_charset(flavor, kind))?;
        self.charsets_of_members.describe(columns, |kind| matches!(kind, ColumnType::Enum(_) | ColumnType::Set(_)))?;
        members(self.enums, columns, |kind| matches!(kind, ColumnType::Enum(_)))?;
        members(self.sets, columns, |kind| matches!(kind, ColumnType::Set(_)))
    }
}

impl Charsets<'_> {
    fn describe(self, columns: &mut [Column], has_charset: impl Fn(ColumnType) -> bool) -> Result<(), Fault> {
        let mut columns: Vec<_> = columns.iter_mut().filter(|column| has_charset(column.kind)).collect();
        match self {
            Self::Untold => {}
            Self::Default(mut read) => {
                let default = collation(&mut read)?;
                columns.iter_mut().for_each(|column| column.collation = Some(default));
                while !read.is_empty() {
                    let column = columns.get_mut(read.length()?).ok_or(Fault::Invalid("a charset"))?;
                    column.collation = Some(collation(&mut read)?);
                }
            }
            Self::Each(mut read) => {
                for column in columns {
                    column.collation = Some(collation(&mut read)?);
                }
                if !read.is_empty() {
                    return Err(Fault::Long(read.len()));
                }
            }
        }
        Ok(())
    }
}

fn collation(read: &mut Reader<'_>) -> Result<u16, Fault> {
    u16::try_from(read.length()?).map_err(|_| Fault::Invalid("a charset"))
}

fn members(read: Option<Reader<'_>>, columns: &mut [Column], has_members: fn(ColumnType) -> bool) -> Result<(), Fault> {
    let Some(mut read) = read else { return Ok(()) };
    for column in columns.iter_mut().filter(|column| has_members(column.kind)) {
        for _ in 0..read.length()? {
            column.members.push(read.counted()?.to_vec());
        }
    }
    Ok(())
}

/// Returns whether the columns of a type have a sign, `YEAR` too.
fn is_numeric(number: u8) -> bool {
    matches!(number, 1..=5 | 8 | 9 | 13 | 246)
}

/// Returns whether the list of charsets counts a column of this type.
fn has_charset(flavor: Flavor, kind: ColumnType) -> bool {
    match kind {
        ColumnType::Varchar(_) | ColumnType::Char(_) | ColumnType::Blob(_) => true,
        ColumnType::Vector(_) => flavor == Flavor::MySql,
        ColumnType::Geometry(_) | ColumnType::Compressed(_) => flavor == Flavor::MariaDb,
        _ => false,
    }
}
