//! The follower's half: a scheme, bound to the columns of its table.

use std::sync::Arc;

use super::class::Class;
use super::fold::CollationFolding;
use super::lack::Lack;
use super::text::{TableName, escape, finish_scheme, unescape};
use crate::tag::Tag;

/// A scheme of a table, as readers register it, and followers learn it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SchemeName {
    /// The tag of every entry of the scheme: `t:shop.orders?state:text,store_id:int`.
    pub tag: Tag,
    /// The text of the tag. Only the tag of a long text is a hash.
    pub text: Arc<str>,
}

impl SchemeName {
    /// Returns the scheme of this text: `t:shop.orders?store_id:int`.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        Self { tag: finish_scheme(&text), text }
    }

    /// Returns the text up to the columns, which is the same for all schemes of a table:
    /// `t:shop.orders?`.
    pub fn of_table(&self) -> &str {
        self.text.find('?').and_then(|end| self.text.get(..=end)).unwrap_or(&self.text)
    }

    /// Returns the scheme of the same table without columns. Every change of the table counts.
    #[must_use]
    pub fn weakest(&self) -> Self {
        Self::new(self.of_table())
    }

    /// Returns the table and the scheme.
    ///
    /// # Errors
    /// [`SchemeError`]: another version of mrc wrote the text.
    pub fn read(&self) -> Result<(TableName, Scheme), SchemeError> {
        let wrong = || SchemeError(self.text.as_ref().into());
        let (table, columns) = self.text.split_once('?').ok_or_else(wrong)?;
        Ok((TableName::of_tag(table).ok_or_else(wrong)?, Scheme::parse(columns)?))
    }

    /// Returns whether a tag is a scheme's. An entry with such a tag may be stored only if the
    /// scheme has been registered since before its data was read.
    pub fn is_tag(tag: &str) -> bool {
        tag.starts_with("t:") && tag.contains('?') && !tag.contains('=')
    }
}

/// Columns with the classes of the constants that readers compare them with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme {
    text: String,
    columns: Vec<(String, Class)>,
}

/// The text isn't a scheme.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no scheme, such as `state:text,store_id:int`; another version of mrc may have written it")]
pub struct SchemeError(String);

impl Scheme {
    /// Reads the text of a scheme, [`TableScheme::columns`](super::TableScheme::columns).
    ///
    /// # Errors
    /// [`SchemeError`] when it isn't one. Then end every entry of the table.
    pub fn parse(text: &str) -> Result<Self, SchemeError> {
        let column = |part: &str| {
            let (name, class) = part.rsplit_once(':')?;
            Some((unescape(name)?, Class::parse(class)?))
        };
        let parts = text.split(',').filter(|_| !text.is_empty());
        let columns: Option<Vec<_>> = parts.map(column).collect();
        let columns = columns.ok_or_else(|| SchemeError(text.into()))?;
        Ok(Self { text: text.into(), columns })
    }

    /// Returns the names of the columns in lower case, with their classes.
    pub fn columns(&self) -> impl Iterator<Item = (&str, Class)> {
        self.columns.iter().map(|(name, class)| (&**name, *class))
    }

    /// Returns the tag of every entry of the scheme.
    pub fn tag(&self, table: &TableName) -> Tag {
        let mut text = String::with_capacity(self.text.len() + 32);
        table.begin(&mut text);
        text.push_str(&self.text);
        finish_scheme(&text)
    }

    /// Finds the columns of the scheme in the table.
    pub fn bind(&self, table: &TableName, columns: &TableColumns) -> BoundScheme {
        self.bind_lacking(table, columns, Lack::Nothing)
    }

    /// As [`bind`](Self::bind), with a rule switched off. For the oracle alone.
    #[doc(hidden)]
    pub fn bind_lacking(&self, table: &TableName, columns: &TableColumns, lack: Lack) -> BoundScheme {
        let mut bound = Vec::with_capacity(self.columns.len());
        let mut fit = Fit::Exact;
        for (name, class) in &self.columns {
            let found = columns.0.iter().enumerate().find(|(_, column)| column.name.to_lowercase() == *name);
            let Some((position, column)) = found else {
                fit = Fit::NoSuchColumn { column: name.clone() };
                break;
            };
            if !class.fits(&column.kind) && lack != Lack::Classes {
                fit = Fit::Misfit { column: name.clone(), class: *class };
                break;
            }
            let mut escaped = String::new();
            escape(name, &mut escaped);
            bound.push(BoundColumn { name: name.clone(), escaped, class: *class, position, kind: column.kind.clone() });
        }
        BoundScheme { table: table.clone(), tag: self.tag(table), columns: bound, fit, lack }
    }
}

/// The columns of a table, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableColumns(pub Vec<TableColumn>);

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    /// The name.
    pub name: String,
    /// The type.
    pub kind: ColumnType,
}

/// The type of a column, as far as comparing with a constant depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColumnType {
    /// `TINYINT` to `BIGINT`, signed or not.
    Int,
    /// `DECIMAL` with so many digits of fraction.
    Decimal {
        /// The digits of the fraction.
        scale: u8,
    },
    /// `CHAR`, `VARCHAR`, `TEXT` of a collation.
    Text(CollationFolding),
    /// `ENUM` of a collation.
    Enum(CollationFolding),
    /// `VARBINARY`, and `BINARY` if [`RowValue::Bytes`](super::RowValue::Bytes) has its padding.
    /// Not MariaDB's `UUID` and `INET6`.
    Bytes,
    /// `DATE`.
    Date,
    /// `DATETIME`, `TIMESTAMP`.
    DateTime,
    /// All others: floats, `TIME`, `YEAR`, `BIT`, `SET`, JSON, `UUID`, geometry.
    Other,
}

impl Class {
    /// Returns whether a constant of this class compares with the column by plain equality.
    fn fits(self, kind: &ColumnType) -> bool {
        match (self, kind) {
            (Self::Int, ColumnType::Int | ColumnType::Decimal { .. }) => true,
            // With an index, MariaDB rounds the constant to the scale of the column.
            (Self::Dec(digits), ColumnType::Decimal { scale }) => digits <= *scale,
            (Self::Text, ColumnType::Text(_) | ColumnType::Enum(_)) => true,
            (Self::NText, ColumnType::Text(_)) => true,
            (Self::Bytes, ColumnType::Bytes) => true,
            (Self::Date, ColumnType::Date) => true,
            // The zero date IS NULL, for some columns.
            (Self::Null, kind) => !matches!(kind, ColumnType::Date | ColumnType::DateTime),
            _ => false,
        }
    }
}

/// Whether the rows of a table give the tags of a scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fit {
    /// They do, but for uncertain rows.
    Exact,
    /// A column isn't compared by plain equality. Every change takes every entry of the scheme.
    Misfit {
        /// The column.
        column: String,
        /// The class of the constants.
        class: Class,
    },
    /// The table has no such column: the name was an outer query's. As [`Misfit`](Self::Misfit).
    NoSuchColumn {
        /// The column.
        column: String,
    },
}

/// A scheme whose columns are found in its table. Bind it again when the table changes.
#[derive(Debug, Clone)]
pub struct BoundScheme {
    pub(super) table: TableName,
    pub(super) tag: Tag,
    pub(super) columns: Vec<BoundColumn>,
    pub(super) fit: Fit,
    pub(super) lack: Lack,
}

#[derive(Debug, Clone)]
pub(super) struct BoundColumn {
    pub(super) name: String,
    /// The name as tags have it.
    pub(super) escaped: String,
    pub(super) class: Class,
    /// The index in a row.
    pub(super) position: usize,
    pub(super) kind: ColumnType,
}

impl BoundScheme {
    /// Returns whether rows give tags.
    pub fn fit(&self) -> &Fit {
        &self.fit
    }

    /// Returns the tag of every entry of the scheme.
    pub fn tag(&self) -> &Tag {
        &self.tag
    }
}
