//! The numbers that servers print: the digits of a `DECIMAL`, and the text of a `FLOAT`, which
//! peers see through the text protocol.

use std::io::{Cursor, Write as _};

use super::{Cell, Column, RowError};
use crate::json::number::{self, SIGNIFICANT, ecmascript_digits, python_digits, significant};

/// A double keeps 15 digits if the point is in a moderate place, so the digits need no double.
const SAFE: usize = 15;

/// A number of digits with at most one point.
pub(super) struct Digits<'a> {
    text: &'a str,
    negative: bool,
    /// The digits without the sign and outer zeros. May begin or end with the point.
    core: &'a [u8],
    /// The place of the point, from the first significant digit: 3 for `123.4`, -1 for `0.01234`.
    point: i32,
    /// The number of digits in `core`.
    count: usize,
}

/// Reads the digits of a decimal column.
pub(super) fn parse<'a>(text: &'a str, column: &Column) -> Result<Digits<'a>, RowError> {
    digits(text).ok_or_else(|| invalid(text, column))
}

fn invalid(text: &str, column: &Column) -> RowError {
    RowError::InvalidDecimal { column: column.name.clone(), digits: text.to_owned() }
}

/// Reads `-?digits`, with at most one point anywhere. Returns `None` for anything else.
pub(super) fn digits(text: &str) -> Option<Digits<'_>> {
    let unsigned = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let (mut total, mut whole) = (0_usize, None);
    for byte in unsigned {
        match byte {
            b'0'..=b'9' => total += 1,
            b'.' if whole.is_none() => whole = Some(total),
            _ => return None,
        }
    }
    if total == 0 {
        return None;
    }
    let whole = whole.unwrap_or(total);
    let is_significant = |byte: &u8| matches!(byte, b'1'..=b'9');
    let negative = text.starts_with('-');
    let Some(first) = unsigned.iter().position(is_significant) else {
        return Some(Digits { text, negative, core: b"0", point: 1, count: 1 });
    };
    let last = unsigned.iter().rposition(is_significant)?;
    let core = unsigned.get(first..=last)?;
    let zeros = if first > whole { first - 1 } else { first };
    let point = i32::try_from(whole).ok()? - i32::try_from(zeros).ok()?;
    Some(Digits { text, negative, core, point, count: core.len() - usize::from(core.contains(&b'.')) })
}

impl Digits<'_> {
    /// Writes the double as ECMAScript spells it, if it is the same number; else all the digits.
    pub(super) fn canonical(&self, out: &mut Vec<u8>) {
        if self.is_safe() {
            return self.ecmascript(out);
        }
        let mut buffer = ryu_js::Buffer::new();
        let mut scratch = [0; SIGNIFICANT];
        let double = self.double();
        if double.is_finite() {
            let spelled = significant(buffer.format_finite(double.abs()).as_bytes(), &mut scratch);
            if spelled.1 == self.point && self.significant().eq(spelled.0) {
                return number::ecmascript(double, out);
            }
        }
        self.plain(out);
    }

    /// Writes the nearest double, as ECMAScript spells it.
    pub(super) fn ecmascript(&self, out: &mut Vec<u8>) {
        if !self.is_safe() {
            return number::ecmascript(self.double(), out);
        }
        if self.negative && self.core != b"0" {
            out.push(b'-');
        }
        let mut scratch = [0; SIGNIFICANT];
        ecmascript_digits(self.gather(&mut scratch), self.point, out);
    }

    /// Writes the nearest double, as Python's `repr` spells it.
    pub(super) fn python(&self, out: &mut Vec<u8>) {
        if !self.is_safe() {
            return number::python(self.double(), out);
        }
        if self.negative {
            out.push(b'-');
        }
        let mut scratch = [0; SIGNIFICANT];
        python_digits(self.gather(&mut scratch), self.point, out);
    }

    /// Returns the nearest double: infinite for more than 308 digits.
    pub(super) fn double(&self) -> f64 {
        self.text.parse().unwrap_or(f64::NAN)
    }

    fn is_safe(&self) -> bool {
        self.count <= SAFE && (-290..=290).contains(&self.point)
    }

    /// Writes all the digits, without meaningless zeros.
    fn plain(&self, out: &mut Vec<u8>) {
        if self.negative {
            out.push(b'-');
        }
        if self.point <= 0 {
            out.extend_from_slice(b"0.");
            out.extend(std::iter::repeat_n(b'0', self.point.unsigned_abs() as usize));
            out.extend(self.significant());
            return;
        }
        // A point inside `core` stays where it is.
        out.extend_from_slice(self.core);
        out.extend(std::iter::repeat_n(b'0', (self.point.unsigned_abs() as usize).saturating_sub(self.count)));
    }

    fn significant(&self) -> impl Iterator<Item = &u8> {
        self.core.iter().filter(|byte| **byte != b'.')
    }

    fn gather<'s>(&self, scratch: &'s mut [u8; SIGNIFICANT]) -> &'s [u8] {
        let mut length = 0;
        for (slot, digit) in scratch.iter_mut().zip(self.significant()) {
            *slot = *digit;
            length += 1;
        }
        scratch.get(..length).unwrap_or_default()
    }
}

/// Returns the server's text of a float with fixed decimals, such as `FLOAT(7,3)`, `SUM` of a
/// `DOUBLE(10,2)` or `PI()`. Returns `None` if the server prints the number's own text.
pub(super) fn fixed_float(cell: Cell<'_>, column: &Column) -> Option<String> {
    let decimals = usize::from(column.decimals?);
    let value = match cell {
        Cell::Float(value) => f64::from(value),
        Cell::Double(value) => value,
        _ => return None,
    };
    value.is_finite().then(|| format!("{value:.decimals$}"))
}

/// Returns the nearest double to a number's text.
pub(super) fn parse_float(text: &str, column: &Column) -> Result<f64, RowError> {
    text.parse().map_err(|_| invalid(text, column))
}

/// Returns the double of the server's text of an `f32`: six digits, so 16777216 is 16777200.
pub(super) fn six_digits(value: f32) -> f64 {
    let double = f64::from(value);
    if double.abs() < 1e6 && double.trunc() == double {
        return double;
    }
    let mut buffer = [0; 24];
    let mut text = Cursor::new(buffer.as_mut_slice());
    let written = write!(text, "{double:.5e}").map(|()| text.position() as usize);
    let text = written.ok().and_then(|length| buffer.get(..length)).and_then(|text| std::str::from_utf8(text).ok());
    text.and_then(|text| text.parse().ok()).unwrap_or(double)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, canonical: &str, javascript: &str, python: &str) {
        let digits = digits(text).unwrap();
        let spell = |write: &dyn Fn(&mut Vec<u8>)| {
            let mut out = Vec::new();
            write(&mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(spell(&|out| digits.canonical(out)), canonical, "canonical: {text}");
        assert_eq!(spell(&|out| digits.ecmascript(out)), javascript, "javascript: {text}");
        assert_eq!(spell(&|out| digits.python(out)), python, "python: {text}");
    }

    #[test]
    fn decimals_in_all_spellings() {
        check("10.50", "10.5", "10.5", "10.5");
        check("10.00", "10", "10", "10.0");
        check("-99999999.99", "-99999999.99", "-99999999.99", "-99999999.99");
        check("0.00", "0", "0", "0.0");
        check("-0.00", "0", "0", "-0.0");
        check("0.0000001", "1e-7", "1e-7", "1e-07");
        check("0.000001200", "0.0000012", "0.0000012", "1.2e-06");
        check("00012.30", "12.3", "12.3", "12.3");
        check("5.", "5", "5", "5.0");
        check(".5", "0.5", "0.5", "0.5");
        check("100", "100", "100", "100.0");
        check("9007199254740993", "9007199254740993", "9007199254740992", "9007199254740992.0");
        check("9007199254740992.000", "9007199254740992", "9007199254740992", "9007199254740992.0");
        check("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827", "0.1", "0.1");
        let small = "0.00000012345678901234567890";
        check(small, "0.0000001234567890123456789", "1.2345678901234568e-7", "1.2345678901234568e-07");
        let long = "12345678901234567890.0123456789";
        check(long, long, "12345678901234567000", "1.2345678901234567e+19");
        let negative = "-12345678901234567890.0123456";
        check(&format!("{negative}000"), negative, "-12345678901234567000", "-1.2345678901234567e+19");
        check("1234567890123456789000", "1234567890123456789000", "1.2345678901234568e+21", "1.2345678901234568e+21");
        check(&format!("1{}", "0".repeat(30)), "1e+30", "1e+30", "1e+30");
        let tiny = format!("0.{}12345678901234567", "0".repeat(20));
        check(&tiny, &tiny, "1.2345678901234566e-21", "1.2345678901234566e-21");
    }

    #[test]
    fn texts_that_are_no_decimal() {
        for text in ["", "-", ".", "-.", "1e5", "+1", " 1", "1 ", "1.2.3", "0x1", "NaN", "--1", "1-", "١"] {
            assert!(digits(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn floats_have_six_digits() {
        for (value, expect) in [
            (1.1, 1.1),
            (16_777_216.0, 16_777_200.0),
            (123_456_790.0, 123_457_000.0),
            (3.4e38, 3.4e38),
            (f32::MAX, 3.40282e38),
            (0.0, 0.0),
            (999_999.0, 999_999.0),
            (1_000_001.0, 1e6),
            (-0.333_333_34, -0.333333),
            (1e-45, 1.4013e-45),
        ] {
            assert_eq!(six_digits(value), expect, "{value}");
        }
        assert!(six_digits(f32::NAN).is_nan() && six_digits(f32::INFINITY).is_infinite());
    }
}
