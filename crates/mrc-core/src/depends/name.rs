//! The names of tables, and their part of a tag.

use std::fmt;
use std::fmt::Write as _;

use crate::key::TextHash;
use crate::tag::Tag;

/// The longest text of a tag here, in bytes. Longer ones are replaced by their hash.
const LONGEST: usize = 256;

/// A table with its schema, in lower case.
///
/// Servers compare these names with or without case (`lower_case_table_names`). In lower case, two
/// tables whose names differ only by case share their tags, which invalidates too much.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    schema: String,
    name: String,
    /// `t:schema.name`, escaped.
    prefix: String,
}

impl TableName {
    /// Returns the table `name` of the database `schema`.
    pub fn new(schema: &str, name: &str) -> Self {
        let (schema, name) = (schema.to_lowercase(), name.to_lowercase());
        let mut prefix = String::with_capacity(schema.len() + name.len() + 3);
        prefix.push_str("t:");
        escape(&schema, "", &mut prefix);
        prefix.push('.');
        escape(&name, "", &mut prefix);
        Self { schema, name, prefix }
    }

    /// Returns the schema in lower case.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// Returns the name in lower case.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the tag of every entry that reads the table: `t:shop.orders`.
    pub fn tag(&self) -> Tag {
        finish(self.prefix.clone())
    }

    /// Begins the text of a tag or of a scheme's tag: `t:shop.orders?`.
    pub(super) fn begin(&self, room: usize) -> String {
        let mut text = String::with_capacity(self.prefix.len() + 1 + room);
        text.push_str(&self.prefix);
        text.push('?');
        text
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

/// Returns the tag of a text, hashed if it is too long.
pub(super) fn finish(text: String) -> Tag {
    if text.len() <= LONGEST { Tag::new(text) } else { Tag::new(format!("t:#{}", TextHash::of(&text))) }
}

/// Appends a text. Bytes other than letters, digits, `_`, `-` and those of `plain` become `%XX`.
pub(super) fn escape(text: &str, plain: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"_-".contains(&byte) || plain.as_bytes().contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a `String` can't fail.
            _ = write!(out, "%{byte:02X}");
        }
    }
}

/// Reads what [`escape`] wrote. Returns `None` if the text isn't of that form.
pub(super) fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first == b'%' {
            let (hex, after) = after.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(first);
        }
    }
    String::from_utf8(bytes).ok()
}
