//! Judges a clause by its tokens: whether servers and the parser read its operators alike.
//!
//! The parser gives some operators another precedence than the servers do (`||`, `XOR`, `BINARY`,
//! `&&`, …). A condition of such a clause may stand elsewhere in the tree. So a clause counts only
//! if its operators are those of the list below.

use std::ops::Range;

use sqlparser::keywords::Keyword::{self, *};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::statement::{is_keyword, with_depth};

/// The clauses of one `SELECT`, and whether the operators of each are sure.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clauses {
    pub(super) is_where_sure: bool,
    /// How many `ON` the `SELECT` has. `None` if one isn't sure.
    pub(super) sure_ons: Option<usize>,
}

const AFTER_WHERE: &[Keyword] = &[
    GROUP, HAVING, ORDER, LIMIT, WINDOW, UNION, EXCEPT, INTERSECT, MINUS, PROCEDURE, OFFSET, FETCH, LOCK, INTO, QUALIFY,
];
const AFTER_ON: &[Keyword] = &[JOIN, INNER, CROSS, LEFT, RIGHT, STRAIGHT_JOIN, NATURAL, ON, USING, FULL];

/// Finds the clauses of the `SELECT` whose word is piece `at`.
pub(super) fn clauses(pieces: &[TokenWithSpan], at: usize) -> Clauses {
    let from = end_of(pieces, at + 1, &[&[FROM], AFTER_WHERE]);
    if !begins_clause(pieces, from, &[FROM]) {
        // `SELECT 1 WHERE a = 1` has no table.
        return Clauses::default();
    }
    let place = end_of(pieces, from + 1, &[&[WHERE], AFTER_WHERE]);
    let is_where_sure = begins_clause(pieces, place, &[WHERE]) && {
        let end = end_of(pieces, place + 1, &[AFTER_WHERE]);
        is_sure(pieces.get(place + 1..end).unwrap_or_default())
    };
    Clauses { is_where_sure, sure_ons: sure_ons(pieces, from + 1..place) }
}

fn token(pieces: &[TokenWithSpan], at: usize) -> Option<&Token> {
    pieces.get(at).map(|piece| &piece.token)
}

/// Returns whether piece `at` is one of these words, no name behind a `.`, and not in an index hint
/// (`USE INDEX FOR ORDER BY (i)`).
fn begins_clause(pieces: &[TokenWithSpan], at: usize, words: &[Keyword]) -> bool {
    let before = at.checked_sub(1).and_then(|before| token(pieces, before));
    is_keyword(token(pieces, at), words) && before != Some(&Token::Period) && !is_keyword(before, &[FOR])
}

/// Returns the piece after the parenthesis that piece `at` opens.
fn skip_parens(pieces: &[TokenWithSpan], at: usize) -> usize {
    let tokens = pieces.get(at..).unwrap_or_default().iter().map(|piece| &piece.token);
    with_depth(tokens).position(|(depth, _)| depth == 0).map_or(pieces.len(), |end| at + end + 1)
}

/// Returns where the text from `at` ends: at one of the words, or where a parenthesis closes.
fn end_of(pieces: &[TokenWithSpan], mut at: usize, words: &[&[Keyword]]) -> usize {
    while let Some(piece) = pieces.get(at) {
        match piece.token {
            Token::LParen => at = skip_parens(pieces, at),
            Token::RParen | Token::SemiColon => break,
            _ if words.iter().any(|words| begins_clause(pieces, at, words)) => break,
            _ => at += 1,
        }
    }
    at.min(pieces.len())
}

/// Counts the `ON` in the pieces after a `FROM`, without those of subqueries. Returns `None` if one
/// isn't sure.
fn sure_ons(pieces: &[TokenWithSpan], range: Range<usize>) -> Option<usize> {
    let mut count = 0;
    let mut at = range.start;
    while at < range.end {
        if token(pieces, at) == Some(&Token::LParen) && begins_query(pieces, at + 1) {
            at = skip_parens(pieces, at);
        } else if begins_clause(pieces, at, &[ON]) {
            let end = end_of_on(pieces, at + 1).min(range.end);
            if !is_sure(pieces.get(at + 1..end).unwrap_or_default()) {
                return None;
            }
            count += 1;
            at = end;
        } else {
            at += 1;
        }
    }
    Some(count)
}

fn end_of_on(pieces: &[TokenWithSpan], mut at: usize) -> usize {
    loop {
        at = end_of(pieces, at, &[AFTER_ON]);
        // LEFT() and RIGHT() are functions too.
        let is_call = begins_clause(pieces, at, &[LEFT, RIGHT]) && token(pieces, at + 1) == Some(&Token::LParen);
        if !is_call {
            // A comma before this place belongs to no condition, so `is_sure` refuses it.
            return at;
        }
        at += 1;
    }
}

fn begins_query(pieces: &[TokenWithSpan], at: usize) -> bool {
    is_keyword(token(pieces, at), &[SELECT, WITH, VALUES, TABLE])
}

/// Returns whether a condition has only operators that the parser and the servers read alike.
fn is_sure(pieces: &[TokenWithSpan]) -> bool {
    let mut judge = Judge { pieces, at: 0, open: 0 };
    let mut after_operand = false;
    while judge.at < pieces.len() {
        let next = if after_operand { judge.operator() } else { judge.operand() };
        match next {
            Some(state) => after_operand = state,
            None => return false,
        }
    }
    after_operand && judge.open == 0
}

/// Reads operands and operators by turns. Each step returns whether an operator follows, or `None`
/// if the text isn't sure.
struct Judge<'a> {
    pieces: &'a [TokenWithSpan],
    at: usize,
    /// The open parentheses that aren't skipped.
    open: usize,
}

impl Judge<'_> {
    fn is(&self, steps: usize, words: &[Keyword]) -> bool {
        is_keyword(token(self.pieces, self.at + steps), words)
    }

    fn is_paren(&self, steps: usize) -> bool {
        token(self.pieces, self.at + steps) == Some(&Token::LParen)
    }

    fn operand(&mut self) -> Option<bool> {
        let (steps, after_operand) = match token(self.pieces, self.at)? {
            Token::LParen if begins_query(self.pieces, self.at + 1) => {
                self.at = skip_parens(self.pieces, self.at);
                (0, true)
            }
            Token::LParen => {
                self.open += 1;
                (1, false)
            }
            Token::Plus | Token::Minus => (1, false),
            Token::Number(..) | Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) => (1, true),
            Token::HexStringLiteral(_) | Token::Placeholder(_) => (1, true),
            Token::Word(_) if self.is(0, &[NOT, CASE, WHEN]) => (1, false),
            // Other forms of an interval may end elsewhere for the parser.
            Token::Word(_) if self.is(0, &[INTERVAL]) && self.is_plain_amount() && self.is(2, UNITS) => (3, true),
            Token::Word(_) if self.is(0, &[INTERVAL]) || self.is(0, OPERATORS) => return None,
            // A call's arguments, or a subquery: nothing in there is a condition of ours.
            Token::Word(_) if self.is_paren(1) => {
                self.at = skip_parens(self.pieces, self.at + 1);
                (0, true)
            }
            Token::Word(_) => (1, true),
            _ => return None,
        };
        self.at += steps;
        Some(after_operand)
    }

    /// Returns whether the `1` of `INTERVAL 1 DAY` is next.
    fn is_plain_amount(&self) -> bool {
        let amount = token(self.pieces, self.at + 1);
        matches!(amount, Some(Token::Number(_, false) | Token::SingleQuotedString(_) | Token::Placeholder(_)))
    }

    fn operator(&mut self) -> Option<bool> {
        use Token::{Arrow, Div, Eq, Gt, GtEq, LongArrow, Lt, LtEq, Minus, Mod, Mul, Neq, Plus, Spaceship};
        let (steps, after_operand) = match token(self.pieces, self.at)? {
            Token::RParen => {
                self.open = self.open.checked_sub(1)?;
                (1, true)
            }
            Token::Comma if self.open > 0 => (1, false),
            Token::Period if matches!(token(self.pieces, self.at + 1)?, Token::Word(_)) => (2, true),
            Eq | Neq | Lt | Gt | LtEq | GtEq | Spaceship | Plus | Minus | Mul | Div | Mod | Arrow | LongArrow => {
                (1, false)
            }
            Token::Word(_) if self.is(0, &[AND, OR, BETWEEN, LIKE, WHEN, THEN, ELSE]) => (1, false),
            Token::Word(_) if self.is(0, &[END]) => (1, true),
            Token::Word(_) if self.is(0, &[NOT]) && self.is(1, &[IN, LIKE, BETWEEN]) => (1, true),
            Token::Word(_) if self.is(0, &[IN]) && self.is_paren(1) => (1, false),
            Token::Word(_) if self.is(0, &[IS]) => {
                let not = usize::from(self.is(1, &[NOT]));
                if !self.is(1 + not, &[NULL, TRUE, FALSE, UNKNOWN]) {
                    return None;
                }
                (2 + not, true)
            }
            _ => return None,
        };
        self.at += steps;
        Some(after_operand)
    }
}

/// Words that are operators where an operand could stand, or that begin one of their own grammar.
const OPERATORS: &[Keyword] = &[
    BINARY, COLLATE, DIV, XOR, REGEXP, RLIKE, MEMBER, MATCH, AGAINST, ROW, ESCAPE, LIKE, IN, IS, BETWEEN, AND, OR,
    THEN, ELSE, END,
];

const UNITS: &[Keyword] = &[MICROSECOND, SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER, YEAR];
