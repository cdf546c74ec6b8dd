//! Strings, escaped as `JSON.stringify` and Python's `json.dumps(ensure_ascii=False)` do.

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

/// Appends the inside of a string. Runs of plain bytes are copied whole.
pub(crate) fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| ESCAPES[usize::from(*byte)] != PLAIN) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((byte, tail)) = tail.split_first() else { return };
        escape_byte(*byte, out);
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

fn escape_byte(byte: u8, out: &mut Vec<u8>) {
    match ESCAPES[usize::from(byte)] {
        b'u' => unicode_escape(byte.into(), out),
        letter => out.extend_from_slice(&[b'\\', letter]),
    }
}

const PLAIN: u8 = 0;

/// The letter behind the backslash for each byte, or [`PLAIN`].
static ESCAPES: [u8; 256] = {
    let mut table = [PLAIN; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = b'u';
        byte += 1;
    }
    table[0x08] = b'b';
    table[b'\t' as usize] = b't';
    table[b'\n' as usize] = b'n';
    table[0x0c] = b'f';
    table[b'\r' as usize] = b'r';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};
