//! How deep the tree of a text may be: parsing, visiting and dropping it recurses.

use sqlparser::keywords::Keyword::{self, *};
use sqlparser::tokenizer::Token;

use crate::statement::{Piece, is_keyword};

/// Returns a bound of the tree's depth, in expressions: open parentheses and chains of operators.
///
/// The parser's own limit doesn't count chains, such as `a OR b OR c`, which it reads in a loop.
pub(super) fn depth(pieces: &[Piece]) -> usize {
    let (mut outer, mut level) = (Vec::new(), Level::default());
    let (mut outer_depth, mut most) = (0, 0);
    for piece in pieces {
        match &piece.token {
            Token::LParen => {
                outer_depth += level.depth();
                outer.push(std::mem::take(&mut level));
            }
            Token::RParen => {
                level = outer.pop().unwrap_or(level);
                // Without an open parenthesis, nothing is outside.
                outer_depth = if outer.is_empty() { 0 } else { outer_depth - level.depth() };
            }
            token => level.count(token),
        }
        most = most.max(outer_depth + level.depth());
    }
    most
}

/// The operators between two parentheses.
#[derive(Debug, Default)]
struct Level {
    queries: usize,
    logic: usize,
    /// The others since the last `AND` or `OR`, and the most of them.
    others: usize,
    most: usize,
}

impl Level {
    fn depth(&self) -> usize {
        // A query is some nodes deep.
        1 + 3 * self.queries + self.logic + self.most
    }

    fn count(&mut self, token: &Token) {
        match token {
            // The expression ends.
            Token::Comma => *self = Self { queries: self.queries, ..Self::default() },
            Token::Number(..) | Token::SingleQuotedString(_) | Token::Placeholder(_) => {}
            // Without an `ON`, the parser reads the next join inside of this one.
            token if is_keyword(Some(token), &[AND, OR, XOR, CASE, JOIN, STRAIGHT_JOIN]) => {
                self.logic += 1;
                self.others = 0;
            }
            token if is_keyword(Some(token), &[SELECT, VALUES, EXCEPT, INTERSECT]) => self.queries += 1,
            Token::Word(_) if !is_keyword(Some(token), OPERATORS) => {}
            _ => {
                self.others += 1;
                self.most = self.most.max(self.others);
            }
        }
    }
}

const OPERATORS: &[Keyword] = &[NOT, DIV, MOD, IS, IN, LIKE, RLIKE, REGEXP, BETWEEN, COLLATE, BINARY, INTERVAL, MEMBER];
