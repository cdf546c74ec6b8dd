//! Dates and times: packed numbers to text.

use super::Fault;
use super::read::Reader;

/// Reads a `DATE`. A zero date is valid.
pub(super) fn date(read: &mut Reader<'_>) -> Result<String, Fault> {
    let packed = read.little(3)?;
    day(packed >> 9, packed >> 5 & 15, packed & 31)
}

/// Reads a `TIME` with so many digits of fraction.
pub(super) fn time(read: &mut Reader<'_>, digits: u8) -> Result<String, Fault> {
    let length = fraction_length(digits);
    let packed = read.big(3 + length)?;
    // The whole number, fraction included, is shifted to be positive.
    let zero = 0x80_0000_u64 << (8 * length);
    let sign = if packed < zero { "-" } else { "" };
    let packed = packed.abs_diff(zero);
    let micros = micros(packed & ((1 << (8 * length)) - 1), length)?;
    let seconds = packed >> (8 * length);
    let (hour, minute, second) = (seconds >> 12, seconds >> 6 & 63, seconds & 63);
    if hour > 838 || minute > 59 || second > 59 {
        return Err(Fault::Invalid("a TIME"));
    }
    let mut text = format!("{sign}{hour:02}:{minute:02}:{second:02}");
    push_fraction(&mut text, micros, digits);
    Ok(text)
}

/// Reads a `DATETIME` with so many digits of fraction. A zero date is valid.
pub(super) fn datetime(read: &mut Reader<'_>, digits: u8) -> Result<String, Fault> {
    const ZERO: u64 = 0x80_0000_0000;
    let packed = read.big(5)?.checked_sub(ZERO).ok_or(Fault::Invalid("a DATETIME"))?;
    let micros = fraction(read, digits)?;
    let (date, time) = (packed >> 17, packed & 0x1_FFFF);
    let months = date >> 5;
    let mut text = day(months / 13, months % 13, date & 31)?;
    let (hour, minute, second) = (time >> 12, time >> 6 & 63, time & 63);
    if hour > 23 || minute > 59 || second > 59 {
        return Err(Fault::Invalid("a DATETIME"));
    }
    text.push_str(&format!(" {hour:02}:{minute:02}:{second:02}"));
    push_fraction(&mut text, micros, digits);
    Ok(text)
}

/// Reads the seconds and microseconds of a `TIMESTAMP` with so many digits of fraction.
pub(super) fn timestamp(read: &mut Reader<'_>, digits: u8) -> Result<(u32, u32), Fault> {
    let seconds = read.array().map(u32::from_be_bytes)?;
    Ok((seconds, fraction(read, digits)?))
}

/// Returns the number of bytes that hold so many digits of fraction.
pub(super) fn fraction_length(digits: u8) -> usize {
    usize::from(digits.div_ceil(2))
}

fn fraction(read: &mut Reader<'_>, digits: u8) -> Result<u32, Fault> {
    let length = fraction_length(digits);
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

fn push_fraction(text: &mut String, micros: u32, digits: u8) {
    if digits > 0 {
        let all = format!("{micros:06}");
        text.push('.');
        text.push_str(all.get(..usize::from(digits)).unwrap_or(&all));
    }
}

fn day(year: u64, month: u64, day: u64) -> Result<String, Fault> {
    if year > 9999 || month > 12 || day > 31 {
        return Err(Fault::Invalid("a date"));
    }
    Ok(format!("{year:04}-{month:02}-{day:02}"))
}
