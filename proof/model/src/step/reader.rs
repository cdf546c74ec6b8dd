//! A process that reads through the cache: GET, claim, read, track, fill.

use super::calls::{admit, begin_read, bypass, claim, end, fill, go, open_flight, register, release, token, track};
use super::source::{self, Source};
use crate::part::Part;
use crate::setting::{Setting, Tagging};
use crate::state::{Content, Made, Outcome, Reader, Step, Tags, Token, World};

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
            world.readers[usize::from(id)].now = Some(source::now(world, without));
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

pub(crate) fn words(before: &World, id: u8, what: Move, without: Option<Part>) -> String {
    let Some(reader) = before.readers.get(usize::from(id)) else { return String::new() };
    let entry = &before.entries[usize::from(reader.entry)];
    let next = Token { reader: id, claim: reader.claims + 1 };
    let registers = if before.index.table.has_schemes && !reader.registered && without != Some(Part::SchemeFirst) {
        "registers its scheme and "
    } else {
        ""
    };
    match (what, reader.step) {
        (Move::Get | Move::Poll, _) => match entry.k.value() {
            Some(value) => format!("GET K, a hit: {value}"),
            None => format!("GET K, a miss; {registers}sends claim with token {next}"),
        },
        (Move::Refresh, _) => format!("K shall be read anew; sends claim to refresh with token {next}"),
        (Move::ClaimAgain, _) if without == Some(Part::NewToken) => {
            format!("no reply in time; sends claim again with token {}", token(before, id))
        }
        (Move::ClaimAgain, _) => format!("no reply in time; sends claim again with token {next}"),
        (Move::Bypass, _) => format!("no reply in time; sends release, and reads v{} without the cache", before.row),
        (Move::StopWaiting, _) => format!("has waited long enough; reads v{} without the cache", before.row),
        (Move::Now, _) => format!("asks for the clock: {}", before.index.clock),
        (Move::Read(from), _) => source::words(before, reader.entry, from, reader.now, without),
        (Move::FailToRead, _) => "its read fails; sends release".to_owned(),
        (Move::GetCopy, _) => match entry.s.value() {
            Some(value) => format!("GET S: its caller gets {value}, a stale answer"),
            None => "GET S, nothing: its caller gets the error".to_owned(),
        },
        (Move::SendFill, Step::Holding { made: Made { value, tags }, .. }) => {
            let token = token(before, id);
            let flight = match (id, before.flight_open) {
                (0, true) if without != Some(Part::CloseFirst) => "closes its flight and ",
                _ => "",
            };
            match tags {
                Tags::Ours { since } if without == Some(Part::BucketLast) => {
                    format!("{flight}asks the table since {since}, before it tracks")
                }
                Tags::Ours { since } if without == Some(Part::EpochLast) && before.index.refuses(since, without) => {
                    format!("{flight}looks at the epoch, too late; sends release")
                }
                Tags::Ours { since } if without != Some(Part::TrackFirst) => {
                    let looks = if without == Some(Part::EpochLast) { "looks at the epoch and " } else { "" };
                    format!("{flight}{looks}sends track since {since}")
                }
                _ => format!("{flight}sends fill {value} with token {token}"),
            }
        }
        (Move::ForgetFill, _) => "no reply in time; sends release, but its command may yet arrive".to_owned(),
        (Move::Land, Step::Filled { value, .. }) => format!("its caller gets {value}; its flight lands"),
        (Move::Crash, _) => "crashes".to_owned(),
        _ => format!("{what:?}"),
    }
}
