//! Tables about the session, or about the server's present state.

use sqlparser::tokenizer::Token;

use super::NotCacheable;
use super::split::{Piece, is_word, text};

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
pub(super) fn check(pieces: &[Piece]) -> Result<(), NotCacheable> {
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
