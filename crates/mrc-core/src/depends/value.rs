//! The text of a value in a tag. Readers and followers write it by the same functions.

use std::fmt::Write as _;

use super::class::Class;
use super::name::push_byte;
use super::refusal::LeftOutReason;
use crate::key::TextHash;
use crate::value::Value;

/// The text of `NULL`. Values escape every byte that isn't ASCII, so no value has it.
pub(super) const NULL: &str = "∅";

/// The longest text that stands in a tag, in bytes. Longer ones are replaced by their hash.
const LONGEST_TEXT: usize = 64;

/// The most digits of a decimal or an integer literal.
const MOST_DIGITS: usize = 30;

/// Returns the class of a param that isn't a list, or `None` if it has none.
///
/// A `Decimal` has none: drivers bind it as a string, and texts have it as a number.
pub(super) fn class(value: &Value) -> Option<Class> {
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
pub(super) fn push(value: &Value, out: &mut String) {
    match value {
        Value::Bool(bool) => out.push(if *bool { '1' } else { '0' }),
        // Writing into a `String` can't fail.
        Value::Int(int) => _ = write!(out, "{int}"),
        Value::UInt(int) => _ = write!(out, "{int}"),
        Value::Text(value) => text(value, out),
        Value::Bytes(value) => bytes(value, out),
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

/// Returns the class of a text, or `None` if it isn't printable ASCII alone: then collations differ.
pub(super) fn text_class(value: &str) -> Option<Class> {
    let is_letter = value.starts_with(|first: char| first.is_ascii_alphabetic());
    let class = if is_letter { Class::Text } else { Class::NText };
    value.bytes().all(|byte| matches!(byte, b' '..=b'~')).then_some(class)
}

/// Appends a text that has a class, folded.
pub(super) fn text(value: &str, out: &mut String) {
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
pub(super) fn bytes(value: &[u8], out: &mut String) {
    _ = write!(out, "{}", sha1_smol::Sha1::from(value).digest());
}

/// Appends a decimal number without needless zeros, `0` for `-0`. Returns the digits of its
/// fraction. Returns `None` if it isn't a plain number, or has more than 30 digits.
pub(super) fn number(digits: &str, out: &mut String) -> Option<u8> {
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
