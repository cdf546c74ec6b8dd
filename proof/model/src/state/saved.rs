//! The snapshot with which a Redis comes back.

use crate::state::binlog::Position;
use crate::state::floor::Floor;
use crate::state::index::Index;
use crate::state::primaries::Primaries;
use crate::state::redis::Entry;

/// A snapshot of a server, or what a replica had received when it was promoted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Saved {
    /// The server, by number.
    pub(crate) primary: u8,
    pub(crate) entries: [Entry; 3],
    pub(crate) index: Index,
    pub(crate) position: Position,
    pub(crate) primaries: Primaries,
    /// The promise is that of the position.
    pub(crate) floor: Floor,
}
