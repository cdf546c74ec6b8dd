//! The read-only check on its servers: it refuses locks and writes, and accepts built-ins.

use std::collections::BTreeSet;

use mrc_core::statement::check;
use mrc_core::{RowEncoder, RowFormat, params};
use mrc_store::{ExecuteError, QueryExecutor, SqliteExecutor};
use mrc_tests::Database;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error};
use proptest::strategy::{Strategy, ValueTree};
use proptest::string::string_regex;
use proptest::test_runner::TestRunner;

const FUNCTIONS: &str = include_str!("../../crates/mrc-core/src/statement/functions.txt");
const QUERIES: &str = include_str!("../../crates/mrc-core/src/statement/queries.sql");

/// The codes for an unknown function: `FUNCTION db.x does not exist`, with a hint and without.
const NO_SUCH_FUNCTION: [u16; 2] = [1305, 1630];

/// Returns the names of the list that have this mark.
fn names(mark: &str) -> Vec<&'static str> {
    let lines = FUNCTIONS.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter(|line| line.split(' ').skip(1).any(|word| word == mark))
        .filter_map(|line| line.split(' ').next())
        .collect()
}

fn queries_of(server: &str) -> impl Iterator<Item = &'static str> {
    let mut section = "";
    QUERIES.lines().filter(move |line| {
        if let Some(name) = line.strip_prefix("-- ") {
            section = name;
            return false;
        }
        section == "both" && server != "sqlite" || section == server
    })
}

async fn server(conn: &mut Conn) -> &'static str {
    let version: String = conn.query_first("SELECT VERSION()").await.unwrap().unwrap();
    if version.contains("MariaDB") { "mariadb" } else { "mysql" }
}

/// Returns the error code of a statement, or 0.
async fn code(conn: &mut Conn, sql: &str) -> u16 {
    match conn.query_drop(sql).await {
        Ok(()) => 0,
        Err(Error::Server(error)) => error.code,
        Err(error) => panic!("{sql}: {error}"),
    }
}

async fn is_known(conn: &mut Conn, call: &str) -> bool {
    !NO_SUCH_FUNCTION.contains(&code(conn, &format!("SELECT {call}")).await)
}

#[tokio::test]
async fn typical_queries_run_where_they_pass() {
    let database = Database::with(
        "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(20), b INT, c DATETIME, d DECIMAL(10, 2), j JSON, n INT, INDEX ia (a));
         CREATE TABLE u (id INT PRIMARY KEY, t_id INT, name VARCHAR(20), amount DECIMAL(10, 2), created DATETIME);
         CREATE TABLE m (id INT PRIMARY KEY, title VARCHAR(50), body TEXT, FULLTEXT (title, body));
         CREATE TABLE g (id INT PRIMARY KEY, p POINT NOT NULL);
         INSERT INTO t VALUES (1, 'x', 1, '2025-01-01', 1.5, '{\"x\": 1, \"list\": [1]}', 1);
         INSERT INTO u VALUES (1, 1, 'x', 2, '2025-01-01');
         INSERT INTO g VALUES (1, ST_GeomFromText('POINT(1 1)'))",
    )
    .await;
    let mut conn = database.admin().await;
    let server = server(&mut conn).await;
    for sql in queries_of(server) {
        assert_eq!(check(sql), Ok(()), "{sql}");
        conn.query_drop(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    }
}

async fn ask(executor: &SqliteExecutor, sql: &str) -> Result<(), ExecuteError> {
    executor.query(sql, &params! {}, &mut RowEncoder::new(RowFormat::Canonical)).await
}

#[tokio::test]
async fn typical_queries_run_on_sqlite() {
    let executor = SqliteExecutor::in_memory().unwrap();
    for sql in queries_of("sqlite") {
        assert_eq!(check(sql), Ok(()), "{sql}");
        ask(&executor, sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    }
}

#[tokio::test]
async fn functions_listed_as_built_in_are_built_in() {
    let database = Database::create().await;
    let mut conn = database.admin().await;
    let server = server(&mut conn).await;
    let joined: BTreeSet<_> = names("joined").into_iter().collect();
    let mut stored_with_a_blank = BTreeSet::new();
    for name in names(server) {
        let (mut tight, mut blank) = (Vec::new(), Vec::new());
        // NULL, for functions that wait.
        for arguments in ["", "NULL", "NULL, NULL", "NULL, NULL, NULL"] {
            tight.push(is_known(&mut conn, &format!("{name}({arguments})")).await);
            blank.push(is_known(&mut conn, &format!("{name} ({arguments})")).await);
        }
        // These are known only in their clauses.
        let clause = ["JSON_TABLE", "ROLLUP"].contains(&name);
        assert!(clause || tight.iter().any(|known| *known), "{name} isn't built in");
        if tight.iter().zip(&blank).any(|(tight, blank)| *tight && !blank) {
            stored_with_a_blank.insert(name);
        }
    }
    assert!(stored_with_a_blank.is_subset(&joined), "{:?}", stored_with_a_blank.difference(&joined));
    assert!(stored_with_a_blank.len() > 30, "{stored_with_a_blank:?}");
}

#[tokio::test]
async fn functions_listed_as_built_into_sqlite_are_built_in() {
    let executor = SqliteExecutor::in_memory().unwrap();
    let mut missing = Vec::new();
    for name in names("sqlite") {
        let mut known = false;
        for arguments in ["", "NULL", "NULL, NULL"] {
            let read = ask(&executor, &format!("SELECT {name}({arguments})")).await;
            known |= read.err().is_none_or(|error| !error.to_string().contains("no such function"));
        }
        // A table function.
        known |= ask(&executor, &format!("SELECT * FROM {name}('[]')")).await.is_ok();
        if !known {
            missing.push(name);
        }
    }
    assert_eq!(missing, Vec::<&str>::new());
}

#[tokio::test]
async fn a_word_of_the_grammar_never_calls_a_stored_function() {
    let database = Database::create().await;
    let mut conn = database.admin().await;
    let wheres =
        ["SELECT $", "SELECT 1, $", "SELECT 1 + $", "SELECT NOT $", "SELECT 1 WHERE 777 = $", "SELECT CONVERT(1, $)"];
    let mut seen = 0;
    for name in names("syntax").into_iter().chain(["f"]) {
        for (params, argument) in [("", ""), ("x INT", "1")] {
            let create = format!("CREATE FUNCTION `{name}` ({params}) RETURNS INT NO SQL RETURN 777");
            conn.query_drop(create).await.unwrap();
            for sql in wheres {
                let sql = sql.replace('$', &format!("{name}({argument})"));
                let row: Option<mysql_async::Row> = conn.query_first(&sql).await.ok().flatten();
                let called = row.is_some_and(|row| sql.contains("777 =") || format!("{row:?}").contains("777"));
                seen += usize::from(called);
                assert!(!called || name == "f", "{sql} calls a stored function");
            }
            conn.query_drop(format!("DROP FUNCTION `{name}`")).await.unwrap();
        }
    }
    assert!(seen > 0, "no call was seen at all");
}

/// Numbers, and texts that some lexer could take for one.
const NUMBERS: &str = r#"
    1 1. .5 1.5 1e3 1E3 1e+3 1e-3 1.e5 1.5e3 .5e3 1e 1e+ 1.e 0x1 0x1F 0x 0X1F x'1F' 0b1 0b 0B1
    b'1' 1x 1L 1.L 1e3L 00x1 1_ 1$ 1é ? 'a' "a" `id` N'a' _utf8mb4'a' id t.id t.1 NULL (1) 1--1
    1e3--1"#;

/// Clauses that could lock or write, after a number.
const ENDS: &[&str] = &["LOCK IN SHARE MODE", "FOR UPDATE", "FOR SHARE", "for\tupdate", "lock/**/in share mode"];

/// Calls of stored functions that write, in pieces that a number could take letters of.
const CALLS: &[&str] =
    &["f()", "Lf()", "e5()", "e()", "x1()", "b1()", ".f()", ".1()", "1()", "L5()", "OR f()", "AND f()", ".e5()"];

/// Every text that locks or writes is refused, so the check must split as well as the server.
#[tokio::test]
async fn statements_that_lock_or_write_are_refused() {
    let database = Database::create().await;
    let mut admin = database.admin().await;
    let tables = "CREATE TABLE t (id INT PRIMARY KEY, `1` INT); INSERT INTO t VALUES (1, 1); CREATE TABLE w (a INT)";
    admin.query_drop(tables).await.unwrap();
    let names = "f Lf e5 e x1 b1 1 L5 1f 1Lf 1e5 1e 0x1 0b1 1L5 0x1f 0b1f 1L";
    for name in names.split(' ') {
        let body = "BEGIN INSERT INTO w VALUES (1); RETURN 1; END";
        let create = format!("CREATE FUNCTION `{name}`() RETURNS INT MODIFIES SQL DATA {body}");
        admin.query_drop(create).await.unwrap();
    }
    let (mut locked, mut wrote) = (0, 0);
    let mut conn = database.admin().await;
    let schema = database.name();
    for sql in texts(schema) {
        conn.query_drop("START TRANSACTION").await.unwrap();
        // Most of the texts are no SQL at all.
        let ran = code(&mut conn, &sql).await == 0;
        if ran {
            let locks = code(&mut admin, "SELECT id FROM t WHERE id = 1 FOR UPDATE NOWAIT").await != 0;
            let writes: u64 = conn.query_first("SELECT COUNT(*) FROM w").await.unwrap().unwrap();
            assert!(!locks || check(&sql).is_err(), "{sql} locks and passes");
            assert!(writes == 0 || check(&sql).is_err(), "{sql} writes and passes");
            locked += usize::from(locks);
            wrote += usize::from(writes > 0);
        }
        conn.query_drop("ROLLBACK").await.unwrap();
    }
    assert!(locked > 50 && wrote > 50, "{locked} locked, {wrote} wrote: too few to show anything");
}

/// Returns each number with each end, and random texts.
fn texts(schema: &str) -> Vec<String> {
    let mut all = Vec::new();
    for number in NUMBERS.split_whitespace() {
        for glue in ["", " ", "/**/", "."] {
            all.extend(ENDS.iter().map(|end| format!("SELECT id FROM t WHERE id={number}{glue}{end}")));
            all.extend(CALLS.iter().map(|call| format!("SELECT {number}{glue}{call} FROM t")));
            all.extend(CALLS.iter().map(|call| format!("SELECT {schema}.{number}{glue}{call} FROM t")));
            all.push(format!("SELECT {schema}.{number}{glue}()"));
        }
    }
    // The random texts are the same in every run.
    let mut runner = TestRunner::deterministic();
    let numbers = string_regex("([019.eExXbL+_fn -]|'a'){1,5}").unwrap();
    for at in 0..3000 {
        let number = numbers.new_tree(&mut runner).unwrap().current();
        match at % 3 {
            0 => all.push(format!("SELECT {number}()")),
            1 => all.push(format!("SELECT 1 OR {number}f() FROM t")),
            _ => all.push(format!("SELECT id FROM t WHERE id>={number}{}", ENDS[at % ENDS.len()])),
        }
    }
    all
}

#[tokio::test]
async fn a_stored_function_that_has_a_builtins_name_is_called_with_a_blank_or_in_quotes_only() {
    let database = Database::create().await;
    let mut conn = database.admin().await;
    for name in ["now", "abs"] {
        let params = if name == "abs" { "x INT" } else { "" };
        let create = format!("CREATE FUNCTION {}.{name}({params}) RETURNS INT NO SQL RETURN 777", database.name());
        conn.query_drop(create).await.unwrap();
    }
    let mut answers = Vec::new();
    for call in ["abs(-1)", "abs (-1)", "now()", "now ()", "now/**/()", "`now`()"] {
        let sql = format!("SELECT {call} = 777");
        let stored: Option<bool> = conn.query_first(&sql).await.unwrap();
        answers.push((stored.unwrap(), check(&sql).is_ok()));
    }
    assert_eq!(answers, [(false, true), (false, true), (false, true), (true, false), (true, false), (true, false)]);
}
