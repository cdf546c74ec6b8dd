//! Dates and times: packed numbers to text.

use super::read::Reader;
use super::{Fault, digits};

/// Reads a `DATE`. A zero date is valid.
pub(super) fn date(read: &mut Reader<'_>) -> Result<String, Fault> {
    let packed = read.little(3)?;
    let mut text = Vec::with_capacity(10);
    push_date(&mut text, packed >> 9, packed >> 5 & 15, packed & 31)?;
    digits::text(text)
}

/// Reads a `TIME` with so many digits of fraction.
pub(super) fn time(read: &mut Reader<'_>, precision: u8) -> Result<String, Fault> {
    let length = fraction_length(precision);
    let packed = read.big(3 + length)?;
    // The whole number, fraction included, is shifted to be positive.
    let zero = 0x80_0000_u64 << (8 * length);
    let is_negative = packed < zero;
    let packed = packed.abs_diff(zero);
    let micros = micros(packed & ((1 << (8 * length)) - 1), length)?;
    let packed = packed >> (8 * length);
    let mut text = Vec::with_capacity(17);
    if is_negative {
        text.push(b'-');
    }
    push_time(&mut text, packed, 838)?;
    push_fraction(&mut text, micros, precision);
    digits::text(text)
}

/// Reads a `DATETIME` with so many digits of fraction. A zero date is valid.
pub(super) fn datetime(read: &mut Reader<'_>, precision: u8) -> Result<String, Fault> {
    const ZERO: u64 = 0x80_0000_0000;
    let packed = read.big(5)?.checked_sub(ZERO).ok_or(Fault::Invalid("a DATETIME"))?;
    let micros = fraction(read, precision)?;
    let (date, time) = (packed >> 17, packed & 0x1_FFFF);
    let months = date >> 5;
    let mut text = Vec::with_capacity(26);
    push_date(&mut text, months / 13, months % 13, date & 31)?;
    text.push(b' ');
    push_time(&mut text, time, 23)?;
    push_fraction(&mut text, micros, precision);
    digits::text(text)
}

/// Reads the seconds and microseconds of a `TIMESTAMP` with so many digits of fraction.
pub(super) fn timestamp(read: &mut Reader<'_>, precision: u8) -> Result<(u32, u32), Fault> {
    let seconds = read.array().map(u32::from_be_bytes)?;
    Ok((seconds, fraction(read, precision)?))
}

/// Returns the number of bytes that hold so many digits of fraction.
pub(super) fn fraction_length(precision: u8) -> usize {
    usize::from(precision.div_ceil(2))
}

fn fraction(read: &mut Reader<'_>, precision: u8) -> Result<u32, Fault> {
    let length = fraction_length(precision);
    micros(read.big(length)?, length)
}

/// Returns the microseconds of a fraction whose last byte holds two digits.
fn micros(fraction: u64, length: usize) -> Result<u32, Fault> {
    let unit = match length {
        0 | 3 => 1,
        1 => 10_000,
        _ => 100,
    };
    let micros = fraction.saturating_mul(unit);
    u32::try_from(micros).ok().filter(|micros| *micros < 1_000_000).ok_or(Fault::Invalid("a fraction of a second"))
}

fn push_date(text: &mut Vec<u8>, year: u64, month: u64, day: u64) -> Result<(), Fault> {
    if year > 9999 || month > 12 || day > 31 {
        return Err(Fault::Invalid("a date"));
    }
    digits::push(text, year, 4);
    text.push(b'-');
    digits::push(text, month, 2);
    text.push(b'-');
    digits::push(text, day, 2);
    Ok(())
}

/// Appends a time, packed into 6 bits for each of the seconds and the minutes.
fn push_time(text: &mut Vec<u8>, packed: u64, most_hours: u64) -> Result<(), Fault> {
    let (hour, minute, second) = (packed >> 12, packed >> 6 & 63, packed & 63);
    if hour > most_hours || minute > 59 || second > 59 {
        return Err(Fault::Invalid("a time"));
    }
    digits::push(text, hour, if hour > 99 { 3 } else { 2 });
    text.push(b':');
    digits::push(text, minute, 2);
    text.push(b':');
    digits::push(text, second, 2);
    Ok(())
}

fn push_fraction(text: &mut Vec<u8>, micros: u32, precision: u8) {
    if precision > 0 {
        text.push(b'.');
        let end = text.len() + usize::from(precision);
        digits::push(text, micros.into(), 6);
        text.truncate(end);
    }
}
