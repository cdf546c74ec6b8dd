//! Questions about the tokens of a text: whether it may be cached, reads the clock, selects the
//! same.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

use super::functions::{self, Clock};
use super::split::{Neighbours, Piece, keyword, pieces, text, with_depth};
use super::{NotCacheable, check_pieces};

/// The tokens of a text, for several questions about it. Reading them is most of the cost of a
/// question.
///
/// ```
/// use mrc_core::depends::derive_tokens;
/// use mrc_core::statement::Tokens;
///
/// let tokens = Tokens::read("SELECT id FROM orders WHERE store_id = ? AND created > NOW()");
/// assert!(tokens.check(false).is_ok());
/// assert_eq!((tokens.placeholders(), tokens.clock().as_deref()), (1, Some("NOW()")));
/// assert!(derive_tokens(tokens, Some("shop")).followable().is_ok());
/// ```
#[derive(Debug, Clone)]
pub struct Tokens {
    pub(crate) pieces: Result<Vec<Piece>, NotCacheable>,
    /// The verdict for sessions without `IGNORE_SPACE`.
    pub(crate) checked: Result<(), NotCacheable>,
}

impl Tokens {
    /// Reads the tokens of `sql`.
    pub fn read(sql: &str) -> Self {
        let pieces = pieces(sql);
        let checked = pieces.as_deref().map_err(Clone::clone).and_then(|pieces| check_pieces(pieces, false, |_| false));
        Self { pieces, checked }
    }

    /// Checks that the answer may be cached: see [`check`](super::check()). With `ignores_space`,
    /// for sessions with `IGNORE_SPACE`: a blank between a built-in function's name and its `(`
    /// changes nothing.
    ///
    /// # Errors
    /// As [`check`](super::check()).
    pub fn check(&self, ignores_space: bool) -> Result<(), NotCacheable> {
        match &self.pieces {
            Ok(pieces) if ignores_space => check_pieces(pieces, true, |_| false),
            _ => self.checked.clone(),
        }
    }

    /// Returns the number of `?` placeholders. Returns 0 for a text that can't be read.
    pub fn placeholders(&self) -> usize {
        self.pieces.iter().flatten().filter(|piece| matches!(piece.token, Token::Placeholder(_))).count()
    }

    /// Returns the part that reads the clock: see [`depends_on_clock`](super::depends_on_clock).
    pub fn clock(&self) -> Option<String> {
        clock_of(self.pieces.as_ref().ok()?)
    }
}

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
    clock_of(&pieces(sql).ok()?)
}

/// As [`depends_on_clock`], of tokens.
fn clock_of(pieces: &[Piece]) -> Option<String> {
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
        let reads = match functions::clock(&place) {
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

/// Returns whether two texts are the same up to a `WHERE` outside of parentheses, and so select the
/// same columns. Returns false if the texts alone don't show it.
///
/// ```
/// use mrc_core::statement::select_alike;
///
/// let one = "SELECT * FROM users WHERE id = ?";
/// assert!(select_alike(one, "SELECT * FROM users WHERE id IN (?)"));
/// assert!(!select_alike(one, "SELECT * FROM users, orders WHERE id IN (?)"));
/// ```
pub fn select_alike(one: &str, other: &str) -> bool {
    let common = one.bytes().zip(other.bytes()).take_while(|(left, right)| left == right).count();
    let beginning = one.get(..common).unwrap_or_default();
    // A word at the end may be cut off, and be another one in each text.
    let beginning = beginning.trim_end_matches(|ch: char| !ch.is_ascii_whitespace());
    let Ok(pieces) = pieces(beginning) else { return false };
    let mut tokens = with_depth(pieces.iter().map(|piece| &piece.token));
    tokens.any(|(depth, token)| depth == 0 && keyword(Some(token)) == Keyword::WHERE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::placeholders;

    #[test]
    fn placeholders_are_counted_where_they_are_found() {
        for sql in
            ["SELECT 1", "SELECT ?, '?', `?` /* ? */ FROM t WHERE a IN (?,?) -- ?", "SELECT j->'$.a?'=? FROM t # ?"]
        {
            assert_eq!(Tokens::read(sql).placeholders(), placeholders(sql).unwrap().len(), "{sql}");
        }
        assert_eq!(Tokens::read("SELECT '?").placeholders(), 0);
    }

    #[test]
    fn texts_that_differ_behind_their_where_select_the_same() {
        let one = "SELECT id, (SELECT 1 FROM t WHERE a = 2) AS n FROM users WHERE store_id = ? AND id = ?";
        let check = |other: &str, expect| assert_eq!(select_alike(one, other), expect, "{other}");
        check("SELECT id, (SELECT 1 FROM t WHERE a = 2) AS n FROM users WHERE store_id = ? AND id IN (?)", true);
        check("SELECT id, (SELECT 1 FROM t WHERE a = 2) AS n FROM users WHERE id IN (?)", true);
        check("SELECT id, (SELECT 1 FROM t WHERE a = 3) AS n FROM users WHERE id IN (?)", false);
        check("SELECT id FROM users WHERE id IN (?)", false);
        check("SELECT id, (SELECT 1 FROM t WHERE a = 2) AS n FROM users WHEREVER JOIN t WHERE id IN (?)", false);
        check("", false);
    }

    #[test]
    fn a_where_that_is_no_keyword_shows_nothing() {
        let check = |one, other| assert!(!select_alike(one, other), "{one}");
        check("SELECT 'WHERE' , a FROM t WHERE id = ?", "SELECT 'WHERE' , b FROM t WHERE id IN (?)");
        check("SELECT `WHERE` , a FROM t WHERE id = ?", "SELECT `WHERE` , b FROM t WHERE id IN (?)");
        check("SELECT /* WHERE */ a FROM t WHERE id = ?", "SELECT /* WHERE */ b FROM t WHERE id IN (?)");
        check("SELECT 'WHERE é FROM t WHERE id = ?", "SELECT 'WHERE ü FROM t WHERE id IN (?)");
    }
}
