//! The pieces of a reader's call: its commands, their replies, its end, and who follows its flight.

use crate::part::Part;
use crate::state::{Claim, Command, Follower, Made, Outcome, Step, Tags, Token, Value, World};

pub(super) fn claim(world: &mut World, id: u8, refresh: bool, again: bool, without: Option<Part>) {
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
pub(super) fn register(world: &mut World, id: u8, without: Option<Part>) {
    if let Some(reader) = world.readers.get_mut(usize::from(id))
        && !reader.registered
        && world.index.table.has_schemes
        && without != Some(Part::SchemeFirst)
    {
        reader.registered = true;
        world.index.register();
    }
}

pub(super) fn track(world: &mut World, id: u8, made: Made, refresh: bool, without: Option<Part>) {
    let Tags::Ours { since } = made.tags else { return };
    if without == Some(Part::EpochLast) && world.index.refuses(since, without) {
        return too_late(world, id, made, refresh);
    }
    let token = token(world, id);
    world.send(Command::Track { token, since });
    go(world, id, Step::Tracking { made, refresh });
}

pub(super) fn admit(world: &mut World, id: u8, made: Made, refresh: bool) {
    let Tags::Ours { since } = made.tags else { return };
    let token = token(world, id);
    world.send(Command::Admit { token, since });
    go(world, id, Step::Admitting { made, refresh });
}

pub(super) fn too_late(world: &mut World, id: u8, made: Made, refresh: bool) {
    release(world, id);
    world.readers[usize::from(id)].registered = false;
    go(world, id, Step::Filled { value: made.value, refresh, outcome: Outcome::TooLate });
}

pub(super) fn fill(world: &mut World, id: u8, made: Made, refresh: bool) {
    let token = token(world, id);
    let copy = world.readers.get(usize::from(id)).is_some_and(|reader| reader.copies);
    world.send(Command::Fill { token, value: made.value, tags: made.tags, copy });
    go(world, id, Step::Filling { made, refresh });
}

pub(super) fn release(world: &mut World, id: u8) {
    let token = token(world, id);
    world.send(Command::Release { token });
}

/// Reads the row on the primary, in autocommit. Nothing is newer, so its tags don't matter.
pub(super) fn bypass(world: &mut World, id: u8) -> Value {
    begin_read(world, id);
    Value::plain(world.row)
}

pub(super) fn begin_read(world: &mut World, id: u8) {
    if id == 0 {
        read_begins(world);
    }
}

pub(super) fn open_flight(world: &mut World, id: u8) {
    if id == 0 && !world.followers.is_empty() {
        world.flight_open = true;
    }
}

/// Ends the call. If it led a flight, the flight lands.
pub(super) fn end(world: &mut World, id: u8, value: Option<Value>, accepted: bool, without: Option<Part>) {
    if id == 0 {
        land(world, value, accepted, without);
    }
    let reader = &mut world.readers[usize::from(id)];
    reader.calls_left -= 1;
    reader.now = None;
    reader.step = Step::Idle;
}

pub(super) fn go(world: &mut World, id: u8, step: Step) {
    let reader = &mut world.readers[usize::from(id)];
    if !matches!(step, Step::Claiming { .. } | Step::Granted { .. }) {
        reader.now = None;
    }
    reader.step = step;
}

pub(crate) fn token(world: &World, id: u8) -> Token {
    Token { reader: id, claim: world.readers.get(usize::from(id)).map_or(0, |reader| reader.token) }
}

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

/// Returns whether the flight can be joined. K's content doesn't matter: a GET may have missed.
pub(crate) fn may_join(world: &World, follower: u8) -> bool {
    world.followers.get(usize::from(follower)) == Some(&Follower::Idle) && world.flight_open
}

/// Joins the flight. The call begins here, because an earlier beginning would ask for less.
pub(crate) fn join(world: &mut World, follower: u8) {
    world.followers[usize::from(follower)] = Follower::Following { early: false, floor: world.floor };
}

/// The leader begins a read. Followers that have joined by now may have its result.
fn read_begins(world: &mut World) {
    for follower in &mut world.followers {
        if let Follower::Following { early, .. } = follower {
            *early = true;
        }
    }
}

/// The flight lands. Each follower takes the value, or is left alone.
fn land(world: &mut World, value: Option<Value>, accepted: bool, without: Option<Part>) {
    world.flight_open = false;
    for follower in &mut world.followers {
        let Follower::Following { early, floor } = *follower else { continue };
        *follower = match value {
            Some(value) if accepted || early || without == Some(Part::FollowerRule) => {
                world.stale_answer |= !floor.allows(value);
                Follower::Took
            }
            _ => Follower::Alone,
        };
    }
}
