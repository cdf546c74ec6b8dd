//! Strings, escaped as `JSON.stringify` escapes them, and as Python's `json.dumps(ensure_ascii=False)` does: they agree.

/// Appends a string with its quotes.
///
/// Escaped are the quote, the backslash and what lies below the space: `\b \f \n \r \t`, the rest as `\u001f`. All else is raw UTF-8.
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

/// Appends the inside of a string: runs of plain bytes are copied whole.
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

/// Four lower-case hex digits behind `\u`.
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

/// For each byte the letter behind the backslash, or [`PLAIN`].
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
