//! The read-only check, token by token.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, Word};

use super::NotCacheable::{self, *};
use super::functions;
use super::split::{Neighbours, Piece, is_word, keyword, not_parsed, pieces, text};

/// Checks that the answer of `sql` may be cached, by the rules in the [module](super)'s docs.
///
/// A pure function of the text. Its cost grows only with the text's length.
///
/// # Errors
/// [`NotCacheable`] when the text writes, locks, depends on the session or can't be read.
///
/// ```
/// use mrc_core::statement::{NotCacheable, check};
///
/// assert!(check("SELECT id FROM t WHERE name = 'FOR UPDATE'").is_ok());
///
/// let refused = check("SELECT id FROM t WHERE id = ? FOR UPDATE").unwrap_err();
/// assert_eq!(refused, NotCacheable::Locks { what: "FOR UPDATE".into() });
/// ```
pub fn check(sql: &str) -> Result<(), NotCacheable> {
    check_pieces(&pieces(sql)?, false, |_| false)
}

/// As [`check`], for sessions whose `sql_mode` has `IGNORE_SPACE`: a blank between a built-in
/// function's name and its `(` changes nothing.
///
/// # Errors
/// As [`check`].
///
/// ```
/// use mrc_core::statement::{check, check_ignoring_space};
///
/// assert!(check("SELECT COUNT (*) FROM t").is_err());
/// assert!(check_ignoring_space("SELECT COUNT (*) FROM t").is_ok());
/// ```
pub fn check_ignoring_space(sql: &str) -> Result<(), NotCacheable> {
    check_pieces(&pieces(sql)?, true, |_| false)
}

/// As [`check`], of tokens, without the refusals of unquoted words that are `ignored`.
pub(crate) fn check_pieces(
    pieces: &[Piece],
    ignores_space: bool,
    ignored: impl Fn(&NotCacheable) -> bool,
) -> Result<(), NotCacheable> {
    let pieces = match pieces {
        [statement @ .., Piece { token: Token::SemiColon, .. }] => statement,
        statement => statement,
    };
    check_first_word(pieces)?;
    for at in 0..pieces.len() {
        let place = Neighbours { pieces, at, ignores_space };
        // A name in quotes may be a stored function's.
        let is_unquoted = matches!(place.after(0), Some(Token::Word(Word { quote_style: None, .. })));
        match check_token(&place) {
            Err(refusal) if !is_unquoted || !ignored(&refusal) => return Err(refusal),
            _ => {}
        }
    }
    check_tables(pieces)
}

fn check_first_word(pieces: &[Piece]) -> Result<(), NotCacheable> {
    let Some(first) = pieces.iter().map(|piece| &piece.token).find(|&token| *token != Token::LParen) else {
        return Err(Empty);
    };
    let what = || first.to_string();
    match keyword(Some(first)) {
        Keyword::SELECT | Keyword::WITH | Keyword::VALUES | Keyword::TABLE => Ok(()),
        Keyword::INSERT | Keyword::UPDATE | Keyword::DELETE | Keyword::REPLACE => Err(Writes { what: what() }),
        _ => Err(NotASelect { what: what() }),
    }
}

fn check_token(place: &Neighbours<'_>) -> Result<(), NotCacheable> {
    let Some(token) = place.after(0) else { return Ok(()) };
    match token {
        Token::Word(word) => check_word(word, place),
        // A name, if the server's mode is ANSI_QUOTES.
        Token::DoubleQuotedString(name) => functions::check_call(name, place),
        Token::SemiColon => Err(SeveralStatements),
        token if is_plain(token) => Ok(()),
        token if token.to_string().contains('@') => {
            Err(DependsOnSession { what: format!("{token}{}", text(place.after(1))) })
        }
        token => not_parsed(format!("`{token}` isn't MySQL's")),
    }
}

fn check_word(word: &Word, place: &Neighbours<'_>) -> Result<(), NotCacheable> {
    // After a `.`, even a reserved word is a name.
    if place.before(1) == Some(&Token::Period) {
        let qualified = || format!("{}.{}", text(place.before(2)), word.value);
        return if place.is_before_paren() {
            Err(StoredFunction { what: qualified() })
        } else if word.value.eq_ignore_ascii_case("NEXTVAL") {
            // With or without quotes, if the server's mode is ORACLE.
            Err(Writes { what: qualified() })
        } else if word.value.eq_ignore_ascii_case("CURRVAL") {
            Err(DependsOnSession { what: qualified() })
        } else {
            Ok(())
        };
    }
    let with_next = || match place.after(1) {
        Some(Token::Word(next)) => format!("{word} {next}"),
        _ => word.to_string(),
    };
    match (keyword(place.after(0)), keyword(place.after(1))) {
        (Keyword::FOR, Keyword::UPDATE | Keyword::SHARE) | (Keyword::LOCK, _) => Err(Locks { what: with_next() }),
        (Keyword::UPDATE | Keyword::DELETE | Keyword::INTO, _) => Err(Writes { what: with_next() }),
        // INSERT() and REPLACE() are string functions.
        (Keyword::INSERT | Keyword::REPLACE, _) if !place.is_before_paren() => Err(Writes { what: with_next() }),
        (Keyword::VALUE, Keyword::FOR) if is_word(place.before(1), &["NEXT", "PREVIOUS"]) => {
            Err(Writes { what: format!("{} {}", text(place.before(1)), with_next()) })
        }
        _ if is_word(place.after(0), &["CURRENT_USER", "CURRENT_ROLE", "SQL_CALC_FOUND_ROWS"]) => {
            Err(DependsOnSession { what: word.to_string() })
        }
        _ => functions::check_call(&word.value, place),
    }
}

/// Returns whether a token means only itself. This is an allow list: operators of other databases,
/// as the tokenizer reads them, are refused.
fn is_plain(token: &Token) -> bool {
    use Token::*;
    match token {
        Number(..) | HexStringLiteral(_) | Placeholder(_) | Comma | Period | LParen | RParen | LBrace | RBrace | Eq
        | DoubleEq | Neq | Lt | Gt | LtEq | GtEq | Spaceship | Plus | Minus | Mul | Div | Mod | StringConcat
        | Ampersand | Pipe | Caret | Tilde | DoubleTilde | ShiftLeft | ShiftRight | Overlap | ExclamationMark
        | ExclamationMarkTilde | Arrow | LongArrow => true,
        SingleQuotedString(_) | NationalStringLiteral(_) | SingleQuotedByteStringLiteral(_) => true,
        token => *token == DoubleExclamationMark,
    }
}

/// The tables of `information_schema` that define the data. The others are about sessions,
/// transactions, caches and privileges.
const DEFINITIONS: &str = "\
    CHARACTER_SETS CHECK_CONSTRAINTS COLLATIONS COLLATION_CHARACTER_SET_APPLICABILITY COLUMNS \
    COLUMNS_EXTENSIONS ENGINES EVENTS KEYWORDS KEY_COLUMN_USAGE PARAMETERS PARTITIONS \
    REFERENTIAL_CONSTRAINTS ROUTINES SCHEMATA SEQUENCES SQL_FUNCTIONS STATISTICS \
    ST_GEOMETRY_COLUMNS ST_SPATIAL_REFERENCE_SYSTEMS TABLES TABLES_EXTENSIONS TABLE_CONSTRAINTS \
    TRIGGERS VIEWS VIEW_ROUTINE_USAGE VIEW_TABLE_USAGE";

/// The server's tables, if the connection's database is a schema of the server. Others are rare.
const BARE: &str = "PROCESSLIST SESSION_STATUS SESSION_VARIABLES GLOBAL_STATUS GLOBAL_VARIABLES";

/// Refuses tables about the session or the server.
fn check_tables(pieces: &[Piece]) -> Result<(), NotCacheable> {
    let mut clauses = Clauses::default();
    for (at, piece) in pieces.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|before| pieces.get(before)).map(|piece| &piece.token);
        if clauses.names_table(before) {
            check_name(pieces.get(at..).unwrap_or_default())?;
        }
        clauses.step(before, &piece.token, pieces.get(at + 1).map(|next| &next.token));
    }
    Ok(())
}

fn check_name(pieces: &[Piece]) -> Result<(), NotCacheable> {
    let token = |at: usize| pieces.get(at).map(|piece| &piece.token);
    let is_any = |name: &str, names: &str| names.split(' ').any(|known| name.eq_ignore_ascii_case(known));
    let first = text(token(0));
    let (refused, what) = if token(1) == Some(&Token::Period) {
        let table = text(token(2));
        let refused = match &*first.to_ascii_lowercase() {
            "performance_schema" | "sys" => true,
            "information_schema" => !is_any(&table, DEFINITIONS),
            _ => false,
        };
        (refused, format!("{first}.{table}"))
    } else {
        (is_any(&first, BARE), first)
    };
    if refused { Err(NotCacheable::DependsOnSession { what }) } else { Ok(()) }
}

/// The places in a statement where tables are named.
#[derive(Default)]
struct Clauses {
    /// The states outside each open parenthesis.
    outer: Vec<ClauseState>,
    state: ClauseState,
}

#[derive(Debug, Default, Clone, Copy)]
struct ClauseState {
    /// Whether the text is in a list of tables.
    in_from: bool,
    /// Whether the text is in a call's arguments: `EXTRACT(DAY FROM a)` names no table.
    in_call: bool,
}

impl Clauses {
    fn step(&mut self, before: Option<&Token>, token: &Token, next: Option<&Token>) {
        match token {
            Token::LParen => {
                let begins_query = is_word(next, &["SELECT", "WITH", "VALUES", "TABLE"]);
                // `FROM (a, b)` continues the list.
                let in_from = self.names_table(before) && !begins_query;
                let in_call = !begins_query && !in_from && matches!(before, Some(Token::Word(_)));
                self.outer.push(self.state);
                self.state = ClauseState { in_from, in_call };
            }
            Token::RParen => self.state = self.outer.pop().unwrap_or_default(),
            token if is_word(Some(token), &["FROM"]) => self.state.in_from = !self.state.in_call,
            token if is_word(Some(token), ENDS) => self.state.in_from = false,
            _ => {}
        }
    }

    /// Returns whether a table's name may follow this token.
    fn names_table(&self, before: Option<&Token>) -> bool {
        match before {
            Some(Token::Comma | Token::LParen) => self.state.in_from,
            before if is_word(before, &["FROM"]) => self.state.in_from,
            before => is_word(before, &["JOIN", "STRAIGHT_JOIN", "TABLE", "OJ"]),
        }
    }
}

/// The words that end a list of tables.
const ENDS: &[&str] =
    &["SELECT", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "WINDOW", "UNION", "EXCEPT", "INTERSECT", "QUALIFY"];
