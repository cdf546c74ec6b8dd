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
pub(crate) mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Debug;
    use std::sync::{Arc, Mutex};

    use mrc_core::{Params, RowFormat, params};
    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::subscriber::set_default;
    use tracing::{Event, Metadata, Subscriber};

    use super::*;
    use crate::QueryExecutor;

    /// The spans and their fields.
    #[derive(Clone, Default)]
    pub(crate) struct Spans(Arc<Mutex<Vec<Fields>>>);

    #[derive(Clone, Debug, Default)]
    struct Fields(BTreeMap<&'static str, String>);

    impl Visit for Fields {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            self.0.insert(field.name(), format!("{value:?}"));
        }

        fn record_str(&mut self, field: &Field, value: &str) {
            self.0.insert(field.name(), value.to_owned());
        }
    }

    impl Spans {
        /// Returns the fields of the only span. A query has one, and a ping none.
        pub(crate) fn of_one(&self) -> String {
            let spans = self.0.lock().unwrap();
            let [Fields(fields)] = spans.as_slice() else { panic!("there must be one span: {spans:?}") };
            fields.iter().map(|(name, value)| format!("{name}={value} ")).collect()
        }
    }

    impl Subscriber for Spans {
        // The driver and the runtime emit spans too.
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.target() == "mrc"
        }

        fn new_span(&self, span: &Attributes<'_>) -> Id {
            let mut fields = Fields::default();
            span.record(&mut fields);
            let mut spans = self.0.lock().unwrap();
            spans.push(fields);
            Id::from_u64(spans.len() as u64)
        }

        fn record(&self, span: &Id, values: &Record<'_>) {
            let at = usize::try_from(span.into_u64()).unwrap() - 1;
            values.record(&mut self.0.lock().unwrap()[at]);
        }

        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &Event<'_>) {}
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    /// Returns whether the query succeeded, and the fields of its one span.
    async fn spans_of(executor: &dyn QueryExecutor, sql: &str, params: &Params) -> (bool, String) {
        let spans = Spans::default();
        let _listening = set_default(spans.clone());
        let done = executor.query(sql, params, &mut RowEncoder::new(RowFormat::Canonical)).await;
        let ping = executor.ping().await;
        assert_eq!(done.is_ok(), ping.is_ok());
        (done.is_ok(), spans.of_one())
    }

    #[cfg(feature = "sqlite")]
    #[tokio::test]
    async fn a_query_is_a_span() {
        let executor = crate::SqliteExecutor::in_memory().unwrap();
        executor.execute_batch("CREATE TABLE orders (id INT); INSERT INTO orders VALUES (1), (2), (3)").await.unwrap();
        let sql = "SELECT id FROM orders WHERE id < ? AND 'hunter2' <> ?";
        let (works, fields) = spans_of(&executor, sql, &params! { "Id" => 3, "Secret" => "hunter3" }).await;
        assert!(works);
        assert_eq!(
            fields,
            "db.operation.name=SELECT db.query.summary=SELECT orders db.response.returned_rows=2 db.system.name=sqlite \
             otel.kind=client otel.name=SELECT orders "
        );
    }

    #[cfg(feature = "mysql")]
    #[tokio::test]
    async fn a_failed_query_returns_its_reason() {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = crate::MySqlConfig::new().port(nobody).database("shop").password("hunter1");
        let executor = crate::MySqlExecutor::new(config).unwrap();
        let sql = "SELECT 'hunter2' AS a, ? AS b FROM orders";
        let (works, fields) = spans_of(&executor, sql, &params! { "Secret" => "hunter3" }).await;
        assert!(!works);
        assert_eq!(
            fields,
            format!(
                "db.namespace=shop db.operation.name=SELECT db.query.summary=SELECT db.system.name=mysql \
                 error.type=unavailable otel.kind=client otel.name=SELECT otel.status_code=ERROR server.address=127.0.0.1 \
                 server.port={nobody} "
            )
        );
        let (_, fields) = spans_of(&executor, "hunter2", &params! {}).await;
        assert!(!fields.contains("hunter") && fields.contains("otel.name=mysql "), "{fields}");
    }

    fn check(sql: &str, expected: Option<&str>) {
        assert_eq!(summary(operation(sql), sql).as_deref(), expected, "{sql}");
    }

    #[test]
    fn a_summary_is_the_operation_and_the_first_table() {
        check("SELECT a FROM orders WHERE b = ?", Some("SELECT orders"));
        check(" (select a, b + 1 from shop.orders\nUNION SELECT 1)", Some("SELECT"));
        check("\n\tselect COUNT(*)\nfrom  shop.orders, items", Some("SELECT shop.orders"));
        check("SELECT EXTRACT(YEAR FROM at) FROM orders", Some("SELECT orders"));
        check("SELECT from_here, `a` FROM orders", Some("SELECT"));
        check("SELECT a FROM (SELECT 1 AS a FROM t) AS d", Some("SELECT"));
        check("SELECT a FROM `orders`", Some("SELECT"));
        check("INSERT INTO orders(a) VALUES (?)", Some("INSERT orders"));
        check("DELETE FROM orders", Some("DELETE orders"));
        check("SELECT 1", Some("SELECT"));
        check("SELECT a FROM", Some("SELECT"));
        check("WITH c AS (SELECT a FROM t) SELECT a FROM c", Some("WITH c"));
    }

    #[test]
    fn possible_literals_are_not_shown() {
        check("SELECT 'x FROM secret'", Some("SELECT"));
        check(r"SELECT 'C:\', ' FROM secret'", Some("SELECT"));
        check(r#"SELECT "x" FROM secret"#, Some("SELECT"));
        check("SELECT 1 /* ' */ FROM secret", Some("SELECT"));
        check("SELECT a FROM 'secret'", Some("SELECT"));
        check("hunter2", None);
        check("SELECTED secrets", None);
        check("", None);
    }

    #[test]
    fn a_name_is_cut_at_no_boundary() {
        check("SELECT é FROM größe", Some("SELECT größe"));
        check("SELECT €€ FROM ü.ö;", Some("SELECT ü.ö"));
    }
}
