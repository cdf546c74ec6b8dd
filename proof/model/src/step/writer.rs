//! A writer: commit, then invalidate the first entry by scan, then return. Ours deletes K and S by
//! two commands, in either order. A peer deletes only the keys that it finds.

use crate::part::Part;
use crate::state::writer::Phase;
use crate::state::{Command, Keys, Search, Tagger, World, Writer, matching};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Move {
    /// Commits a new version of the row.
    Commit,
    /// Begins SCAN, and the invalidation with it.
    Scan,
    /// SCAN returns K or S, and UNLINK is sent.
    Find(Keys),
    /// SCAN ends without a key that wasn't there all the time.
    EndScan,
    /// Begins the whole invalidation again, because UNLINK wasn't answered in time.
    ScanAgain,
    /// Returns from the invalidation.
    Return,
}

pub(crate) fn moves(writer: &Writer, world: &World, without: Option<Part>) -> Vec<Move> {
    let keys = match writer.step {
        // The last drop's index part precedes the next write, or without the order, its scan.
        Phase::Idle | Phase::Committed if !is_at_rest(writer, world) => return Vec::new(),
        Phase::Idle if writer.writes_left > 0 => return vec![Move::Commit],
        Phase::Idle => return Vec::new(),
        Phase::Committed => return vec![Move::Scan],
        Phase::Invalidating { keys: [Search::Done, Search::Done], .. } => return vec![Move::Return],
        Phase::Invalidating { keys, .. } => keys,
    };
    let mut moves = Vec::new();
    for ((found, search), there) in [Keys::K, Keys::S].into_iter().zip(keys).zip(matching(&world.entries[0], without)) {
        if there && matches!(search, Search::Scanning { .. }) {
            moves.push(Move::Find(found));
        }
    }
    // SCAN may return or miss a key that was added meanwhile.
    if keys.contains(&Search::Scanning { whole: false }) && !keys.contains(&Search::Scanning { whole: true }) {
        moves.push(Move::EndScan);
    }
    if world.faults.timeouts > 0 && keys.contains(&Search::Unlinking) {
        moves.push(Move::ScanAgain);
    }
    moves
}

/// Returns whether its scan, and the part after the scan, have ended.
fn is_at_rest(writer: &Writer, world: &World) -> bool {
    writer.index.and_then(|id| world.taggers.get(usize::from(id))).is_none_or(Tagger::ended)
}

pub(crate) fn make(world: &mut World, id: u8, what: Move, without: Option<Part>) {
    let keys = matching(&world.entries[0], without).map(|whole| Search::Scanning { whole });
    let scan = Phase::Invalidating { begun: world.row, keys };
    let Some(writer) = world.writers.get_mut(usize::from(id)) else { return };
    let index = writer.index.and_then(|index| world.taggers.get_mut(usize::from(index)));
    match (what, writer.step) {
        (Move::Commit, _) => {
            writer.writes_left -= 1;
            writer.step = Phase::Committed;
            world.row += 1;
            if let Some(index) = index.filter(|_| without == Some(Part::DropOrder)) {
                index.drop_since(world.row);
            }
        }
        (Move::Scan, _) => writer.step = scan,
        (Move::Find(found), Phase::Invalidating { begun, keys }) => {
            let round = writer.round;
            let deleted = writer.deletes(found);
            let keys = deleted.iter().fold(keys, |keys, one| one.put(Search::Unlinking, keys));
            writer.step = Phase::Invalidating { begun, keys };
            for keys in deleted {
                world.send(Command::Unlink { writer: id, round, keys: *keys });
            }
        }
        (Move::EndScan, Phase::Invalidating { begun, keys }) => {
            let keys = keys.map(|search| if matches!(search, Search::Scanning { .. }) { Search::Done } else { search });
            writer.step = Phase::Invalidating { begun, keys };
        }
        // The whole invalidation begins again.
        (Move::ScanAgain, _) => {
            writer.round += 1;
            writer.step = scan;
            world.faults.timeouts -= 1;
        }
        (Move::Return, Phase::Invalidating { begun, .. }) => {
            writer.round += 1;
            writer.step = Phase::Idle;
            match index {
                Some(index) if without != Some(Part::DropOrder) => index.drop_since(begun),
                _ => world.floor.all = world.floor.all.max(begun),
            }
        }
        _ => {}
    }
}

pub(crate) fn unlink_answered(world: &mut World, writer: u8, round: u8, deleted: Keys) {
    if let Some(writer) = world.writers.get_mut(usize::from(writer))
        && let Phase::Invalidating { keys, .. } = &mut writer.step
        && writer.round == round
    {
        *keys = deleted.put(Search::Done, *keys);
    }
}

pub(crate) fn words(before: &World, id: u8, what: Move, without: Option<Part>) -> String {
    match what {
        Move::Commit => format!("commits v{}", before.row + 1),
        Move::Scan => format!("begins to invalidate at v{}: SCAN", before.row),
        Move::Find(found) => {
            let deleted = before.writers.get(usize::from(id)).map_or(&[][..], |writer| writer.deletes(found));
            let deleted: Vec<String> = deleted.iter().map(|keys| format!("UNLINK {keys}")).collect();
            format!("SCAN returns {found}; sends {}", deleted.join(" and "))
        }
        Move::EndScan => "SCAN ends, and returned no more".to_owned(),
        Move::ScanAgain => "no reply in time; the whole invalidation again: SCAN".to_owned(),
        Move::Return => match before.writers.get(usize::from(id)) {
            Some(Writer { index: Some(_), .. }) if without != Some(Part::DropOrder) => {
                "its scan has ended; the index comes next".to_owned()
            }
            _ => "its invalidation returns".to_owned(),
        },
    }
}
