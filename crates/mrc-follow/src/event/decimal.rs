//! `DECIMAL`: groups of nine digits to text.

use super::Fault;
use super::read::Reader;

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
    let mut digits = String::with_capacity(usize::from(precision) + 3);
    groups.push(whole % GROUP, &mut digits)?;
    for _ in 0..whole / GROUP {
        groups.push(GROUP, &mut digits)?;
    }
    let mut text = String::with_capacity(digits.len() + usize::from(scale) + 3);
    if negative {
        text.push('-');
    }
    let significant = digits.trim_start_matches('0');
    text.push_str(if significant.is_empty() { "0" } else { significant });
    if scale > 0 {
        text.push('.');
        for _ in 0..usize::from(scale) / GROUP {
            groups.push(GROUP, &mut text)?;
        }
        groups.push(usize::from(scale) % GROUP, &mut text)?;
    }
    Ok(text)
}

struct Groups<'a> {
    bytes: Reader<'a>,
    negative: bool,
    first: bool,
}

impl Groups<'_> {
    /// Appends a group of so many digits, with leading zeros.
    fn push(&mut self, digits: usize, text: &mut String) -> Result<(), Fault> {
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
        let group = format!("{number:0digits$}");
        if group.len() > digits {
            return Err(Fault::Invalid("a DECIMAL"));
        }
        text.push_str(&group);
        Ok(())
    }
}
