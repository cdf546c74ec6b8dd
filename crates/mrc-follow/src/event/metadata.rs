//! The optional part of a `TABLE_MAP` event: names, signs, charsets.

use super::number;
use super::read::Reader;
use super::{Column, ColumnType, Fault, Flavor};

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
pub(super) struct Metadata<'a> {
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
    pub(super) fn read(mut read: Reader<'a>) -> Result<Self, Fault> {
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
    pub(super) fn describe(self, flavor: Flavor, numbers: &[u8], columns: &mut [Column]) -> Result<(), Fault> {
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
    matches!(
        number,
        number::TINY
            | number::SHORT
            | number::MEDIUM
            | number::LONG
            | number::LONG_LONG
            | number::FLOAT
            | number::DOUBLE
            | number::YEAR
            | number::DECIMAL
    )
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
