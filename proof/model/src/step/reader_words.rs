//! The words of a reader's moves.

use super::calls::token;
use super::reader::Move;
use super::source;
use crate::part::Part;
use crate::state::index::Tags;
use crate::state::reader::{Made, Step};
use crate::state::redis::Token;
use crate::state::world::World;

/// Returns the reader's move in words.
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
