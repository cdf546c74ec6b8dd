//! The commands to Redis.

use crate::state::{Keys, Moment, Position, Scores, Tags, Token, Value};

/// A command that has been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Command {
    /// `attempt` names the attempt of a reader that a reply belongs to.
    Claim { attempt: Token, token: Token, refresh: bool, copy: bool },
    /// Stores a value, and the copy with it.
    Fill { token: Token, value: Value, tags: Tags, copy: bool },
    /// Gives a claim up.
    Release { token: Token },
    /// `round` names the invalidation of a writer that a reply belongs to.
    Unlink { writer: u8, round: u8, keys: Keys },
    /// Registers the entry under the tag.
    Track { token: Token, since: Moment },
    /// The second half of `track`: asks the table whether the fill may follow.
    Admit { token: Token, since: Moment },
    /// Writes the bucket.
    Mark { tagger: u8, round: u8, moment: Moment },
    /// Sets the epoch, and lists the registrations.
    Bump { tagger: u8, round: u8, moment: Moment },
    /// Removes a listed entry.
    Drop { tagger: u8, round: u8, entry: u8 },
    /// Removes the listed registrations.
    Prune { listed: Scores },
    /// Writes the position if it is `expected`.
    Position { process: u8, round: u8, expected: Position, new: Position, told: Option<u8> },
    /// Copies the position to a primary, if that has this history, or that of its last copy.
    Copy { process: u8, round: u8, primary: u8, number: u8, position: Position, history: Option<u8> },
    /// Sets the position back, without a comparison.
    GoBack { process: u8, round: u8, position: Position },
}
