//! A command arrives at Redis: its execution, and the reply.

use super::{calls, fault, process, tagger, writer};
use crate::part::Part;
use crate::state::{Claim, Command, Entry, Position, World};

/// Executes the command in Redis, and delivers the reply to its sender.
pub(crate) fn execute(command: Command, world: &mut World, without: Option<Part>) {
    match command {
        Command::Claim { attempt, token, refresh, copy } => {
            let reply = entry(world, token.reader).claim(token, refresh, copy, without);
            calls::claim_answered(world, attempt, reply, without);
        }
        Command::Fill { token, value, tags, copy } => {
            let stored = entry(world, token.reader).fill(token, value, tags, copy, without);
            calls::fill_answered(world, token, stored, without);
        }
        Command::Release { token } => {
            entry(world, token.reader).release(token);
        }
        Command::Unlink { writer, round, keys } => {
            world.entries[0].unlink(keys);
            writer::unlink_answered(world, writer, round, keys);
        }
        Command::Track { token, since } => {
            let entry = world.entry_of(token.reader);
            let score = world.new_score(entry);
            let in_time = world.index.track(entry, score, since, without);
            if world.index.table.has_schemes && without == Some(Part::SchemeFirst) {
                world.index.table.scheme.get_or_insert(since);
            }
            calls::track_answered(world, token, in_time, without);
        }
        Command::Admit { token, since } => {
            let admitted = world.index.table.admits(since, without);
            calls::admit_answered(world, token, admitted, without);
        }
        Command::Mark { tagger, round, moment } => {
            world.index.table.mark(moment, without);
            tagger::mark_answered(world, tagger, round);
        }
        Command::Bump { tagger, round, moment } => {
            let listed = world.index.bump(moment);
            tagger::bump_answered(world, tagger, round, listed, without);
        }
        Command::Drop { tagger, round, entry } => {
            world.entries[usize::from(entry)].drop_tagged(without);
            tagger::drop_answered(world, tagger, round, entry);
        }
        Command::Prune { listed } => world.index.prune(listed, without),
        Command::Position { process, round, expected, new, told } => {
            let stored = takes(world, (process, told), expected, new, without);
            if stored {
                if world.position != new {
                    world.primaries.number += 1;
                    world.primaries.again = None;
                }
                world.position = new;
                world.count_position();
                world.primaries.note_history();
            } else if world.position == expected {
                world.primaries.again = Some((process, round));
                world.primaries.note_history();
            }
            process::position_answered(world, process, round, stored, without);
        }
        Command::Copy { process, round, primary, number, position, history } => {
            let instead = process::write_copy(world, primary, (number, position), history, without);
            process::copy_answered(world, process, (round, primary), instead, without);
        }
        Command::GoBack { process, round, position } => {
            world.position = position;
            world.primaries.number += 1;
            world.primaries.again = Some((process, round));
            process::back_answered(world, process, round);
        }
    }
}

/// Returns whether Redis takes a position. What was invalidated since the last one may be undone if
/// Redis has another history by now, or if it has said so and the follower hasn't heard it.
fn takes(
    world: &World,
    (process, told): (u8, Option<u8>),
    expected: Position,
    new: Position,
    without: Option<Part>,
) -> bool {
    let continues = world.primaries.has_noted_history()
        && world.primaries.again.is_none_or(|(id, round)| id == process && told == Some(round))
        || without == Some(Part::BatchAgain);
    world.position == new || (world.position == expected && continues) || without == Some(Part::PositionCompared)
}

fn entry(world: &mut World, reader: u8) -> &mut Entry {
    let entry = world.entry_of(reader);
    &mut world.entries[usize::from(entry)]
}

pub(crate) fn words(command: Command, before: &World, without: Option<Part>) -> String {
    let mut world = before.clone();
    match command {
        Command::Claim { token, refresh, copy, .. } => {
            let result = match entry(&mut world, token.reader).claim(token, refresh, copy, without) {
                Claim::Hit(value) => format!("a hit, {value}"),
                Claim::Busy => "busy".to_owned(),
                Claim::Granted => "granted".to_owned(),
            };
            format!("claim{} with token {token}: {result}", if refresh { " to refresh" } else { "" })
        }
        Command::Fill { token, value, tags, copy } => {
            let stored = entry(&mut world, token.reader).fill(token, value, tags, copy, without);
            format!("fill {value} with token {token}: {}", if stored { "stored" } else { "refused" })
        }
        Command::Release { token } => {
            let released = entry(&mut world, token.reader).release(token);
            format!("release with token {token}: {}", if released { "released" } else { "not ours any more" })
        }
        Command::Unlink { writer, keys, .. } => format!("writer {}'s UNLINK {keys}", writer + 1),
        Command::Track { token, since } => {
            let in_time = world.index.track(world.entry_of(token.reader), 1, since, without);
            format!("track with token {token}: {}", if in_time { "registered" } else { "too late" })
        }
        Command::Admit { token, since } => {
            let admitted = world.index.table.admits(since, without);
            format!("asks the table with token {token}: {}", if admitted { "the fill may follow" } else { "too late" })
        }
        Command::Mark { tagger, moment, .. } => {
            world.index.table.mark(moment, without);
            format!(
                "{}'s mark of the bucket by {moment}: it is {}",
                tagger::name(before, tagger),
                world.index.table.bucket
            )
        }
        Command::Bump { tagger, moment, .. } => {
            let listed = world.index.bump(moment).iter().filter(|score| **score > 0).count();
            format!("{}'s bump to {moment}: {listed} listed", tagger::name(before, tagger))
        }
        Command::Drop { tagger, entry, .. } => {
            let stays = world.entries[usize::from(entry)].drop_tagged(without);
            let what = fault::key("K", entry);
            format!("{}'s drop: {what} {}", tagger::name(before, tagger), if stays { "stays" } else { "is gone" })
        }
        Command::Prune { .. } => "prune".to_owned(),
        Command::Position { process, expected, new, told, .. } => {
            let stored = takes(before, (process, told), expected, new, without);
            let result = if stored { "stored" } else { "refused, as Redis has another, or went back" };
            format!("{}'s position {new}: {result}", process::name(process))
        }
        Command::Copy { process, primary, number, position, history, .. } => {
            let result = match process::write_copy(&mut world, primary, (number, position), history, without) {
                None => "stored".to_owned(),
                Some((number, position)) => format!("refused, it has {number}:{position}"),
            };
            let to = if primary == 0 { "A" } else { "B" };
            format!("{}'s copy {number}:{position} to {to}: {result}", process::name(process))
        }
        Command::GoBack { process, position, .. } => {
            format!("{}'s position goes back to {position}", process::name(process))
        }
    }
}
