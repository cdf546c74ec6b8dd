//! The texts of names and values in a tag. Readers and followers write them by the same functions.
//! Writing into a `String` can't fail.

use std::fmt::{self, Write as _};

use sqlparser::ast::Ident;

use super::class::Class;
use super::refusal::LeftOutReason;
use crate::key::TextHash;
use crate::tag::Tag;
use crate::value::Value;

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
        _ = write!(out, "%{byte:02X}");
    }
}

/// Reads what [`escape`] wrote. Returns `None` if the text isn't of that form.
pub(super) fn unescape(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (hex, plain) = part.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(hex, 16).ok()?);
        bytes.extend_from_slice(plain.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// Returns a name as it was written, or `None` if its quotes escape something.
pub(super) fn plain(ident: &Ident) -> Option<&str> {
    let is_plain = matches!(ident.quote_style, None | Some('`')) && !ident.value.contains('`');
    is_plain.then_some(&*ident.value)
}

/// The text of `NULL`. Values escape every byte that isn't ASCII, so no value has it.
pub(super) const NULL: &str = "∅";

/// The longest text that stands in a tag, in bytes. Longer ones are replaced by their hash.
const LONGEST_TEXT: usize = 64;

/// The most digits of a decimal or an integer literal.
const MOST_DIGITS: usize = 30;

/// Returns the class of a param that isn't a list, or `None` if it has none.
///
/// A `Decimal` has none: drivers bind it as a string, and texts have it as a number.
pub(super) fn class_of(value: &Value) -> Option<Class> {
    match value {
        Value::Bool(_) | Value::Int(_) | Value::UInt(_) => Some(Class::Int),
        Value::Text(text) => text_class(text),
        Value::Bytes(_) => Some(Class::Bytes),
        // A day or a month of zero is compared by the session's `sql_mode`.
        Value::Date(date) if date.month > 0 && date.day > 0 => Some(Class::Date),
        _ => None,
    }
}

/// Appends the text of a param that has a class.
pub(super) fn push_value(value: &Value, out: &mut String) {
    match value {
        Value::Bool(bool) => out.push(if *bool { '1' } else { '0' }),
        Value::Int(int) => _ = write!(out, "{int}"),
        Value::UInt(int) => _ = write!(out, "{int}"),
        Value::Text(value) => push_text(value, out),
        Value::Bytes(value) => push_bytes(value, out),
        Value::Date(date) => _ = write!(out, "{date}"),
        _ => {}
    }
}

/// Returns the reason why a param has no class.
pub(super) fn unclassed(value: &Value) -> LeftOutReason {
    match value {
        Value::Null => LeftOutReason::Null,
        Value::Text(_) => LeftOutReason::NotAscii,
        _ => LeftOutReason::ConstantType,
    }
}

/// Returns the class of a text, or `None` if it isn't printable ASCII alone: then collations
/// differ.
pub(super) fn text_class(value: &str) -> Option<Class> {
    let is_letter = value.starts_with(|first: char| first.is_ascii_alphabetic());
    let class = if is_letter { Class::Text } else { Class::NText };
    value.bytes().all(|byte| matches!(byte, b' '..=b'~')).then_some(class)
}

/// Appends a text that has a class, folded.
pub(super) fn push_text(value: &str, out: &mut String) {
    let trimmed = value.trim_end_matches(' ');
    if trimmed.len() > LONGEST_TEXT {
        _ = write!(out, "~h{}", TextHash::of(&fold(trimmed)));
        return;
    }
    for byte in trimmed.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b"_- ./:@+".contains(&byte);
        push_byte(byte.to_ascii_lowercase(), is_plain, out);
    }
}

/// Returns the text as collations may see it: in lower case, without spaces at its end.
pub(super) fn fold(value: &str) -> String {
    value.trim_end_matches(' ').to_ascii_lowercase()
}

/// Appends the hash of bytes.
pub(super) fn push_bytes(value: &[u8], out: &mut String) {
    _ = write!(out, "{}", sha1_smol::Sha1::from(value).digest());
}

/// Appends a decimal number without needless zeros, `0` for `-0`. Returns the digits of its
/// fraction. Returns `None` if it isn't a plain number, or has more than 30 digits.
pub(super) fn push_number(digits: &str, out: &mut String) -> Option<u8> {
    let unsigned = digits.strip_prefix('-');
    let (negative, unsigned) = (unsigned.is_some(), unsigned.unwrap_or(digits));
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) || unsigned.len() <= usize::from(unsigned.contains('.')) {
        return None;
    }
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    if whole.len() + fraction.len() > MOST_DIGITS {
        return None;
    }
    if negative && !(whole.is_empty() && fraction.is_empty()) {
        out.push('-');
    }
    out.push_str(if whole.is_empty() { "0" } else { whole });
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    u8::try_from(fraction.len()).ok()
}
