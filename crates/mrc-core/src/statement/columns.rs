//! Whether two statements select the same columns, as far as their texts show it.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

use super::neighbours::keyword;
use super::split::pieces;

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
    let mut depth = 0_usize;
    pieces.iter().any(|piece| {
        match piece.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && keyword(Some(&piece.token)) == Keyword::WHERE
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
