//! The tags that a changed row ends.

use std::fmt::Write as _;

use super::class::Class;
use super::lack::Lack;
use super::occurrence::push_column;
use super::scheme::{BoundColumn, BoundScheme, ColumnType, Fit};
use super::text::{NULL, push_bytes, push_number, push_text, shorten, text_class};
use crate::tag::Tag;
use crate::temporal::Date;

/// The value of a column in a changed row.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum RowValue<'a> {
    /// `NULL`.
    Null,
    /// An integer.
    Int(i128),
    /// The digits of a `DECIMAL`.
    Decimal(&'a str),
    /// Text, decoded from the column's charset. Of an `ENUM`, its member.
    Text(&'a str),
    /// Bytes. Those of `BINARY` are padded with zeros to the column's length.
    Bytes(&'a [u8]),
    /// A date.
    Date(Date),
    /// A value that isn't known: not in the image, not decoded, an `ENUM` of index 0. It may match.
    Other,
}

/// The entries that a changed row invalidates under one scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowTags {
    /// These tags: at most two, none if no entry's conditions can be met.
    Tags(Vec<Tag>),
    /// The scheme's tag.
    EveryEntryOfTheScheme(Uncertain),
}

/// The reason why a row ends every entry of a scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Uncertain {
    /// The scheme doesn't fit the table.
    Scheme(Fit),
    /// The value of this column may be equal to several constants, or isn't known.
    Value {
        /// The column.
        column: String,
    },
}

impl BoundScheme {
    /// Returns the tags of a row before and after its change. `None`: the row wasn't there.
    ///
    /// A row has the values of all columns of the table, in order.
    pub fn tags(&self, before: Option<&[RowValue<'_>]>, after: Option<&[RowValue<'_>]>) -> RowTags {
        match self.texts(before, after, &mut Default::default()) {
            Ok(texts) => RowTags::Tags(texts.map(Tag::new).collect()),
            Err(uncertain) => RowTags::EveryEntryOfTheScheme(uncertain),
        }
    }

    /// As [`tags`](Self::tags), for the many rows of a log: returns the texts of the tags, written
    /// into `buffers`.
    ///
    /// # Errors
    /// [`Uncertain`]: the row ends every entry of the scheme.
    pub fn texts<'b>(
        &self,
        before: Option<&[RowValue<'_>]>,
        after: Option<&[RowValue<'_>]>,
        buffers: &'b mut [String; 2],
    ) -> Result<impl Iterator<Item = &'b str> + use<'b>, Uncertain> {
        // Before all else: the plan of such a query, and with it the answer, depends on all rows.
        if self.fit != Fit::Exact && !(self.lack == Lack::Unqualified && matches!(self.fit, Fit::NoSuchColumn { .. })) {
            return Err(Uncertain::Scheme(self.fit.clone()));
        }
        let before = before.filter(|_| self.lack != Lack::Before);
        // Most changes leave most schemes' columns as they are.
        let is_before = |after: &&[RowValue<'_>]| {
            before.is_some_and(|row| self.columns.iter().all(|one| row.get(one.position) == after.get(one.position)))
        };
        let [first, second] = buffers;
        let first = self.text(before, first)?;
        let second = self.text(after.filter(|after| !is_before(after)), second)?;
        Ok(first.into_iter().chain(second.filter(|text| Some(*text) != first)))
    }

    /// Writes a row's tag. Returns `None` without a row, or if it meets no conditions of the
    /// scheme.
    fn text<'b>(&self, row: Option<&[RowValue<'_>]>, text: &'b mut String) -> Result<Option<&'b str>, Uncertain> {
        let Some(row) = row else { return Ok(None) };
        let mut uncertain = None;
        self.table.begin(text);
        for (index, column) in self.columns.iter().enumerate() {
            push_column(index, &column.escaped, column.class, text);
            match column.text(row.get(column.position), self.lack, text) {
                Match::Text => {}
                // Another column may still tell that the row doesn't count.
                Match::Uncertain => uncertain = Some(column),
                Match::Never => return Ok(None),
            }
        }
        shorten(text);
        uncertain.map_or(Ok(Some(text.as_str())), |column| Err(Uncertain::Value { column: column.name.clone() }))
    }
}

/// Which constants a row's value is equal to.
enum Match {
    /// That of this text.
    Text,
    Uncertain,
    Never,
}

impl BoundColumn {
    fn text(&self, row: Option<&RowValue<'_>>, lack: Lack, out: &mut String) -> Match {
        let folding = match &self.kind {
            ColumnType::Text(folding) | ColumnType::Enum(folding) => Some(folding),
            _ => None,
        };
        match (self.class, row, folding) {
            (_, None, _) => return Match::Uncertain,
            (_, Some(RowValue::Other), _) if lack != Lack::Classes => return Match::Uncertain,
            (Class::Null, Some(RowValue::Null), _) => out.push_str(NULL),
            (Class::Null, _, _) | (_, Some(RowValue::Null), _) => return Match::Never,
            // Writing into a `String` can't fail.
            (Class::Int | Class::Dec(_), Some(RowValue::Int(int)), _) => _ = write!(out, "{int}"),
            (Class::Int | Class::Dec(_), Some(RowValue::Decimal(digits)), _) => {
                // A number of more digits than constants have is equal to none.
                if push_number(digits, out).is_none() {
                    return Match::Never;
                }
            }
            (Class::Text | Class::NText, Some(RowValue::Text(text)), _) if lack == Lack::Fold => out.push_str(text),
            (Class::Text | Class::NText, Some(RowValue::Text(text)), Some(folding)) => {
                if !folding.is_certain(text) {
                    return Match::Uncertain;
                }
                // Readers leave out constants that aren't printable ASCII.
                if text_class(text).is_none() {
                    return Match::Never;
                }
                push_text(text, out);
            }
            (Class::Bytes, Some(RowValue::Bytes(bytes)), _) => push_bytes(bytes, out),
            (Class::Date, Some(RowValue::Date(date)), _) => _ = write!(out, "{date}"),
            (_, Some(RowValue::Int(int)), _) if lack == Lack::Classes => _ = write!(out, "{int}"),
            (_, Some(RowValue::Text(text)), _) if lack == Lack::Classes => push_text(text, out),
            (_, Some(RowValue::Date(date)), _) if lack == Lack::Classes => _ = write!(out, "{date}"),
            (_, Some(_), _) if lack == Lack::Classes => out.push_str("another"),
            _ => return Match::Uncertain,
        }
        Match::Text
    }
}
