//! The part of a statement that reads the clock.

use sqlparser::tokenizer::Token;

use super::calls;
use super::functions::Clock;
use super::neighbours::{Neighbours, text};
use super::split::{Piece, pieces};

/// SQLite's functions that read the clock if an argument is `'now'`.
const OF_NOW: [&str; 7] = ["DATE", "TIME", "DATETIME", "JULIANDAY", "UNIXEPOCH", "STRFTIME", "TIMEDIFF"];

/// Returns the part of `sql` that reads the clock, such as `NOW()`. Returns `None` if no part does.
///
/// Such a statement passes [`check()`](super::check()): its answer is cached, and is as old as its
/// TTL allows. If that matters, bind the time as a param, rounded to the precision that you need.
///
/// Only the text is searched: a view or a stored function that reads the clock isn't seen.
///
/// ```
/// use mrc_core::statement::depends_on_clock;
///
/// assert_eq!(depends_on_clock("SELECT id FROM t WHERE created > now() - INTERVAL 1 DAY").as_deref(), Some("now()"));
/// assert_eq!(depends_on_clock("SELECT created FROM t WHERE name = 'now()'"), None);
/// ```
pub fn depends_on_clock(sql: &str) -> Option<String> {
    of_pieces(&pieces(sql).ok()?)
}

/// As [`depends_on_clock`], of tokens.
pub(super) fn of_pieces(pieces: &[Piece]) -> Option<String> {
    // The names before the open parentheses.
    let mut calls = Vec::new();
    for at in 0..pieces.len() {
        let place = Neighbours { pieces, at, ignores_space: false };
        let token = place.after(0)?;
        match token {
            Token::LParen => calls.push(text(place.before(1))),
            Token::RParen => _ = calls.pop(),
            Token::SingleQuotedString(literal) if literal.eq_ignore_ascii_case("now") => {
                let call = calls.last().filter(|call| OF_NOW.iter().any(|of_now| call.eq_ignore_ascii_case(of_now)));
                if let Some(call) = call {
                    return Some(format!("{call}('{literal}')"));
                }
            }
            _ => {}
        }
        let reads = match calls::clock(&place) {
            Some(Clock::Word) => true,
            Some(Clock::Call) => place.is_before_paren(),
            Some(Clock::Arguments(most)) => {
                place.is_before_paren() && arguments(pieces.get(at + 2..).unwrap_or_default()) <= most
            }
            None => false,
        };
        if reads {
            return Some(format!("{token}{}", if place.is_before_paren() { "()" } else { "" }));
        }
    }
    None
}

/// Returns the number of arguments of a call, given the text after its `(`.
fn arguments(pieces: &[Piece]) -> usize {
    let mut depth = 0_usize;
    let mut commas = 0;
    for (at, piece) in pieces.iter().enumerate() {
        match piece.token {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => return if at == 0 { 0 } else { commas + 1 },
            Token::RParen => depth -= 1,
            Token::Comma if depth == 0 => commas += 1,
            _ => {}
        }
    }
    commas + 1
}
