//! Numbers as text with leading zeros, faster than `format!`.

use super::Fault;

/// Appends a number with so many digits. Returns `false` if the number has more.
pub(super) fn push(text: &mut Vec<u8>, mut number: u64, digits: usize) -> bool {
    text.resize(text.len() + digits, b'0');
    for digit in text.iter_mut().rev().take(digits) {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
    number == 0
}

/// Returns the text.
pub(super) fn text(text: Vec<u8>) -> Result<String, Fault> {
    String::from_utf8(text).map_err(|_| Fault::Invalid("a number"))
}
