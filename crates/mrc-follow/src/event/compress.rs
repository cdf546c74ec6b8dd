//! MariaDB's compressed statements and rows.

use std::io::Read;

use super::Fault;
use super::read::Reader;

/// The most bytes that an event may have, by the servers' `max_allowed_packet`: 1 GiB.
pub(super) const MOST_BYTES: usize = 1 << 30;

/// Returns the decompressed bytes of a part of an event.
///
/// Before the bytes stand their algorithm, and their decompressed length, highest byte first.
pub(super) fn decompress(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    const ZLIB: u8 = 0x80;
    let mut read = Reader::new(bytes);
    let header = read.u8()?;
    if header & 0xF0 != ZLIB {
        return Err(Fault::Compression);
    }
    let length = usize::try_from(read.big(usize::from(header & 7))?).map_err(|_| Fault::Memory(MOST_BYTES))?;
    if length > MOST_BYTES {
        return Err(Fault::Memory(MOST_BYTES));
    }
    // A declared length may be wrong, so the memory grows with the bytes that there are.
    let mut decompressed = Vec::with_capacity(length.min(64 << 10));
    let most = u64::try_from(length).unwrap_or(u64::MAX).saturating_add(1);
    let mut zlib = flate2::read::ZlibDecoder::new(read.rest()).take(most);
    zlib.read_to_end(&mut decompressed).map_err(|_| Fault::Compression)?;
    if decompressed.len() == length { Ok(decompressed) } else { Err(Fault::Compression) }
}
