//! Commits that the binlog tells of. Nobody else invalidates for them.

use crate::setting::Change;
use crate::state::World;

/// The two steps of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Move {
    /// The change is in the binlog, and no reader sees it yet.
    Log,
    /// The oldest change that isn't visible becomes visible.
    Show,
}

pub(crate) fn moves(world: &World) -> Vec<Move> {
    let may = [(!world.binlog.is_complete(), Move::Log), (world.row < world.binlog.logged, Move::Show)];
    may.into_iter().filter(|(may, _)| *may && !world.binlog.changes.is_empty()).map(|(_, what)| what).collect()
}

pub(crate) fn make(world: &mut World, what: Move) {
    match what {
        Move::Log => world.binlog.logged += 1,
        Move::Show => {
            world.row += 1;
            world.count_position();
        }
    }
}

pub(crate) fn words(before: &World, what: Move) -> String {
    match what {
        Move::Log => {
            let event = before.binlog.logged;
            let ours = before.binlog.changes.get(usize::from(event)) == Some(&Change::Ours);
            format!("logs v{}, {}: event {0}", event + 1, if ours { "our row" } else { "another row" })
        }
        Move::Show => format!("v{} becomes visible", before.row + 1),
    }
}
