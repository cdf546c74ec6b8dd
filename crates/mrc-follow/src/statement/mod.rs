//! Statements in the binlog: the effect of a `QUERY` event, by its text.
//!
//! A statement is read by tokens, and each name in it may be a table: the result is never less than
//! the statement did. The `sql_mode` isn't known, nor whether the server ran an executable comment.
//! So a text is read in every way that these allow, and the readings are combined.

mod reading;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::event::XaPrepare;
use reading::Token;

/// The effect of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Statement {
    /// `BEGIN`, `START TRANSACTION`.
    Begin,
    /// `COMMIT`.
    Commit,
    /// `ROLLBACK`.
    Rollback,
    /// `SAVEPOINT`, `ROLLBACK TO`, `RELEASE SAVEPOINT`.
    Savepoint,
    /// `XA START`: begins a transaction.
    XaStart(Xid),
    /// `XA END`: ends the rows of a transaction.
    XaEnd(Xid),
    /// `XA PREPARE`.
    XaPrepare(Xid),
    /// `XA COMMIT`.
    XaCommit(Xid),
    /// `XA ROLLBACK`.
    XaRollback(Xid),
    /// May change tables with these names.
    Touches {
        /// All names in the text.
        names: Names,
        /// Whether it is a change in statement format, such as `UPDATE`. Triggers, stored functions
        /// and cascades may change tables that it doesn't name.
        changes_rows: bool,
    },
    /// `DROP DATABASE`.
    DropsDatabase(String),
    /// Changes no table: `SET`, `GRANT`, `CREATE USER`, `FLUSH`, `CREATE DATABASE`, …
    Harmless,
    /// Not understood: it may change any table.
    Unclear,
}

impl Statement {
    /// Reads the text of a `QUERY` event.
    pub fn read(text: &[u8]) -> Self {
        let variants = reading::Mode::all_for(text);
        let readings = variants.into_iter().map(|mode| reading::read(text, mode));
        readings.reduce(Self::or).unwrap_or(Self::Unclear)
    }

    /// Returns whether a table may be meant, with the arguments of [`Names::may_mean`].
    pub(crate) fn may_mean(&self, schema: &str, table: &str, default: &str, ignore_case: bool) -> bool {
        match self {
            Self::Touches { names, .. } => names.may_mean(schema, table, default, ignore_case),
            Self::DropsDatabase(dropped) => is_same(dropped, schema, ignore_case),
            _ => false,
        }
    }

    /// Returns a statement that does at least as much as either.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Touches { mut names, changes_rows }, Self::Touches { names: more, changes_rows: also_changes }) => {
                names.0.extend(more.0);
                Self::Touches { names, changes_rows: changes_rows || also_changes }
            }
            (touches @ Self::Touches { .. }, Self::Harmless) | (Self::Harmless, touches @ Self::Touches { .. }) => {
                touches
            }
            _ => Self::Unclear,
        }
    }
}

/// Returns whether two names are the same to a server.
pub(crate) fn is_same(one: &str, other: &str, ignore_case: bool) -> bool {
    one == other || ignore_case && one.to_lowercase() == other.to_lowercase()
}

/// The names in a statement, without quotes: tables, databases, columns and keywords alike.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names(BTreeSet<String>);

impl Names {
    /// Returns whether the statement may mean this table. `default` is the default database of its
    /// connection. `ignore_case` tells that the server's names of tables ignore case.
    pub fn may_mean(&self, schema: &str, table: &str, default: &str, ignore_case: bool) -> bool {
        let has =
            |name: &str| self.0.contains(name) || ignore_case && self.0.iter().any(|known| is_same(known, name, true));
        has(table) && (is_same(schema, default, ignore_case) || has(schema))
    }

    /// Returns the names, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    fn insert(&mut self, name: &str) {
        if !self.0.contains(name) {
            self.0.insert(name.to_owned());
        }
    }
}

/// The number of an XA transaction.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Xid {
    /// The format: 1 unless the client gave another.
    pub format: u64,
    /// The global part.
    pub gtrid: Vec<u8>,
    /// The branch.
    pub bqual: Vec<u8>,
}

impl From<&XaPrepare<'_>> for Xid {
    fn from(event: &XaPrepare<'_>) -> Self {
        let (gtrid, bqual) = (event.transaction.to_vec(), event.branch.to_vec());
        Self { format: event.format.into(), gtrid, bqual }
    }
}

impl Xid {
    /// Reads `X'6162',X'',1` up to the end, or up to a word such as `ONE PHASE`.
    fn read(mut tokens: &[Token<'_>]) -> Option<Self> {
        let gtrid = part(&mut tokens)?;
        let bqual = if comma(&mut tokens) { part(&mut tokens)? } else { Vec::new() };
        let format = if comma(&mut tokens) { number(&mut tokens)? } else { 1 };
        let is_end = matches!(tokens.first(), None | Some(Token::Word(_)));
        is_end.then_some(Self { format, gtrid, bqual })
    }
}

fn comma(tokens: &mut &[Token<'_>]) -> bool {
    let Some((Token::Symbol(b','), rest)) = tokens.split_first() else { return false };
    *tokens = rest;
    true
}

fn number(tokens: &mut &[Token<'_>]) -> Option<u64> {
    let (Token::Word(word), rest) = tokens.split_first()? else { return None };
    *tokens = rest;
    word.parse().ok()
}

/// Reads `X'6162'`, `0x6162` or `'ab'`.
fn part(tokens: &mut &[Token<'_>]) -> Option<Vec<u8>> {
    let (value, rest) = match *tokens {
        [Token::Word(x), Token::Text(digits), rest @ ..] if x.eq_ignore_ascii_case("x") => (hex(digits)?, rest),
        [Token::Word(word), rest @ ..] => (hex(word.strip_prefix("0x")?.as_bytes())?, rest),
        // An escaped text isn't decoded.
        [Token::Text(text), rest @ ..] if !text.contains(&b'\\') && !text.contains(&b'\'') => (text.to_vec(), rest),
        _ => return None,
    };
    *tokens = rest;
    Some(value)
}

fn hex(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = digits.as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| Some(digit(high)? << 4 | digit(low)?);
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}
