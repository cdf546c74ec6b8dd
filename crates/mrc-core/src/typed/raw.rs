//! The text of one value, and the type of a visitor's value.

use std::borrow::Cow;

/// Returns whether two types are one, lifetimes aside, which [`TypeId`](std::any::TypeId) refuses.
pub(super) fn is<T, U>() -> bool {
    std::any::type_name::<T>() == std::any::type_name::<U>()
}

/// Returns the digits of a number, or of a text that is a number.
pub(super) fn number(raw: &str) -> Option<Cow<'_, str>> {
    let digits = match quoted(raw) {
        Some(text) => text,
        None => Cow::Borrowed(raw),
    };
    let is_number = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
        && digits.parse::<f64>().is_ok();
    is_number.then_some(digits)
}

/// Returns the text inside the quotes. Returns `None` if the value is no text.
pub(super) fn quoted(raw: &str) -> Option<Cow<'_, str>> {
    let inside = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inside.contains('\\') { serde_json::from_str(raw).ok().map(Cow::Owned) } else { Some(inside.into()) }
}
