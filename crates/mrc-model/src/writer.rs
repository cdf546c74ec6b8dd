//! A writer: commit, then invalidate by scan, then return. A peer that invalidates takes the same steps.

use crate::redis::{Content, Version};
use crate::world::{Command, World};

/// Where a writer is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Writer {
    writes_left: u8,
    /// Which of its invalidations this is: a late reply to another one says nothing.
    round: u8,
    pub(crate) step: Phase,
}

/// The steps of a write, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Phase {
    Idle,
    /// Committed; the invalidation hasn't begun.
    Committed,
    /// SCAN has begun, when the row's version was `begun`. `whole`: K has been there ever since.
    Scanning {
        begun: Version,
        whole: bool,
    },
    /// SCAN returned K; UNLINK was sent, or SCAN goes on: no matter.
    Unlinking {
        begun: Version,
    },
    /// UNLINK was answered, or SCAN ended without K.
    Deleted {
        begun: Version,
    },
}

/// What a writer does by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Move {
    /// A new version of the row.
    Commit,
    /// SCAN begins, and the invalidation with it.
    Scan,
    /// SCAN returns K; UNLINK goes out.
    Find,
    /// SCAN ends without K, which wasn't there all the time.
    Miss,
    /// UNLINK wasn't answered in time: the whole invalidation again.
    ScanAgain,
    /// The invalidation returns.
    Return,
}

impl Writer {
    pub(crate) fn new(writes: u8) -> Self {
        Self { writes_left: writes, round: 0, step: Phase::Idle }
    }

    pub(crate) fn ended(&self) -> bool {
        self.step == Phase::Idle && self.writes_left == 0
    }

    pub(crate) fn k_was_absent(&mut self) {
        if let Phase::Scanning { whole, .. } = &mut self.step {
            *whole = false;
        }
    }

    /// What this writer may do next.
    pub(crate) fn moves(&self, world: &World) -> Vec<Move> {
        match self.step {
            Phase::Idle if self.writes_left > 0 => vec![Move::Commit],
            Phase::Idle => Vec::new(),
            Phase::Committed => vec![Move::Scan],
            Phase::Scanning { whole: true, .. } => vec![Move::Find],
            // A key that came meanwhile is returned or missed.
            Phase::Scanning { whole: false, .. } if world.redis.k != Content::Absent => vec![Move::Find, Move::Miss],
            Phase::Scanning { whole: false, .. } => vec![Move::Miss],
            Phase::Unlinking { .. } if world.faults.timeouts > 0 => vec![Move::ScanAgain],
            Phase::Unlinking { .. } => Vec::new(),
            Phase::Deleted { .. } => vec![Move::Return],
        }
    }
}

/// The writer `id` makes a move.
pub(crate) fn make(world: &mut World, id: u8, what: Move) {
    let begun = world.row;
    let whole = world.redis.k != Content::Absent;
    let Some(writer) = world.writers.get_mut(usize::from(id)) else { return };
    match (what, writer.step) {
        (Move::Commit, _) => {
            writer.writes_left -= 1;
            writer.step = Phase::Committed;
            world.row += 1;
        }
        (Move::Scan, _) => writer.step = Phase::Scanning { begun, whole },
        (Move::Find, Phase::Scanning { begun, .. }) => {
            writer.step = Phase::Unlinking { begun };
            let round = writer.round;
            world.send(Command::Unlink { writer: id, round });
        }
        (Move::Miss, Phase::Scanning { begun, .. }) => writer.step = Phase::Deleted { begun },
        // The whole invalidation again.
        (Move::ScanAgain, Phase::Unlinking { .. }) => {
            writer.round += 1;
            writer.step = Phase::Scanning { begun, whole };
            world.faults.timeouts -= 1;
        }
        (Move::Return, Phase::Deleted { begun }) => {
            writer.round += 1;
            writer.step = Phase::Idle;
            world.floor = world.floor.max(begun);
        }
        _ => {}
    }
}

/// The reply to an UNLINK, if its sender still waits for it.
pub(crate) fn unlink_answered(world: &mut World, writer: u8, round: u8) {
    if let Some(writer) = world.writers.get_mut(usize::from(writer))
        && let Phase::Unlinking { begun } = writer.step
        && writer.round == round
    {
        writer.step = Phase::Deleted { begun };
    }
}

/// What a writer does, in words.
pub(crate) fn words(before: &World, what: Move) -> String {
    match what {
        Move::Commit => format!("commits v{}", before.row + 1),
        Move::Scan => format!("begins to invalidate at v{}: SCAN", before.row),
        Move::Find => "SCAN returns K; sends UNLINK".to_owned(),
        Move::Miss => "SCAN ends without K".to_owned(),
        Move::ScanAgain => "no reply in time; the whole invalidation again: SCAN".to_owned(),
        Move::Return => "its invalidation returns".to_owned(),
    }
}
