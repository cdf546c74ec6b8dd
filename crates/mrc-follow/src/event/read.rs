//! Reading bytes that may end anywhere.

use super::Fault;

/// The bytes of an event that are still to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn rest(self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Fault::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Fault::Short)?;
        self.rest = rest;
        Ok(*taken)
    }

    #[inline]
    pub(super) fn u8(&mut self) -> Result<u8, Fault> {
        self.array().map(|[byte]| byte)
    }

    #[inline]
    pub(super) fn u16(&mut self) -> Result<u16, Fault> {
        self.array().map(u16::from_le_bytes)
    }

    #[inline]
    pub(super) fn u32(&mut self) -> Result<u32, Fault> {
        self.array().map(u32::from_le_bytes)
    }

    #[inline]
    pub(super) fn u64(&mut self) -> Result<u64, Fault> {
        self.array().map(u64::from_le_bytes)
    }

    /// Returns a number of at most 8 bytes, the lowest first.
    #[inline]
    pub(super) fn little(&mut self, length: usize) -> Result<u64, Fault> {
        number(self.take(length)?.iter().rev())
    }

    /// Returns a number of at most 8 bytes, the highest first.
    #[inline]
    pub(super) fn big(&mut self, length: usize) -> Result<u64, Fault> {
        number(self.take(length)?.iter())
    }

    /// Returns a number of MySQL's variable length. 251 stands for `NULL`, which no event has.
    pub(super) fn length(&mut self) -> Result<usize, Fault> {
        let number = match self.u8()? {
            byte @ 0..=250 => u64::from(byte),
            252 => self.little(2)?,
            253 => self.little(3)?,
            254 => self.u64()?,
            _ => return Err(Fault::Invalid("a length")),
        };
        // A length of more than the memory can't be in the event either.
        usize::try_from(number).map_err(|_| Fault::Short)
    }

    pub(super) fn counted(&mut self) -> Result<&'a [u8], Fault> {
        let length = self.length()?;
        self.take(length)
    }

    /// Returns a name with its length before and a zero after.
    pub(super) fn name(&mut self) -> Result<&'a str, Fault> {
        let length = self.u8()?;
        let name = self.take(usize::from(length))?;
        self.take(1)?;
        std::str::from_utf8(name).map_err(|_| Fault::Invalid("a name"))
    }
}

#[inline]
fn number<'a>(bytes: impl ExactSizeIterator<Item = &'a u8>) -> Result<u64, Fault> {
    if bytes.len() > 8 {
        return Err(Fault::Invalid("a length"));
    }
    Ok(bytes.fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// Returns bit `index` of a bitmap whose first byte has the lowest bits. `false` behind its end.
#[inline]
pub(super) fn bit(bitmap: &[u8], index: usize) -> bool {
    bitmap.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
}
