//! A writer that invalidates the first entry by scan.

use crate::part::Part;
use crate::state::{Content, Entry, Keys, Version};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Writer {
    pub(crate) writes_left: u8,
    /// Whether it is a peer, which knows no copies: S is a key like any other.
    peer: bool,
    /// The tagger that makes the index part of its invalidation, if that is a drop by a param.
    pub(crate) index: Option<u8>,
    /// The number of its invalidation. A late reply to another one says nothing.
    pub(crate) round: u8,
    pub(crate) step: Phase,
}

/// The steps of a write, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    /// Nothing is under way.
    Idle,
    /// Committed; the invalidation hasn't begun.
    Committed,
    /// SCAN has begun, when the row's version was `begun`. `keys`: the search for K, and for S.
    Invalidating { begun: Version, keys: [Search; 2] },
}

/// The progress of an invalidation with one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Search {
    /// SCAN hasn't returned it. `whole`: the key has been there ever since SCAN began.
    Scanning { whole: bool },
    /// UNLINK was sent. SCAN may go on for the other key.
    Unlinking,
    /// UNLINK was answered, or SCAN ended without it.
    Done,
}

impl Writer {
    pub(crate) fn new(writes: u8, peer: bool) -> Self {
        Self { writes_left: writes, peer, index: None, round: 0, step: Phase::Idle }
    }

    /// Returns the writer for the scan of a drop by a param.
    pub(crate) fn of_drop(writes: u8, index: u8) -> Self {
        Self { index: Some(index), ..Self::new(writes, false) }
    }

    pub(crate) fn ended(&self) -> bool {
        self.step == Phase::Idle && self.writes_left == 0
    }

    /// Notes absent keys: SCAN promises nothing about a key that wasn't there all the time.
    pub(crate) fn look(&mut self, entry: &Entry, without: Option<Part>) {
        let Phase::Invalidating { keys, .. } = &mut self.step else { return };
        for (search, there) in keys.iter_mut().zip(matching(entry, without)) {
            if let Search::Scanning { whole } = search {
                *whole &= there;
            }
        }
    }

    /// Returns the keys that it deletes when SCAN returns `found`, one command each.
    pub(crate) fn deletes(&self, found: Keys) -> &'static [Keys] {
        match found {
            _ if !self.peer => &[Keys::K, Keys::S],
            Keys::K => &[Keys::K],
            Keys::S => &[Keys::S],
        }
    }
}

/// Returns whether SCAN would return K, and S.
pub(crate) fn matching(entry: &Entry, without: Option<Part>) -> [bool; 2] {
    [entry.k != Content::Absent, entry.s != Content::Absent && without != Some(Part::CopyName)]
}
