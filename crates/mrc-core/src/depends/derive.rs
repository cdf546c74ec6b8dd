//! From a text to its template: check, parse, then read each `SELECT`.

use std::ops::ControlFlow;

use sqlparser::ast::{Cte, ObjectName, Query, Select, SetExpr, Visit, Visitor};
use sqlparser::dialect::MySqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan};

use super::clause::clauses;
use super::conditions::Finder;
use super::depth::depth;
use super::from::{Clause, From, Names};
use super::lack::Lack;
use super::occurrence::{LeftOut, Occurrence};
use super::refusal::{LeftOutReason, NotFollowable};
use super::template::Template;
use crate::statement::{self, NotCacheable, Piece, is_word};

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
/// report 0.1 ms and more. A deep text is read on a thread with a stack of its own, since the parser
/// recurses.
///
/// ```
/// use mrc_core::{depends::derive, params};
///
/// let template = derive("SELECT * FROM orders WHERE store_id = ? AND state = 'open'", Some("shop"));
/// let tags = template.tags(&params! { "StoreId" => 6 });
/// assert_eq!(tags[0].tag.as_str(), "t:shop.orders?state=open&store_id=6");
/// ```
pub fn derive(sql: &str, default_schema: Option<&str>) -> Template {
    derive_lacking(sql, default_schema, Lack::Nothing)
}

/// As [`derive`], with a rule switched off. For the oracle alone.
#[doc(hidden)]
pub fn derive_lacking(sql: &str, default_schema: Option<&str>, lack: Lack) -> Template {
    Template::new(occurrences(sql, default_schema, lack))
}

fn occurrences(sql: &str, default_schema: Option<&str>, lack: Lack) -> Result<Vec<Occurrence>, NotFollowable> {
    let pieces = statement::pieces(sql).map_err(NotFollowable::Refused)?;
    // A new value at each call: the rows are followed all the same.
    let is_chance = |refusal: &NotCacheable| matches!(refusal, NotCacheable::NonDeterministic { .. });
    statement::check_pieces(&pieces, is_chance).map_err(NotFollowable::Refused)?;
    let read = || read(&pieces, default_schema, lack);
    match depth(&pieces) {
        depth if depth <= SHALLOW => read(),
        depth if depth <= DEEPEST => std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(DEEP_STACK).spawn_scoped(scope, read);
            let read = thread.ok().and_then(|thread| thread.join().ok());
            read.unwrap_or(Err(NotFollowable::TooDeep { most: SHALLOW }))
        }),
        _ => Err(NotFollowable::TooDeep { most: DEEPEST }),
    }
}

fn read(pieces: &[Piece], default_schema: Option<&str>, lack: Lack) -> Result<Vec<Occurrence>, NotFollowable> {
    let query = parse(pieces)?;
    let mut reader = Reader {
        names: Names { default_schema, ctes: ctes(&query) },
        placeholders: positions(pieces, |token| matches!(token, Token::Placeholder(_))),
        is_full_text: pieces.iter().any(|piece| is_word(Some(&piece.token), &["AGAINST"])),
        pieces,
        outermost: outermost(&query),
        relations: 0,
        lack,
        found: Vec::new(),
    };
    match query.visit(&mut reader) {
        ControlFlow::Break(why) => Err(why),
        // The parser has a table in a place that no `FROM` covers.
        ControlFlow::Continue(()) if reader.relations != 0 => Err(NotFollowable::Unknown { what: "a table".into() }),
        ControlFlow::Continue(()) => Ok(reader.found),
    }
}

fn parse(pieces: &[Piece]) -> Result<Box<Query>, NotFollowable> {
    // The column of a token is its index: so a node's span names its pieces.
    let located = |(index, piece): (usize, &Piece)| {
        let at = Location { line: 1, column: u64::try_from(index).unwrap_or(u64::MAX) };
        TokenWithSpan { token: piece.token.clone(), span: Span { start: at, end: at } }
    };
    let tokens = pieces.iter().enumerate().map(located).collect();
    let mut parser = Parser::new(&MySqlDialect {}).with_recursion_limit(MOST_NESTED).with_tokens_with_locations(tokens);
    let why = |error: sqlparser::parser::ParserError| NotFollowable::NotParsed { why: error.to_string() };
    let query = parser.parse_query().map_err(why)?;
    while parser.consume_token(&Token::SemiColon) {}
    match parser.next_token().token {
        Token::EOF => Ok(query),
        token => Err(NotFollowable::NotParsed { why: format!("it doesn't expect `{token}`") }),
    }
}

fn positions(pieces: &[Piece], is_it: impl Fn(&Token) -> bool) -> Vec<usize> {
    pieces.iter().enumerate().filter(|(_, piece)| is_it(&piece.token)).map(|(at, _)| at).collect()
}

/// Returns the names of all CTEs, in lower case.
fn ctes(query: &Query) -> Vec<String> {
    struct Ctes(Vec<String>);
    impl Visitor for Ctes {
        type Break = ();
        fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
            let of = |cte: &Cte| cte.alias.name.value.to_lowercase();
            self.0.extend(query.with.iter().flat_map(|with| &with.cte_tables).map(of));
            ControlFlow::Continue(())
        }
    }
    let mut ctes = Ctes(Vec::new());
    let _: ControlFlow<()> = query.visit(&mut ctes);
    ctes.0
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
    pieces: &'a [Piece],
    placeholders: Vec<usize>,
    names: Names<'a>,
    is_full_text: bool,
    outermost: Option<usize>,
    /// The names of tables in `FROM`s that the visitor hasn't seen yet.
    relations: isize,
    lack: Lack,
    found: Vec<Occurrence>,
}

impl Reader<'_> {
    fn select(&mut self, select: &Select) -> Result<(), NotFollowable> {
        let at = piece_of(select).ok_or_else(|| NotFollowable::Unknown { what: "a SELECT".into() })?;
        let mut from = From::read(&select.from, &self.names, self.lack)?;
        self.relations += isize::try_from(from.relations).unwrap_or_default();
        let is_outermost = self.outermost == Some(at);
        if self.lack == Lack::Subqueries && !is_outermost {
            return Ok(());
        }
        let clauses = clauses(self.pieces, at);
        let all = 0..from.factors.len();
        let mut finder = Finder {
            factors: &from.factors,
            is_outermost,
            placeholders: &self.placeholders,
            lack: self.lack,
            found: all.clone().map(|_| Default::default()).collect(),
        };
        if let Some(condition) = &select.selection {
            let clause = Clause { condition, counts_for: all.clone(), not_null: from.not_null(all), is_on: false };
            finder.clause(&clause, clauses.is_where_sure || self.lack == Lack::Tokens);
        }
        let are_ons_sure = clauses.sure_ons == Some(from.ons.len()) || self.lack == Lack::Tokens;
        for on in &from.ons {
            finder.clause(on, are_ons_sure);
        }
        let found = finder.found;
        for (factor, (conditions, left_out)) in from.factors.drain(..).zip(found) {
            let Some(table) = factor.table else { continue };
            self.found.push(if self.is_full_text {
                let why = LeftOutReason::FullText;
                let all = conditions.iter().map(|condition| LeftOut { condition: condition.column.clone(), why });
                Occurrence::new(table, Vec::new(), all.chain(left_out).collect())
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
        if is_known(&query.body) && query.pipe_operators.is_empty() {
            return ControlFlow::Continue(());
        }
        ControlFlow::Break(NotFollowable::Unknown { what: query.body.to_string() })
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<NotFollowable> {
        match self.select(select) {
            Ok(()) => ControlFlow::Continue(()),
            Err(why) => ControlFlow::Break(why),
        }
    }

    fn pre_visit_relation(&mut self, _: &ObjectName) -> ControlFlow<NotFollowable> {
        self.relations -= 1;
        ControlFlow::Continue(())
    }
}
