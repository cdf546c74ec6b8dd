//! MySQL's compressed transactions, and MariaDB's compressed statements and rows.

use std::io::{self, Read};

use super::read::Reader;
use super::{DecodeError, Fault, OwnedEvent};

/// The number of this event in the protocol.
pub(super) const PAYLOAD: u8 = 0x28;

/// A compressed transaction: the events after its GTID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload<'a> {
    bytes: &'a [u8],
    compressed: bool,
    length: u64,
}

impl<'a> Payload<'a> {
    pub(super) fn read(body: &'a [u8]) -> Result<Self, Fault> {
        const END: usize = 0;
        const SIZE: usize = 1;
        const ALGORITHM: usize = 2;
        const UNCOMPRESSED_SIZE: usize = 3;
        const ZSTD: usize = 0;
        const NONE: usize = 255;

        let mut read = Reader::new(body);
        let (mut size, mut algorithm, mut length) = (None, None, None);
        loop {
            let field = read.length()?;
            if field == END {
                break;
            }
            let mut value = Reader::new(read.counted()?);
            match field {
                SIZE => size = Some(value.length()?),
                ALGORITHM => algorithm = Some(value.length()?),
                UNCOMPRESSED_SIZE => length = Some(value.length()?),
                _ => {}
            }
        }
        let bytes = read.take(size.ok_or(Fault::Short)?)?;
        if !read.is_empty() {
            return Err(Fault::Long(read.len()));
        }
        let (compressed, length) = match (algorithm, length) {
            (Some(ZSTD), Some(length)) => (true, length),
            (Some(NONE), length) => (false, length.unwrap_or(bytes.len())),
            _ => return Err(Fault::Compression),
        };
        Ok(Self { bytes, compressed, length: length as u64 })
    }

    /// Returns the events, decompressed one at a time.
    ///
    /// The first error is the last item. Only after the last event is it known whether the
    /// transaction was complete. One event takes at most 1 GiB of memory, and zstd's window 128
    /// MiB.
    ///
    /// # Errors
    /// [`Fault::Compression`] if the bytes can't be decompressed, or if their length isn't the
    /// declared one. [`Fault::Short`] or [`Fault::Invalid`] if an event isn't complete.
    pub fn events(&self) -> Result<PayloadEvents<'a>, DecodeError> {
        let source: Box<dyn Read + Send + 'a> = if self.compressed {
            let decoder = zstd::Decoder::with_buffer(self.bytes);
            Box::new(decoder.map_err(|_| DecodeError::new(PAYLOAD, Fault::Compression))?)
        } else {
            Box::new(self.bytes)
        };
        Ok(PayloadEvents { source: io::BufReader::new(source), left: self.length, done: false })
    }
}

/// The events of a compressed transaction, see [`Payload::events`].
pub struct PayloadEvents<'a> {
    source: io::BufReader<Box<dyn Read + Send + 'a>>,
    left: u64,
    done: bool,
}

impl std::fmt::Debug for PayloadEvents<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PayloadEvents").field("left", &self.left).finish_non_exhaustive()
    }
}

impl Iterator for PayloadEvents<'_> {
    type Item = Result<OwnedEvent, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let event = self.event().map_err(|fault| DecodeError::new(PAYLOAD, fault)).transpose();
        self.done = !matches!(event, Some(Ok(_)));
        event
    }
}

impl PayloadEvents<'_> {
    fn event(&mut self) -> Result<Option<OwnedEvent>, Fault> {
        const HEADER: usize = 19;
        if self.left == 0 {
            // Bytes behind the declared end are changes that would be lost.
            let more = self.source.read(&mut [0]).map_err(|_| Fault::Compression)?;
            return if more == 0 { Ok(None) } else { Err(Fault::Compression) };
        }
        let header = self.bytes(HEADER)?;
        let mut read = Reader::new(&header);
        let (timestamp, kind, server_id) = (read.u32()?, read.u8()?, read.u32()?);
        let (size, log_pos, flags) = (read.u32()?, read.u32()?, read.u16()?);
        let length = usize::try_from(size).ok().and_then(|size| size.checked_sub(HEADER));
        let length = length.ok_or(Fault::Invalid("the length of an event"))?;
        if length > MOST_BYTES {
            return Err(Fault::Memory(MOST_BYTES));
        }
        // Small bytes could hold a payload in a payload without end.
        if kind == PAYLOAD {
            return Err(Fault::Invalid("an event of a compressed transaction"));
        }
        let body = self.bytes(length)?;
        Ok(Some(OwnedEvent { kind, timestamp, server_id, log_pos, flags, body }))
    }

    fn bytes(&mut self, length: usize) -> Result<Vec<u8>, Fault> {
        self.left = self.left.checked_sub(length as u64).ok_or(Fault::Short)?;
        // A declared length may be wrong, so the memory grows with the bytes that there are.
        let mut bytes = Vec::with_capacity(length.min(64 << 10));
        let mut part = (&mut self.source).take(length as u64);
        part.read_to_end(&mut bytes).map_err(|_| Fault::Compression)?;
        if bytes.len() == length { Ok(bytes) } else { Err(Fault::Compression) }
    }
}

/// The most bytes that an event may have, by the servers' `max_allowed_packet`: 1 GiB.
const MOST_BYTES: usize = 1 << 30;

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
