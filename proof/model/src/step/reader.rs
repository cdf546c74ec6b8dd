//! A process that reads through the cache: GET, claim, read, track, fill.

use super::flight;
use super::source::{self, Source};
use crate::part::Part;
use crate::setting::{Setting, Tagging};
use crate::state::command::Command;
use crate::state::index::Tags;
use crate::state::reader::{Made, Outcome, Reader, Step};
use crate::state::redis::{Claim, Content, Token, Value};
use crate::state::world::World;

/// A reader's own moves. The effects of its commands follow when they arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Move {
    /// GETs K: a hit, or the reader leads a flight and claims.
    Get,
    /// Claims K although it has a value, to read anew before the value expires.
    Refresh,
    /// Claims again, because the claim wasn't answered in time.
    ClaimAgain,
    /// Reads without the cache, as the claim wasn't answered in time. Releases a possible claim.
    Bypass,
    /// GETs K again: a hit, or it claims.
    Poll,
    /// Reads the database without the cache, because it has waited long enough.
    StopWaiting,
    /// Asks for the clock. The reply belongs to this step, since the clock stays as it is.
    Now,
    Read(Source),
    /// The read fails, and the claim is released.
    FailToRead,
    /// GETs S: a stale answer, or the caller gets the error.
    GetCopy,
    SendFill,
    /// Releases a possible claim, as the fill or an earlier command wasn't answered in time.
    ForgetFill,
    /// Hands the caller its value, and the followers the value that is for them.
    Land,
    Crash,
}

/// Returns the moves that this reader may make next.
pub(crate) fn moves(reader: &Reader, world: &World, setting: &Setting) -> Vec<Move> {
    let faults = world.faults;
    let entry = &world.entries[usize::from(reader.entry)];
    let asks = setting.tags != Tagging::None && reader.now.is_none();
    let mut moves = match reader.step {
        Step::Idle if reader.calls_left == 0 => return Vec::new(),
        Step::Idle if setting.refresh && entry.k.value().is_some() => vec![Move::Get, Move::Refresh],
        Step::Idle => vec![Move::Get],
        Step::Claiming { .. } if faults.timeouts > 0 => vec![Move::ClaimAgain, Move::Bypass],
        Step::Claiming { .. } => Vec::new(),
        // A further GET changes nothing while the other's claim stands.
        Step::Waiting if entry.k == Content::Claimed && entry.l.is_some() => vec![Move::StopWaiting],
        Step::Waiting => vec![Move::Poll, Move::StopWaiting],
        // `Now` comes first: see below.
        Step::Granted { .. } if asks => Vec::new(),
        Step::Granted { .. } => {
            let mut moves: Vec<_> = source::all(world, reader.entry, setting.tags).map(Move::Read).collect();
            if faults.failed_reads > 0 {
                moves.push(Move::FailToRead);
            }
            moves
        }
        Step::Holding { .. } => vec![Move::SendFill],
        Step::Tracking { .. } | Step::Admitting { .. } | Step::Filling { .. } if faults.timeouts > 0 => {
            vec![Move::ForgetFill]
        }
        Step::Tracking { .. } | Step::Admitting { .. } | Step::Filling { .. } => Vec::new(),
        Step::Filled { .. } => vec![Move::Land],
        // Its flight has landed and its claim is being released: a crash would change nothing.
        Step::Failed => return vec![Move::GetCopy],
        Step::Crashed => return Vec::new(),
    };
    if asks && matches!(reader.step, Step::Claiming { .. } | Step::Granted { .. }) {
        moves.push(Move::Now);
    }
    if faults.crashes > 0 && reader.step != Step::Idle {
        moves.push(Move::Crash);
    }
    moves
}

/// Lets the reader `id` make a move.
pub(crate) fn make(world: &mut World, id: u8, what: Move, without: Option<Part>) {
    let Some(&Reader { entry, step, copies, now, .. }) = world.readers.get(usize::from(id)) else { return };
    match (what, step) {
        (Move::Get | Move::Poll, _) => match world.entries[usize::from(entry)].k.value() {
            // The version needs no check: the invariant of the cache covers all cached values.
            Some(value) => end(world, id, Some(value), false, without),
            None => {
                open_flight(world, id);
                claim(world, id, false, false, without);
            }
        },
        (Move::Refresh, _) => {
            open_flight(world, id);
            claim(world, id, true, false, without);
        }
        (Move::ClaimAgain, Step::Claiming { refresh }) => {
            world.faults.timeouts -= 1;
            claim(world, id, refresh, true, without);
        }
        (Move::Bypass, _) => {
            world.faults.timeouts -= 1;
            release(world, id);
            let value = bypass(world, id);
            end(world, id, Some(value), false, without);
        }
        (Move::StopWaiting, _) => {
            let value = bypass(world, id);
            end(world, id, Some(value), false, without);
        }
        (Move::Now, _) => {
            let now = source::now(world, without);
            if let Some(reader) = world.readers.get_mut(usize::from(id)) {
                reader.now = Some(now);
            }
        }
        (Move::Read(from), Step::Granted { refresh }) => {
            begin_read(world, id);
            // A function claims before its query, which registers the scheme, is known.
            if entry > 0 && from == Source::RowOfOurs {
                register(world, id, without);
            }
            if from == Source::Copy {
                world.faults.failed_reads -= 1;
            }
            let (value, tags) = source::read(world, entry, from, now, without);
            match tags {
                Some(tags) => go(world, id, Step::Holding { made: Made { value, tags }, refresh }),
                // Nobody could invalidate a value that is computed from it.
                None => {
                    release(world, id);
                    end(world, id, Some(value), false, without);
                }
            }
        }
        (Move::FailToRead, _) => {
            world.faults.failed_reads -= 1;
            release(world, id);
            // Every caller of a failed flight GETs S by itself.
            end(world, id, None, false, without);
            if copies {
                go(world, id, Step::Failed);
            }
        }
        // The version needs no check here either.
        (Move::GetCopy, _) => go(world, id, Step::Idle),
        (Move::SendFill, Step::Holding { made, refresh }) => {
            if id == 0 && without != Some(Part::CloseFirst) {
                world.flight_open = false;
            }
            let tracks = matches!(made.tags, Tags::Ours { .. });
            if tracks && without == Some(Part::BucketLast) {
                admit(world, id, made, refresh);
            } else if tracks && without != Some(Part::TrackFirst) {
                track(world, id, made, refresh, without);
            } else {
                fill(world, id, made, refresh);
            }
        }
        (
            Move::ForgetFill,
            Step::Tracking { made, refresh } | Step::Admitting { made, refresh } | Step::Filling { made, refresh },
        ) => {
            world.faults.timeouts -= 1;
            release(world, id);
            go(world, id, Step::Filled { value: made.value, refresh, outcome: Outcome::Unknown });
        }
        (Move::Land, Step::Filled { value, outcome, .. }) => {
            end(world, id, Some(value), outcome == Outcome::Accepted, without);
        }
        (Move::Crash, _) => {
            world.faults.crashes -= 1;
            end(world, id, None, false, without);
            go(world, id, Step::Crashed);
        }
        _ => {}
    }
}

/// Takes the reply to a claim, if its sender still waits for it.
pub(crate) fn claim_answered(world: &mut World, attempt: Token, reply: Claim, without: Option<Part>) {
    let Some(reader) = world.readers.get(usize::from(attempt.reader)) else { return };
    let Step::Claiming { refresh } = reader.step else { return };
    if reader.claims != attempt.claim {
        return;
    }
    match reply {
        Claim::Hit(value) => end(world, attempt.reader, Some(value), false, without),
        Claim::Granted => go(world, attempt.reader, Step::Granted { refresh }),
        // Another refresh is under way; this caller has had its hit.
        Claim::Busy if refresh => end(world, attempt.reader, None, false, without),
        Claim::Busy => go(world, attempt.reader, Step::Waiting),
    }
}

/// Takes the reply to a track, if its sender still waits for it.
pub(crate) fn track_answered(world: &mut World, token: Token, in_time: bool, without: Option<Part>) {
    let Some(reader) = world.readers.get(usize::from(token.reader)) else { return };
    let Step::Tracking { made, refresh } = reader.step else { return };
    if reader.token != token.claim {
        return;
    }
    if !in_time {
        too_late(world, token.reader, made, refresh);
    } else if without == Some(Part::TrackFirst) {
        go(world, token.reader, Step::Filled { value: made.value, refresh, outcome: Outcome::Accepted });
    } else if world.index.table.is_asked() && without != Some(Part::BucketLast) {
        admit(world, token.reader, made, refresh);
    } else {
        fill(world, token.reader, made, refresh);
    }
}

/// Takes the reply to the other half of a track, if its sender still waits for it.
pub(crate) fn admit_answered(world: &mut World, token: Token, admitted: bool, without: Option<Part>) {
    let Some(reader) = world.readers.get(usize::from(token.reader)) else { return };
    let Step::Admitting { made, refresh } = reader.step else { return };
    if reader.token != token.claim {
        return;
    }
    if !admitted {
        too_late(world, token.reader, made, refresh);
    } else if without == Some(Part::BucketLast) {
        track(world, token.reader, made, refresh, without);
    } else {
        fill(world, token.reader, made, refresh);
    }
}

/// Takes the reply to a fill, if its sender still waits for it.
pub(crate) fn fill_answered(world: &mut World, token: Token, stored: bool, without: Option<Part>) {
    let Some(reader) = world.readers.get(usize::from(token.reader)) else { return };
    let Step::Filling { made, refresh } = reader.step else { return };
    if reader.token != token.claim {
        return;
    }
    if stored && without == Some(Part::TrackFirst) && matches!(made.tags, Tags::Ours { .. }) {
        track(world, token.reader, made, refresh, without);
    } else {
        let outcome = if stored { Outcome::Accepted } else { Outcome::Refused };
        go(world, token.reader, Step::Filled { value: made.value, refresh, outcome });
    }
}

fn claim(world: &mut World, id: u8, refresh: bool, again: bool, without: Option<Part>) {
    // A claim may return a value, so it counts as a read.
    begin_read(world, id);
    if world.entry_of(id) == 0 {
        register(world, id, without);
    }
    let Some(reader) = world.readers.get_mut(usize::from(id)) else { return };
    reader.claims += 1;
    if !again || without != Some(Part::NewToken) {
        reader.token = reader.claims;
    }
    reader.now = None;
    reader.step = Step::Claiming { refresh };
    let attempt = Token { reader: id, claim: reader.claims };
    let token = Token { reader: id, claim: reader.token };
    let copy = reader.copies;
    world.send(Command::Claim { attempt, token, refresh, copy });
}

/// Registers the scheme, unless its process remembers that it has.
fn register(world: &mut World, id: u8, without: Option<Part>) {
    if let Some(reader) = world.readers.get_mut(usize::from(id))
        && !reader.registered
        && world.index.table.has_schemes
        && without != Some(Part::SchemeFirst)
    {
        reader.registered = true;
        world.index.register();
    }
}

/// Redis went back, and the connection ended. No reply will come.
pub(crate) fn disconnected(world: &mut World, id: u8, without: Option<Part>) {
    let Some(reader) = world.readers.get(usize::from(id)) else { return };
    match reader.step {
        Step::Claiming { .. } => {
            release(world, id);
            let value = bypass(world, id);
            end(world, id, Some(value), false, without);
        }
        Step::Filling { .. } if without == Some(Part::FillConnection) => {}
        Step::Tracking { made, refresh } | Step::Admitting { made, refresh } | Step::Filling { made, refresh } => {
            release(world, id);
            go(world, id, Step::Filled { value: made.value, refresh, outcome: Outcome::Unknown });
        }
        _ => {}
    }
}

fn track(world: &mut World, id: u8, made: Made, refresh: bool, without: Option<Part>) {
    let Tags::Ours { since } = made.tags else { return };
    if without == Some(Part::EpochLast) && world.index.refuses(since, without) {
        return too_late(world, id, made, refresh);
    }
    let token = token(world, id);
    world.send(Command::Track { token, since });
    go(world, id, Step::Tracking { made, refresh });
}

fn admit(world: &mut World, id: u8, made: Made, refresh: bool) {
    let Tags::Ours { since } = made.tags else { return };
    let token = token(world, id);
    world.send(Command::Admit { token, since });
    go(world, id, Step::Admitting { made, refresh });
}

fn too_late(world: &mut World, id: u8, made: Made, refresh: bool) {
    release(world, id);
    if let Some(reader) = world.readers.get_mut(usize::from(id)) {
        reader.registered = false;
    }
    go(world, id, Step::Filled { value: made.value, refresh, outcome: Outcome::TooLate });
}

fn fill(world: &mut World, id: u8, made: Made, refresh: bool) {
    let token = token(world, id);
    let copy = world.readers.get(usize::from(id)).is_some_and(|reader| reader.copies);
    world.send(Command::Fill { token, value: made.value, tags: made.tags, copy });
    go(world, id, Step::Filling { made, refresh });
}

fn release(world: &mut World, id: u8) {
    let token = token(world, id);
    world.send(Command::Release { token });
}

/// Reads the row on the primary, in autocommit. Nothing is newer, so its tags don't matter.
fn bypass(world: &mut World, id: u8) -> Value {
    begin_read(world, id);
    Value::plain(world.row)
}

fn begin_read(world: &mut World, id: u8) {
    if id == 0 {
        flight::begin_read(world);
    }
}

fn open_flight(world: &mut World, id: u8) {
    if id == 0 && !world.followers.is_empty() {
        world.flight_open = true;
    }
}

/// Ends the call. If it led a flight, the flight lands.
fn end(world: &mut World, id: u8, value: Option<Value>, accepted: bool, without: Option<Part>) {
    if id == 0 {
        flight::land(world, value, accepted, without);
    }
    if let Some(reader) = world.readers.get_mut(usize::from(id)) {
        reader.calls_left -= 1;
        reader.now = None;
        reader.step = Step::Idle;
    }
}

fn go(world: &mut World, id: u8, step: Step) {
    if let Some(reader) = world.readers.get_mut(usize::from(id)) {
        if !matches!(step, Step::Claiming { .. } | Step::Granted { .. }) {
            reader.now = None;
        }
        reader.step = step;
    }
}

pub(crate) fn token(world: &World, id: u8) -> Token {
    Token { reader: id, claim: world.readers.get(usize::from(id)).map_or(0, |reader| reader.token) }
}
