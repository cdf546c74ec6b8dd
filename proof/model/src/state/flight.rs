//! Callers of the first reader's process that follow its flight.

use crate::state::floor::Floor;

/// A caller that may follow. With no flight to follow it would lead, which readers do already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Follower {
    Idle,
    /// `early`: it joined before the last read began. `floor`: the world's, when its call began.
    Following {
        early: bool,
        floor: Floor,
    },
    /// It took the flight's value.
    Took,
    /// The value wasn't for it. It tries again by itself.
    Alone,
}
