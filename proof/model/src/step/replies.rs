//! The replies that a reader gets, or waits for in vain.

use super::calls::{admit, bypass, end, fill, go, release, too_late, track};
use crate::part::Part;
use crate::state::index::Tags;
use crate::state::reader::{Outcome, Step};
use crate::state::redis::{Claim, Token};
use crate::state::world::World;

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
