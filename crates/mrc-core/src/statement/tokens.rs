//! The tokens of a text, for several questions about it.

use sqlparser::tokenizer::Token;

use super::split::{Piece, pieces};
use super::{NotCacheable, check_pieces, clock};

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

    /// Checks that the answer may be cached: see [`check`](super::check()). With `ignores_space`, for
    /// sessions with `IGNORE_SPACE`: a blank between a built-in function's name and its `(` changes
    /// nothing.
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
        clock::of_pieces(self.pieces.as_ref().ok()?)
    }
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
}
