//! A writer that invalidates by tag, or a part of another's invalidation.

use crate::state::{Moment, Scores, Version};

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Tagger {
    pub(crate) writes_left: u8,
    pub(crate) task: Task,
    /// The number of its invalidation. A late reply to another one says nothing.
    pub(crate) round: u8,
    pub(crate) step: Phase,
}

/// The invalidation, and its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Task {
    /// The tag, after its own commit.
    Write,
    /// Another tag, which shares the bucket with ours, after its own commit of another row.
    WriteOther,
    /// The tag, as the index part of a drop that began at this version of the row.
    Drop(Option<Version>),
    /// The tag, for this process that follows the binlog.
    Follow(u8),
}

/// The steps of a write, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    /// Nothing is under way.
    Idle,
    /// Committed; the invalidation hasn't begun.
    Committed,
    /// The clock ticked, when the row's version was `begun`, and the bucket's command was sent.
    /// `listed`: the bump came before it, which is too early.
    Marking { begun: Version, moment: Moment, listed: Option<Scores> },
    /// The bump was sent.
    Bumping { begun: Version, moment: Moment },
    /// A drop was sent for each entry that the bump listed.
    Dropping { begun: Version, moment: Moment, listed: Scores, unanswered: [bool; 3] },
}

impl Tagger {
    pub(crate) fn new(task: Task, writes: u8) -> Self {
        Self { writes_left: writes, task, round: 0, step: Phase::Idle }
    }

    /// Takes over from the other part of a drop.
    pub(crate) fn drop_since(&mut self, begun: Version) {
        self.task = Task::Drop(Some(begun));
        self.step = Phase::Committed;
    }

    /// Begins the invalidation, or begins it again.
    pub(crate) fn begin(&mut self) {
        self.round += 1;
        self.step = Phase::Committed;
    }

    /// Gives up, as its process has crashed.
    pub(crate) fn give_up(&mut self) {
        self.round += 1;
        self.step = Phase::Idle;
    }

    pub(crate) fn ended(&self) -> bool {
        self.step == Phase::Idle && self.writes_left == 0
    }

    /// Returns the tick of the invalidation that is under way.
    pub(crate) fn under_way(&self) -> Option<Moment> {
        match self.step {
            Phase::Idle | Phase::Committed => None,
            Phase::Marking { moment, .. } | Phase::Bumping { moment, .. } | Phase::Dropping { moment, .. } => {
                Some(moment)
            }
        }
    }

    /// Returns the list for a prune.
    pub(crate) fn listed(&self) -> Scores {
        match self.step {
            Phase::Marking { listed: Some(listed), .. } | Phase::Dropping { listed, .. } => listed,
            _ => Scores::default(),
        }
    }
}
