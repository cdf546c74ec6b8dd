//! A process that follows the binlog: events, visible, tags, invalidation, position. In a cluster
//! it copies its position to each primary, and the copies show whether one went back.

use crate::part::Part;
use crate::setting::Change;
use crate::state::{Command, Entry, Position, PositionCopy, Process, Stage, Tags, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Move {
    /// Reads one more event.
    ReadEvent,
    /// Reads the registry before the batch is visible, which is too early.
    ReadRegistry,
    /// The batch is visible: reads the registry, and begins to invalidate its tags.
    See,
    /// Writes the position.
    WritePosition,
    /// Writes the position again, because a reply didn't come in time.
    WriteAgain,
    /// Writes the position that it has, because a primary has another copy.
    Confirm,
    /// Removes all claims, or afterwards all entries with tags, on all primaries.
    Remove,
    /// Finds another position in Redis than its own, and goes on from there.
    Look,
    Crash,
    /// Starts, and goes on from the position.
    Start,
}

pub(crate) fn moves(process: &Process, world: &World, without: Option<Part>) -> Vec<Move> {
    let mut moves = Vec::new();
    match process.step {
        Stage::Down => return vec![Move::Start],
        Stage::Reading { upto, known } => {
            let reads_early = without == Some(Part::SchemesLast);
            if upto < world.binlog.logged && known.is_none() {
                moves.push(Move::ReadEvent);
            }
            if upto > process.at && reads_early && known.is_none() {
                moves.push(Move::ReadRegistry);
            }
            let visible = upto <= world.row || without == Some(Part::VisibilityWait);
            if upto > process.at && visible && known.is_some() == reads_early {
                moves.push(Move::See);
            }
            if process.at != world.position && without != Some(Part::PositionLooked) {
                moves.push(Move::Look);
            }
            if process.at == world.position && world.primaries.differ() && known.is_none() {
                moves.push(Move::Confirm);
            }
        }
        Stage::Invalidated { .. } => moves.push(Move::WritePosition),
        Stage::Removing { .. } => moves.push(Move::Remove),
        Stage::Writing { .. } | Stage::Copying { .. } | Stage::GoingBack { .. } if world.faults.timeouts > 0 => {
            moves.push(Move::WriteAgain);
        }
        Stage::Writing { .. } | Stage::Copying { .. } | Stage::GoingBack { .. } | Stage::Invalidating { .. } => {}
    }
    if world.faults.follower_crashes > 0 {
        moves.push(Move::Crash);
    }
    moves
}

pub(crate) fn make(world: &mut World, id: u8, what: Move, without: Option<Part>) {
    let scheme = known_to(world);
    let binlog = &world.binlog;
    let Some(process) = world.processes.get_mut(usize::from(id)) else { return };
    match (what, process.step) {
        (Move::ReadEvent, Stage::Reading { upto, .. }) => process.step = Stage::reading(upto + 1),
        (Move::ReadRegistry, Stage::Reading { upto, .. }) => {
            process.step = Stage::Reading { upto, known: Some(scheme) };
        }
        (Move::See, Stage::Reading { upto, known }) => {
            let known = known.unwrap_or(scheme);
            if without == Some(Part::PositionLast) {
                write(world, id, upto);
            } else if known && binlog.last_of_ours(upto) > process.at {
                invalidate(world, id, upto);
            } else {
                process.step = Stage::Invalidated { upto };
            }
        }
        (Move::WritePosition, Stage::Invalidated { upto }) => write(world, id, upto),
        (Move::WriteAgain, Stage::Writing { upto } | Stage::Copying { upto, .. } | Stage::GoingBack { upto, .. }) => {
            world.faults.timeouts -= 1;
            write(world, id, upto);
        }
        (Move::Confirm, _) => {
            let at = process.at;
            write(world, id, at);
        }
        (Move::Remove, Stage::Removing { upto, to, claims: true }) => {
            process.step = Stage::Removing { upto, to, claims: false };
            world.entries.iter_mut().for_each(|entry| entry.l = None);
        }
        (Move::Remove, Stage::Removing { upto, to, claims: false }) => {
            for entry in world.entries.iter_mut().filter(|entry| entry.g != Tags::None) {
                *entry = Entry { l: entry.l, ..Entry::EMPTY };
            }
            go_back(world, id, upto, to);
        }
        (Move::Look, _) => process.resume(world.position),
        (Move::Crash, _) => {
            world.faults.follower_crashes -= 1;
            process.told = None;
            process.step = Stage::Down;
            process.refusals = [None; 2];
            process.round += 1;
            world.taggers[usize::from(process.tagger)].give_up();
        }
        (Move::Start, _) => {
            process.resume(world.position);
            if without == Some(Part::PositionResumed) {
                process.step = Stage::Invalidated { upto: world.binlog.logged };
            }
        }
        _ => {}
    }
}

/// Returns whether the registry has our scheme, or isn't asked.
fn known_to(world: &World) -> bool {
    !world.index.table.has_schemes || world.index.table.scheme.is_some()
}

fn invalidate(world: &mut World, id: u8, upto: Position) {
    let Some(process) = world.processes.get_mut(usize::from(id)) else { return };
    process.step = Stage::Invalidating { upto };
    world.taggers[usize::from(process.tagger)].begin();
}

fn write(world: &mut World, id: u8, upto: Position) {
    let Some(process) = world.processes.get_mut(usize::from(id)) else { return };
    process.round += 1;
    process.refusals = [None; 2];
    process.step = Stage::Writing { upto };
    let command =
        Command::Position { process: id, round: process.round, expected: process.at, new: upto, told: process.told };
    world.send(command);
}

/// Its invalidation has returned.
pub(crate) fn invalidated(world: &mut World, id: u8, without: Option<Part>) {
    let Some(process) = world.processes.get_mut(usize::from(id)) else { return };
    let Stage::Invalidating { upto } = process.step else { return };
    process.step = if without == Some(Part::PositionLast) { Stage::reading(upto) } else { Stage::Invalidated { upto } };
}

pub(crate) fn position_answered(world: &mut World, id: u8, round: u8, stored: bool, without: Option<Part>) {
    let scheme = known_to(world);
    let position = world.position;
    let Some(process) = world.processes.get_mut(usize::from(id)) else { return };
    let Stage::Writing { upto } = process.step else { return };
    if process.round != round {
        return;
    }
    let invalidates = without == Some(Part::PositionLast) && scheme && world.binlog.last_of_ours(upto) > process.at;
    if stored && world.primaries.are_a_cluster {
        return copy(world, id, upto, None);
    }
    if !stored {
        process.told = Some(round);
    }
    process.resume(if stored { upto } else { position });
    if stored && invalidates {
        invalidate(world, id, upto);
    }
}

/// Sends a copy to each primary. `back`: the follower goes on from there, as everything was
/// removed. A primary that goes back meanwhile refuses again.
pub(super) fn copy(world: &mut World, id: u8, upto: Position, back: Option<Position>) {
    let number = world.primaries.number;
    let Some(process) = world.processes.get_mut(usize::from(id)) else { return };
    process.round += 1;
    process.step = Stage::Copying { upto, unanswered: [true; 2], found: None, back };
    let (round, position) = (process.round, back.unwrap_or(upto));
    for (primary, history) in [0, 1].into_iter().zip(std::mem::take(&mut process.refusals)) {
        world.send(Command::Copy { process: id, round, primary, number, position, history });
    }
}

/// Writes the copy of a primary. Returns the number and the position that it has instead.
pub(super) fn write_copy(
    world: &mut World,
    primary: u8,
    (number, position): (u8, Position),
    expected: Option<u8>,
    without: Option<Part>,
) -> Option<(u8, Position)> {
    let history = world.primaries.histories[usize::from(primary)];
    let copy = &mut world.primaries.copies[usize::from(primary)];
    if expected.unwrap_or(copy.history) != history && without != Some(Part::PrimaryCopies) {
        return Some((copy.number, copy.position));
    }
    *copy = PositionCopy { number, position, history };
    world.count_position();
    None
}

pub(super) fn copy_answered(
    world: &mut World,
    id: u8,
    (round, primary): (u8, u8),
    instead: Option<(u8, Position)>,
    without: Option<Part>,
) {
    let Some(process) = world.processes.get_mut(usize::from(id)) else { return };
    let Stage::Copying { upto, unanswered, found, back } = &mut process.step else { return };
    if process.round != round {
        return;
    }
    unanswered[usize::from(primary)] = false;
    process.refusals[usize::from(primary)] = instead.map(|_| world.primaries.histories[usize::from(primary)]);
    *found = found.iter().copied().chain(instead).min();
    if *unanswered != [false, false] {
        return;
    }
    match (*upto, *found, *back) {
        // The next position finds out which primaries refused again.
        (_, _, Some(back)) => process.resume(back),
        (upto, None, None) => process.resume(upto),
        (upto, Some((_, to)), None) if without == Some(Part::PrimaryRemoval) => go_back(world, id, upto, to),
        (upto, Some((_, to)), None) => {
            process.step = Stage::Removing { upto, to, claims: without != Some(Part::PrimaryClaims) };
        }
    }
}

/// Goes on from the oldest position, as everything with tags is removed.
pub(super) fn go_back(world: &mut World, id: u8, upto: Position, to: Position) {
    let Some(process) = world.processes.get_mut(usize::from(id)) else { return };
    process.round += 1;
    process.step = Stage::GoingBack { upto, to };
    let round = process.round;
    world.send(Command::GoBack { process: id, round, position: to });
}

pub(super) fn back_answered(world: &mut World, id: u8, round: u8) {
    let Some(process) = world.processes.get_mut(usize::from(id)) else { return };
    let Stage::GoingBack { upto, to } = process.step else { return };
    if process.round == round {
        process.told = Some(round);
        copy(world, id, upto, Some(to));
    }
}

pub(crate) fn name(id: u8) -> String {
    format!("binlog follower {}", id + 1)
}

pub(crate) fn words(before: &World, id: u8, what: Move, without: Option<Part>) -> String {
    let Some(process) = before.processes.get(usize::from(id)) else { return String::new() };
    let registry = match before.index.table.scheme {
        _ if !before.index.table.has_schemes => "",
        None => "reads the registry, which has no scheme; ",
        Some(_) => "reads the registry, which has the scheme; ",
    };
    match (what, process.step) {
        (Move::ReadEvent, Stage::Reading { upto, .. }) => {
            let about = before.binlog.changes.get(usize::from(upto));
            let about = if about == Some(&Change::Ours) { "our row changed" } else { "another row changed" };
            format!("reads event {}: {about}", upto + 1)
        }
        (Move::ReadRegistry, _) => format!("{registry}the event isn't known to be visible").replace("; ", ", and "),
        (Move::See, Stage::Reading { upto, known }) => {
            let waited = if without == Some(Part::VisibilityWait) { "doesn't wait" } else { "waits: it is visible" };
            let registry = if known.is_some() { "" } else { registry };
            let then = if without == Some(Part::PositionLast) {
                format!("writes position {upto} before it invalidates")
            } else if known.unwrap_or(known_to(before)) && before.binlog.last_of_ours(upto) > process.at {
                "begins to invalidate".to_owned()
            } else {
                "nothing is to be invalidated".to_owned()
            };
            format!("{waited}; {registry}{then}")
        }
        (Move::WritePosition, Stage::Invalidated { upto }) => {
            format!("sends position {upto}, if Redis has {}", process.at)
        }
        (Move::WriteAgain, _) => "no reply in time; sends the position again".to_owned(),
        (Move::Confirm, _) => format!("sends position {} again, to be compared", process.at),
        (Move::Remove, Stage::Removing { claims: true, .. }) => "removes all claims, by scan".to_owned(),
        (Move::Remove, _) => "removes all entries with tags, by scan".to_owned(),
        (Move::Look, _) => format!("finds position {}, not {}: goes on from there", before.position, process.at),
        (Move::Crash, _) => "crashes".to_owned(),
        (Move::Start, _) if without == Some(Part::PositionResumed) => {
            format!("starts, after the newest event, {}", before.binlog.logged)
        }
        (Move::Start, _) => format!("starts, after position {}", before.position),
        _ => format!("{what:?}"),
    }
}
