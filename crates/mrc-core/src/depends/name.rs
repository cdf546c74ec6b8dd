//! The names of tables, and their part of a tag.

use sqlparser::ast::Ident;
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
        escape(&schema, &mut prefix);
        prefix.push('.');
        escape(&name, &mut prefix);
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
        finish(&self.prefix)
    }

    /// Reads the text of the table's tag, `t:shop.orders`, unless it is a hash.
    pub(super) fn of_tag(text: &str) -> Option<Self> {
        let (schema, name) = text.strip_prefix("t:")?.split_once('.')?;
        Some(Self::new(&unescape(schema)?, &unescape(name)?))
    }

    /// Begins the text of a tag or of a scheme's tag anew: `t:shop.orders?`.
    pub(super) fn begin(&self, text: &mut String) {
        text.clear();
        text.push_str(&self.prefix);
        text.push('?');
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

/// Returns the tag of a text, hashed if it is too long.
pub(super) fn finish(text: &str) -> Tag {
    if text.len() <= LONGEST { Tag::new(text) } else { Tag::new(hashed(text)) }
}

/// Replaces the text of a tag by that of its hash if it is too long.
pub(super) fn shorten(text: &mut String) {
    if text.len() > LONGEST {
        *text = hashed(text);
    }
}

fn hashed(text: &str) -> String {
    format!("t:#{}", TextHash::of(text))
}

/// Returns the tag of a scheme, hashed if it is too long. Its question mark stays.
pub(super) fn finish_scheme(text: &str) -> Tag {
    if text.len() <= LONGEST { Tag::new(text) } else { Tag::new(format!("t:?#{}", TextHash::of(text))) }
}

/// Appends a name. Bytes other than letters, digits, `_` and `-` become `%XX`.
pub(super) fn escape(name: &str, out: &mut String) {
    for byte in name.bytes() {
        push_byte(byte, byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'), out);
    }
}

/// Appends a byte of ASCII as it is, or as `%XX`.
pub(super) fn push_byte(byte: u8, is_plain: bool, out: &mut String) {
    if is_plain {
        out.push(char::from(byte));
    } else {
        // Writing into a `String` can't fail.
        _ = write!(out, "%{byte:02X}");
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

/// Returns a name as it was written, or `None` if its quotes escape something.
pub(super) fn plain(ident: &Ident) -> Option<&str> {
    let is_plain = matches!(ident.quote_style, None | Some('`')) && !ident.value.contains('`');
    is_plain.then_some(&*ident.value)
}
