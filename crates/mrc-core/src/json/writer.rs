//! A serde serializer that writes ECMAScript's numbers.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

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
