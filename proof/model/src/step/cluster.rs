//! A follower of the binlog copies its position to each primary of a cluster, and finds out by the
//! copies whether one went back.

use crate::part::Part;
use crate::state::{Command, Position, PositionCopy, Stage, World};

/// Sends a copy to each primary. `back`: the follower goes on from there, as everything was removed.
/// A primary that goes back meanwhile refuses again.
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
