//! One span per query, with OpenTelemetry's names. It omits the text, literals and params.

use std::cell::LazyCell;

use mrc_core::RowEncoder;
use tracing::field::Empty;
use tracing::{Span, debug_span};

use crate::error::ExecuteError;

/// The database of a query.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// OpenTelemetry's name of the database, such as `mysql`.
    pub system: &'static str,
    /// The name of the database.
    pub namespace: Option<&'a str>,
    /// The host, or the path of the socket.
    pub address: Option<&'a str>,
    /// The port.
    pub port: Option<u16>,
}

/// Returns the span of a query. Without a subscriber that costs one static read.
pub fn query(target: Target<'_>, sql: &str) -> Span {
    let operation = LazyCell::new(|| operation(sql));
    let summary = LazyCell::new(|| summary(*operation, sql));
    debug_span!(
        target: "mrc",
        "query",
        otel.name = summary.as_deref().unwrap_or(target.system),
        otel.kind = "client",
        otel.status_code = Empty,
        db.system.name = target.system,
        db.namespace = target.namespace,
        db.operation.name = *operation,
        db.query.summary = summary.as_deref(),
        server.address = target.address,
        server.port = target.port,
        db.response.returned_rows = Empty,
        error.type = Empty,
    )
}

/// Records the outcome of a query in its span.
pub fn ended<T>(span: &Span, done: &Result<T, ExecuteError>, rows: &RowEncoder) {
    match done {
        Ok(_) => span.record("db.response.returned_rows", rows.rows()),
        Err(error) => span.record("error.type", error_type(error)).record("otel.status_code", "ERROR"),
    };
}

fn error_type(error: &ExecuteError) -> &'static str {
    match error {
        ExecuteError::Config(_) => "config",
        ExecuteError::ParamCount { .. } => "param_count",
        ExecuteError::Param { .. } => "param",
        ExecuteError::Refused(_) => "refused",
        ExecuteError::Unavailable(_) => "unavailable",
        ExecuteError::Timeout { .. } => "timeout",
        ExecuteError::Cell { .. } => "cell",
        ExecuteError::Row(_) => "row",
        ExecuteError::SeveralResults => "several_results",
        ExecuteError::Session => "session",
        ExecuteError::TransactionOver => "transaction_over",
        ExecuteError::CommitUnknown(_) => "commit_unknown",
        ExecuteError::Closed => "closed",
    }
}

/// The words that may name a span. Other texts may begin with anything, even with a secret.
const OPERATIONS: [&str; 15] = [
    "SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "VALUES", "TABLE", "CALL", "SET", "INSERT", "UPDATE",
    "DELETE", "REPLACE", "TRUNCATE",
];

fn operation(sql: &str) -> Option<&'static str> {
    let first = word(sql.trim_start_matches(|ch: char| ch.is_whitespace() || ch == '('));
    OPERATIONS.into_iter().find(|known| known.eq_ignore_ascii_case(first))
}

/// Returns the operation and its first table if that is unambiguous: `SELECT shop.orders`.
fn summary(operation: Option<&'static str>, sql: &str) -> Option<String> {
    let operation = operation?;
    Some(table(sql).map_or_else(|| operation.to_owned(), |table| format!("{operation} {table}")))
}

/// Returns the name after the first `FROM` or `INTO` outside of brackets.
///
/// The search ends at a quote, backslash or comment: servers disagree on the literals after it.
fn table(sql: &str) -> Option<&str> {
    let mut rest = sql;
    let mut depth = 0_u32;
    loop {
        let word = word(rest);
        if !word.is_empty() {
            rest = rest.get(word.len()..)?;
            if depth == 0 && ["FROM", "INTO"].iter().any(|before| before.eq_ignore_ascii_case(word)) {
                let name = rest.trim_start();
                let end = name.find(|ch: char| !is_in_word(ch) && ch != '.').unwrap_or(name.len());
                return name.get(..end).filter(|name| !name.is_empty());
            }
            continue;
        }
        let ch = rest.chars().next()?;
        match ch {
            '\'' | '"' | '`' | '\\' | '#' | '-' | '/' => return None,
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        rest = rest.get(ch.len_utf8()..)?;
    }
}

/// Returns the beginning of `text` that may be a name.
fn word(text: &str) -> &str {
    text.split(|ch: char| !is_in_word(ch)).next().unwrap_or_default()
}

fn is_in_word(ch: char) -> bool {
    ch.is_alphanumeric() || ch == '_' || ch == '$'
}

#[cfg(test)]
mod tests;
