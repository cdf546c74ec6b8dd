//! A process that follows the binlog and invalidates for all writers.

use crate::state::binlog::Position;

/// The state of a process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Process {
    /// The tagger that invalidates for it.
    pub(crate) tagger: u8,
    /// The position that it has read from Redis or written there last.
    pub(crate) at: Position,
    /// The number of its position's command. A late reply to another one says nothing.
    pub(crate) round: u8,
    /// The number of the command whose reply told it to invalidate again.
    pub(crate) told: Option<u8>,
    /// The history of each primary that refused a copy.
    pub(crate) refusals: [Option<u8>; 2],
    pub(crate) step: Stage,
}

/// The steps of a batch, in their order. The batch is the events after `at`, up to `upto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Stage {
    /// It crashed, and will start again.
    Down,
    /// Events are read. `known`: the registry was read too early, and had the scheme or not.
    Reading { upto: Position, known: Option<bool> },
    /// The batch is visible, and its tags are being invalidated.
    Invalidating { upto: Position },
    /// Nothing of the batch is left to be invalidated.
    Invalidated { upto: Position },
    /// The position was sent.
    Writing { upto: Position },
    /// The position is being copied to each primary of a cluster. `found`: the oldest that one has
    /// instead. `back`: the follower goes on from here, and those that refused are overwritten.
    Copying { upto: Position, unanswered: [bool; 2], found: Option<(u8, Position)>, back: Option<Position> },
    /// A primary may have gone back, to `to`. First all claims are removed, then all entries with tags.
    Removing { upto: Position, to: Position, claims: bool },
    /// The position was set back.
    GoingBack { upto: Position, to: Position },
}

impl Process {
    pub(crate) fn new(tagger: u8) -> Self {
        Self { tagger, at: 0, round: 0, told: None, refusals: [None; 2], step: Stage::reading(0) }
    }

    /// Goes on after the position `at`, which is the one in Redis.
    pub(crate) fn resume(&mut self, at: Position) {
        self.at = at;
        self.refusals = [None; 2];
        self.step = Stage::reading(at);
    }

    /// Returns whether it is done with the log.
    pub(crate) fn is_done(&self, logged: Position) -> bool {
        self.at == logged && self.step == Stage::reading(logged)
    }
}

impl Stage {
    /// Returns the stage in which nothing has been read of the next batch, or all up to `upto`.
    pub(crate) fn reading(upto: Position) -> Self {
        Self::Reading { upto, known: None }
    }
}
