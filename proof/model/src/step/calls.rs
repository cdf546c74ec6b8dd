//! The pieces of a reader's call: the commands that it sends, and its end.

use super::flight;
use crate::part::Part;
use crate::state::command::Command;
use crate::state::index::Tags;
use crate::state::reader::{Made, Outcome, Step};
use crate::state::redis::{Token, Value};
use crate::state::world::World;

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
    if let Some(reader) = world.readers.get_mut(usize::from(id)) {
        reader.registered = false;
    }
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
        flight::begin_read(world);
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
        flight::land(world, value, accepted, without);
    }
    if let Some(reader) = world.readers.get_mut(usize::from(id)) {
        reader.calls_left -= 1;
        reader.now = None;
        reader.step = Step::Idle;
    }
}

pub(super) fn go(world: &mut World, id: u8, step: Step) {
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
