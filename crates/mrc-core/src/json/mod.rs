//! JSON as `JSON.stringify` writes it, since the peers compare it byte for byte.
//!
//! [`to_vec`] takes any type that serde can serialize. It differs from `serde_json::to_vec` only in
//! the spelling of floats (`5000` and not `5000.0`, `1e-7`, `1e+21`). Integers keep all their
//! digits, even beyond 2^53, where JavaScript would round them.
//!
//! [`string`] and [`number`] are for writing parts by hand into one buffer.

mod document;

pub mod number;

use std::collections::HashMap;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

pub(crate) use document::{Spelling, rewrite};

/// Serializes a value to compact JSON.
///
/// ```
/// assert_eq!(mrc_core::json::to_vec(&(1.0, 1e-7, "a\u{2028}\u{7f}", f64::NAN))?, "[1,1e-7,\"a\u{2028}\u{7f}\",null]".as_bytes());
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// When the value's own `Serialize` fails, or a map has a key that can't be a string.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut out = Vec::with_capacity(128);
    to_writer(&mut out, value)?;
    Ok(out)
}

/// Serializes a value to compact JSON into a writer. Pass a buffered writer: the pieces are small.
///
/// # Errors
/// As [`to_vec`], and when the writer fails.
pub fn to_writer<W: Write, T: Serialize + ?Sized>(writer: W, value: &T) -> Result<(), serde_json::Error> {
    value.serialize(&mut Serializer::with_formatter(writer, EcmaScript))
}

/// Compact JSON with floats as `Number::toString`. The serializer makes NaN and infinities null.
struct EcmaScript;

impl Formatter for EcmaScript {
    fn write_f32<W: Write + ?Sized>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        writer.write_all(ryu_js::Buffer::new().format_finite(value).as_bytes())
    }

    fn write_f64<W: Write + ?Sized>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(ryu_js::Buffer::new().format_finite(value).as_bytes())
    }
}

/// Appends a string with its quotes.
///
/// Escapes quotes, backslashes and bytes below the space: `\b \f \n \r \t`, others as `\u001f`.
///
/// ```
/// let mut out = Vec::new();
/// mrc_core::json::string("a\"é\u{1f}/", &mut out);
/// assert_eq!(out, "\"a\\\"é\\u001f/\"".as_bytes());
/// ```
pub fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    escape(text.as_bytes(), out);
    out.push(b'"');
}

/// Returns what writers appended. They append UTF-8 only, so the buffer is moved, not copied.
pub(crate) fn into_text(out: Vec<u8>) -> String {
    String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Appends items, with a text between each two of them.
pub(crate) fn joined<T>(
    items: impl IntoIterator<Item = T>,
    between: &[u8],
    out: &mut Vec<u8>,
    mut write: impl FnMut(T, &mut Vec<u8>),
) {
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.extend_from_slice(between);
        }
        write(item, out);
    }
}

/// Appends the inside of a string. Runs of plain bytes are copied whole.
pub(crate) fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| ESCAPES[usize::from(*byte)] != PLAIN) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((byte, tail)) = tail.split_first() else { return };
        match ESCAPES[usize::from(*byte)] {
            b'u' => unicode_escape((*byte).into(), out),
            letter => out.extend_from_slice(&[b'\\', letter]),
        }
        rest = tail;
    }
    out.extend_from_slice(rest);
}

/// Appends `\u` and four lower-case hex digits.
pub(crate) fn unicode_escape(unit: u16, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let digit = |shift: u16| HEX[usize::from(unit >> shift & 0xf)];
    out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
}

const PLAIN: u8 = 0;

/// The letter behind the backslash for each byte, or [`PLAIN`].
static ESCAPES: [u8; 256] = {
    let mut table = [PLAIN; 256];
    table.split_at_mut(0x20).0.copy_from_slice(&[b'u'; 0x20]);
    table[0x08] = b'b';
    table[b'\t' as usize] = b't';
    table[b'\n' as usize] = b'n';
    table[0x0c] = b'f';
    table[b'\r' as usize] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};

/// The most names that are compared pair by pair, without a map.
const FEW: usize = 16;

/// Returns the order of the members, as indexes into `names`. Returns `None` if it is the same.
///
/// Of members with one name, the last stays, at the first's place, as in JavaScript and Python.
/// With `indexes_first`, names that are array indexes lead, ascending, as in JavaScript.
pub(crate) fn member_order(names: &[&[u8]], indexes_first: bool) -> Option<Vec<usize>> {
    let has_index = indexes_first && names.iter().any(|name| array_index(name).is_some());
    if !has_index && names.len() <= FEW && !repeats(names) {
        return None;
    }
    let mut order = last_at_first(names);
    if has_index {
        order.sort_by_key(|member| names.get(*member).and_then(|name| array_index(name)).map_or(u64::MAX, u64::from));
    }
    let kept = order.len() == names.len() && order.iter().enumerate().all(|(place, member)| place == *member);
    if kept { None } else { Some(order) }
}

fn last_at_first(names: &[&[u8]]) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::with_capacity(names.len());
    let mut places = HashMap::with_capacity(names.len());
    for (member, name) in names.iter().enumerate() {
        let place = *places.entry(*name).or_insert(order.len());
        match order.get_mut(place) {
            Some(slot) => *slot = member,
            None => order.push(member),
        }
    }
    order
}

fn repeats(names: &[&[u8]]) -> bool {
    names.iter().enumerate().any(|(at, name)| names.iter().take(at).any(|earlier| earlier == name))
}

/// Returns the value of an ECMAScript array index: digits without a leading zero, up to 2^32 - 2.
fn array_index(name: &[u8]) -> Option<u32> {
    let leads_with_zero = name.first() == Some(&b'0') && name.len() > 1;
    if name.is_empty() || name.len() > 10 || leads_with_zero || !name.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = name.iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
    u32::try_from(value).ok().filter(|index| *index != u32::MAX)
}

#[cfg(test)]
mod tests;
