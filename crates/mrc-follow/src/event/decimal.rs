//! `DECIMAL`: groups of nine digits to text.

use super::read::Reader;
use super::{Fault, digits};

/// The bytes of a group of so many digits.
const BYTES: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
/// The digits of a full group.
const GROUP: usize = 9;

/// Returns the number of bytes of a `DECIMAL(precision, scale)`.
pub(super) fn length(precision: u8, scale: u8) -> usize {
    groups_length(precision.saturating_sub(scale)) + groups_length(scale)
}

fn groups_length(digits: u8) -> usize {
    let digits = usize::from(digits);
    digits / GROUP * 4 + BYTES.get(digits % GROUP).copied().unwrap_or(0)
}

/// Reads a `DECIMAL(precision, scale)`, with all digits of its scale.
pub(super) fn decimal(read: &mut Reader<'_>, precision: u8, scale: u8) -> Result<String, Fault> {
    let bytes = read.take(length(precision, scale))?;
    // The highest bit is inverted, and all bits are if the number is negative.
    let negative = bytes.first().is_some_and(|first| first & 0x80 == 0);
    let mut groups = Groups { bytes: Reader::new(bytes), negative, first: true };
    let whole = usize::from(precision.saturating_sub(scale));
    let mut text = Vec::with_capacity(usize::from(precision) + 3);
    groups.push(whole % GROUP, &mut text)?;
    for _ in 0..whole / GROUP {
        groups.push(GROUP, &mut text)?;
    }
    let zeros = text.iter().take_while(|digit| **digit == b'0').count();
    text.drain(..zeros);
    if text.is_empty() {
        text.push(b'0');
    }
    if negative {
        text.insert(0, b'-');
    }
    if scale > 0 {
        text.push(b'.');
        for _ in 0..usize::from(scale) / GROUP {
            groups.push(GROUP, &mut text)?;
        }
        groups.push(usize::from(scale) % GROUP, &mut text)?;
    }
    digits::text(text)
}

struct Groups<'a> {
    bytes: Reader<'a>,
    negative: bool,
    first: bool,
}

impl Groups<'_> {
    /// Appends a group of so many digits, with leading zeros.
    fn push(&mut self, digits: usize, text: &mut Vec<u8>) -> Result<(), Fault> {
        let length = BYTES.get(digits).copied().unwrap_or(0);
        if length == 0 {
            return Ok(());
        }
        let bits = length * 8;
        let mut number = self.bytes.big(length)?;
        if std::mem::take(&mut self.first) {
            number ^= 1 << (bits - 1);
        }
        if self.negative {
            number ^= (1 << bits) - 1;
        }
        if digits::push(text, number, digits) { Ok(()) } else { Err(Fault::Invalid("a DECIMAL")) }
    }
}
