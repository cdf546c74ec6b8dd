//! A writer that invalidates by tag.

use crate::state::index::{Moment, Scores};
use crate::state::redis::Version;

/// The state of a tagger.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Tagger {
    pub(crate) writes_left: u8,
    /// The version of the row at which a drop began, if this is the index part of that drop.
    pub(crate) drop: Option<Version>,
    /// The number of its invalidation. A late reply to another one says nothing.
    pub(crate) round: u8,
    pub(crate) step: Phase,
}

/// The steps of a write, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    Idle,
    /// Committed; the invalidation hasn't begun.
    Committed,
    /// The clock ticked, when the row's version was `begun`, and the bump was sent.
    Bumping {
        begun: Version,
        moment: Moment,
    },
    /// A drop was sent for each entry that the bump listed.
    Dropping {
        begun: Version,
        moment: Moment,
        listed: Scores,
        unanswered: [bool; 3],
    },
}

impl Tagger {
    pub(crate) fn new(writes: u8) -> Self {
        Self { writes_left: writes, drop: None, round: 0, step: Phase::Idle }
    }

    /// Takes over from the other part of a drop.
    pub(crate) fn drop_since(&mut self, begun: Version) {
        self.drop = Some(begun);
        self.step = Phase::Committed;
    }

    pub(crate) fn ended(&self) -> bool {
        self.step == Phase::Idle && self.writes_left == 0
    }

    /// Returns the tick of the invalidation that is under way.
    pub(crate) fn under_way(&self) -> Option<Moment> {
        match self.step {
            Phase::Idle | Phase::Committed => None,
            Phase::Bumping { moment, .. } | Phase::Dropping { moment, .. } => Some(moment),
        }
    }

    /// Returns the list for a prune.
    pub(crate) fn listed(&self) -> Scores {
        if let Phase::Dropping { listed, .. } = self.step { listed } else { Scores::default() }
    }
}
