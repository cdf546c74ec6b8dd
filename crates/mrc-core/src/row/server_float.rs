//! The text of a `FLOAT`, as the server prints it. The peers see it through the text protocol.

use std::io::{Cursor, Write as _};

use super::{Cell, Column, RowError};

/// Returns the server's text of a float with fixed decimals, such as `FLOAT(7,3)`, `SUM` of a
/// `DOUBLE(10,2)` or `PI()`. Returns `None` if the server prints the number's own text.
pub(super) fn fixed(cell: Cell<'_>, column: &Column) -> Option<String> {
    let decimals = usize::from(column.decimals?);
    let value = match cell {
        Cell::Float(value) => f64::from(value),
        Cell::Double(value) => value,
        _ => return None,
    };
    value.is_finite().then(|| format!("{value:.decimals$}"))
}

/// Returns the nearest double to a number's text.
pub(super) fn parse(text: &str, column: &Column) -> Result<f64, RowError> {
    text.parse().map_err(|_| RowError::InvalidDecimal { column: column.name.clone(), digits: text.to_owned() })
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
    use super::six_digits;

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
