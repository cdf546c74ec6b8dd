//! From a text to its template: check, parse, then read each `SELECT`.

use std::ops::ControlFlow;

use sqlparser::ast::{ObjectName, Query, Select, SetExpr, Visit, Visitor};
use sqlparser::keywords::Keyword::{self, *};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan};

use super::clause::clauses;
use super::conditions::Finder;
use super::dialect::Quick;
use super::from::{Clause, From, Names, Scopes};
use super::lack::{Lack, Wish};
use super::occurrence::{LeftOut, Occurrence};
use super::refusal::{LeftOutReason, NotFollowable};
use super::template::Template;
use crate::statement::{NotCacheable, Piece, Tokens, check_pieces, is_keyword};

/// The deepest tree that is read on the caller's stack. Without optimization a level takes 25 KiB.
const SHALLOW: usize = 14;

/// The deepest tree that is read at all, on the stack of a thread.
const DEEPEST: usize = 250;

/// The stack of that thread, in bytes: 16 MiB.
const DEEP_STACK: usize = 16 << 20;

/// The most nested expressions and queries that the parser follows.
const MOST_NESTED: usize = 40;

/// Returns what the answer of `sql` depends on. `default_schema` is the connection's database.
///
/// A pure function of the text, for the caller to keep: a short text takes some microseconds, a
/// report 0.1 ms and more. A deep text is read on a thread with a stack of its own, since the
/// parser recurses.
///
/// ```
/// use mrc_core::{depends::derive, params};
///
/// let template = derive("SELECT * FROM orders WHERE store_id = ? AND state = 'open'", Some("shop"));
/// let tags = template.tags(&params! { "StoreId" => 6 });
/// assert_eq!(tags[0].tag.as_str(), "t:shop.orders?state=open&store_id=6");
/// ```
pub fn derive(sql: &str, default_schema: Option<&str>) -> Template {
    derive_tokens(Tokens::read(sql), default_schema)
}

/// As [`derive()`], of tokens that were read before. They say whether the text may be cached too.
pub fn derive_tokens(tokens: Tokens, default_schema: Option<&str>) -> Template {
    Template::new(occurrences(tokens, default_schema, Wish { lack: Lack::Nothing, explains: false }))
}

/// As [`derive`], with a rule switched off. For the oracle alone.
#[doc(hidden)]
pub fn derive_lacking(sql: &str, default_schema: Option<&str>, lack: Lack) -> Template {
    Template::new(occurrences(Tokens::read(sql), default_schema, Wish { lack, explains: false }))
}

/// As [`derive`], with the conditions that don't narrow the rows. Takes longer.
pub(super) fn derive_explained(tokens: Tokens, default_schema: Option<&str>) -> Template {
    Template::new(occurrences(tokens, default_schema, Wish { lack: Lack::Nothing, explains: true }))
}

fn occurrences(tokens: Tokens, default_schema: Option<&str>, wish: Wish) -> Result<Vec<Occurrence>, NotFollowable> {
    let pieces = tokens.pieces.map_err(NotFollowable::Refused)?;
    if tokens.checked.is_err() {
        // A new value at each call: the rows are followed all the same.
        let is_chance = |refusal: &NotCacheable| matches!(refusal, NotCacheable::NonDeterministic { .. });
        check_pieces(&pieces, false, is_chance).map_err(NotFollowable::Refused)?;
    }
    let depth = depth(&pieces);
    let read = || read(pieces, default_schema, wish);
    match depth {
        depth if depth <= SHALLOW => read(),
        depth if depth <= DEEPEST => std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(DEEP_STACK).spawn_scoped(scope, read);
            let read = thread.ok().and_then(|thread| thread.join().ok());
            read.unwrap_or(Err(NotFollowable::TooDeep { most: SHALLOW }))
        }),
        _ => Err(NotFollowable::TooDeep { most: DEEPEST }),
    }
}

fn read(pieces: Vec<Piece>, default_schema: Option<&str>, wish: Wish) -> Result<Vec<Occurrence>, NotFollowable> {
    let (query, pieces) = parse(pieces)?;
    let placeholders = pieces.iter().enumerate().filter(|(_, piece)| matches!(piece.token, Token::Placeholder(_)));
    let mut reader = Reader {
        names: Names { default_schema, scopes: Scopes::new(wish.lack) },
        placeholders: placeholders.map(|(at, _)| at).collect(),
        is_full_text: pieces.iter().any(|piece| is_keyword(Some(&piece.token), &[AGAINST])),
        pieces: &pieces,
        outermost: outermost(&query),
        relations: 0,
        wish,
        found: Vec::new(),
    };
    match query.visit(&mut reader) {
        ControlFlow::Break(why) => Err(why),
        // The parser has a table in a place that no `FROM` covers.
        ControlFlow::Continue(()) if reader.relations != 0 => Err(NotFollowable::Unknown { what: "a table".into() }),
        ControlFlow::Continue(()) => Ok(reader.found),
    }
}

/// Returns the tree, and the tokens again.
fn parse(pieces: Vec<Piece>) -> Result<(Box<Query>, Vec<TokenWithSpan>), NotFollowable> {
    // The column of a token is its index: so a node's span names its pieces.
    let located = |(index, piece): (usize, Piece)| {
        // In line 0 the parser writes no place into its errors. It makes and drops many.
        let at = Location { line: 0, column: u64::try_from(index).unwrap_or(u64::MAX) };
        TokenWithSpan { token: piece.token, span: Span { start: at, end: at } }
    };
    let tokens = pieces.into_iter().enumerate().map(located).collect();
    let mut parser = Parser::new(&Quick).with_recursion_limit(MOST_NESTED).with_tokens_with_locations(tokens);
    let why = |error: ParserError| {
        let text = error.to_string();
        let what = text.strip_prefix("sql parser error: ").unwrap_or(&text);
        NotFollowable::NotParsed { why: what.to_owned() }
    };
    let query = parser.parse_query().map_err(why)?;
    while parser.consume_token(&Token::SemiColon) {}
    match parser.next_token().token {
        Token::EOF => Ok((query, parser.into_tokens())),
        token => Err(NotFollowable::NotParsed { why: format!("it doesn't expect `{token}`") }),
    }
}

/// Returns the piece of the outermost `SELECT`, if the statement is one.
fn outermost(query: &Query) -> Option<usize> {
    match &*query.body {
        SetExpr::Select(select) => piece_of(select),
        SetExpr::Query(query) => outermost(query),
        _ => None,
    }
}

fn piece_of(select: &Select) -> Option<usize> {
    usize::try_from(select.select_token.0.span.start.column).ok()
}

/// Reads the `SELECT`s of a statement, subqueries too.
struct Reader<'a> {
    pieces: &'a [TokenWithSpan],
    placeholders: Vec<usize>,
    names: Names<'a>,
    is_full_text: bool,
    outermost: Option<usize>,
    /// The names of tables in `FROM`s that the visitor hasn't seen yet.
    relations: isize,
    wish: Wish,
    found: Vec<Occurrence>,
}

impl Reader<'_> {
    fn select(&mut self, select: &Select) -> Result<(), NotFollowable> {
        let at = piece_of(select).ok_or_else(|| NotFollowable::Unknown { what: "a SELECT".into() })?;
        let lack = self.wish.lack;
        let mut from = From::read(&select.from, &self.names, lack)?;
        self.relations += isize::try_from(from.relations).unwrap_or_default();
        let is_outermost = self.outermost == Some(at);
        if lack == Lack::Subqueries && !is_outermost {
            return Ok(());
        }
        let clauses = clauses(self.pieces, at);
        let all = 0..from.factors.len();
        let mut finder = Finder {
            factors: &from.factors,
            is_outermost,
            placeholders: &self.placeholders,
            wish: self.wish,
            found: all.clone().map(|_| Default::default()).collect(),
        };
        if let Some(condition) = &select.selection {
            let clause = Clause { condition, counts_for: all.clone(), not_null: from.not_null(all), is_on: false };
            finder.clause(&clause, clauses.is_where_sure || lack == Lack::Tokens);
        }
        let are_ons_sure = clauses.sure_ons == Some(from.ons.len()) || lack == Lack::Tokens;
        for on in &from.ons {
            finder.clause(on, are_ons_sure);
        }
        let found = finder.found;
        for (factor, (conditions, left_out)) in from.factors.drain(..).zip(found) {
            let Some(table) = factor.table else { continue };
            self.found.push(if self.is_full_text {
                let why = LeftOutReason::FullText;
                let texts = conditions.into_iter().filter(|_| self.wish.explains).map(|one| one.text);
                let texts = texts.chain(left_out.into_iter().map(|one| one.condition));
                Occurrence::new(table, Vec::new(), texts.map(|condition| LeftOut { condition, why }).collect())
            } else {
                Occurrence::new(table, conditions, left_out)
            });
        }
        Ok(())
    }
}

impl Visitor for Reader<'_> {
    type Break = NotFollowable;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<NotFollowable> {
        let is_known = |body: &SetExpr| {
            matches!(body, SetExpr::Select(_) | SetExpr::Query(_) | SetExpr::SetOperation { .. } | SetExpr::Values(_))
        };
        if !is_known(&query.body) || !query.pipe_operators.is_empty() {
            return ControlFlow::Break(NotFollowable::Unknown { what: query.body.to_string() });
        }
        self.names.scopes.enter(query);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<NotFollowable> {
        self.names.scopes.leave();
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<NotFollowable> {
        self.select(select).map_or_else(ControlFlow::Break, ControlFlow::Continue)
    }

    fn pre_visit_relation(&mut self, _: &ObjectName) -> ControlFlow<NotFollowable> {
        self.relations -= 1;
        ControlFlow::Continue(())
    }
}

/// Returns a bound of the tree's depth, in expressions: open parentheses and chains of operators.
///
/// The parser's own limit doesn't count chains, such as `a OR b OR c`, which it reads in a loop.
fn depth(pieces: &[Piece]) -> usize {
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
