//! One reading of a statement.

use super::lexer::{Lexer, Mode, Token};
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
    if lexer.any(|token| is_word(Some(&token), &["FOR"])) {
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
    let exactly = |words: &[&str]| tokens.iter().skip(1).all(|token| is_word(Some(token), words));
    Kind::Is(match (&*verb, &*object) {
        ("", _) if tokens.is_empty() => Harmless,
        ("BEGIN", _) if exactly(&["WORK"]) => Begin,
        ("START", "TRANSACTION") => Begin,
        ("COMMIT", _) if exactly(&["WORK", "AND", "NO", "CHAIN", "RELEASE"]) => Commit,
        ("ROLLBACK", _) if exactly(&["WORK", "AND", "NO", "CHAIN", "RELEASE"]) => Rollback,
        ("SAVEPOINT", _) | ("ROLLBACK", "TO") | ("RELEASE", "SAVEPOINT") => Savepoint,
        ("ROLLBACK", "WORK") if is_word(tokens.get(2), &["TO"]) => Savepoint,
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
        [one, two, rest @ ..] if is_word(Some(one), &["IF"]) && is_word(Some(two), &["EXISTS"]) => rest,
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
        (names.len() <= MOST_NAMES).then_some(())
    };
    first.iter().try_for_each(&mut insert)?;
    rest.try_for_each(|token| insert(&token))?;
    (!rest.is_broken()).then_some(names)
}

fn is_word(token: Option<&Token<'_>>, words: &[&str]) -> bool {
    matches!(token, Some(Token::Word(word)) if words.iter().any(|wanted| word.eq_ignore_ascii_case(wanted)))
}
