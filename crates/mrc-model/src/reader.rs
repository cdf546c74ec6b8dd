//! A process that reads through the cache: GET, claim, read, fill.

use crate::follower;
use crate::part::Part;
use crate::redis::{Claim, Content, Token, Version};
use crate::world::{Command, World};

/// Where a reader is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Reader {
    pub(crate) calls_left: u8,
    /// It keeps copies: its claims and fills name S, and it looks there when a read fails.
    pub(crate) copies: bool,
    /// How many claims it has sent.
    pub(crate) claims: u8,
    /// The number of the claim whose token it uses: the last, unless a token is used again.
    pub(crate) token: u8,
    pub(crate) step: Step,
}

/// The steps of a call, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    Idle,
    /// The claim was sent.
    Claiming {
        refresh: bool,
    },
    /// Somebody else is filling.
    Waiting,
    /// The claim was granted.
    Granted {
        refresh: bool,
    },
    /// The database was read.
    Holding {
        version: Version,
        refresh: bool,
    },
    /// The fill was sent.
    Filling {
        version: Version,
        refresh: bool,
    },
    /// The fill was answered, or wasn't in time.
    Filled {
        version: Version,
        refresh: bool,
        outcome: Outcome,
    },
    /// The read failed.
    Failed,
    Crashed,
}

/// How a fill ended, as far as its sender knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    Accepted,
    Refused,
    Unknown,
}

/// What a reader does by itself. What its commands do, they do when they arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Move {
    /// GET K: a hit, or it leads a flight and claims.
    Get,
    /// K has a value and is claimed all the same, to be read anew before it expires.
    Refresh,
    /// The claim wasn't answered in time: it claims again.
    ClaimAgain,
    /// The claim wasn't answered in time: it reads the database without the cache, and releases what it may have claimed.
    Bypass,
    /// It looks at K again: a hit, or it claims.
    Poll,
    /// It has waited long enough, and reads the database without the cache.
    StopWaiting,
    Read,
    /// The read fails, and the claim is released.
    FailToRead,
    /// GET S: a stale answer, or the caller gets the error.
    GetCopy,
    SendFill,
    /// The fill wasn't answered in time: what may still be claimed is released.
    ForgetFill,
    /// The caller gets its value, and the followers what is for them.
    Land,
    Crash,
}

impl Reader {
    pub(crate) fn new(calls: u8, copies: bool) -> Self {
        Self { calls_left: calls, copies, claims: 0, token: 0, step: Step::Idle }
    }

    pub(crate) fn ended(&self) -> bool {
        self.step == Step::Crashed || (self.step == Step::Idle && self.calls_left == 0)
    }

    /// What this reader may do next.
    pub(crate) fn moves(&self, world: &World, refreshes: bool) -> Vec<Move> {
        let faults = world.faults;
        let mut moves = match self.step {
            Step::Idle if self.calls_left == 0 => return Vec::new(),
            Step::Idle if refreshes && world.redis.k.value().is_some() => vec![Move::Get, Move::Refresh],
            Step::Idle => vec![Move::Get],
            Step::Claiming { .. } if faults.timeouts > 0 => vec![Move::ClaimAgain, Move::Bypass],
            Step::Claiming { .. } => Vec::new(),
            // Looking again changes nothing while the other's claim stands.
            Step::Waiting if world.redis.k == Content::Claimed && world.redis.l.is_some() => vec![Move::StopWaiting],
            Step::Waiting => vec![Move::Poll, Move::StopWaiting],
            Step::Granted { .. } if faults.failed_reads > 0 => vec![Move::Read, Move::FailToRead],
            Step::Granted { .. } => vec![Move::Read],
            Step::Holding { .. } => vec![Move::SendFill],
            Step::Filling { .. } if faults.timeouts > 0 => vec![Move::ForgetFill],
            Step::Filling { .. } => Vec::new(),
            Step::Filled { .. } => vec![Move::Land],
            // Its flight has landed and its claim is on the way out: a crash would leave nothing more behind.
            Step::Failed => return vec![Move::GetCopy],
            Step::Crashed => return Vec::new(),
        };
        if faults.crashes > 0 && self.step != Step::Idle {
            moves.push(Move::Crash);
        }
        moves
    }
}

/// The reader `id` makes a move.
pub(crate) fn make(world: &mut World, id: u8, what: Move, without: Option<Part>) {
    let Some(&Reader { step, copies, .. }) = world.readers.get(usize::from(id)) else { return };
    match (what, step) {
        (Move::Get | Move::Poll, _) => match world.redis.k.value() {
            // Its version needs no look: what is in the cache is what the invariant of the cache allows.
            Some(version) => end(world, id, Some(version), false, without),
            None => {
                open_flight(world, id);
                claim(world, id, false, true);
            }
        },
        (Move::Refresh, _) => {
            open_flight(world, id);
            claim(world, id, true, true);
        }
        (Move::ClaimAgain, Step::Claiming { refresh }) => {
            world.faults.timeouts -= 1;
            claim(world, id, refresh, without != Some(Part::NewToken));
        }
        (Move::Bypass, _) => {
            world.faults.timeouts -= 1;
            release(world, id);
            let version = read(world, id);
            end(world, id, Some(version), false, without);
        }
        (Move::StopWaiting, _) => {
            let version = read(world, id);
            end(world, id, Some(version), false, without);
        }
        (Move::Read, Step::Granted { refresh }) => {
            let version = read(world, id);
            go(world, id, Step::Holding { version, refresh });
        }
        (Move::FailToRead, _) => {
            world.faults.failed_reads -= 1;
            release(world, id);
            // Every caller of a flight that failed looks at S by itself.
            end(world, id, None, false, without);
            if copies {
                go(world, id, Step::Failed);
            }
        }
        // The version needs no look here either.
        (Move::GetCopy, _) => go(world, id, Step::Idle),
        (Move::SendFill, Step::Holding { version, refresh }) => {
            if id == 0 && without != Some(Part::CloseFirst) {
                world.flight_open = false;
            }
            let token = token(world, id);
            world.send(Command::Fill { token, version, copy: copies });
            go(world, id, Step::Filling { version, refresh });
        }
        (Move::ForgetFill, Step::Filling { version, refresh }) => {
            world.faults.timeouts -= 1;
            release(world, id);
            go(world, id, Step::Filled { version, refresh, outcome: Outcome::Unknown });
        }
        (Move::Land, Step::Filled { version, outcome, .. }) => {
            end(world, id, Some(version), outcome == Outcome::Accepted, without);
        }
        (Move::Crash, _) => {
            world.faults.crashes -= 1;
            end(world, id, None, false, without);
            go(world, id, Step::Crashed);
        }
        _ => {}
    }
}

/// The reply to a claim, if its sender still waits for it.
pub(crate) fn claim_answered(world: &mut World, attempt: Token, reply: Claim, without: Option<Part>) {
    let Some(reader) = world.readers.get(usize::from(attempt.reader)) else { return };
    let Step::Claiming { refresh } = reader.step else { return };
    if reader.claims != attempt.claim {
        return;
    }
    match reply {
        Claim::Hit(version) => end(world, attempt.reader, Some(version), false, without),
        Claim::Granted => go(world, attempt.reader, Step::Granted { refresh }),
        // Somebody else refreshes already; its caller has had its hit.
        Claim::Busy if refresh => end(world, attempt.reader, None, false, without),
        Claim::Busy => go(world, attempt.reader, Step::Waiting),
    }
}

/// The reply to a fill, if its sender still waits for it.
pub(crate) fn fill_answered(world: &mut World, token: Token, stored: bool) {
    let Some(reader) = world.readers.get_mut(usize::from(token.reader)) else { return };
    if let Step::Filling { version, refresh } = reader.step
        && reader.token == token.claim
    {
        let outcome = if stored { Outcome::Accepted } else { Outcome::Refused };
        reader.step = Step::Filled { version, refresh, outcome };
    }
}

fn claim(world: &mut World, id: u8, refresh: bool, new_token: bool) {
    // A claim may return a value: that is a read too.
    if id == 0 {
        follower::begin_read(world);
    }
    let Some(reader) = world.readers.get_mut(usize::from(id)) else { return };
    reader.claims += 1;
    if new_token {
        reader.token = reader.claims;
    }
    reader.step = Step::Claiming { refresh };
    let attempt = Token { reader: id, claim: reader.claims };
    let token = Token { reader: id, claim: reader.token };
    let copy = reader.copies;
    world.send(Command::Claim { attempt, token, refresh, copy });
}

fn release(world: &mut World, id: u8) {
    let token = token(world, id);
    world.send(Command::Release { token });
}

/// Reads the row, on the primary, in autocommit.
fn read(world: &mut World, id: u8) -> Version {
    if id == 0 {
        follower::begin_read(world);
    }
    world.row
}

fn open_flight(world: &mut World, id: u8) {
    if id == 0 && !world.followers.is_empty() {
        world.flight_open = true;
    }
}

/// The call is over; if it led a flight, the flight lands.
fn end(world: &mut World, id: u8, value: Option<Version>, accepted: bool, without: Option<Part>) {
    if id == 0 {
        follower::land(world, value, accepted, without);
    }
    if let Some(reader) = world.readers.get_mut(usize::from(id)) {
        reader.calls_left -= 1;
        reader.step = Step::Idle;
    }
}

fn go(world: &mut World, id: u8, step: Step) {
    if let Some(reader) = world.readers.get_mut(usize::from(id)) {
        reader.step = step;
    }
}

fn token(world: &World, id: u8) -> Token {
    Token { reader: id, claim: world.readers.get(usize::from(id)).map_or(0, |reader| reader.token) }
}

/// What the reader `id` does, in words.
pub(crate) fn words(before: &World, id: u8, what: Move, without: Option<Part>) -> String {
    let Some(reader) = before.readers.get(usize::from(id)) else { return String::new() };
    let next = Token { reader: id, claim: reader.claims + 1 };
    match (what, reader.step) {
        (Move::Get | Move::Poll, _) => match before.redis.k.value() {
            Some(version) => format!("GET K, a hit: v{version}"),
            None => format!("GET K, a miss; sends claim with token {next}"),
        },
        (Move::Refresh, _) => format!("K shall be read anew; sends claim to refresh with token {next}"),
        (Move::ClaimAgain, _) if without == Some(Part::NewToken) => {
            format!("no reply in time; sends claim again with token {}", token(before, id))
        }
        (Move::ClaimAgain, _) => format!("no reply in time; sends claim again with token {next}"),
        (Move::Bypass, _) => format!("no reply in time; sends release, and reads v{} without the cache", before.row),
        (Move::StopWaiting, _) => format!("has waited long enough; reads v{} without the cache", before.row),
        (Move::Read, _) => format!("reads v{} from the database", before.row),
        (Move::FailToRead, _) => "its read fails; sends release".to_owned(),
        (Move::GetCopy, _) => match before.redis.s.value() {
            Some(version) => format!("GET S: its caller gets v{version}, a stale answer"),
            None => "GET S, nothing: its caller gets the error".to_owned(),
        },
        (Move::SendFill, Step::Holding { version, .. }) => {
            let token = token(before, id);
            let flight = match (id, before.flight_open) {
                (0, true) if without != Some(Part::CloseFirst) => "closes its flight and ",
                _ => "",
            };
            format!("{flight}sends fill v{version} with token {token}")
        }
        (Move::ForgetFill, _) => "no reply in time; sends release, but its fill may yet arrive".to_owned(),
        (Move::Land, Step::Filled { version, .. }) => format!("its caller gets v{version}; its flight lands"),
        (Move::Crash, _) => "crashes".to_owned(),
        _ => format!("{what:?}"),
    }
}
