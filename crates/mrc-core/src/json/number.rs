//! Numbers as ECMAScript and Python's `repr` spell them.
//!
//! Both print the shortest digits that read back as the same double. They differ in the range of
//! exponents, in their form, and in the zeros.
//!
//! Writing into a `Vec` can't fail.

use std::io::Write as _;

/// Appends a finite double as ECMAScript's `Number::toString` does: `1e-7`, `5000`, `-0.0` as `0`.
///
/// An infinity or NaN is `null`, as in `JSON.stringify`.
pub fn ecmascript(value: f64, out: &mut Vec<u8>) {
    if !value.is_finite() {
        return out.extend_from_slice(b"null");
    }
    if is_safe_integer(value) {
        return integer(value as i64, out);
    }
    out.extend_from_slice(ryu_js::Buffer::new().format_finite(value).as_bytes());
}

/// Appends a finite float in ECMAScript's spelling: the shortest digits that read as this `f32`.
///
/// An infinity or NaN is `null`.
pub fn ecmascript_f32(value: f32, out: &mut Vec<u8>) {
    if !value.is_finite() {
        return out.extend_from_slice(b"null");
    }
    out.extend_from_slice(ryu_js::Buffer::new().format_finite(value).as_bytes());
}

/// Appends a finite double as Python's `repr` spells it: `1e-07`, `1e+16`, `5000.0`, `-0.0`.
///
/// `Infinity`, `-Infinity` and `NaN` are as in `json.dumps`: no JSON, so callers exclude them.
pub fn python(value: f64, out: &mut Vec<u8>) {
    if value.is_nan() {
        return out.extend_from_slice(b"NaN");
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    if value.is_infinite() {
        return out.extend_from_slice(b"Infinity");
    }
    let mut buffer = ryu_js::Buffer::new();
    let mut scratch = [0; SIGNIFICANT];
    let (digits, point) = significant(buffer.format_finite(value.abs()).as_bytes(), &mut scratch);
    python_digits(digits, point, out);
}

/// Appends a signed integer.
pub fn integer(value: i64, out: &mut Vec<u8>) {
    if value < 0 {
        out.push(b'-');
    }
    unsigned(value.unsigned_abs(), out);
}

/// Appends an unsigned integer.
pub fn unsigned(mut value: u64, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 20];
    let mut length = 0;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + (value % 10) as u8;
        value /= 10;
        length += 1;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - length..).unwrap_or_default());
}

/// The room for a double's digits: 17 significant ones, or an integer's 21 in ECMAScript.
pub(crate) const SIGNIFICANT: usize = 24;

/// Returns whether the value is an integer up to 2^53 - 1, or a zero of either sign.
fn is_safe_integer(value: f64) -> bool {
    value.abs() <= 9_007_199_254_740_991.0 && value.trunc() == value
}

/// Returns the significant digits of an unsigned number's text, and the place of the point: 3 for
/// `123.4`, -1 for `0.01234`, 1 for `0`.
pub(crate) fn significant<'a>(text: &[u8], scratch: &'a mut [u8; SIGNIFICANT]) -> (&'a [u8], i32) {
    let (mantissa, exponent) = match text.iter().position(|byte| *byte == b'e') {
        Some(at) => (text.get(..at).unwrap_or(text), text.get(at + 1..).map_or(0, parse_exponent)),
        None => (text, 0),
    };
    let (mut length, mut point, mut seen_point) = (0, 0, false);
    for byte in mantissa {
        if *byte == b'.' {
            seen_point = true;
            continue;
        }
        if *byte == b'0' && length == 0 {
            point -= i32::from(seen_point);
            continue;
        }
        if let Some(slot) = scratch.get_mut(length) {
            *slot = *byte;
            length += 1;
        }
        point += i32::from(!seen_point);
    }
    while length > 1 && scratch.get(length - 1) == Some(&b'0') {
        length -= 1;
    }
    if length == 0 {
        return (b"0", 1);
    }
    (scratch.get(..length).unwrap_or(b"0"), point + exponent)
}

/// Returns the exponent after the `e`: a sign, then digits.
fn parse_exponent(text: &[u8]) -> i32 {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Writes significant digits as ECMAScript does: with an exponent from 1e21 on and below 1e-6.
pub(crate) fn ecmascript_digits(digits: &[u8], point: i32, out: &mut Vec<u8>) {
    match point {
        -5..=0 => below_one(digits, point, out),
        1..=21 => _ = above_one(digits, point, out),
        _ => {
            scientific(digits, out);
            _ = write!(out, "e{:+}", point - 1);
        }
    }
}

/// Writes digits as `repr` does: with an exponent from 1e16 on and below 1e-4, else with a point.
pub(crate) fn python_digits(digits: &[u8], point: i32, out: &mut Vec<u8>) {
    match point {
        -3..=0 => below_one(digits, point, out),
        1..=16 => {
            if above_one(digits, point, out).is_empty() {
                out.extend_from_slice(b".0");
            }
        }
        _ => {
            scientific(digits, out);
            _ = write!(out, "e{:+03}", point - 1);
        }
    }
}

/// Writes `0.00123`.
fn below_one(digits: &[u8], point: i32, out: &mut Vec<u8>) {
    out.extend_from_slice(b"0.");
    out.extend(std::iter::repeat_n(b'0', point.unsigned_abs() as usize));
    out.extend_from_slice(digits);
}

/// Writes `123.45` or `12300`, and returns the digits after the point.
fn above_one<'a>(digits: &'a [u8], point: i32, out: &mut Vec<u8>) -> &'a [u8] {
    let whole = point.unsigned_abs() as usize;
    let (before, after) = digits.split_at(whole.min(digits.len()));
    out.extend_from_slice(before);
    out.extend(std::iter::repeat_n(b'0', whole - before.len()));
    if !after.is_empty() {
        out.push(b'.');
        out.extend_from_slice(after);
    }
    after
}

/// Writes `1.23`; the exponent follows.
fn scientific(digits: &[u8], out: &mut Vec<u8>) {
    let (first, rest) = digits.split_first().unwrap_or((&b'0', &[]));
    out.push(*first);
    if !rest.is_empty() {
        out.push(b'.');
        out.extend_from_slice(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spell(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn doubles_are_spelled_as_both_languages_do() {
        let cases: &[(f64, &str, &str)] = &[
            (0.0, "0", "0.0"),
            (-0.0, "0", "-0.0"),
            (1.0, "1", "1.0"),
            (-1.5, "-1.5", "-1.5"),
            (5000.0, "5000", "5000.0"),
            (10.5, "10.5", "10.5"),
            (0.1, "0.1", "0.1"),
            (0.0001, "0.0001", "0.0001"),
            (0.00012, "0.00012", "0.00012"),
            (0.00001, "0.00001", "1e-05"),
            (0.000001, "0.000001", "1e-06"),
            (1e-7, "1e-7", "1e-07"),
            (1.25e-7, "1.25e-7", "1.25e-07"),
            (1e15, "1000000000000000", "1000000000000000.0"),
            (1e16, "10000000000000000", "1e+16"),
            (1.5e16, "15000000000000000", "1.5e+16"),
            (9007199254740993.0, "9007199254740992", "9007199254740992.0"),
            (12345678901234567890.0, "12345678901234567000", "1.2345678901234567e+19"),
            (1e20, "100000000000000000000", "1e+20"),
            (1e21, "1e+21", "1e+21"),
            (-1.7976931348623157e308, "-1.7976931348623157e+308", "-1.7976931348623157e+308"),
            (5e-324, "5e-324", "5e-324"),
        ];
        for (value, javascript, python_spelling) in cases {
            assert_eq!(spell(|out| ecmascript(*value, out)), *javascript);
            assert_eq!(spell(|out| python(*value, out)), *python_spelling);
        }
    }

    #[test]
    fn floats_keep_their_own_shortest_digits() {
        for (value, text) in
            [(1.1, "1.1"), (3.4e38, "3.4e+38"), (16_777_216.0, "16777216"), (-0.0, "0"), (1e-7, "1e-7")]
        {
            assert_eq!(spell(|out| ecmascript_f32(value, out)), text);
        }
    }

    #[test]
    fn numbers_that_are_not_finite_are_null() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(spell(|out| ecmascript(value, out)), "null");
            assert_eq!(spell(|out| ecmascript_f32(value as f32, out)), "null");
        }
    }

    #[test]
    fn integers_are_exact() {
        for (value, text) in [(0, "0"), (7, "7"), (10, "10"), (-1, "-1"), (i64::MIN, "-9223372036854775808")] {
            assert_eq!(spell(|out| integer(value, out)), text);
        }
        assert_eq!(spell(|out| unsigned(u64::MAX, out)), "18446744073709551615");
    }
}
