//! Dates and times as text, for every format.

use super::ColumnKind;
use crate::json;
use crate::temporal::{Date, DateTime, Time};

/// Writes `2025-01-15`.
pub(super) fn date(value: Date, out: &mut Vec<u8>) {
    parts([(value.year.into(), 4), (value.month.into(), 2), (value.day.into(), 2)], b"-", out);
}

/// Writes `"2025-01-15"`.
pub(super) fn quoted_date(value: Date, out: &mut Vec<u8>) {
    out.push(b'"');
    date(value, out);
    out.push(b'"');
}

/// Writes `"2025-01-15T10:30:00"`, with what `fraction` appends.
pub(super) fn datetime(value: DateTime, between: u8, out: &mut Vec<u8>, fraction: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    date(value.date, out);
    out.push(between);
    parts([(value.hour.into(), 2), (value.minute.into(), 2), (value.second.into(), 2)], b":", out);
    fraction(out);
    out.push(b'"');
}

/// Writes `"-838:59:59"` with its fraction, as the server prints it.
pub(super) fn time(value: Time, kind: ColumnKind, out: &mut Vec<u8>) {
    out.push(b'"');
    if value.negative {
        out.push(b'-');
    }
    let hours = (value.hours.into(), if value.hours < 100 { 2 } else { 3 });
    parts([hours, (value.minutes.into(), 2), (value.seconds.into(), 2)], b":", out);
    fraction(value.micros, kind, out);
    out.push(b'"');
}

/// Writes the second's fraction: the declared digits, or all six if those would lose something.
pub(super) fn fraction(micros: u32, kind: ColumnKind, out: &mut Vec<u8>) {
    let declared = match kind {
        ColumnKind::DateTime { fraction } | ColumnKind::Time { fraction } => fraction,
        _ => 0,
    };
    let unit = 10_u32.pow(6_u32.saturating_sub(declared.into()));
    if declared > 6 || !micros.is_multiple_of(unit) {
        if micros != 0 {
            out.push(b'.');
            padded(micros, 6, out);
        }
    } else if declared > 0 {
        out.push(b'.');
        padded(micros / unit, declared.into(), out);
    }
}

/// Writes values with their widths.
fn parts(parts: [(u32, usize); 3], between: &[u8], out: &mut Vec<u8>) {
    json::joined(parts, between, out, |(value, width), out| padded(value, width, out));
}

/// Writes the last `width` digits of the value, with leading zeros.
pub(super) fn padded(value: u32, width: usize, out: &mut Vec<u8>) {
    let mut digits = [b'0'; 6];
    let mut rest = value;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend_from_slice(digits.get(digits.len() - width.min(digits.len())..).unwrap_or_default());
}
