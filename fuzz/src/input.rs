//! Bytes, read as structured input. A choice takes one byte from the front: seeds can be handmade.

use arbitrary::Unstructured;
use mrc_core::{Date, DateTime, Time};

/// Returns a number below `end`, or 0 when the bytes are used up.
pub(crate) fn below(input: &mut Unstructured<'_>, end: usize) -> usize {
    input.int_in_range(0..=end.saturating_sub(1)).unwrap_or(0)
}

pub(crate) fn one<T: Copy>(input: &mut Unstructured<'_>, of: &[T]) -> T {
    of[below(input, of.len())]
}

/// Returns any value of a type, or its default when the bytes are used up.
pub(crate) fn any<'a, T: arbitrary::Arbitrary<'a> + Default>(input: &mut Unstructured<'a>) -> T {
    input.arbitrary().unwrap_or_default()
}

/// Returns up to `most` of these pieces, one after the other.
pub(crate) fn joined(input: &mut Unstructured<'_>, pieces: &[&str], most: usize) -> String {
    (0..below(input, most + 1)).map(|_| one(input, pieces)).collect()
}

/// Returns any time of day on a date of `date`, impossible ones too.
pub(crate) fn datetime(input: &mut Unstructured<'_>, date: fn(&mut Unstructured<'_>) -> Date) -> DateTime {
    DateTime { date: date(input), hour: any(input), minute: any(input), second: any(input), micros: any(input) }
}

/// Returns any time, impossible ones too.
pub(crate) fn time(input: &mut Unstructured<'_>) -> Time {
    Time { negative: any(input), hours: any(input), minutes: any(input), seconds: any(input), micros: any(input) }
}

/// Returns the input as text. If it begins with 0xFF, as no text does, `build` reads the rest.
pub(crate) fn text(data: &[u8], build: fn(&mut Unstructured<'_>) -> String) -> String {
    match data.split_first() {
        Some((0xFF, rest)) => build(&mut Unstructured::new(rest)),
        _ => String::from_utf8_lossy(data).into_owned(),
    }
}
