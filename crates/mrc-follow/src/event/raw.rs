//! Events as they come from the server.

/// An event whose body isn't decoded yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawEvent<'a> {
    /// The type, as a number of the protocol.
    pub kind: u8,
    /// The time at which the statement began, in seconds since 1970.
    pub timestamp: u32,
    /// The server on which the statement ran.
    pub server_id: u32,
    /// The position behind the event in its file. 0 in a compressed transaction.
    pub log_pos: u32,
    /// The flags of the header.
    pub flags: u16,
    /// The bytes after the header, without a checksum.
    pub body: &'a [u8],
}

impl RawEvent<'_> {
    /// The flag of events that may be ignored by a reader that doesn't know them.
    const IGNORABLE: u16 = 0x80;

    /// Returns whether the server allows to ignore the event.
    pub(super) fn is_ignorable(&self) -> bool {
        self.flags & Self::IGNORABLE != 0
    }
}

/// An event of a compressed transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedEvent {
    pub(super) kind: u8,
    pub(super) timestamp: u32,
    pub(super) server_id: u32,
    pub(super) log_pos: u32,
    pub(super) flags: u16,
    pub(super) body: Vec<u8>,
}

impl OwnedEvent {
    /// Returns the event, for [`Decoder::decode`](super::Decoder::decode).
    pub fn as_raw(&self) -> RawEvent<'_> {
        RawEvent {
            kind: self.kind,
            timestamp: self.timestamp,
            server_id: self.server_id,
            log_pos: self.log_pos,
            flags: self.flags,
            body: &self.body,
        }
    }
}
