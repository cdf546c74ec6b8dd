//! One reading of a statement: its tokens, for names and first words only, and what it does.
//!
//! A run of letters, digits, `_`, `$` and bytes above 127 is a word, even if the server reads it as a
//! number. So a name such as `2024_sales` is never split, and a number that counts as a name does no
//! harm.

use std::borrow::Cow;

use super::{Names, Statement, Xid};

/// A text with more names isn't read: it would take too much memory.
const MOST_NAMES: usize = 10_000;
/// The tokens that decide what a statement is.
const FIRST: usize = 32;

/// Reads a text in one mode.
pub(super) fn read(text: &[u8], mode: Mode) -> Statement {
    let lexer = Lexer::new(text, mode);
    statement(lexer.clone(), || set_statement(lexer))
}

/// Reads a statement. `set_statement` reads it again if it is MariaDB's `SET STATEMENT`.
fn statement(mut lexer: Lexer<'_>, set_statement: impl FnOnce() -> Statement) -> Statement {
    let first: Vec<_> = lexer.by_ref().take(FIRST).collect();
    match kind(&first) {
        // Its first words say it, whatever follows: `CREATE USER` may hold any bytes.
        Kind::Is(Statement::Harmless) if !first.is_empty() => Statement::Harmless,
        _ if lexer.is_broken() => Statement::Unclear,
        Kind::Is(statement) => statement,
        Kind::Touches { changes_rows } => match names(&first, lexer) {
            Some(names) => Statement::Touches { names, changes_rows },
            None => Statement::Unclear,
        },
        Kind::SetStatement => set_statement(),
    }
}

/// Reads the statement in `SET STATEMENT variable = value FOR statement`.
fn set_statement(mut lexer: Lexer<'_>) -> Statement {
    if lexer.any(|token| is_one_of(Some(&token), &["FOR"])) {
        statement(lexer, || Statement::Unclear)
    } else {
        Statement::Unclear
    }
}

enum Kind {
    Is(Statement),
    Touches { changes_rows: bool },
    SetStatement,
}

fn kind(tokens: &[Token<'_>]) -> Kind {
    use Statement::{Begin, Commit, Harmless, Rollback, Savepoint, Unclear};
    let mut words = tokens.iter().map(|token| match token {
        Token::Word(word) => word.to_ascii_uppercase(),
        _ => String::new(),
    });
    let mut next = || words.next().unwrap_or_default();
    let (verb, mut object) = (next(), next());
    if object == "OR" && tokens.len() > 3 {
        // `CREATE OR REPLACE DATABASE` drops the one that is there.
        next();
        object = next();
        if matches!(&*object, "DATABASE" | "SCHEMA") {
            return Kind::Is(dropped(tokens.get(4..)));
        }
    }
    let exactly = |words: &[&str]| tokens.iter().skip(1).all(|token| is_one_of(Some(token), words));
    Kind::Is(match (&*verb, &*object) {
        ("", _) if tokens.is_empty() => Harmless,
        ("BEGIN", _) if exactly(&["WORK"]) => Begin,
        ("START", "TRANSACTION") => Begin,
        ("COMMIT", _) if exactly(&["WORK", "AND", "NO", "CHAIN", "RELEASE"]) => Commit,
        ("ROLLBACK", _) if exactly(&["WORK", "AND", "NO", "CHAIN", "RELEASE"]) => Rollback,
        ("SAVEPOINT", _) | ("ROLLBACK", "TO") | ("RELEASE", "SAVEPOINT") => Savepoint,
        ("ROLLBACK", "WORK") if is_one_of(tokens.get(2), &["TO"]) => Savepoint,
        // MariaDB's ALTER in two phases.
        ("START" | "COMMIT" | "ROLLBACK", "ALTER") => return Kind::Touches { changes_rows: false },
        ("XA", _) => xa(&object, tokens.get(2..).unwrap_or_default()),
        ("SET", "STATEMENT") => return Kind::SetStatement,
        ("SET" | "GRANT" | "REVOKE" | "FLUSH" | "INSTALL" | "UNINSTALL", _) => Harmless,
        ("CREATE" | "ALTER" | "DROP" | "RENAME", "USER" | "ROLE") => Harmless,
        ("CREATE" | "ALTER", "DATABASE" | "SCHEMA") => Harmless,
        ("DROP", "DATABASE" | "SCHEMA") => dropped(tokens.get(2..)),
        ("ANALYZE" | "OPTIMIZE", "TABLE" | "TABLES" | "LOCAL" | "NO_WRITE_TO_BINLOG") => Harmless,
        ("ALTER" | "CREATE" | "DROP" | "RENAME" | "TRUNCATE" | "REPAIR" | "IMPORT", _) => {
            return Kind::Touches { changes_rows: false };
        }
        ("INSERT" | "REPLACE" | "UPDATE" | "DELETE" | "LOAD" | "WITH", _) => {
            return Kind::Touches { changes_rows: true };
        }
        _ => Unclear,
    })
}

fn xa(verb: &str, tokens: &[Token<'_>]) -> Statement {
    let Some(xid) = Xid::read(tokens) else { return Statement::Unclear };
    match verb {
        "START" | "BEGIN" => Statement::XaStart(xid),
        "END" => Statement::XaEnd(xid),
        "PREPARE" => Statement::XaPrepare(xid),
        "COMMIT" => Statement::XaCommit(xid),
        "ROLLBACK" => Statement::XaRollback(xid),
        _ => Statement::Unclear,
    }
}

/// Reads the name of a database, after `IF EXISTS`.
fn dropped(tokens: Option<&[Token<'_>]>) -> Statement {
    let tokens = match tokens.unwrap_or_default() {
        [one, two, rest @ ..] if is_one_of(Some(one), &["IF"]) && is_one_of(Some(two), &["EXISTS"]) => rest,
        tokens => tokens,
    };
    match tokens.first() {
        Some(Token::Word(name)) => Statement::DropsDatabase((*name).to_owned()),
        Some(Token::Quoted(name)) => Statement::DropsDatabase(name.to_string()),
        _ => Statement::Unclear,
    }
}

/// Returns all names of a text. Returns `None` if it can't be read to its end, or has too many.
fn names(first: &[Token<'_>], mut rest: Lexer<'_>) -> Option<Names> {
    let mut names = Names::default();
    let mut insert = |token: &Token<'_>| {
        match token {
            Token::Word(name) => names.insert(name),
            Token::Quoted(name) => names.insert(name),
            Token::Text(_) | Token::Symbol(_) => {}
        }
        (names.0.len() <= MOST_NAMES).then_some(())
    };
    first.iter().try_for_each(&mut insert)?;
    rest.try_for_each(|token| insert(&token))?;
    (!rest.is_broken()).then_some(names)
}

fn is_one_of(token: Option<&Token<'_>>, words: &[&str]) -> bool {
    matches!(token, Some(Token::Word(word)) if words.iter().any(|wanted| word.eq_ignore_ascii_case(wanted)))
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A keyword, a name without quotes, or a number.
    Word(&'a str),
    /// A name in quotes.
    Quoted(Cow<'a, str>),
    /// The inside of a text, with its escapes.
    Text(&'a [u8]),
    /// Any other character.
    Symbol(u8),
}

/// The settings of a server by which texts split into tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mode {
    /// Whether a backslash escapes within a text: not with `NO_BACKSLASH_ESCAPES`.
    escapes: bool,
    /// Whether `"` quotes a name: with `ANSI_QUOTES`.
    names: bool,
    /// Whether the server runs the executable comments.
    runs: bool,
}

impl Mode {
    /// Returns the modes in which the text may split differently.
    pub(super) fn all_for(text: &[u8]) -> Vec<Self> {
        let has = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
        let mut modes = vec![Self { escapes: true, names: false, runs: true }];
        let mut also = |is_there: bool, change: fn(Self) -> Self| {
            if is_there {
                modes.extend(modes.clone().into_iter().map(change));
            }
        };
        also(has(b"\\"), |mode| Self { escapes: false, ..mode });
        also(has(b"\""), |mode| Self { names: true, ..mode });
        also(has(b"/*!") || has(b"/*M!"), |mode| Self { runs: false, ..mode });
        modes
    }
}

/// Reads tokens. Is broken where a quote or a comment has no end, or a name isn't UTF-8.
#[derive(Clone)]
struct Lexer<'a> {
    rest: &'a [u8],
    mode: Mode,
    broken: bool,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a [u8], mode: Mode) -> Self {
        Self { rest: text, mode, broken: false }
    }

    /// Returns whether a part of the text can't be read.
    fn is_broken(&self) -> bool {
        self.broken
    }

    /// Returns the next bytes, and passes over them.
    fn pass(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at_checked(count).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    /// Passes over blanks and comments.
    fn skip(&mut self) -> Option<()> {
        loop {
            match self.rest {
                [0..=b' ', ..] => drop(self.pass(1)),
                [b'#', ..] | [b'-', b'-', 0..=b' ', ..] => {
                    let end = self.rest.iter().position(|byte| *byte == b'\n');
                    self.pass(end.unwrap_or(self.rest.len()));
                }
                [b'/', b'*', b'!', ..] | [b'/', b'*', b'M', b'!', ..] if self.mode.runs => {
                    self.pass(if self.rest.starts_with(b"/*M") { 4 } else { 3 });
                    let version = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                    // MySQL's and MariaDB's versions have 5 or 6 digits. Another number is a name.
                    if matches!(version, 5 | 6) {
                        self.pass(version);
                    }
                }
                // The end of an executable comment.
                [b'*', b'/', ..] if self.mode.runs => drop(self.pass(2)),
                [b'/', b'*', rest @ ..] => {
                    let end = rest.windows(2).position(|pair| pair == b"*/")?;
                    self.pass(end.saturating_add(4));
                }
                _ => return Some(()),
            }
        }
    }

    /// Reads up to the closing quote. Returns the inside.
    fn quoted(&mut self, quote: u8, escapes: bool) -> Option<&'a [u8]> {
        let inside = self.rest.get(1..)?;
        let mut bytes = inside.iter().enumerate().peekable();
        while let Some((at, byte)) = bytes.next() {
            if *byte == b'\\' && escapes {
                bytes.next();
            } else if *byte == quote && bytes.next_if(|(_, next)| **next == quote).is_none() {
                self.pass(at.saturating_add(2));
                return inside.get(..at);
            }
        }
        None
    }

    fn read(&mut self) -> Option<Token<'a>> {
        Some(match *self.rest.first()? {
            byte if is_word(byte) => {
                let length = self.rest.iter().take_while(|byte| is_word(**byte)).count();
                Token::Word(std::str::from_utf8(self.pass(length)).ok()?)
            }
            quote if quote == b'`' || quote == b'"' && self.mode.names => {
                let name = std::str::from_utf8(self.quoted(quote, false)?).ok()?;
                let (one, two) = if quote == b'`' { ("`", "``") } else { ("\"", "\"\"") };
                Token::Quoted(if name.contains(two) { name.replace(two, one).into() } else { name.into() })
            }
            quote @ (b'\'' | b'"') => Token::Text(self.quoted(quote, self.mode.escapes)?),
            symbol => {
                self.pass(1);
                Token::Symbol(symbol)
            }
        })
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if self.broken {
            return None;
        }
        let begins = self.skip().is_some();
        if begins && self.rest.is_empty() {
            return None;
        }
        let token = if begins { self.read() } else { None };
        self.broken = token.is_none();
        token
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 128..)
}
