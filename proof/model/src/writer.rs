//! A writer: commit, then invalidate the first entry by scan, then return. Ours deletes K and S by two commands, in either order; a peer that invalidates takes the same steps, but deletes what it finds.

use crate::part::Part;
use crate::redis::{Content, Entry, Keys, Version};
use crate::tagger::Tagger;
use crate::world::{Command, World};

/// Where a writer is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Writer {
    writes_left: u8,
    /// It knows nothing of copies: S is a key like any other.
    peer: bool,
    /// Its invalidation is a drop by a param, whose index part this one of the taggers makes.
    index: Option<u8>,
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
    /// SCAN has begun, when the row's version was `begun`.
    Invalidating {
        begun: Version,
        /// Of K and of S.
        keys: [Search; 2],
    },
}

/// How far an invalidation is with one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Search {
    /// SCAN hasn't returned it. `whole`: it has been there ever since SCAN began.
    Scanning { whole: bool },
    /// UNLINK was sent; for the other key SCAN may go on.
    Unlinking,
    /// UNLINK was answered, or SCAN ended without it.
    Done,
}

/// What a writer does by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Move {
    /// A new version of the row.
    Commit,
    /// SCAN begins, and the invalidation with it.
    Scan,
    /// SCAN returns K or S; UNLINK goes out.
    Find(Keys),
    /// SCAN ends without a key that wasn't there all the time.
    EndScan,
    /// UNLINK wasn't answered in time: the whole invalidation again.
    ScanAgain,
    /// The invalidation returns.
    Return,
}

impl Writer {
    pub(crate) fn new(writes: u8, peer: bool) -> Self {
        Self { writes_left: writes, peer, index: None, round: 0, step: Phase::Idle }
    }

    /// The scan of a drop by a param.
    pub(crate) fn of_drop(writes: u8, index: u8) -> Self {
        Self { index: Some(index), ..Self::new(writes, false) }
    }

    /// Its scan and what comes after it have ended.
    fn is_at_rest(&self, world: &World) -> bool {
        self.index.and_then(|id| world.taggers.get(usize::from(id))).is_none_or(Tagger::ended)
    }

    pub(crate) fn ended(&self) -> bool {
        self.step == Phase::Idle && self.writes_left == 0
    }

    /// Of a key that wasn't there all the time, a scan promises nothing.
    pub(crate) fn look(&mut self, entry: &Entry, without: Option<Part>) {
        let Phase::Invalidating { keys, .. } = &mut self.step else { return };
        for (search, there) in keys.iter_mut().zip(matching(entry, without)) {
            if let Search::Scanning { whole } = search {
                *whole &= there;
            }
        }
    }

    /// What this writer may do next.
    pub(crate) fn moves(&self, world: &World, without: Option<Part>) -> Vec<Move> {
        let keys = match self.step {
            // The index part of its last drop comes before its next write, or without the order, before its scan.
            Phase::Idle | Phase::Committed if !self.is_at_rest(world) => return Vec::new(),
            Phase::Idle if self.writes_left > 0 => return vec![Move::Commit],
            Phase::Idle => return Vec::new(),
            Phase::Committed => return vec![Move::Scan],
            Phase::Invalidating { keys: [Search::Done, Search::Done], .. } => return vec![Move::Return],
            Phase::Invalidating { keys, .. } => keys,
        };
        let mut moves = Vec::new();
        for ((found, search), there) in
            [Keys::K, Keys::S].into_iter().zip(keys).zip(matching(&world.entries[0], without))
        {
            if there && matches!(search, Search::Scanning { .. }) {
                moves.push(Move::Find(found));
            }
        }
        // A key that came meanwhile is returned or missed.
        if keys.contains(&Search::Scanning { whole: false }) && !keys.contains(&Search::Scanning { whole: true }) {
            moves.push(Move::EndScan);
        }
        if world.faults.timeouts > 0 && keys.contains(&Search::Unlinking) {
            moves.push(Move::ScanAgain);
        }
        moves
    }

    /// What it deletes when SCAN returns `found`, one command each.
    fn deletes(&self, found: Keys) -> &'static [Keys] {
        match found {
            _ if !self.peer => &[Keys::K, Keys::S],
            Keys::K => &[Keys::K],
            Keys::S => &[Keys::S],
        }
    }
}

/// Whether SCAN would return K, and S.
fn matching(entry: &Entry, without: Option<Part>) -> [bool; 2] {
    [entry.k != Content::Absent, entry.s != Content::Absent && without != Some(Part::CopyName)]
}

/// The writer `id` makes a move.
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
        // The whole invalidation again.
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

/// The reply to an UNLINK, if its sender still waits for it.
pub(crate) fn unlink_answered(world: &mut World, writer: u8, round: u8, deleted: Keys) {
    if let Some(writer) = world.writers.get_mut(usize::from(writer))
        && let Phase::Invalidating { keys, .. } = &mut writer.step
        && writer.round == round
    {
        *keys = deleted.put(Search::Done, *keys);
    }
}

/// What the writer `id` does, in words.
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
