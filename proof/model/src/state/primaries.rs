//! The primaries of a cluster: where each thing lies, and the copies of the position.

use crate::state::binlog::Position;

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
