//! The binlog, the processes that follow it, and where their position lies.
//! A change is logged first, and becomes visible to readers later.

use crate::setting::Change;
use crate::state::Version;

/// The number of events that a follower of the binlog is done with.
pub(crate) type Position = u8;

/// The binlog. Event n makes version n of the row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Binlog {
    /// The change of each event, those to come included.
    pub(crate) changes: Vec<Change>,
    /// The number of events that are logged. The row's version is the number of the visible ones.
    pub(crate) logged: Position,
}

impl Binlog {
    /// Returns whether all that shall happen is logged.
    pub(crate) fn is_complete(&self) -> bool {
        usize::from(self.logged) == self.changes.len()
    }

    /// Returns the version of the last change of our row up to `upto`. Returns 0 if there is none.
    pub(crate) fn last_of_ours(&self, upto: Position) -> Version {
        let ours = (1..).zip(&self.changes).filter(|(at, change)| *at <= upto && **change == Change::Ours);
        ours.map(|(at, _)| at).last().unwrap_or(0)
    }
}

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
    /// A primary may have gone back, to `to`. First all claims are removed, then all entries with
    /// tags.
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

/// One server alone, or two primaries. Entries lie on the first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Primaries {
    pub(crate) are_a_cluster: bool,
    pub(crate) index_at: u8,
    pub(crate) position_at: u8,
    /// The number of the position, counted by advances.
    pub(crate) number: u8,
    /// The history of its primary when the position was written.
    pub(crate) history: u8,
    /// The follower that must invalidate again from the position, and the number of its command.
    pub(crate) again: Option<(u8, u8)>,
    /// The copy on each primary of a cluster.
    pub(crate) copies: [PositionCopy; 2],
    /// The history of each primary, which is another one after it went back.
    pub(crate) histories: [u8; 2],
}

/// A copy of the position on a primary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PositionCopy {
    pub(crate) number: u8,
    pub(crate) position: Position,
    /// The history of the primary when the copy was written.
    pub(crate) history: u8,
}

impl Primaries {
    pub(crate) const ALONE: Self = Self {
        are_a_cluster: false,
        index_at: 0,
        position_at: 0,
        number: 0,
        history: 0,
        again: None,
        copies: [PositionCopy { number: 0, position: 0, history: 0 }; 2],
        histories: [0; 2],
    };

    /// Returns every way in which things may lie.
    pub(crate) fn all(are_a_cluster: bool) -> Vec<Self> {
        if !are_a_cluster {
            return vec![Self::ALONE];
        }
        let places = [(0, 0), (0, 1), (1, 0), (1, 1)];
        places.map(|(index_at, position_at)| Self { are_a_cluster, index_at, position_at, ..Self::ALONE }).into()
    }

    /// Writes the history beside the position.
    pub(crate) fn note_history(&mut self) {
        self.history = self.histories[usize::from(self.position_at)];
    }

    /// Returns whether the primary with the position has the history that was written there last.
    pub(crate) fn has_noted_history(&self) -> bool {
        self.history == self.histories[usize::from(self.position_at)]
    }

    /// Returns whether a copy isn't that of the position, or its primary went back since.
    pub(crate) fn differ(&self) -> bool {
        let newest = |(copy, history): (&PositionCopy, &u8)| copy.number == self.number && copy.history == *history;
        self.are_a_cluster && !self.copies.iter().zip(&self.histories).all(newest)
    }

    /// Returns the position and its copies in words.
    pub(crate) fn words(&self, position: Position) -> String {
        if !self.are_a_cluster {
            return format!("position={position}");
        }
        let [a, b] = self.copies.map(|copy| format!("{}:{}", copy.number, copy.position));
        let at = |primary| if primary == 0 { "A" } else { "B" };
        let (position_at, index_at) = (at(self.position_at), at(self.index_at));
        format!("T on {index_at} position={}:{position} on {position_at} copies A={a} B={b}", self.number)
    }
}
