//! Types of columns, their values in SQL, and their values as a follower sees them.

use mrc_core::Date;
use mrc_core::depends::{CollationFolding, ColumnType, RowValue};
use rand::Rng;
use rand::rngs::SmallRng;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Big,
    Decimal(u8),
    /// Of the collation at this index.
    Text(usize),
    Char(usize),
    Enum,
    Date,
    DateNotNull,
    DateTime,
    VarBinary,
    Binary,
    Double,
    Year,
    Set,
    Timestamp,
}

/// Charsets and collations. Servers that lack one get `utf8mb4_general_ci` in its place.
pub(crate) const COLLATIONS: [(&str, &str); 8] = [
    ("utf8mb4", "utf8mb4_general_ci"),
    ("utf8mb4", "utf8mb4_bin"),
    ("utf8mb4", "utf8mb4_unicode_ci"),
    ("latin1", "latin1_swedish_ci"),
    ("utf8mb4", "utf8mb4_lithuanian_ci"),
    ("latin1", "latin1_german2_ci"),
    ("utf8mb4", "utf8mb4_0900_ai_ci"),
    ("gbk", "gbk_chinese_ci"),
];

const INTS: &[&str] = &["0", "1", "2", "3", "-1", "6"];
const DECIMALS: &[&str] = &["0", "1", "1.5", "1.25", "2.00", "-0.5", "1.50"];
const TEXTS: &[&str] = &[
    "'a'", "'A'", "'b'", "'á'", "'a '", "'open'", "'Open'", "'New York'", "'1'", "'01'", "'1a'", "''", "'i'", "'y'",
    "'ß'", "'ss'", "'ä'", "'2025-01-15'", "'a\tb'", "'paid'", "'1.50'", "'6abc'",
];
const DATES: &[&str] = &["'2025-01-15'", "'2025-01-16'", "'0000-00-00'"];
const BYTES: &[&str] = &["X'61'", "X'6100'", "X'6120'", "X'41'", "X''", "X'61000000'"];

impl Kind {
    pub(crate) fn random(rng: &mut SmallRng) -> Self {
        use Kind::*;
        let text = rng.random_range(0..COLLATIONS.len());
        let all = [
            Int,
            Int,
            Int,
            Big,
            Decimal(2),
            Decimal(1),
            Text(text),
            Text(text),
            Text(0),
            Char(text),
            Enum,
            Date,
            DateNotNull,
            DateTime,
            VarBinary,
            Binary,
            Double,
            Year,
            Set,
            Timestamp,
        ];
        all[rng.random_range(0..all.len())]
    }

    /// Returns the type in SQL. `has_collation` tells which collations the server has.
    pub(crate) fn ddl(self, has_collation: &[bool]) -> String {
        let of = |at: usize| {
            let (charset, collation) = COLLATIONS[collation(at, has_collation)];
            format!("CHARACTER SET {charset} COLLATE {collation} NULL")
        };
        match self {
            Self::Int => "INT NULL".into(),
            Self::Big => "BIGINT UNSIGNED NULL".into(),
            Self::Decimal(scale) => format!("DECIMAL(10,{scale}) NULL"),
            Self::Text(at) => format!("VARCHAR(20) {}", of(at)),
            Self::Char(at) => format!("CHAR(20) {}", of(at)),
            Self::Enum => {
                "ENUM('open', 'paid', '1', '01') CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NULL".into()
            }
            Self::Date => "DATE NULL".into(),
            Self::DateNotNull => "DATE NOT NULL".into(),
            Self::DateTime => "DATETIME NOT NULL".into(),
            Self::VarBinary => "VARBINARY(8) NULL".into(),
            Self::Binary => "BINARY(4) NULL".into(),
            Self::Double => "DOUBLE NULL".into(),
            Self::Year => "YEAR NULL".into(),
            Self::Set => "SET('a', 'b', '1') NULL".into(),
            Self::Timestamp => "TIMESTAMP NULL".into(),
        }
    }

    /// Returns the type as a follower sees it.
    pub(crate) fn kind(self, foldings: &[CollationFolding]) -> ColumnType {
        match self {
            Self::Int | Self::Big => ColumnType::Int,
            Self::Decimal(scale) => ColumnType::Decimal { scale },
            Self::Text(at) | Self::Char(at) => ColumnType::Text(foldings[at].clone()),
            Self::Enum => ColumnType::Enum(foldings[0].clone()),
            Self::Date | Self::DateNotNull => ColumnType::Date,
            Self::DateTime | Self::Timestamp => ColumnType::DateTime,
            Self::VarBinary | Self::Binary => ColumnType::Bytes,
            Self::Double | Self::Year | Self::Set => ColumnType::Other,
        }
    }

    /// Returns an SQL literal that suits the type.
    pub(crate) fn literal(self, rng: &mut SmallRng) -> &'static str {
        let of = match self {
            Self::Int | Self::Big | Self::Year => INTS,
            Self::Decimal(_) | Self::Double => DECIMALS,
            Self::Text(_) | Self::Char(_) => TEXTS,
            Self::Enum => &["'open'", "'paid'", "'1'", "'01'", "1", "'nothing'"][..],
            Self::Date | Self::DateNotNull => DATES,
            Self::DateTime | Self::Timestamp => &["'2025-01-15 10:00:00'", "'2025-01-15'", "'0000-00-00'"],
            Self::VarBinary | Self::Binary => BYTES,
            Self::Set => &["'a'", "'b'", "'a,b'", "'1'", "''"],
        };
        of[rng.random_range(0..of.len())]
    }

    /// Returns an SQL literal of any type.
    pub(crate) fn any_literal(rng: &mut SmallRng) -> &'static str {
        let all = [INTS, DECIMALS, TEXTS, DATES, BYTES, &["NULL", "TRUE", "1e0", "1.0", "NOW()"]];
        let of = all[rng.random_range(0..all.len())];
        of[rng.random_range(0..of.len())]
    }

    /// Returns how a dump selects the column.
    pub(crate) fn dump(self, name: &str) -> String {
        match self {
            Self::VarBinary | Self::Binary => format!("HEX({name})"),
            // An index of 0 isn't in the text.
            Self::Enum => format!("IF({name} + 0 = 0, 'no member', {name})"),
            _ => name.to_owned(),
        }
    }

    /// Returns a dumped value as a follower sees it. `bytes` has room for decoded ones.
    pub(crate) fn row_value<'a>(self, text: Option<&'a str>, bytes: &'a mut Vec<u8>) -> RowValue<'a> {
        let Some(text) = text else { return RowValue::Null };
        match self {
            Self::Int | Self::Big => text.parse().map_or(RowValue::Other, RowValue::Int),
            Self::Decimal(_) => RowValue::Decimal(text),
            Self::Enum if text == "no member" => RowValue::Other,
            Self::Text(_) | Self::Char(_) | Self::Enum => RowValue::Text(text),
            Self::VarBinary | Self::Binary => {
                let hex = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
                *bytes = text.as_bytes().chunks(2).filter_map(hex).collect();
                RowValue::Bytes(bytes)
            }
            Self::Date | Self::DateNotNull => {
                let mut parts = text.split('-').map(|part| part.parse::<u16>().unwrap_or_default());
                let mut part = || parts.next().unwrap_or_default();
                let (year, month, day) = (part(), part(), part());
                let small = |number: u16| u8::try_from(number).unwrap_or_default();
                Date::new(year, small(month), small(day)).map_or(RowValue::Other, RowValue::Date)
            }
            _ => RowValue::Other,
        }
    }
}

/// Returns the collation in place of `at`.
pub(crate) fn collation(at: usize, has_collation: &[bool]) -> usize {
    if has_collation[at] { at } else { 0 }
}
