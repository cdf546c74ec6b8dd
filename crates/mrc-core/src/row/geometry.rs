//! A `GEOMETRY` as mysql2 parses it: points are objects, and all others are arrays of their parts.

use crate::json::number;

/// The most levels of a collection; deeper ones are null. The server's own limit is far below.
const DEPTH: u32 = 64;

/// Writes the server's bytes (4 bytes of SRID, then WKB). Unreadable bytes are null, as in mysql2.
pub(super) fn write(bytes: &[u8], out: &mut Vec<u8>) {
    let mut reader = WkbReader { rest: bytes.get(4..).unwrap_or_default() };
    reader.geometry(0, out);
}

struct WkbReader<'a> {
    rest: &'a [u8],
}

impl WkbReader<'_> {
    /// Writes the next geometry, or null.
    fn geometry(&mut self, depth: u32, out: &mut Vec<u8>) {
        let start = out.len();
        if self.known(depth, out).is_none() {
            out.truncate(start);
            out.extend_from_slice(b"null");
        }
    }

    fn known(&mut self, depth: u32, out: &mut Vec<u8>) -> Option<()> {
        let (mark, rest) = self.rest.split_first()?;
        if rest.len() < 4 {
            return None;
        }
        self.rest = rest;
        let little = *mark != 0;
        match self.count(little)? {
            1 => self.point(little, out)?,
            2 => {
                let count = self.fitting(little, 16)?;
                self.list(count, out, |reader, out| reader.point(little, out));
            }
            3 => {
                let count = self.fitting(little, 4)?;
                self.list(count, out, |reader, out| {
                    let count = reader.count(little)?;
                    reader.list(count, out, |reader, out| reader.point(little, out));
                    Some(())
                });
            }
            4..=7 if depth < DEPTH => {
                let count = self.fitting(little, 9)?;
                self.list(count, out, |reader, out| {
                    reader.geometry(depth + 1, out);
                    Some(())
                });
            }
            _ => return None,
        }
        Some(())
    }

    /// Writes up to `count` items. The list ends before the first item that can't be read.
    fn list(&mut self, count: u32, out: &mut Vec<u8>, item: impl Fn(&mut Self, &mut Vec<u8>) -> Option<()>) {
        out.push(b'[');
        for at in 0..count {
            let start = out.len();
            if at > 0 {
                out.push(b',');
            }
            if item(self, out).is_none() {
                out.truncate(start);
                break;
            }
        }
        out.push(b']');
    }

    fn point(&mut self, little: bool, out: &mut Vec<u8>) -> Option<()> {
        let (x, y) = self.rest.split_at_checked(16)?.0.split_at_checked(8)?;
        let double = |bytes: &[u8]| {
            let bytes = bytes.try_into().ok()?;
            Some(if little { f64::from_le_bytes(bytes) } else { f64::from_be_bytes(bytes) })
        };
        let (x, y) = (double(x)?, double(y)?);
        self.rest = self.rest.get(16..)?;
        out.extend_from_slice(br#"{"x":"#);
        number::ecmascript(x, out);
        out.extend_from_slice(br#","y":"#);
        number::ecmascript(y, out);
        out.push(b'}');
        Some(())
    }

    /// Returns a count of items of at least `size` bytes. Returns `None` if the rest has no room.
    fn fitting(&mut self, little: bool, size: usize) -> Option<u32> {
        let count = self.count(little)?;
        if count as usize > self.rest.len() / size { None } else { Some(count) }
    }

    fn count(&mut self, little: bool) -> Option<u32> {
        let (bytes, rest) = self.rest.split_first_chunk::<4>()?;
        self.rest = rest;
        Some(if little { u32::from_le_bytes(*bytes) } else { u32::from_be_bytes(*bytes) })
    }
}
